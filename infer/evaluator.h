// Runs compiled expressions. One per Engine: it keeps the column caches and the stack of macro
// variables, so that evaluating over a row allocates nothing.
#pragma once

#include "infer/expression.h"
#include "infer/row.h"

#include <cstdint>
#include <span>
#include <vector>

namespace rowtrail::infer {

class Evaluator {
 public:
  /// `slots`: how many column caches the expressions use.
  explicit Evaluator(std::uint32_t slots) : slots_(slots) {}

  /// `variables` by the Scope's numbers. Texts of the result live in the rows, the expression or
  /// `arena`. Cost is taken from the budget; without any left the result is an error.
  Value evaluate(const Expression& expression, std::uint32_t node, std::span<const Value> variables,
                 binlog::Arena& arena);

  /// What the next evaluations see of masked columns.
  void set_sight(Sight sight) { sight_ = sight; }

  void set_budget(std::uint64_t steps) { budget_ = steps; }
  [[nodiscard]] std::uint64_t budget() const noexcept { return budget_; }
  void spend(std::uint64_t steps) { budget_ = budget_ > steps ? budget_ - steps : 0; }
  [[nodiscard]] bool exhausted() const noexcept { return budget_ == 0; }

 private:
  using Index = std::uint32_t;
  struct ColumnSlot {
    std::uint64_t layout_hash = 0;
    int column = -1;
    bool known = false;
  };

  Value eval(Index at);
  Value eval_child(const Node& node, std::uint32_t n) { return eval(expression_->child(node, n)); }
  Value column(const Node& node);
  Value row_function(const Node& node);
  Value select(const Node& node);
  Value has(const Node& node);
  Value is_bound(const Node& node);
  Value logical(const Node& node);
  Value negation(const Node& node);
  Value binary(const Node& node);
  Value subscript(const Node& node);
  Value call(const Node& node);
  Value list(const Node& node);
  Value map(const Node& node);
  Value macro(const Node& node);
  Value quantify(const Node& node, std::span<const Value> items, std::size_t stride);
  Value collect(const Node& node, std::span<const Value> items, std::size_t stride);
  Value select_field(const Node& node, const Value& target);
  [[nodiscard]] int find_column(const Node& node, const normalize::Change& change);

  std::vector<ColumnSlot> slots_;
  std::vector<Value> locals_;
  std::uint64_t budget_ = 0;
  const Expression* expression_ = nullptr;
  std::span<const Value> variables_;
  binlog::Arena* arena_ = nullptr;
  Sight sight_ = Sight::Recorded;
};

}  // namespace rowtrail::infer
