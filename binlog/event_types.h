// Event types of both server families: one row per type in event_types.cpp. A type without a row is
// unknown: skipped when the event carries the ignorable flag, an error that stops capture
// otherwise.
#pragma once

#include "binlog/cursor.h"
#include "binlog/event.h"
#include "binlog/payload.h"
#include "binlog/table_map.h"
#include "core/core.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::binlog {

/// Log_event_type of MySQL (libs/mysql/binlog/event/binlog_event.h) and MariaDB (sql/log_event.h).
enum class EventType : std::uint8_t {
  Unknown = 0,
  StartV3 = 1,
  Query = 2,
  Stop = 3,
  Rotate = 4,
  Intvar = 5,
  Load = 6,
  Slave = 7,
  CreateFile = 8,
  AppendBlock = 9,
  ExecLoad = 10,
  DeleteFile = 11,
  NewLoad = 12,
  Rand = 13,
  UserVar = 14,
  FormatDescription = 15,
  Xid = 16,
  BeginLoadQuery = 17,
  ExecuteLoadQuery = 18,
  TableMap = 19,
  PreGaWriteRows = 20,
  PreGaUpdateRows = 21,
  PreGaDeleteRows = 22,
  WriteRowsV1 = 23,
  UpdateRowsV1 = 24,
  DeleteRowsV1 = 25,
  Incident = 26,
  Heartbeat = 27,
  Ignorable = 28,
  RowsQuery = 29,
  WriteRows = 30,
  UpdateRows = 31,
  DeleteRows = 32,
  Gtid = 33,
  AnonymousGtid = 34,
  PreviousGtids = 35,
  TransactionContext = 36,
  ViewChange = 37,
  XaPrepare = 38,
  PartialUpdateRows = 39,
  TransactionPayload = 40,
  HeartbeatV2 = 41,
  GtidTagged = 42,
  // MariaDB
  AnnotateRows = 160,
  BinlogCheckpoint = 161,
  MariaDbGtid = 162,
  GtidList = 163,
  StartEncryption = 164,
  QueryCompressed = 165,
  WriteRowsCompressedV1 = 166,
  UpdateRowsCompressedV1 = 167,
  DeleteRowsCompressedV1 = 168,
  WriteRowsCompressed = 169,
  UpdateRowsCompressed = 170,
  DeleteRowsCompressed = 171,
  PartialRowData = 172,
};

/// What later events refer to.
struct StreamState {
  std::string file;
  std::uint64_t position = 0;  // offset of the next event
  Flavor flavor = Flavor::MySql;
  bool has_format = false;
  bool has_checksum = false;
  std::uint32_t format_created = 0;
  std::string server_version;
  TableMaps tables;
  std::vector<std::byte> expanded;  // body of the event decoded last, if it was compressed
  PayloadReader payload;
  std::uint64_t payload_start = 0;  // of the event that holds it
  std::uint64_t payload_end = 0;
};

/// Decodes one body, checksum removed.
using DecodeEvent = core::Result<>(StreamState& stream, const EventHeader& header, Cursor& in,
                                   EventBody& out);

struct EventTypeInfo {
  EventType type;
  std::string_view name;  // as the servers print it
  DecodeEvent* decode;
};

/// The row of a type, or null when it is unknown.
[[nodiscard]] const EventTypeInfo* find_event_type(std::uint8_t type) noexcept;

// Decoders, by file.
DecodeEvent decode_format_description, decode_rotate, decode_heartbeat, decode_heartbeat_v2;
DecodeEvent decode_transaction_payload;
DecodeEvent decode_stop, decode_previous_gtids, decode_start_encryption;  // control_events.cpp
DecodeEvent decode_gtid, decode_gtid_tagged, decode_mariadb_gtid;         // gtid_events.cpp
DecodeEvent decode_query, decode_query_compressed, decode_load_query, decode_rows_query,
    decode_annotate_rows;
DecodeEvent decode_xid, decode_xa_prepare, decode_incident;  // statement_events.cpp
DecodeEvent decode_table_map, decode_rows_v1, decode_rows_v2;
DecodeEvent decode_rows_v1_compressed, decode_rows_v2_compressed;  // row_events.cpp

/// Expands what is left of `in` (MariaDB's compressed events) into `stream.expanded`.
core::Result<ByteView> expand_rest(StreamState& stream, Cursor& in);

/// A body shorter than its own fields.
[[nodiscard]] core::Error truncated_event();

}  // namespace rowtrail::binlog
