#include "cli/commands.h"
#include "cli/terminal.h"

#include <fstream>
#include <set>

#include "insight/insight.h"
#include <fmt/format.h>

namespace rowtrail::cli {
namespace {

/// Prints every error of the rule files; true when there are none.
bool report(const infer::LoadedRules& rules) {
  for (const auto& error : rules.errors) {
    fmt::print(stderr, "{} {}\n", styled("error", Style::Bad), error.text());
  }
  return rules.errors.empty();
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // XML 1.0 has no other control characters.
        if (static_cast<unsigned char>(c) >= ' ' || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

/// One suite for each rule, as CI servers read it.
void write_junit(const std::string& path, const std::vector<infer::TestResult>& results) {
  std::ofstream file(path);
  file << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (std::size_t n = 0; n < results.size();) {
    std::size_t end = n, failed = 0;
    for (; end < results.size() && results[end].rule_id == results[n].rule_id; ++end) {
      failed += results[end].passed ? 0 : 1;
    }
    file << fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n",
                        xml(results[n].rule_id), end - n, failed);
    for (; n < end; ++n) {
      const auto& result = results[n];
      file << fmt::format("    <testcase classname=\"{}\" name=\"{} #{}\" file=\"{}\" line=\"{}\"",
                          xml(result.rule_id), xml(result.rule_id), result.number, xml(result.file),
                          result.line);
      file << (result.passed
                   ? std::string("/>\n")
                   : fmt::format("><failure>{}</failure></testcase>\n", xml(result.detail)));
    }
    file << "  </testsuite>\n";
  }
  file << "</testsuites>\n";
  if (!file.flush()) {
    throw core::Failure(core::Area::Usage, false, fmt::format("cannot write {}", path));
  }
}

infer::LoadedRules rules_or_throw(const Common& common) {
  auto rules = infer::load_rules(common.config.rules);
  if (!report(rules)) {
    throw core::Failure(core::Area::Usage, false, "the rules have errors; see above");
  }
  return rules;
}

infer::EngineOptions engine_options(const Common& common) {
  infer::EngineOptions options;
  if (!common.config.actor_columns.empty()) options.actor_columns = common.config.actor_columns;
  return options;
}

void append_list(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (std::size_t n = 0; n < texts.size(); ++n) {
    if (n > 0) out += ',';
    normalize::append_json_string(out, texts[n]);
  }
  out += ']';
}

std::string explanation_json(const insight::EventExplanation& found, std::uint64_t seq) {
  std::string out = fmt::format("{{\"seq\":{},\"transaction\":", seq);
  normalize::append_json_string(out, found.transaction);
  out += fmt::format(",\"because\":[{}],\"rules\":[", found.because);
  for (std::size_t n = 0; n < found.rules.size(); ++n) {
    const auto& rule = found.rules[n];
    out += n > 0 ? ",{\"id\":" : "{\"id\":";
    normalize::append_json_string(out, rule.rule_id);
    out += ",\"version\":";
    normalize::append_json_string(out, rule.version);
    out += ",\"outcome\":";
    normalize::append_json_string(out, infer::outcome_name(rule.outcome));
    out += ",\"matches\":[";
    for (std::size_t m = 0; m < rule.matches.size(); ++m) {
      out += fmt::format("{}[{}]", m > 0 ? "," : "", fmt::join(rule.matches[m], ","));
    }
    out += "],\"lines\":";
    append_list(out, rule.lines);
    out += '}';
  }
  return out + "]}";
}

}  // namespace

int rules_check_command(const Common& common) {
  const auto rules = infer::load_rules(common.config.rules);
  if (!report(rules)) {
    fmt::print(stderr, "{} error{} in the rules\n", rules.errors.size(),
               rules.errors.size() == 1 ? "" : "s");
    return 1;
  }
  Table table{{"rule", "version", "tests", "event", "title"}, {false, false, true}, {}};
  for (const auto& rule : rules.infos) {
    table.rows.push_back(
        {rule.id, rule.version, std::to_string(rule.tests), rule.event, rule.title});
  }
  if (!table.rows.empty()) table.print();
  fmt::print("{} rules, no errors\n", rules.infos.size());
  return 0;
}

int rules_test_command(const Common& common, const std::string& junit) {
  const auto rules = infer::load_rules(common.config.rules);
  if (!report(rules)) return 1;
  const auto results = infer::run_rule_tests(rules);
  if (!junit.empty()) write_junit(junit, results);
  std::size_t failed = 0;
  for (const auto& result : results) {
    if (result.passed) {
      fmt::print("{} {} #{}\n", styled("ok  ", Style::Good), result.rule_id, result.number);
      continue;
    }
    ++failed;
    fmt::print("{} {} #{} ({}:{})\n", styled("FAIL", Style::Bad), result.rule_id, result.number,
               result.file, result.line);
    fmt::print("{}\n", result.detail);
  }
  std::set<std::string> untested;
  for (const auto& rule : rules.infos) {
    if (rule.tests == 0) untested.insert(rule.id);
  }
  for (const auto& id : untested)
    fmt::print("{} {} has no test\n", styled("note", Style::Warn), id);
  fmt::print("{} passed, {} failed\n", results.size() - failed, failed);
  return failed == 0 ? 0 : 1;
}

int rules_explain_command(const Common& common, std::uint64_t seq) {
  const auto rules = rules_or_throw(common);
  infer::Engine engine(rules.rules, engine_options(common));
  const auto reader = store::open_reader(common.config.store_url);
  const auto found = insight::explain_event(*reader, engine, seq);
  if (!found) {
    throw core::Failure(
        core::Area::Usage, false,
        fmt::format("there is no event with seq {}; `rowtrail events` shows them", seq));
  }
  if (common.format != Format::Text) {
    fmt::print("{}\n", explanation_json(*found, seq));
    return 0;
  }
  fmt::print("event {} of transaction {}\n", seq, found->transaction);
  if (!found->because.empty()) {
    fmt::print("rests on the events {} (a rule over time)\n", found->because);
  }
  using Outcome = infer::RuleExplanation::Outcome;
  for (const auto& rule : found->rules) {
    const Style style = rule.outcome == Outcome::Matched     ? Style::Good
                        : rule.outcome == Outcome::RowsTaken ? Style::Warn
                                                             : Style::Muted;
    fmt::print("{} {} ({}:{})\n", styled(infer::outcome_name(rule.outcome), style), rule.rule_id,
               rule.file, rule.line);
    for (const auto& line : rule.lines) fmt::print("    {}\n", fit(line, terminal_width()));
  }
  const std::size_t untouched = rules.infos.size() - found->rules.size();
  if (untouched > 0) {
    fmt::print(
        "{}\n",
        styled(fmt::format("{} rules name no table and operation of this transaction", untouched),
               Style::Muted));
  }
  return 0;
}

int rules_backtest_command(const Common& common, const ListOptions& options) {
  const auto rules = rules_or_throw(common);
  infer::Engine engine(rules.rules, engine_options(common));
  const auto reader = store::open_reader(common.config.store_url);
  const auto result = insight::backtest(*reader, engine, options.filter, options.limit);
  if (common.format != Format::Text) {
    std::string out =
        fmt::format("{{\"transactions\":{},\"changes\":{},\"too_large\":{},\"types\":[",
                    result.transactions, result.changes, result.too_large);
    for (std::size_t n = 0; n < result.types.size(); ++n) {
      const auto& row = result.types[n];
      out += n > 0 ? ",{\"type\":" : "{\"type\":";
      normalize::append_json_string(out, row.type);
      out += fmt::format(",\"now\":{},\"stored\":{},\"same\":{}}}", row.now, row.stored, row.same);
    }
    out += "],\"samples\":[";
    for (std::size_t n = 0; n < result.samples.size(); ++n) {
      const auto& sample = result.samples[n];
      out += fmt::format("{}{{\"difference\":\"{}\",\"transaction\":", n > 0 ? "," : "",
                         sample.added ? "new" : "gone");
      normalize::append_json_string(out, sample.transaction);
      out += ",\"type\":";
      normalize::append_json_string(out, sample.type);
      out += ",\"summary\":";
      normalize::append_json_string(out, sample.summary);
      if (!sample.added) out += fmt::format(",\"seq\":{}", sample.seq);
      out += '}';
    }
    out += "],\"notes\":";
    append_list(out, result.notes);
    fmt::print("{}}}\n", out);
    return 0;
  }
  Table table{
      {"now", "stored", "same", "new", "gone", "type"}, {true, true, true, true, true, false}, {}};
  for (const auto& row : result.types) {
    table.rows.push_back({grouped(row.now), grouped(row.stored), grouped(row.same),
                          grouped(row.now - row.same), grouped(row.stored - row.same), row.type});
  }
  table.print();
  for (const auto& sample : result.samples) {
    fmt::print("{} {}{} {}: {}\n",
               sample.added ? styled("new ", Style::Good) : styled("gone", Style::Warn),
               sample.type, sample.added ? std::string() : fmt::format(" (seq {})", sample.seq),
               sample.transaction, fit(sample.summary, 200));
  }
  for (const auto& note : result.notes) fmt::print("{} {}\n", styled("note", Style::Warn), note);
  if (result.too_large > 0) {
    fmt::print("{} {} transactions are too large for rules\n", styled("note", Style::Warn),
               result.too_large);
  }
  fmt::print("{} transactions, {} changes; nothing was written\n", grouped(result.transactions),
             grouped(result.changes));
  return 0;
}

int rules_learn_command(const Common& common, const ListOptions& options) {
  const auto reader = store::open_reader(common.config.store_url);
  const auto learned = insight::learn(*reader, options.filter, options.limit);
  fmt::print("{}", learned.yaml);
  fmt::print(stderr, "{} rules for {} of {} transactions that no rule matched\n", learned.rules,
             grouped(learned.covered), grouped(learned.discovered));
  return 0;
}

}  // namespace rowtrail::cli
