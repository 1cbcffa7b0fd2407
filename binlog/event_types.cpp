#include "binlog/event_types.h"

#include "binlog/decoder.h"
#include "binlog/inflate.h"

#include <array>

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

core::Result<> ignore(StreamState& /*stream*/, const EventHeader& /*header*/, Cursor& /*in*/,
                      EventBody& out) {
  out.emplace<Ignored>();
  return {};
}

template <const char* kAdvice>
core::Result<> refuse(StreamState& /*stream*/, const EventHeader& /*header*/, Cursor& /*in*/,
                      EventBody& /*out*/) {
  return core::Error{core::Errc::Unsupported, kAdvice};
}

constexpr char kTooOld[] = "written by a server before MySQL 5.6, which this version does not read";
constexpr char kNoFragments[] = "MariaDB's row fragments are not supported by this version";

constexpr std::size_t kExpandedKept = 1024 * 1024;

using enum EventType;

constexpr EventTypeInfo kEventTypes[] = {
    // What is ignored here says nothing about rows: it belongs to statement-format events (whose
    // SQL
    // is what gets recorded) or to the servers' own bookkeeping.
    {StartV3, "Start_v3", refuse<kTooOld>},
    {Query, "Query", decode_query},
    {Stop, "Stop", decode_stop},
    {Rotate, "Rotate", decode_rotate},
    {Intvar, "Intvar", ignore},
    {Load, "Load", refuse<kTooOld>},
    {CreateFile, "Create_file", refuse<kTooOld>},
    {AppendBlock, "Append_block", ignore},
    {ExecLoad, "Exec_load", refuse<kTooOld>},
    {DeleteFile, "Delete_file", ignore},
    {NewLoad, "New_load", refuse<kTooOld>},
    {Rand, "RAND", ignore},
    {UserVar, "User_var", ignore},
    {FormatDescription, "Format_desc", decode_format_description},
    {Xid, "Xid", decode_xid},
    {BeginLoadQuery, "Begin_load_query", ignore},
    {ExecuteLoadQuery, "Execute_load_query", decode_load_query},
    {TableMap, "Table_map", decode_table_map},
    {PreGaWriteRows, "Write_rows_event_old", refuse<kTooOld>},
    {PreGaUpdateRows, "Update_rows_event_old", refuse<kTooOld>},
    {PreGaDeleteRows, "Delete_rows_event_old", refuse<kTooOld>},
    {WriteRowsV1, "Write_rows_v1", decode_rows_v1},
    {UpdateRowsV1, "Update_rows_v1", decode_rows_v1},
    {DeleteRowsV1, "Delete_rows_v1", decode_rows_v1},
    {Incident, "Incident", decode_incident},
    {Heartbeat, "Heartbeat", decode_heartbeat},
    {Ignorable, "Ignorable", ignore},
    {RowsQuery, "Rows_query", decode_rows_query},
    {WriteRows, "Write_rows", decode_rows_v2},
    {UpdateRows, "Update_rows", decode_rows_v2},
    {DeleteRows, "Delete_rows", decode_rows_v2},
    {Gtid, "Gtid", decode_gtid},
    {AnonymousGtid, "Anonymous_Gtid", decode_gtid},
    {PreviousGtids, "Previous_gtids", decode_previous_gtids},
    {TransactionContext, "Transaction_context", ignore},
    {ViewChange, "View_change", ignore},
    {XaPrepare, "XA_prepare", decode_xa_prepare},
    {PartialUpdateRows, "Update_rows_partial", decode_rows_v2},
    {TransactionPayload, "Transaction_payload", decode_transaction_payload},
    {HeartbeatV2, "Heartbeat_v2", decode_heartbeat_v2},
    {GtidTagged, "Gtid_tagged_log_event", decode_gtid_tagged},
    {AnnotateRows, "Annotate_rows", decode_annotate_rows},
    {BinlogCheckpoint, "Binlog_checkpoint", ignore},
    {MariaDbGtid, "Gtid", decode_mariadb_gtid},
    {GtidList, "Gtid_list", decode_previous_gtids},
    {StartEncryption, "Start_encryption", decode_start_encryption},
    {QueryCompressed, "Query_compressed", decode_query_compressed},
    {WriteRowsCompressedV1, "Write_rows_compressed_v1", decode_rows_v1_compressed},
    {UpdateRowsCompressedV1, "Update_rows_compressed_v1", decode_rows_v1_compressed},
    {DeleteRowsCompressedV1, "Delete_rows_compressed_v1", decode_rows_v1_compressed},
    {WriteRowsCompressed, "Write_rows_compressed", decode_rows_v2_compressed},
    {UpdateRowsCompressed, "Update_rows_compressed", decode_rows_v2_compressed},
    {DeleteRowsCompressed, "Delete_rows_compressed", decode_rows_v2_compressed},
    {PartialRowData, "Partial_rows", refuse<kNoFragments>},
};

consteval std::array<const EventTypeInfo*, 256> index_event_types() {
  std::array<const EventTypeInfo*, 256> out{};
  for (const auto& info : kEventTypes) {
    auto& slot = out[static_cast<std::uint8_t>(info.type)];
    if (slot != nullptr) throw "duplicate event type in kEventTypes";
    slot = &info;
  }
  return out;
}
constexpr auto kEventTypeByCode = index_event_types();

}  // namespace

const EventTypeInfo* find_event_type(std::uint8_t type) noexcept {
  return kEventTypeByCode[type];
}

std::string event_type_name(std::uint8_t type) {
  const auto* info = find_event_type(type);
  return info == nullptr ? fmt::format("Unknown({})", type) : std::string(info->name);
}

core::Result<ByteView> expand_rest(StreamState& stream, Cursor& in) {
  const auto value = read_compressed(in);
  if (!in.ok() || value.size > Decoder::kEventBytesMax) {
    return core::Error{core::Errc::Malformed, "the compressed data has a malformed header"};
  }
  if (value.size < kExpandedKept && stream.expanded.capacity() > kExpandedKept) {
    stream.expanded = {};  // a giant event is over: give its memory back
  }
  stream.expanded.resize(value.size);
  if (!inflate(value, stream.expanded.data())) {
    return core::Error{core::Errc::Malformed, "the compressed data cannot be expanded"};
  }
  return ByteView(stream.expanded);
}

core::Error truncated_event() {
  return {core::Errc::Truncated, "the event is shorter than its own fields"};
}

}  // namespace rowtrail::binlog
