#include "infer/matcher.h"

#include <algorithm>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

constexpr std::size_t kScratchBytes = 32 * 1024;
constexpr std::size_t kTracedMax = 1'000;  // rows of a clause that are tried one by one

}  // namespace

void Matcher::begin(const normalize::Transaction& transaction) {
  transaction_ = &transaction;
  const std::size_t rows = transaction.changes.size();
  owned_.assign(rows, 0);
  in_use_.assign(rows, 0);
  claimed_.assign(rows, 0);
  run_ = 0;
}

/// Values of conditions are used at once, so their memory is given back between evaluations.
Value Matcher::evaluate(const Expression& expression, std::uint32_t node) {
  if (scratch_.used() > kScratchBytes) scratch_.reset();
  evaluator_.set_sight(Sight::Raw);
  const Value value = evaluator_.evaluate(expression, node, variables_, scratch_);
  evaluator_.set_sight(Sight::Recorded);
  if (value.is_error() && error_.empty()) error_ = describe(value, expression);
  return value;
}

bool Matcher::holds(const std::vector<Condition>& conditions) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const Condition& condition) {
    const Value value = evaluate(*condition.expression, condition.node);
    if (!value.is_true() && trace_ != nullptr) trace_->failed(condition, value, variables_);
    return value.is_true();
  });
}

bool Matcher::filter(const Step& step, Rows rows, Candidates& out, bool skip_owned) {
  out.clear();
  for (const auto row : rows) {
    if (skip_owned && owned_[row] != 0) continue;
    variables_[step.variable] = make_row(transaction_->changes[row]);
    if (step.local.empty() || holds(step.local)) out.push(row);
  }
  variables_[step.variable] = Value{};
  if (trace_ != nullptr) trace_->filtered(step, rows.size(), out.size());
  return out.size() >= step.clause->count_min;
}

bool Matcher::join_hash(const Step& step, bool here, std::uint64_t& hash_out) {
  hash_out = 0;
  for (const Join& join : step.joins) {
    const Value key = evaluate(*join.expression, here ? join.here : join.there);
    if (key.is_error()) return false;
    hash_out = hash_out * 0x9e3779b97f4a7c15ULL + hash(key);
  }
  hash_out |= 1;  // 0 marks an empty bucket
  return true;
}

void Matcher::prepare_index(const Step& step, Candidates& candidates) {
  // Rows that the hash passes over are not tried, and what is not tried is not explained.
  const auto walked = trace_ != nullptr ? kTracedMax : Candidates::kIndexedMin;
  if (candidates.indexed() || step.joins.empty() || candidates.size() < walked) return;
  const Value before = variables_[step.variable];
  candidates.index([&](std::uint32_t row, std::uint64_t& hash_out) {
    variables_[step.variable] = make_row(transaction_->changes[row]);
    return join_hash(step, true, hash_out);
  });
  variables_[step.variable] = before;
}

bool Matcher::bind(std::size_t step) {
  if (step == rule_->plan.steps.size()) return !is_forbidden();
  return rule_->plan.steps[step].clause->is_list() ? bind_list(step) : bind_one(step);
}

bool Matcher::bind_row(std::size_t index, std::uint32_t row) {
  const Step& step = rule_->plan.steps[index];
  evaluator_.spend(1);
  if (in_use_[row] != 0 || evaluator_.exhausted()) return false;
  variables_[step.variable] = make_row(transaction_->changes[row]);
  if (!holds(step.row_checks) || !holds(step.checks)) return false;
  in_use_[row] = 1;
  bound_[index].assign(1, row);
  if (bind(index + 1)) return true;
  in_use_[row] = 0;
  bound_[index].clear();
  return false;
}

bool Matcher::bind_one(std::size_t index) {
  const Step& step = rule_->plan.steps[index];
  Candidates& candidates = candidates_[index];
  prepare_index(step, candidates);
  std::uint64_t key = 0;
  if (!candidates.indexed() || join_hash(step, false, key)) {
    const auto claimed = [&](std::uint32_t row) { return claimed_[row] == run_; };
    if (candidates.walk(key, claimed, [&](std::uint32_t row) {
          return bind_row(index, row) || evaluator_.exhausted();
        })) {
      return !evaluator_.exhausted();
    }
  }
  variables_[step.variable] = Value{};
  bound_[index].clear();
  return step.clause->is_optional() && holds(step.checks) && bind(index + 1);
}

bool Matcher::bind_list(std::size_t index) {
  const Step& step = rule_->plan.steps[index];
  Candidates& candidates = candidates_[index];
  auto& rows = bound_[index];
  auto& values = lists_[index];
  rows.clear();
  values.clear();
  prepare_index(step, candidates);
  std::uint64_t key = 0;
  if (!candidates.indexed() || join_hash(step, false, key)) {
    const auto claimed = [&](std::uint32_t row) { return claimed_[row] == run_; };
    (void)candidates.walk(key, claimed, [&](std::uint32_t row) {
      if (in_use_[row] != 0) return false;
      variables_[step.variable] = make_row(transaction_->changes[row]);
      if (!holds(step.row_checks)) return evaluator_.exhausted();
      rows.push_back(row);
      values.push_back(variables_[step.variable]);
      return rows.size() == step.clause->count_max;
    });
  }
  variables_[step.variable] = make_list(values);
  const bool enough = rows.size() >= step.clause->count_min;
  if (!enough && trace_ != nullptr) trace_->too_few(step, rows.size());
  const bool bound = enough && !evaluator_.exhausted();
  if (bound && holds(step.checks)) {
    for (const auto row : rows) in_use_[row] = 1;
    if (bind(index + 1)) return true;
    for (const auto row : rows) in_use_[row] = 0;
  }
  rows.clear();
  variables_[step.variable] = Value{};
  return false;
}

bool Matcher::is_forbidden() {
  const auto& forbids = rule_->plan.forbid;
  bool found = false;
  for (std::size_t n = 0; n < forbids.size() && !found; ++n) {
    const Step& step = forbids[n];
    Candidates& candidates = forbidden_[n];
    prepare_index(step, candidates);
    std::uint64_t key = 0;
    if (candidates.indexed() && !join_hash(step, false, key)) continue;
    found = candidates.walk(
        key, [](std::uint32_t) { return false; },
        [&](std::uint32_t row) {
          if (in_use_[row] != 0) return false;  // rows of the match itself are not meant
          variables_[step.variable] = make_row(transaction_->changes[row]);
          const bool fits = holds(step.row_checks);
          if (fits && trace_ != nullptr) trace_->forbidden(step, transaction_->changes[row]);
          return fits || evaluator_.exhausted();
        });
    variables_[step.variable] = Value{};
  }
  return found;
}

/// A forbid that asks nothing of the match, and a row for it that no clause could bind.
bool Matcher::is_hopeless(const Step& forbid, const Candidates& found) const {
  if (!forbid.row_checks.empty()) return false;
  return std::any_of(found.rows().begin(), found.rows().end(), [&](std::uint32_t row) {
    for (std::size_t n = 0; n < rule_->plan.steps.size(); ++n) {
      const auto& rows = candidates_[n].rows();
      if (std::binary_search(rows.begin(), rows.end(), row)) return false;
    }
    if (trace_ != nullptr) trace_->forbidden(forbid, transaction_->changes[row]);
    return true;
  });
}

void Matcher::take(std::vector<Match>& out) {
  const std::size_t clauses = rule_->match.size();
  const auto variables = kept_->make_span<Value>(clauses);
  std::copy_n(variables_.begin(), clauses, variables.begin());
  std::size_t count = 0;
  for (const auto& rows : bound_) count += rows.size();
  const auto all = kept_->make_span<std::uint32_t>(count);
  std::size_t at = 0;
  for (std::size_t n = 0; n < rule_->plan.steps.size(); ++n) {
    const Step& step = rule_->plan.steps[n];
    if (step.clause->is_list()) {
      const auto items = kept_->make_span<Value>(lists_[n].size());
      std::copy(lists_[n].begin(), lists_[n].end(), items.begin());
      variables[step.variable] = make_list(items);
    }
    for (const auto row : bound_[n]) {
      all[at++] = row;
      claimed_[row] = run_;
      in_use_[row] = 0;
    }
    bound_[n].clear();
  }
  std::sort(all.begin(), all.end());
  out.push_back({rule_, variables, all});
}

void Matcher::drive(std::vector<Match>& out) {
  if (!rule_->plan.has_driver) {
    while (!evaluator_.exhausted() && bind(0)) take(out);
    return;
  }
  for (const auto row : candidates_[0].rows()) {
    if (evaluator_.exhausted()) return;
    if (claimed_[row] != run_ && bind_row(0, row)) take(out);
  }
}

void Matcher::run(const Rule& rule, std::span<const Rows> rows, binlog::Arena& kept,
                  std::vector<Match>& out) {
  rule_ = &rule;
  kept_ = &kept;
  ++run_;
  error_.clear();
  const auto& steps = rule.plan.steps;
  const auto& forbids = rule.plan.forbid;
  if (candidates_.size() < steps.size()) candidates_.resize(steps.size());
  if (forbidden_.size() < forbids.size()) forbidden_.resize(forbids.size());
  variables_.assign(rule.match.size() + 1, Value{});
  bound_.resize(steps.size());
  lists_.resize(steps.size());
  for (auto& list : bound_) list.clear();
  evaluator_.set_budget(kStepsMin + kStepsPerRow * transaction_->changes.size());
  bool possible = holds(rule.plan.constant);
  for (std::size_t n = 0; n < steps.size() && possible; ++n) {
    possible = filter(steps[n], rows[steps[n].variable], candidates_[n], true);
  }
  for (std::size_t n = 0; n < forbids.size() && possible; ++n) {
    (void)filter(forbids[n], rows[rule.match.size() + n], forbidden_[n], false);
    possible = !is_hopeless(forbids[n], forbidden_[n]);
  }
  if (possible) drive(out);
  if (evaluator_.exhausted()) {
    error_ = fmt::format("gave up on a transaction of {} rows: it takes too many steps",
                         transaction_->changes.size());
  }
}

}  // namespace rowtrail::infer
