#include "infer/explain.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

constexpr std::size_t kFailuresMax = 12;  // lines of conditions that did not hold
constexpr std::size_t kKeptMax = 1'000;   // that are collected before the best are chosen
constexpr std::size_t kMatchesMax = 20;   // of one rule that are told

std::string operations(OpMask ops) {
  if (ops == kRowOps) return "any";
  std::string out;
  for (unsigned n = 0; n < 6; ++n) {
    const auto op = static_cast<normalize::Op>(n);
    if ((ops & op_bit(op)) == 0) continue;
    if (!out.empty()) out += " or ";
    out += normalize::op_name(op);
  }
  return out;
}

std::string table_text(const Clause& clause) {
  const auto& table = clause.table;
  const auto name = table.database == "*" ? table.table : table.database + "." + table.table;
  return fmt::format("{} of {}", operations(clause.ops), name);
}

std::string clause_text(const Clause& clause) {
  return clause.name.empty() ? fmt::format("forbid {}", table_text(clause))
                             : fmt::format("{} ({})", clause.name, table_text(clause));
}

std::string rows_text(std::size_t rows) {
  return fmt::format("{} row{}", rows, rows == 1 ? "" : "s");
}

}  // namespace

std::string_view outcome_name(RuleExplanation::Outcome outcome) {
  static constexpr std::array<std::string_view, 4> kNames = {"matched", "rows taken", "no match",
                                                             "not touched"};
  return kNames[static_cast<std::size_t>(outcome)];
}

Explainer::Explainer(const Rule& rule, const normalize::Transaction& transaction,
                     Evaluator& evaluator)
    : rule_(rule), transaction_(transaction), evaluator_(evaluator) {
  for (const auto& clause : rule.match) names_.emplace_back(clause->name);
  names_.emplace_back("");
  out_.rule_id = rule.id;
  out_.version = rule.version;
  out_.file = rule.file;
  out_.line = rule.line;
}

bool Explainer::is_touched(std::span<const Rows> rows) {
  for (std::size_t n = 0; n < rule_.match.size(); ++n) {
    const Clause& clause = *rule_.match[n];
    if (!rows[n].empty() || clause.is_optional()) continue;
    touched_ = false;
    out_.lines.push_back(fmt::format("{}: no such row in the transaction", clause_text(clause)));
  }
  return touched_;
}

void Explainer::note(std::size_t bound, std::string text) {
  const bool known = std::any_of(failures_.begin(), failures_.end(),
                                 [&](const Failure& failure) { return failure.text == text; });
  if (!known && failures_.size() < kKeptMax) failures_.push_back({bound, std::move(text)});
}

void Explainer::filtered(const Step& step, std::size_t rows, std::size_t left) {
  if (rows == 0) return;
  out_.lines.push_back(step.local.empty()
                           ? fmt::format("{}: {}", clause_text(*step.clause), rows_text(rows))
                           : fmt::format("{}: {} of {} satisf{} what it asks of a row alone",
                                         clause_text(*step.clause), left, rows_text(rows),
                                         left == 1 ? "ies" : "y"));
}

std::string Explainer::bound_rows(std::span<const Value> variables, std::size_t& count) const {
  std::string out;
  for (std::size_t n = 0; n < variables.size(); ++n) {
    const Value& value = variables[n];
    if (value.kind != Kind::Row && value.kind != Kind::List) continue;
    ++count;
    const std::string_view name = names_[n].empty() ? std::string_view("the row") : names_[n];
    if (!out.empty()) out += ", ";
    out += value.kind == Kind::Row ? fmt::format("{} = change {}", name, value.change->ordinal)
                                   : fmt::format("{} = {}", name, rows_text(value.size));
  }
  return out;
}

void Explainer::failed(const Condition& condition, const Value& value,
                       std::span<const Value> variables) {
  if (failures_.size() >= kKeptMax) return;
  std::size_t bound = 0;
  const std::string rows = bound_rows(variables, bound);
  const Expression& expression = *condition.expression;
  std::string text = rows.empty() ? std::string() : "with " + rows + ": ";
  text += text_of(expression, condition.node, names_);
  text += value.is_error() ? " cannot be evaluated: " + describe(value, expression)
                           : fmt::format(" is {}", show(value));
  binlog::Arena arena;
  std::vector<std::string> seen;
  for (const auto operand : operands_of(expression, condition.node)) {
    if (operand == condition.node) continue;
    const Value part = evaluator_.evaluate(expression, operand, variables, arena);
    auto line = fmt::format("{} = {}", text_of(expression, operand, names_),
                            part.is_error() ? "?" : show(part));
    if (std::find(seen.begin(), seen.end(), line) == seen.end()) seen.push_back(std::move(line));
  }
  if (!seen.empty()) text += fmt::format("  ({})", fmt::join(seen, ", "));
  note(bound, std::move(text));
}

void Explainer::forbidden(const Step& step, const normalize::Change& row) {
  note(names_.size(),
       fmt::format("{}: change {} is such a row", clause_text(*step.clause), row.ordinal));
}

void Explainer::too_few(const Step& step, std::size_t rows) {
  note(step.variable, fmt::format("{}: {} fit, it needs {}", clause_text(*step.clause),
                                  rows_text(rows), step.clause->count_min));
}

std::vector<std::uint32_t> Explainer::ordinals(const Match& match) const {
  std::vector<std::uint32_t> out;
  for (const auto row : match.rows) out.push_back(transaction_.changes[row].ordinal);
  return out;
}

void Explainer::describe_matches(std::span<const Match> matches, std::span<const Match> settled) {
  for (const Match& match : matches) {
    if (out_.matches.size() >= kMatchesMax) {
      out_.lines.push_back(fmt::format("and {} matches more", matches.size() - kMatchesMax));
      return;
    }
    out_.matches.push_back(ordinals(match));
    std::size_t bound = 0;
    std::string line = "match: " + bound_rows(match.variables, bound);
    for (const Match& other : settled) {
      if (other.rule == &rule_) continue;
      const bool shared = std::any_of(match.rows.begin(), match.rows.end(), [&](auto row) {
        return std::binary_search(other.rows.begin(), other.rows.end(), row);
      });
      if (shared) line += fmt::format("; rule {} got its rows", other.rule->id);
    }
    out_.lines.push_back(std::move(line));
  }
}

RuleExplanation Explainer::finish(std::span<const Match> settled, std::span<const Match> alone,
                                  const std::string& error) {
  using Outcome = RuleExplanation::Outcome;
  std::vector<Match> own;
  std::copy_if(settled.begin(), settled.end(), std::back_inserter(own),
               [&](const Match& match) { return match.rule == &rule_; });
  out_.outcome = !own.empty()     ? Outcome::Matched
                 : !alone.empty() ? Outcome::RowsTaken
                 : touched_       ? Outcome::NoMatch
                                  : Outcome::NotTouched;
  if (!own.empty()) {
    describe_matches(own, {});
    return std::move(out_);
  }
  if (!alone.empty()) {
    describe_matches(alone, settled);
    return std::move(out_);
  }
  // What came nearest to a match stands first.
  std::stable_sort(failures_.begin(), failures_.end(),
                   [](const Failure& a, const Failure& b) { return a.bound > b.bound; });
  for (std::size_t n = 0; n < std::min(failures_.size(), kFailuresMax); ++n) {
    out_.lines.push_back(std::move(failures_[n].text));
  }
  if (failures_.size() > kFailuresMax) {
    out_.lines.push_back(fmt::format("and {} more", failures_.size() - kFailuresMax));
  }
  if (touched_ && failures_.empty() && !error.empty()) out_.lines.push_back(error);
  return std::move(out_);
}

}  // namespace rowtrail::infer
