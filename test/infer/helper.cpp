#include "helper.h"

#include <catch2/catch.hpp>

namespace rowtrail::infer::test {

std::string evaluate(std::string_view text) {
  Expression expression;
  std::vector<SyntaxError> errors;
  std::uint32_t slots = 0;
  if (!compile(text, {}, slots, expression, errors)) {
    return "syntax " + std::to_string(errors[0].offset) + ": " + errors[0].message;
  }
  Evaluator evaluator(slots);
  evaluator.set_budget(1'000'000);
  binlog::Arena arena;
  const Value value = evaluator.evaluate(expression, expression.root, {}, arena);
  if (value.is_error()) return "error: " + describe(value, expression);
  std::string out(kind_name(value.kind));
  out += ' ';
  if (!append_json(out, value)) out += "?";
  return out;
}

Changes::Changes(const std::string& yaml) : text_(yaml) {
  YamlNode root;
  Diagnostic error;
  const bool parsed = parse_yaml({text_, 1}, root, error);
  INFO(error.message);
  REQUIRE(parsed);
  std::vector<Diagnostic> errors;
  rows_ = std::make_unique<TestRows>(root, errors);
  for (const auto& found : errors) FAIL(found.message);
}

std::vector<BusinessEvent> infer_events(const std::string& rules_yaml, const Changes& rows) {
  const auto rules = load_rules_text(rules_yaml, "test.yaml");
  for (const auto& error : rules.errors) FAIL(error.text());
  Engine engine(rules.rules, {});
  std::vector<BusinessEvent> events;
  std::vector<normalize::Gap> gaps;
  engine.infer(rows.transaction(), events, gaps);
  return events;
}

std::string payload(const BusinessEvent& event, const Changes& rows) {
  std::string out;
  append_event(out, event, rows.transaction());
  return out;
}

std::string errors_of(const std::string& rules_yaml) {
  std::string out;
  for (const auto& error : load_rules_text(rules_yaml, "r.yaml").errors) out += error.text() + "\n";
  return out;
}

}  // namespace rowtrail::infer::test
