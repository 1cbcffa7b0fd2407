// Rules run over what is already stored: what they make of one transaction, and what they would
// have made of many, beside what is recorded. Writes nothing. Included by insight/insight.h.
#pragma once

#include "core/core.h"
#include "infer/infer.h"
#include "store/store.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::insight {

/// The transaction of a stored record, its Changes as they were captured. Owns what they point to.
struct StoredRows {
  explicit StoredRows(store::Reader& reader, std::string source);
  StoredRows(const StoredRows&) = delete;
  StoredRows& operator=(const StoredRows&) = delete;

  infer::StoredLayouts layouts;
  normalize::Transaction transaction;
};

struct EventExplanation {
  std::string transaction;
  std::string payload;  // of the event
  std::string because;  // seqs of the events it rests on
  std::vector<infer::RuleExplanation> rules;
};
/// What the rules make of the transaction of the event with this seq; nothing when there is none.
[[nodiscard]] std::optional<EventExplanation> explain_event(store::Reader& reader,
                                                            infer::Engine& engine,
                                                            std::uint64_t seq);

struct BacktestRow {
  std::string type;
  std::uint64_t now = 0;     // the rules make
  std::uint64_t stored = 0;  // the record holds
  std::uint64_t same = 0;    // both, of the same transaction, objects and attributes
};
struct BacktestSample {
  bool added = false;  // the rules make it, the record does not hold it; else the other way round
  std::string transaction, type, summary;
  std::uint64_t seq = 0;  // of the stored event
};
struct Backtest {
  std::uint64_t transactions = 0, changes = 0;
  std::uint64_t too_large = 0;  // transactions that rules are not evaluated on
  std::vector<BacktestRow> types;
  std::vector<BacktestSample> samples;
  std::vector<std::string> notes;  // of rules that could not be judged
};
/// `filter` narrows by source and time (of commit). Rules over time begin with nothing known at its
/// beginning. `samples` differences of each type are kept.
[[nodiscard]] Backtest backtest(store::Reader& reader, infer::Engine& engine,
                                const store::Filter& filter, std::size_t samples);

/// Calls `visit` for each stored transaction that has rows, in order; those of more rows than rules
/// are evaluated on come as their first rows with `whole` false.
using VisitTransaction =
    std::function<void(const normalize::Transaction& transaction, std::uint64_t seq, bool whole)>;
void visit_transactions(store::Reader& reader, const store::Filter& filter,
                        const VisitTransaction& visit);

}  // namespace rowtrail::insight
