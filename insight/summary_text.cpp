// The fact sheet as text, Markdown and JSON. Text is written to be mailed by cron.
#include <algorithm>

#include "insight/phrases.h"
#include "insight/summary.h"
#include <fmt/format.h>

namespace rowtrail::insight {
namespace {

constexpr std::size_t kRowsMax = 15;

/// Columns of text: code points.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xC0') != '\x80'; }));
}

std::string padded(const std::string& text, std::size_t columns, bool right) {
  const std::string space(columns - std::min(columns, width(text)), ' ');
  return right ? space + text : text + space;
}

/// A table with the columns name, value, usual, range, difference.
std::vector<std::vector<std::string>> rows_of(const std::vector<const Fact*>& facts) {
  std::vector<std::vector<std::string>> rows;
  for (const auto* fact : facts) {
    if (rows.size() == kRowsMax) break;
    auto& row = rows.emplace_back(
        std::vector<std::string>{printable(fact->title), fact->value, "", "", "", seqs(*fact)});
    if (!fact->usual) continue;
    row[2] = fact->usual->median;
    row[3] = fact->usual->min + "–" + fact->usual->max;
    row[4] = difference(*fact);
  }
  return rows;
}

void append_text_table(std::string& out, const std::string& title,
                       std::vector<std::vector<std::string>> rows) {
  rows.insert(rows.begin(), {title, "count", "usual", "range", "difference", "records"});
  std::vector<std::size_t> columns(rows[0].size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) columns[i] = std::max(columns[i], width(row[i]));
  }
  out += '\n';
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += padded(row[i], columns[i], i > 0) + "  ";
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
}

void append_markdown_table(std::string& out, const std::string& title,
                           const std::vector<std::vector<std::string>>& rows) {
  out += fmt::format("\n| {} | count | usual | range | difference | records |\n", title);
  out += "|---|--:|--:|--:|--:|--:|\n";
  for (auto row : rows) {
    for (auto& cell : row) cell = markdown_escaped(cell);
    out += fmt::format("| {} |\n", fmt::join(row, " | "));
  }
}

std::string plain(const FactSheet& sheet, bool markdown) {
  std::string out =
      fmt::format("{}rowtrail summary for {} (UTC)\n", markdown ? "# " : "", sheet.span.title);
  const auto text = [&](const std::string& sentence) {
    return markdown ? markdown_escaped(sentence) : sentence;
  };
  const char* bullet = markdown ? "- " : "  ";
  out += "\n" + text(headline(sheet)) + "\n";
  for (const auto& sentence : notes(sheet)) out += text(sentence) + "\n";
  const auto list = [&](const char* title, const std::vector<std::string>& sentences) {
    if (sentences.empty()) return;
    out += fmt::format("\n{}{}\n{}", markdown ? "## " : "", title, markdown ? "\n" : "");
    for (const auto& sentence : sentences) out += bullet + text(sentence) + "\n";
  };
  list("Anomalies", anomaly_sentences(sheet));
  list("What stands out", standout_sentences(sheet));
  list("New", new_sentences(sheet));
  for (const auto& section : sections()) {
    const auto facts = sheet.of(section.group);
    if (facts.empty()) continue;
    const auto rows = rows_of(facts);
    if (markdown) {
      append_markdown_table(out, section.title, rows);
    } else {
      append_text_table(out, section.title, rows);
    }
    if (facts.size() > kRowsMax) out += "and more: --format json has all\n";
  }
  list("Moved", sum_sentences(sheet));
  list("Gaps", gap_sentences(sheet));
  return out;
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (out.back() != '{') out += ',';
  normalize::append_json_string(out, name);
  out += ':';
  normalize::append_json_string(out, value);
}

void append_span(std::string& out, const Span& span) {
  out += '{';
  append_member(out, "title", span.title);
  append_member(out, "since", binlog::format_utc(span.since_us, 0));
  append_member(out, "until", binlog::format_utc(span.until_us, 0));
  out += '}';
}

void append_fact(std::string& out, const Fact& fact) {
  out += '{';
  append_member(out, "id", fact.id);
  append_member(out, "group", fact.group);
  append_member(out, "title", fact.title);
  append_member(out, "value", fact.value);
  append_member(out, "unit", fact.unit);
  if (fact.usual) {
    out += ",\"usual\":{";
    append_member(out, "median", fact.usual->median);
    append_member(out, "min", fact.usual->min);
    append_member(out, "max", fact.usual->max);
    append_member(out, "difference", fact.usual->difference);
    append_member(out, "percent", fact.usual->percent);
    out += fmt::format(",\"surprise\":{:.2f}}}", fact.usual->surprise);
  }
  out += fmt::format(",\"seqs\":[{}]", fmt::join(fact.seqs, ","));
  if (!fact.query.empty()) append_member(out, "query", fact.query);
  out += '}';
}

}  // namespace

std::string render_text(const FactSheet& sheet) {
  return plain(sheet, false);
}

std::string render_markdown(const FactSheet& sheet) {
  return plain(sheet, true);
}

std::string render_json(const FactSheet& sheet) {
  std::string out = "{\"span\":";
  append_span(out, sheet.span);
  append_member(out, "origin", sheet.origin);
  append_member(out, "recorded_until", sheet.recorded_until);
  append_member(out, "usual", sheet.span.usual);
  out += fmt::format(",\"reference_count\":{},\"reference\":[", sheet.reference.size());
  for (std::size_t i = 0; i < sheet.reference.size(); ++i) {
    if (i > 0) out += ',';
    append_span(out, sheet.reference[i]);
  }
  out += "],\"standout\":[";
  for (std::size_t i = 0; i < sheet.standout.size(); ++i) {
    if (i > 0) out += ',';
    normalize::append_json_string(out, sheet.standout[i]);
  }
  out += "],\"facts\":[";
  for (std::size_t i = 0; i < sheet.facts.size(); ++i) {
    if (i > 0) out += ',';
    append_fact(out, sheet.facts[i]);
  }
  return out + "]}\n";
}

core::Result<SummaryFormat> parse_summary_format(std::string_view name) {
  if (name == "text") return SummaryFormat::Text;
  if (name == "md") return SummaryFormat::Markdown;
  if (name == "html") return SummaryFormat::Html;
  if (name == "json") return SummaryFormat::Json;
  return core::Error{core::Errc::Invalid,
                     fmt::format("'{}' is none of text, md, html, json", name)};
}

std::string render(const FactSheet& sheet, SummaryFormat format) {
  switch (format) {
    case SummaryFormat::Text:
      return render_text(sheet);
    case SummaryFormat::Markdown:
      return render_markdown(sheet);
    case SummaryFormat::Html:
      return render_html(sheet);
    case SummaryFormat::Json:
      return render_json(sheet);
  }
  return {};
}

}  // namespace rowtrail::insight
