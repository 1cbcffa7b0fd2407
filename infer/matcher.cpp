#include "infer/matcher.h"

#include <algorithm>

namespace rowtrail::infer {
namespace {

constexpr std::size_t kIndexedRowsMin = 8;  // fewer are searched faster than hashed
const RowList kNoRows;

}  // namespace

Value Matcher::evaluate(std::uint32_t expression, std::uint32_t node) {
  const auto& compiled = rule_.conditions[expression];
  const auto value = evaluator_.evaluate(compiled, node, variables_, arena_);
  if (value.is_error() && error_.empty()) error_ = describe(value, compiled);
  return value;
}

bool Matcher::holds(const std::vector<Condition>& conditions) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const Condition& condition) {
    return evaluate(condition.expression, condition.node).is_true();
  });
}

void Matcher::keep_local(std::size_t clause, const RowList& rows) {
  for (const auto row : rows) {
    variables_[clause] = make_row(transaction_.changes[row]);
    if (holds(rule_.clauses[clause].local)) rows_[clause].push_back(row);
  }
  variables_[clause] = Value{};
}

const RowList& Matcher::partners(std::size_t clause) {
  const auto& joins = rule_.clauses[clause].joins;
  if (joins.empty() || rows_[clause].size() < kIndexedRowsMin) return rows_[clause];
  const auto& join = joins.front();
  auto& index = indexes_[clause];
  if (!indexed_[clause]) {
    indexed_[clause] = true;
    for (const auto row : rows_[clause]) {
      variables_[clause] = make_row(transaction_.changes[row]);
      const auto key = evaluate(join.expression, join.own);
      if (!key.is_error()) index[hash(key)].push_back(row);
    }
    variables_[clause] = Value{};
  }
  const auto key = evaluate(join.expression, join.other);
  if (key.is_error()) return kNoRows;
  const auto found = index.find(hash(key));
  return found == index.end() ? kNoRows : found->second;
}

bool Matcher::bind_row(std::size_t clause, std::uint32_t row) {
  variables_[clause] = make_row(transaction_.changes[row]);
  used_[row] = true;
  bound_[clause] = {row};
  const auto& shape = rule_.clauses[clause];
  if (holds(shape.row) && holds(shape.bound) && bind(clause + 1)) return true;
  used_[row] = false;
  bound_[clause].clear();
  variables_[clause] = Value{};
  return false;
}

bool Matcher::bind_one(std::size_t clause) {
  for (const auto row : partners(clause)) {
    if (evaluator_.exhausted()) return false;
    if (!used_[row] && bind_row(clause, row)) return true;
  }
  if (rule_.clauses[clause].min > 0) return false;
  variables_[clause] = Value{};  // null: the optional row is not there
  return holds(rule_.clauses[clause].bound) && bind(clause + 1);
}

bool Matcher::bind_list(std::size_t clause) {
  const auto& shape = rule_.clauses[clause];
  auto& rows = bound_[clause];
  auto& values = lists_[clause];
  rows.clear();
  values.clear();
  for (const auto row : partners(clause)) {
    if (rows.size() == shape.max) break;
    if (used_[row]) continue;
    variables_[clause] = make_row(transaction_.changes[row]);
    if (!holds(shape.row)) continue;
    rows.push_back(row);
    values.push_back(variables_[clause]);
  }
  variables_[clause] = make_list(values);
  for (const auto row : rows) used_[row] = true;
  if (rows.size() >= shape.min && holds(shape.bound) && bind(clause + 1)) return true;
  for (const auto row : rows) used_[row] = false;
  rows.clear();
  variables_[clause] = Value{};
  return false;
}

bool Matcher::bind(std::size_t clause) {
  if (clause == rule_.clauses.size()) return true;
  return rule_.clauses[clause].is_list() ? bind_list(clause) : bind_one(clause);
}

Match Matcher::take() {
  Match match;
  match.variables = variables_;
  match.lists = lists_;
  for (std::size_t clause = 0; clause < rule_.clauses.size(); ++clause) {
    if (rule_.clauses[clause].is_list()) match.variables[clause] = make_list(match.lists[clause]);
    match.rows.insert(match.rows.end(), bound_[clause].begin(), bound_[clause].end());
  }
  std::sort(match.rows.begin(), match.rows.end());
  return match;
}

void Matcher::run(const std::vector<RowList>& candidates, std::vector<Match>& out) {
  const auto count = rule_.clauses.size();
  rows_.assign(count, {});
  indexes_.assign(count, {});
  indexed_.assign(count, false);
  variables_.assign(count + 1, Value{});  // one more for forbid
  lists_.assign(count, {});
  bound_.assign(count, {});
  used_.assign(transaction_.changes.size(), false);
  for (std::size_t clause = 0; clause < count; ++clause) {
    keep_local(clause, candidates[clause]);
    if (rows_[clause].empty() && rule_.clauses[clause].min > 0) return;
  }
  if (rule_.clauses.front().is_list()) {
    while (bind(0)) out.push_back(take());
    return;
  }
  for (const auto row : rows_[0]) {
    if (evaluator_.exhausted()) return;
    if (!used_[row] && bind_row(0, row)) out.push_back(take());
  }
}

}  // namespace rowtrail::infer
