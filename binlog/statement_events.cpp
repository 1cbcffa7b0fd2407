// Events that carry SQL text, and those that end a transaction.
#include "binlog/event_types.h"

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

//   ┌ thread 4 ┬ exec time 4 ┬ db length 1 ┬ error 2 ┬ status length 2 ┬ [load: 13] ┬ status ┬ db 0
//   ┬ sql ┐
core::Result<> read_query(Cursor& in, std::size_t load_bytes, EventBody& out) {
  auto& query = out.emplace<Query>();
  query.thread_id = in.u32();
  in.skip(4);
  const auto database_bytes = in.u8();
  query.error_code = in.u16();
  const auto status_bytes = in.u16();
  in.skip(load_bytes);
  in.skip(status_bytes);
  query.database = in.text(database_bytes);
  in.skip(1);
  query.sql = as_text(in.rest());
  if (!in.ok()) return truncated_event();
  return {};
}

}  // namespace

core::Result<> decode_query(StreamState& /*stream*/, const EventHeader& /*header*/, Cursor& in,
                            EventBody& out) {
  return read_query(in, 0, out);
}

core::Result<> decode_query_compressed(StreamState& stream, const EventHeader& /*header*/,
                                       Cursor& in, EventBody& out) {
  if (auto read = read_query(in, 0, out); !read) return read;
  Cursor packed(as_bytes(std::get<Query>(out).sql));
  const auto sql = expand_rest(stream, packed);
  if (!sql) return sql.error();
  std::get<Query>(out).sql = as_text(*sql);
  return {};
}

core::Result<> decode_load_query(StreamState& /*stream*/, const EventHeader& /*header*/, Cursor& in,
                                 EventBody& out) {
  // LOAD DATA in statement format: file id 4, start 4 and end 4 of the file name, duplicates 1.
  return read_query(in, 13, out);
}

core::Result<> decode_rows_query(StreamState& /*stream*/, const EventHeader& /*header*/, Cursor& in,
                                 EventBody& out) {
  in.skip(1);  // the length, useless beyond 255 and ignored by the servers too
  out.emplace<RowsQuery>().sql = as_text(in.rest());
  if (!in.ok()) return truncated_event();
  return {};
}

core::Result<> decode_annotate_rows(StreamState& /*stream*/, const EventHeader& /*header*/,
                                    Cursor& in, EventBody& out) {
  out.emplace<RowsQuery>().sql = as_text(in.rest());
  return {};
}

core::Result<> decode_xid(StreamState& stream, const EventHeader& /*header*/, Cursor& in,
                          EventBody& out) {
  out.emplace<Xid>().xid = in.u64();
  if (!in.ok()) return truncated_event();
  stream.tables.end_statement();
  return {};
}

//   ┌ one phase 1 ┬ format 4 ┬ gtrid length 4 ┬ bqual length 4 ┬ gtrid ┬ bqual ┐
core::Result<> decode_xa_prepare(StreamState& stream, const EventHeader& /*header*/, Cursor& in,
                                 EventBody& out) {
  auto& prepare = out.emplace<XaPrepare>();
  prepare.one_phase = in.u8() != 0;
  prepare.id.format = in.u32();
  const auto gtrid_bytes = in.u32();
  const auto bqual_bytes = in.u32();
  prepare.id.gtrid = in.text(gtrid_bytes);
  prepare.id.bqual = in.text(bqual_bytes);
  if (!in.ok()) return truncated_event();
  stream.tables.end_statement();
  return {};
}

core::Result<> decode_incident(StreamState& /*stream*/, const EventHeader& /*header*/, Cursor& in,
                               EventBody& out) {
  auto& incident = out.emplace<Incident>();
  incident.code = in.u16();
  incident.message = in.text(in.u8());
  if (!in.ok()) return truncated_event();
  return {};
}

}  // namespace rowtrail::binlog
