// TABLE_MAP and the row events.
#include "binlog/decoder.h"
#include "binlog/event_types.h"

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

constexpr std::uint16_t kEndsStatement = 0x1;
/// A row event for this id closes a statement that mapped tables and changed no row.
constexpr std::uint64_t kNoTable32 = 0x00FFFFFF, kNoTable48 = 0xFFFFFFFFFFFF;

RowsKind rows_kind(std::uint8_t type) {
  switch (static_cast<EventType>(type)) {
    case EventType::WriteRowsV1:
    case EventType::WriteRows:
    case EventType::WriteRowsCompressedV1:
    case EventType::WriteRowsCompressed:
      return RowsKind::Insert;
    case EventType::DeleteRowsV1:
    case EventType::DeleteRows:
    case EventType::DeleteRowsCompressedV1:
    case EventType::DeleteRowsCompressed:
      return RowsKind::Delete;
    default:
      return RowsKind::Update;
  }
}

//   ┌ table_id 6 ┬ flags 2 ┬ [v2: extra, its own 2 bytes of length included] ┬ columns ┬ bitmap(s)
//   ┬ rows … ┐
core::Result<> read_rows(StreamState& stream, const EventHeader& header, Cursor& in, bool has_extra,
                         EventBody& out) {
  const auto table_id = in.le<6>();
  const auto flags = in.u16();
  if (has_extra) {
    const auto extra_bytes = in.u16();
    if (extra_bytes < 2) return truncated_event();
    in.skip(extra_bytes - 2U);  // NDB and partition ids: of no consequence to the rows
  }
  const bool ends_statement = (flags & kEndsStatement) != 0;
  if (table_id == kNoTable32 || table_id == kNoTable48) {
    if (ends_statement) stream.tables.end_statement();
    out.emplace<Ignored>();
    return {};
  }
  const auto* schema = stream.tables.find(table_id);
  const auto count = in.lenenc();
  const auto bitmap_bytes = (count + 7) / 8;
  auto& rows = out.emplace<RowsEvent>();
  rows.kind = rows_kind(header.type);
  rows.flags = flags;
  rows.partial_json = header.type == static_cast<std::uint8_t>(EventType::PartialUpdateRows);
  rows.ends_statement = ends_statement;
  rows.schema = schema;
  if (rows.kind != RowsKind::Insert) rows.before_columns = in.take(bitmap_bytes);
  if (rows.kind != RowsKind::Delete) rows.after_columns = in.take(bitmap_bytes);
  rows.rows = in.rest();
  if (!in.ok()) return truncated_event();
  if (schema == nullptr) {
    return core::Error{core::Errc::Malformed,
                       fmt::format("no table map for table id {} in this statement; reading must "
                                   "start at the beginning of a transaction",
                                   table_id)};
  }
  if (count != (*schema)->columns.size()) {
    return core::Error{
        core::Errc::Malformed,
        fmt::format("rows of {} columns, but the table map of {}.{} has {}", count,
                    (*schema)->database, (*schema)->table, (*schema)->columns.size())};
  }
  if (ends_statement) stream.tables.end_statement();
  return {};
}

/// Only the rows are compressed, not what stands before them (MariaDB, row_log_event_uncompress).
core::Result<> expand_rows(StreamState& stream, EventBody& out) {
  auto* const rows = std::get_if<RowsEvent>(&out);
  if (rows == nullptr) return {};
  Cursor packed(rows->rows);
  const auto expanded = expand_rest(stream, packed);
  if (!expanded) return expanded.error();
  rows->rows = *expanded;
  return {};
}

}  // namespace

core::Result<> decode_table_map(StreamState& stream, const EventHeader& /*header*/, Cursor& in,
                                EventBody& out) {
  auto& map = out.emplace<TableMap>();
  map.table_id = in.le<6>();
  in.skip(2);
  if (!in.ok()) return truncated_event();
  map.body = in.rest();
  const auto schema = stream.tables.add(map.table_id, map.body, stream.flavor);
  if (!schema) return schema.error();
  map.schema = *schema;
  return {};
}

core::Result<> decode_rows_v1(StreamState& stream, const EventHeader& header, Cursor& in,
                              EventBody& out) {
  return read_rows(stream, header, in, false, out);
}

core::Result<> decode_rows_v2(StreamState& stream, const EventHeader& header, Cursor& in,
                              EventBody& out) {
  return read_rows(stream, header, in, true, out);
}

core::Result<> decode_rows_v1_compressed(StreamState& stream, const EventHeader& header, Cursor& in,
                                         EventBody& out) {
  if (auto read = read_rows(stream, header, in, false, out); !read) return read;
  return expand_rows(stream, out);
}

core::Result<> decode_rows_v2_compressed(StreamState& stream, const EventHeader& header, Cursor& in,
                                         EventBody& out) {
  if (auto read = read_rows(stream, header, in, true, out); !read) return read;
  return expand_rows(stream, out);
}

}  // namespace rowtrail::binlog
