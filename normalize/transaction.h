// The Changes that committed together. A Transaction owns every byte its Changes point to (its arena
// and the table schemas), so it can be handed to another thread as a whole.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/binlog.h"

namespace rowtrail::normalize {

enum class Op : std::uint8_t { Insert, Update, Delete, Truncate, Ddl, Snapshot };
[[nodiscard]] std::string_view op_name(Op op);

/// A table layout with its version in this source: 1 for the first layout seen, then counting up.
struct VersionedSchema {
  binlog::TableSchemaPtr schema;
  std::uint32_t version = 0;
  bool is_new = false;  // first seen in this transaction: the log gets a table_schema record
};

struct Change {
  Op op = Op::Insert;
  std::uint32_t ordinal = 0;  // from 0 within the transaction
  std::uint32_t statement = 0;  // ordinal of the first Change of its statement
  std::uint32_t schema_version = 0;
  const binlog::TableSchema* schema = nullptr;  // null for ddl and truncate
  std::string_view database;
  std::string_view table;
  std::span<const binlog::Cell> before;  // a cell per column; empty: no before image
  std::span<const binlog::Cell> after;
  std::string_view sql;  // ddl and truncate
};

struct Statement {
  std::uint32_t ordinal = 0;  // of the first Change it made
  std::string_view sql;
};

struct Transaction {
  std::string source;
  std::string id;           // GTID text, or file:pos of its start
  binlog::Gtid gtid;        // empty() without GTIDs
  std::string file;
  std::uint64_t start_pos = 0;
  std::uint64_t end_pos = 0;  // where the next transaction begins
  std::int64_t committed_at_us = 0;
  bool committed_at_has_fraction = false;
  std::int64_t event_time_us = 0;  // running maximum of committed_at in this source
  std::uint32_t server_id = 0;
  std::uint32_t thread_id = 0;

  // A transaction beyond rows_per_match_max or match_bytes_max comes in several parts, in order.
  bool first_part = true;
  bool last_part = true;
  std::vector<Change> changes;
  std::vector<Statement> statements;
  std::vector<VersionedSchema> schemas;  // every layout the Changes use
  binlog::Arena arena;
  std::size_t wire_bytes = 0;  // of the events it was made from

  void reset();
  /// Approximate resident bytes, for the queue's limit.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;
};

}  // namespace rowtrail::normalize
