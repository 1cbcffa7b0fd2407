// Finds where a rule's clauses fit the rows of one transaction. Private to the engine.
#pragma once

#include "infer/evaluator.h"
#include "infer/rule.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace rowtrail::infer {

/// Rows of one clause: indexes into Transaction::changes, ascending.
using RowList = std::vector<std::uint32_t>;

struct Match {
  std::vector<Value> variables;           // by clause
  std::vector<std::uint32_t> rows;        // ordinals-to-be: indexes of the bound changes, ascending
  std::vector<std::vector<Value>> lists;  // what list variables point to
};

/// One rule over one transaction. `candidates` has a list per clause, by table and operation.
class Matcher {
 public:
  Matcher(const Rule& rule, const normalize::Transaction& transaction, Evaluator& evaluator,
          binlog::Arena& arena)
      : rule_(rule), transaction_(transaction), evaluator_(evaluator), arena_(arena) {}

  /// Appends every match; each row is bound at most once.
  void run(const std::vector<RowList>& candidates, std::vector<Match>& out);
  /// First evaluation error, for people; empty: none.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  using JoinIndex = std::unordered_map<std::uint64_t, RowList>;

  void keep_local(std::size_t clause, const RowList& rows);
  bool bind(std::size_t clause);
  bool bind_one(std::size_t clause);
  bool bind_list(std::size_t clause);
  bool bind_row(std::size_t clause, std::uint32_t row);
  bool holds(const std::vector<Condition>& conditions);
  Value evaluate(std::uint32_t expression, std::uint32_t node);
  /// Rows that can satisfy the clause's first join, or all of them.
  const RowList& partners(std::size_t clause);
  Match take();

  const Rule& rule_;
  const normalize::Transaction& transaction_;
  Evaluator& evaluator_;
  binlog::Arena& arena_;
  std::vector<RowList> rows_;       // by clause, local conditions hold
  std::vector<JoinIndex> indexes_;  // by clause, made when first needed
  std::vector<bool> indexed_;
  std::vector<bool> used_;  // by change
  std::vector<Value> variables_;
  std::vector<std::vector<Value>> lists_;
  std::vector<RowList> bound_;  // by clause
  std::string error_;
};

}  // namespace rowtrail::infer
