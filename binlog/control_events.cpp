// Events about the log itself.
#include "binlog/event_types.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace rowtrail::binlog {

core::Result<> decode_format_description(StreamState& stream, const EventHeader& header, Cursor& in,
                                         EventBody& out) {
  //   ┌ binlog version 2 ┬ server version 50 ┬ created 4 ┬ header length 1 ┬ post-header lengths …
  //   ┬ checksum 1 ┐
  auto& format = out.emplace<FormatDescription>();
  format.binlog_version = in.u16();
  auto version = in.text(50);
  version = version.substr(0, std::min(version.find('\0'), version.size()));
  format.server_version = version;
  format.created = in.u32();
  const auto header_bytes = in.u8();
  const auto lengths = in.rest();
  if (!in.ok() || lengths.size() < 2) return truncated_event();
  if (format.binlog_version != 4 || header_bytes != EventHeader::kBytes) {
    return core::Error{core::Errc::Unsupported,
                       fmt::format("binlog version {} of server {} (only version 4 is read)",
                                   format.binlog_version, version)};
  }
  const auto algorithm = std::to_integer<unsigned>(lengths.back());
  if (algorithm > 1) {
    return core::Error{core::Errc::Unsupported,
                       fmt::format("unknown checksum algorithm {}", algorithm)};
  }
  // Table ids are 6 bytes (post-header 8) since 5.1.4; older ones are not read.
  const auto table_map = static_cast<std::size_t>(EventType::TableMap) - 1;
  if (lengths.size() <= table_map + 1 || std::to_integer<unsigned>(lengths[table_map]) != 8) {
    return core::Error{core::Errc::Unsupported,
                       fmt::format("the table map layout of server {}", version)};
  }
  format.has_checksum = algorithm == 1;
  format.flavor =
      version.find("MariaDB") == std::string_view::npos ? Flavor::MySql : Flavor::MariaDb;
  stream.has_format = true;
  stream.has_checksum = format.has_checksum;
  stream.flavor = format.flavor;
  stream.server_version = version;
  // Sent again from the middle of a file, the description has its time set to 0.
  if (format.created != 0) stream.format_created = format.created;
  static_cast<void>(header);
  return {};
}

core::Result<> decode_rotate(StreamState& stream, const EventHeader& /*header*/, Cursor& in,
                             EventBody& out) {
  auto& rotate = out.emplace<Rotate>();
  rotate.pos = in.u64();
  rotate.file = as_text(in.rest());
  if (!in.ok() || rotate.file.empty()) return truncated_event();
  stream.file = rotate.file;
  stream.position = rotate.pos;
  return {};
}

core::Result<> decode_stop(StreamState& /*stream*/, const EventHeader& /*header*/, Cursor& /*in*/,
                           EventBody& out) {
  out.emplace<Stop>();
  return {};
}

core::Result<> decode_previous_gtids(StreamState& /*stream*/, const EventHeader& /*header*/,
                                     Cursor& in, EventBody& out) {
  out.emplace<PreviousGtids>().encoded = in.rest();
  return {};
}

core::Result<> decode_transaction_payload(StreamState& stream, const EventHeader& /*header*/,
                                          Cursor& in, EventBody& out) {
  out.emplace<Ignored>();  // the Decoder gives the events inside in its place
  return stream.payload.open(in);
}

core::Result<> decode_start_encryption(StreamState& stream, const EventHeader& /*header*/,
                                       Cursor& /*in*/, EventBody& /*out*/) {
  return core::Error{core::Errc::Unsupported,
                     fmt::format("{} is encrypted on disk; read it from the server instead, which "
                                 "decrypts what it sends",
                                 stream.file)};
}

namespace {

/// A heartbeat tells how far the server has looked: it skips what a GTID set excludes.
void advance(StreamState& stream, const Heartbeat& heartbeat) {
  if (heartbeat.file == stream.file) stream.position = std::max(stream.position, heartbeat.pos);
}

}  // namespace

core::Result<> decode_heartbeat(StreamState& stream, const EventHeader& header, Cursor& in,
                                EventBody& out) {
  auto& heartbeat = out.emplace<Heartbeat>();
  heartbeat.file = as_text(in.rest());
  heartbeat.pos = header.log_pos;
  // 32 bits of the position: only usable where the file has not passed 4 GB.
  if ((stream.position >> 32) == 0) advance(stream, heartbeat);
  return {};
}

core::Result<> decode_heartbeat_v2(StreamState& stream, const EventHeader& /*header*/, Cursor& in,
                                   EventBody& out) {
  // Type, length, value (Heartbeat_event_v2): 1 the file name, 2 the position, 0 the end.
  auto& heartbeat = out.emplace<Heartbeat>();
  while (!in.at_end()) {
    const auto field = in.lenenc();
    if (field == 0) break;
    auto value = in.sub(in.lenenc());
    if (field == 1) heartbeat.file = as_text(value.rest());
    if (field == 2) heartbeat.pos = value.lenenc();
    if (!value.ok()) return truncated_event();
  }
  if (!in.ok()) return truncated_event();
  advance(stream, heartbeat);
  return {};
}

}  // namespace rowtrail::binlog
