// Binds the clauses of one rule to the rows of one transaction, as often as they allow. Belongs to
// an Engine, which gives it rules in order of priority; buffers are kept between transactions.
#pragma once

#include "infer/candidates.h"
#include "infer/evaluator.h"
#include "infer/rule.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rowtrail::infer {

/// Rows are indexes into Transaction::changes.
using Rows = std::span<const std::uint32_t>;

struct Match {
  const Rule* rule = nullptr;
  std::span<const Value> variables;  // by clause
  Rows rows;                         // every bound row, ascending
};

/// What a rule may spend in one transaction, in evaluation steps.
inline constexpr std::uint64_t kStepsMin = 2'000'000;
inline constexpr std::uint64_t kStepsPerRow = 200;

/// Hears why a match did not come about; for explanations, where speed does not matter.
class MatchTrace {
 public:
  virtual ~MatchTrace() = default;
  /// Of the rows of its table and operation, so many satisfy what the clause asks of its row alone.
  virtual void filtered(const Step& step, std::size_t rows, std::size_t left) = 0;
  /// `value` is what the condition gave, false or an error.
  virtual void failed(const Condition& condition, const Value& value,
                      std::span<const Value> variables) = 0;
  virtual void forbidden(const Step& step, const normalize::Change& row) = 0;
  /// The list found fewer rows than its count demands.
  virtual void too_few(const Step& step, std::size_t rows) = 0;
};

class Matcher {
 public:
  explicit Matcher(Evaluator& evaluator) : evaluator_(evaluator) {}

  void begin(const normalize::Transaction& transaction);

  /// Appends the rule's matches. `rows` has the rows of each clause by table and operation, then of
  /// each forbid. What the matches point to lives in `kept`.
  void run(const Rule& rule, std::span<const Rows> rows, binlog::Arena& kept,
           std::vector<Match>& out);

  /// Takes rows away from the rules that run later.
  void own(Rows rows) {
    for (const auto row : rows) owned_[row] = 1;
  }
  [[nodiscard]] bool is_owned(std::uint32_t row) const { return owned_[row] != 0; }
  void set_trace(MatchTrace* trace) { trace_ = trace; }

  /// What went wrong in the last run, for people; empty: nothing.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  bool filter(const Step& step, Rows rows, Candidates& out, bool skip_owned);
  void drive(std::vector<Match>& out);
  bool bind(std::size_t step);
  bool bind_one(std::size_t step);
  bool bind_list(std::size_t step);
  bool bind_row(std::size_t step, std::uint32_t row);
  bool is_forbidden();
  [[nodiscard]] bool is_hopeless(const Step& forbid, const Candidates& found) const;
  void prepare_index(const Step& step, Candidates& candidates);
  bool join_hash(const Step& step, bool here, std::uint64_t& hash);
  bool holds(const std::vector<Condition>& conditions);
  Value evaluate(const Expression& expression, std::uint32_t node);
  void take(std::vector<Match>& out);

  Evaluator& evaluator_;
  const normalize::Transaction* transaction_ = nullptr;
  const Rule* rule_ = nullptr;
  binlog::Arena* kept_ = nullptr;
  binlog::Arena scratch_;
  std::vector<Candidates> candidates_;             // by step
  std::vector<Candidates> forbidden_;              // by forbid
  std::vector<Value> variables_;                   // by clause, one more for forbid
  std::vector<std::vector<std::uint32_t>> bound_;  // by step
  std::vector<std::vector<Value>> lists_;          // by step
  std::vector<std::uint8_t> owned_;                // by row: claimed by a rule of higher priority
  std::vector<std::uint32_t> claimed_;             // by row: run that claimed it for good
  std::vector<std::uint8_t> in_use_;               // by row: bound in the match being tried
  std::uint32_t run_ = 0;
  std::string error_;
  MatchTrace* trace_ = nullptr;
};

}  // namespace rowtrail::infer
