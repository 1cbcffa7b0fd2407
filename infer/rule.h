// A compiled rule: clauses with their conditions laid out in the order in which they can be
// decided, the expressions of `emit`, and the summary cut into pieces. Immutable, shared by
// engines.
#pragma once

#include "infer/expression.h"
#include "infer/infer.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::infer {

// Limits on what a rule file may hold.
inline constexpr std::size_t kRuleFileBytesMax = 4 * 1024 * 1024;
inline constexpr std::size_t kClausesMax = 16;
inline constexpr std::size_t kRulesMax = 10'000;
inline constexpr std::uint32_t kUnlimited = 0xFFFFFFFF;

using OpMask = std::uint8_t;
[[nodiscard]] constexpr OpMask op_bit(normalize::Op op) {
  return static_cast<OpMask>(1U << static_cast<unsigned>(op));
}

/// `db.table`, or `table` in any database; `*` stands for any run of characters.
struct TablePattern {
  std::string database = "*";
  std::string table;
  [[nodiscard]] bool matches(std::string_view database_name, std::string_view table_name) const;
};

/// A part of a `when` or `where` that stands alone between "&&"s.
struct Condition {
  std::uint32_t expression = 0;  // into Rule::conditions
  std::uint32_t node = 0;
};

/// `own == other`: own speaks of the clause's row alone, other of rows bound before.
struct Join {
  std::uint32_t expression = 0;
  std::uint32_t own = 0;
  std::uint32_t other = 0;
};

struct Clause {
  std::string name;
  TablePattern table;
  OpMask ops = 0;
  std::uint32_t min = 1;
  std::uint32_t max = 1;
  std::vector<Condition> local;  // of the row alone: decided once per row
  std::vector<Condition> row;    // with rows bound before
  std::vector<Condition> bound;  // when the clause is bound, to a row, rows or null
  std::vector<Join> joins;

  [[nodiscard]] bool is_list() const noexcept { return max > 1; }
};

struct Forbidden {
  TablePattern table;
  OpMask ops = 0;
  std::uint32_t when = kUnlimited;  // into Rule::conditions
};

struct ObjectExpression {
  std::string type;
  std::string role;
  Expression id;
};
struct AttributeExpression {
  std::string name;
  std::string key;  // "name": as JSON
  Expression value;
};
/// `text` is literal, or the name between braces when `is_name`.
struct SummaryPiece {
  std::string text;
  bool is_name = false;
};

struct TestRow {
  std::string table;
  normalize::Op op = normalize::Op::Insert;
  std::string before, after;  // YAML text of the images; empty: none
};
struct RuleTest {
  std::uint32_t line = 0;
  std::string text;  // the test as YAML
};

struct Rule {
  RuleInfo info;
  Severity severity = Severity::Info;
  std::int32_t priority = 0;
  std::vector<Clause> clauses;
  std::vector<Forbidden> forbidden;
  std::vector<Expression> conditions;
  std::vector<ObjectExpression> objects;
  std::vector<AttributeExpression> attributes;
  Expression actor;
  std::vector<SummaryPiece> summary;
  std::vector<RuleTest> tests;
};

class CompiledRules {
 public:
  std::vector<Rule> rules;
  std::uint32_t slots = 0;  // column caches that an Evaluator needs
};

}  // namespace rowtrail::infer
