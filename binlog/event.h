// Decoded binlog events. Views point into the raw event the Decoder was given and are valid until
// its next call. Layouts: the servers' own sources, libs/mysql/binlog/event (MySQL) and
// sql/log_event.h (MariaDB).
//
//   ┌ timestamp 4 ┬ type 1 ┬ server_id 4 ┬ event_size 4 ┬ log_pos 4 ┬ flags 2 ┬ body … ┬ crc32 4 ┐
#pragma once

#include "binlog/gtid.h"
#include "binlog/schema.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

namespace rowtrail::binlog {

struct EventHeader {
  static constexpr std::size_t kBytes = 19;
  static constexpr std::uint16_t kFlagArtificial = 0x20;
  static constexpr std::uint16_t kFlagIgnorable = 0x80;

  std::uint32_t timestamp = 0;  // seconds since 1970
  std::uint8_t type = 0;
  std::uint32_t server_id = 0;
  std::uint32_t size = 0;
  std::uint32_t log_pos = 0;  // end of the event in the file, modulo 2^32; 0 when artificial
  std::uint16_t flags = 0;
};

struct FormatDescription {
  std::uint16_t binlog_version = 0;
  std::string_view server_version;
  Flavor flavor = Flavor::MySql;
  std::uint32_t created = 0;
  bool has_checksum = false;
};
struct Rotate {
  std::string_view file;
  std::uint64_t pos = 4;
};
/// Name of an XA transaction: gtrid and bqual together are at most 128 bytes, of any kind.
struct XaId {
  std::uint32_t format = 0;
  std::string_view gtrid;
  std::string_view bqual;
};
struct GtidEvent {
  Gtid gtid;                                 // empty(): ANONYMOUS_GTID
  std::int64_t original_commit_us = 0;       // 0: not logged
  std::int64_t immediate_commit_us = 0;      // 0: not logged
  std::uint64_t transaction_bytes = 0;       // 0: not logged
  std::uint32_t thread_id = 0;               // MariaDB only; 0: not logged
  bool is_ddl_or_standalone = false;         // MariaDB FL_STANDALONE: no COMMIT follows
  bool is_xa_prepared_or_completed = false;  // MariaDB: the group ends in XA PREPARE or is the
                                             // XA COMMIT or ROLLBACK of `xa`
  XaId xa;
};
struct Query {
  std::uint32_t thread_id = 0;
  std::uint16_t error_code = 0;
  std::string_view database;
  std::string_view sql;
};
struct RowsQuery {  // ROWS_QUERY (MySQL) and ANNOTATE_ROWS (MariaDB)
  std::string_view sql;
};
struct TableMap {
  std::uint64_t table_id = 0;
  std::span<const std::byte> body;  // behind table id and flags: parse_table_map() reads it again
  const TableSchemaPtr* schema = nullptr;  // owned by the Decoder
};
enum class RowsKind : std::uint8_t { Insert, Update, Delete };
struct RowsEvent {
  RowsKind kind = RowsKind::Insert;
  bool ends_statement = false;
  std::uint16_t flags = 0;
  const TableSchemaPtr* schema = nullptr;     // owned by the Decoder
  std::span<const std::byte> before_columns;  // bitmap of logged columns; insert: empty
  std::span<const std::byte> after_columns;   // delete: empty
  std::span<const std::byte> rows;            // decoded by RowsReader
  bool partial_json = false;                  // PARTIAL_UPDATE_ROWS
};
struct Xid {
  std::uint64_t xid = 0;
};
struct XaPrepare {  // ends a transaction whose fate an XA COMMIT or XA ROLLBACK decides later
  bool one_phase = false;  // XA COMMIT … ONE PHASE: committed here and now
  XaId id;
};
struct Heartbeat {
  std::string_view file;
  std::uint64_t pos = 0;
};
struct PreviousGtids {  // PREVIOUS_GTIDS (MySQL) and GTID_LIST (MariaDB): GtidSet::decode reads it
  std::span<const std::byte> encoded;
};
struct Incident {
  std::uint16_t code = 0;
  std::string_view message;
};
struct Stop {};
/// Understood, and of no consequence to the record (INTVAR, PREVIOUS_GTIDS of another flavour …).
struct Ignored {};

using EventBody =
    std::variant<Ignored, FormatDescription, Rotate, GtidEvent, Query, RowsQuery, TableMap,
                 RowsEvent, Xid, XaPrepare, Heartbeat, PreviousGtids, Incident, Stop>;

struct Event {
  EventHeader header;
  std::uint64_t start = 0;  // offset in the file, our own 64-bit count; 0 when artificial
  std::uint64_t end = 0;    // offset of the next event
  EventBody body;
};

/// Name of an event type as the servers print it ("Write_rows"), or "Unknown(n)".
[[nodiscard]] std::string event_type_name(std::uint8_t type);

}  // namespace rowtrail::binlog
