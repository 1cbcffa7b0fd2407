// How a rule is matched: which clause is bound when, which condition is tested as early as its
// clauses are bound, which equalities become hash joins.
#include "infer/rule.h"

#include <bit>
#include <optional>

namespace rowtrail::infer {
namespace {

constexpr std::uint64_t bit(std::uint32_t clause) {
  return std::uint64_t{1} << clause;
}

void split(const Expression& expression, int owner, std::vector<Condition>& out) {
  if (expression.empty()) return;
  const Node& root = expression.nodes[expression.root];
  const auto add = [&](std::uint32_t node) {
    out.push_back({&expression, node, expression.mentions(node), owner});
  };
  if (root.kind != NodeKind::And) return add(expression.root);
  for (std::uint32_t n = 0; n < root.child_count; ++n) add(expression.child(root, n));
}

/// The condition as a join that finds rows of `clause` from the `bound` ones, if it is one.
std::optional<Join> as_join(const Condition& condition, std::uint32_t clause, std::uint64_t bound) {
  const Node& node = condition.expression->nodes[condition.node];
  if (node.kind != NodeKind::Binary || static_cast<Operator>(node.sub) != Operator::Equal) {
    return std::nullopt;
  }
  for (const std::uint32_t side : {0U, 1U}) {
    const std::uint32_t here = condition.expression->child(node, side);
    const std::uint32_t there = condition.expression->child(node, 1 - side);
    const std::uint64_t other = condition.expression->mentions(there);
    if (condition.expression->mentions(here) == bit(clause) && other != 0 &&
        (other & ~bound) == 0) {
      return Join{condition.expression, here, there};
    }
  }
  return std::nullopt;
}

class Planner {
 public:
  explicit Planner(Rule& rule) : rule_(rule) {
    for (std::size_t n = 0; n < rule.match.size(); ++n) {
      split(rule.match[n]->when, static_cast<int>(n), conditions_);
    }
    split(rule.where, -1, conditions_);
    used_.resize(conditions_.size());
  }

  bool run(std::string& error);

 private:
  [[nodiscard]] const Clause& clause(std::uint32_t n) const { return *rule_.match[n]; }
  [[nodiscard]] bool joins_bound(std::uint32_t candidate) const;
  [[nodiscard]] bool waits_for_list(std::uint32_t candidate) const;
  [[nodiscard]] std::optional<std::uint32_t> next() const;
  void add_step(std::uint32_t chosen);
  void add_forbids();

  Rule& rule_;
  std::vector<Condition> conditions_;
  std::vector<bool> used_;
  std::uint64_t bound_ = 0;
};

bool Planner::joins_bound(std::uint32_t candidate) const {
  for (const Condition& condition : conditions_) {
    if (as_join(condition, candidate, bound_)) return true;
  }
  return false;
}

/// A list's own conditions are tested row by row, so what they mention must be bound before.
bool Planner::waits_for_list(std::uint32_t candidate) const {
  for (const Condition& condition : conditions_) {
    if (condition.owner == static_cast<int>(candidate) &&
        (condition.mentions & ~bound_ & ~bit(candidate)) != 0) {
      return true;
    }
  }
  return false;
}

std::optional<std::uint32_t> Planner::next() const {
  const auto count = static_cast<std::uint32_t>(rule_.match.size());
  const auto pick = [&](bool optional, bool joined) -> std::optional<std::uint32_t> {
    for (std::uint32_t n = 0; n < count; ++n) {
      if ((bound_ & bit(n)) != 0 || clause(n).is_list()) continue;
      if (clause(n).is_optional() == optional && (!joined || joins_bound(n))) return n;
    }
    return std::nullopt;
  };
  for (const bool optional : {false, true}) {
    for (const bool joined : {true, false}) {
      if (const auto found = pick(optional, joined)) return found;
    }
  }
  for (std::uint32_t n = 0; n < count; ++n) {
    if ((bound_ & bit(n)) == 0 && !waits_for_list(n)) return n;
  }
  return std::nullopt;
}

void Planner::add_step(std::uint32_t chosen) {
  Step step;
  step.clause = &clause(chosen);
  step.variable = chosen;
  for (const Condition& condition : conditions_) {
    if (auto join = as_join(condition, chosen, bound_)) {
      // A list is bound as a whole: only its own conditions speak of its single rows.
      if (!step.clause->is_list() || condition.owner == static_cast<int>(chosen)) {
        step.joins.push_back(*join);
      }
    }
  }
  bound_ |= bit(chosen);
  for (std::size_t n = 0; n < conditions_.size(); ++n) {
    if (used_[n] || (conditions_[n].mentions & ~bound_) != 0) continue;
    used_[n] = true;
    const bool own = conditions_[n].owner == static_cast<int>(chosen);
    const bool of_row = own || (!step.clause->is_list() && !step.clause->is_optional());
    if (!of_row) {
      step.checks.push_back(
          conditions_[n]);  // of the list as a whole, or of a row that may be null
    } else if (conditions_[n].mentions == bit(chosen)) {
      step.local.push_back(conditions_[n]);
    } else {
      step.row_checks.push_back(conditions_[n]);
    }
  }
  rule_.plan.steps.push_back(std::move(step));
}

void Planner::add_forbids() {
  for (const auto& forbidden : rule_.forbid) {
    Step step;
    step.clause = forbidden.get();
    step.variable = static_cast<std::uint32_t>(rule_.match.size());
    std::vector<Condition> conditions;
    split(forbidden->when, static_cast<int>(step.variable), conditions);
    for (const Condition& condition : conditions) {
      if (auto join = as_join(condition, step.variable, bound_)) step.joins.push_back(*join);
      const bool local = (condition.mentions & ~bit(step.variable)) == 0;
      (local ? step.local : step.row_checks).push_back(condition);
    }
    rule_.plan.forbid.push_back(std::move(step));
  }
}

bool Planner::run(std::string& error) {
  for (std::size_t n = 0; n < conditions_.size(); ++n) {
    if (conditions_[n].mentions != 0) continue;
    rule_.plan.constant.push_back(conditions_[n]);
    used_[n] = true;
  }
  while (std::popcount(bound_) < static_cast<int>(rule_.match.size())) {
    const auto chosen = next();
    if (!chosen) {
      error = "the lists of rows mention each other; let one of them mention only single rows";
      return false;
    }
    if (clause(*chosen).count_min > 0) rule_.plan.required |= bit(*chosen);
    add_step(*chosen);
  }
  const Clause& first = *rule_.plan.steps[0].clause;
  rule_.plan.has_driver = !first.is_list() && !first.is_optional();
  add_forbids();
  return true;
}

}  // namespace

bool make_plan(Rule& rule, std::string& error) {
  return Planner(rule).run(error);
}

}  // namespace rowtrail::infer
