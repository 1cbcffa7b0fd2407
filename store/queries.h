// The SQL of every read, composed once for both databases.
#pragma once

#include "store/database.h"
#include "store/store.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rowtrail::store {

/// What a Filter's names mean in this log, looked up before the query is composed: numbers give the
/// planner an index where names would give it a join.
struct Resolved {
  // Tables the filter names; only used when it names a table or database.
  std::vector<std::int32_t> table_ids;
  // Transactions the filter names; only used when it names one.
  std::vector<std::int64_t> transaction_seqs;
};

/// True when the filter needs the lookup.
[[nodiscard]] bool names_tables(const Filter& filter);

[[nodiscard]] Statement select_table_ids(std::int64_t log_id, const Filter& filter);
[[nodiscard]] Statement select_transaction_seqs(std::int64_t log_id, const Filter& filter);

/// Columns: seq, transaction_seq, time_us, type, actor, payload, seqs of the events it rests on.
[[nodiscard]] Statement select_events(Engine engine, std::int64_t log_id, const Filter& filter,
                                      const Resolved& resolved, const Page& page);
[[nodiscard]] Statement select_event(Engine engine, std::int64_t log_id, std::uint64_t seq);
[[nodiscard]] Statement select_transaction_events(Engine engine, std::int64_t log_id,
                                                  std::uint64_t transaction_seq);

/// Columns: seq, transaction_seq, payload, transaction's payload, its first event's payload (or
/// null).
[[nodiscard]] Statement select_changes(Engine engine, std::int64_t log_id, const Filter& filter,
                                       const Resolved& resolved, const Page& page);
/// Columns: seq, payload.
[[nodiscard]] Statement select_gaps(std::int64_t log_id, const Filter& filter,
                                    const Resolved& resolved, const Page& page);
/// Columns: seq, time_us, severity, detector, actor, evidence, payload.
[[nodiscard]] Statement select_anomalies(std::int64_t log_id, const Filter& filter,
                                         const Resolved& resolved, const Page& page);
[[nodiscard]] Statement select_anomaly(std::int64_t log_id, std::uint64_t seq);
/// Columns: kind, how many; of one source, or of all when it is empty.
[[nodiscard]] Statement select_gap_counts(std::int64_t log_id, const std::string& source);
/// Columns: seq, time_us, source, payload.
[[nodiscard]] Statement select_schemas(std::int64_t log_id, const Filter& table);
/// Columns: type, count, first seq, last seq.
[[nodiscard]] Statement select_types(std::int64_t log_id);
[[nodiscard]] Statement select_transaction_changes(std::int64_t log_id,
                                                   std::uint64_t transaction_seq,
                                                   std::span<const std::uint32_t> ordinals);

/// Columns: name, detail, count, first seq, last seq.
[[nodiscard]] Statement select_tally(std::int64_t log_id, const TallyQuery& query);
/// Columns: time of the oldest record of this name, once or once a table; may be null.
[[nodiscard]] Statement select_first_time(std::int64_t log_id, Dimension dimension,
                                          const std::string& name, const std::string& detail);

}  // namespace rowtrail::store
