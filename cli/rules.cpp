#include "cli/commands.h"
#include "cli/terminal.h"

#include <set>

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

int rules_test_command(const Common& common) {
  const auto rules = infer::load_rules(common.config.rules);
  if (!report(rules)) return 1;
  const auto results = infer::run_rule_tests(rules);
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

}  // namespace rowtrail::cli
