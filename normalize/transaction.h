// The Changes that committed together. A Transaction owns every byte its Changes point to (its
// arena and the table schemas), so it can be handed to another thread as a whole.
#pragma once

#include "binlog/binlog.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::normalize {

enum class Op : std::uint8_t { Insert, Update, Delete, Truncate, Ddl, Snapshot };
[[nodiscard]] std::string_view op_name(Op op);

/// The escaped pieces of canonical text that all Changes of one layout share, made once per layout.
struct SchemaText {
  explicit SchemaText(const binlog::TableSchema& schema);

  std::string head;                   // ,"database":"d","table":"t","op":"
  std::string keys;                   // ,"id":,"quantity": … and padding behind them
  std::vector<std::uint32_t> starts;  // of each column's piece in `keys`, and the end of the last
};

/// A table layout with its version in this source: 1 for the first layout seen, then counting up.
struct VersionedSchema {
  binlog::TableSchemaPtr schema;
  std::uint32_t version = 0;
  bool is_new = false;  // first seen in this transaction: the log gets a table_schema record
  std::shared_ptr<const SchemaText> text;
};

struct Change {
  Op op = Op::Insert;
  std::uint32_t ordinal = 0;    // from 0 within the transaction
  std::uint32_t statement = 0;  // ordinal of the first Change of its statement
  std::uint32_t schema_version = 0;
  const binlog::TableSchema* schema = nullptr;  // null for ddl and truncate
  const SchemaText* text = nullptr;             // of `schema`; may be null in Changes built by hand
  std::string_view database;
  std::string_view table;
  std::span<const binlog::Cell> before;  // a cell per column; empty: no before image
  std::span<const binlog::Cell> after;
  // The images before masking, where columns are masked: for conditions of rules, in memory.
  std::span<const binlog::Cell> raw_before, raw_after;
  // ddl and truncate: the statement, credentials removed. A row Change of a second or later part
  // that begins a statement: the text of that statement, which the transaction record came too
  // early for.
  std::string_view sql;
};

struct Statement {
  std::uint32_t ordinal = 0;  // of the first Change it made
  std::string_view sql;
};

/// Why something could not be captured or trusted. Names are part of the record: never renamed.
enum class GapKind : std::uint8_t {
  StatementDml,           // changed rows, but only its SQL text was logged
  RolledBack,             // logged, then undone in transactional tables: rows cannot be told apart
  UnfinishedTransaction,  // the server died while it wrote it; it never committed
  PartialImage,           // binlog_row_image is not FULL: columns are missing
  UnknownNames,           // column names were not logged (binlog_row_metadata=MINIMAL)
  XaUnknown,              // XA COMMIT of rows that were prepared before reading began
  RuleFailed,             // a rule's expression failed on some row: its events may be missing
  RuleConflict,           // two rules of one priority want the same rows
  RulesNotEvaluated,      // the transaction is too large for rules
};
[[nodiscard]] std::string_view gap_kind_name(GapKind kind);

struct Gap {
  GapKind kind = GapKind::StatementDml;
  std::uint32_t ordinal = 0;         // of the Change it stands before
  std::uint32_t schema_version = 0;  // 0: not about one layout
  std::string file;                  // where it was met
  std::uint64_t pos = 0;
  std::string database, table;     // empty: not known or not about one table
  std::string reason;              // what happened, for people
  std::string advice;              // what to do about it
  std::string sql;                 // the statement, credentials removed, when it is about one
  std::vector<std::string> rules;  // "id@version" of the rules it is about
};

/// An XA transaction is logged twice: its rows at XA PREPARE, its fate at XA COMMIT or XA ROLLBACK.
/// Until then its rows are kept as they were logged (normalize/xa.h), beside the records, and
/// survive a restart; sealed, because they hold values.
enum class XaPhase : std::uint8_t {
  None,
  Prepared,    // no record: `xa_events` (of the last part `xa_tables` too) is to be kept for `xid`
  Committed,   // the Changes are those kept for `xid`: XaRelease makes them
  RolledBack,  // no record: what is kept for `xid` is dropped
};

struct Transaction {
  std::string source;
  std::string id;     // GTID text, or file:pos of its start
  binlog::Gtid gtid;  // empty() without GTIDs
  std::string file;
  std::uint64_t start_pos = 0;
  std::uint64_t end_pos = 0;  // where the next transaction begins; of the last part
  std::int64_t committed_at_us = 0;
  bool committed_at_has_fraction = false;
  std::int64_t event_time_us = 0;  // running maximum of committed_at in this source
  std::uint32_t server_id = 0;
  std::uint32_t thread_id = 0;

  // A transaction beyond rows_per_match_max or match_bytes_max comes in several parts, in order.
  bool first_part = true;
  bool last_part = true;
  std::vector<Change> changes;  // none: a transaction that changed nothing but used up its GTID
  std::vector<Statement> statements;
  std::vector<VersionedSchema> schemas;  // every layout the Changes use, once
  std::vector<Gap> gaps;
  XaPhase xa = XaPhase::None;
  std::string xid;  // of an XA transaction, as the servers print it: X'6131',X'',1
  std::string xa_events;
  std::string xa_tables;
  binlog::Arena arena;
  std::size_t wire_bytes = 0;  // of the events it was made from

  /// Forgets everything but keeps (a bounded amount of) memory.
  void reset();
  /// Approximate resident bytes, for the queue's limit.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;
};

}  // namespace rowtrail::normalize
