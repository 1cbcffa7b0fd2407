// Listens to the matcher and says, for people, why a rule matched a transaction or did not.
// Private to the engine.
#pragma once

#include "infer/matcher.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::infer {

class Explainer final : public MatchTrace {
 public:
  Explainer(const Rule& rule, const normalize::Transaction& transaction, Evaluator& evaluator);

  /// Have all clauses it needs rows of their tables and operations? Those that have none are noted.
  bool is_touched(std::span<const Rows> rows);
  /// `settled` are the matches of all rules as they were recorded, `alone` this rule's own.
  RuleExplanation finish(std::span<const Match> settled, std::span<const Match> alone,
                         const std::string& error);

  void filtered(const Step& step, std::size_t rows, std::size_t left) override;
  void failed(const Condition& condition, const Value& value,
              std::span<const Value> variables) override;
  void forbidden(const Step& step, const normalize::Change& row) override;
  void too_few(const Step& step, std::size_t rows) override;

 private:
  struct Failure {
    std::size_t bound;  // clauses that had their rows
    std::string text;
  };
  void note(std::size_t bound, std::string text);
  [[nodiscard]] std::string bound_rows(std::span<const Value> variables, std::size_t& count) const;
  [[nodiscard]] std::vector<std::uint32_t> ordinals(const Match& match) const;
  void describe_matches(std::span<const Match> matches, std::span<const Match> settled);

  const Rule& rule_;
  const normalize::Transaction& transaction_;
  Evaluator& evaluator_;
  std::vector<std::string_view> names_;  // of clauses; the forbidden row has none
  std::vector<Failure> failures_;
  RuleExplanation out_;
  bool touched_ = true;
};

}  // namespace rowtrail::infer
