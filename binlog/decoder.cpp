#include "binlog/decoder.h"

#include "binlog/event_types.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <libdeflate.h>

namespace rowtrail::binlog {
namespace {

constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kFlagsOffset = 17;

EventHeader read_header(ByteView raw) {
  const auto* at = raw.data();
  EventHeader header;
  header.timestamp = static_cast<std::uint32_t>(load_le<4>(at));
  header.type = static_cast<std::uint8_t>(load_le<1>(at + 4));
  header.server_id = static_cast<std::uint32_t>(load_le<4>(at + 5));
  header.size = static_cast<std::uint32_t>(load_le<4>(at + 9));
  header.log_pos = static_cast<std::uint32_t>(load_le<4>(at + 13));
  header.flags = static_cast<std::uint16_t>(load_le<2>(at + kFlagsOffset));
  return header;
}

bool is_type(const EventHeader& header, EventType type) {
  return header.type == static_cast<std::uint8_t>(type);
}

/// Events about the stream, which no transaction contains.
bool is_stream_event(const EventHeader& header) {
  switch (static_cast<EventType>(header.type)) {
    case EventType::FormatDescription:
    case EventType::Rotate:
    case EventType::Stop:
    case EventType::Heartbeat:
    case EventType::HeartbeatV2:
    case EventType::TransactionPayload:
      return true;
    default:
      return false;
  }
}

bool checksum_matches(ByteView raw) {
  const auto body = raw.first(raw.size() - kChecksumBytes);
  return libdeflate_crc32(0, body.data(), body.size()) ==
         load_le<kChecksumBytes>(raw.data() + body.size());
}

/// A format description is summed without its in-use flag, which the server sets while it writes
/// the file and clears at its end (binlog::Log_event_footer::event_checksum_test).
bool format_checksum_matches(ByteView raw) {
  const auto body = raw.first(raw.size() - kChecksumBytes);
  const auto flags = static_cast<std::uint8_t>(load_le<1>(body.data() + kFlagsOffset) & ~1U);
  auto sum = libdeflate_crc32(0, body.data(), kFlagsOffset);
  sum = libdeflate_crc32(sum, &flags, 1);
  const auto rest = body.subspan(kFlagsOffset + 1);
  sum = libdeflate_crc32(sum, rest.data(), rest.size());
  return sum == load_le<kChecksumBytes>(raw.data() + body.size());
}

/// Ends as the servers name binlog files: a dot and digits.
bool is_binlog_name(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot != std::string_view::npos && dot + 1 < name.size() &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(dot) + 1, name.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

/// Removes a verified checksum from `raw`; false when it does not match.
bool strip_checksum(const StreamState& stream, const EventHeader& header, ByteView& raw) {
  const bool is_format = is_type(header, EventType::FormatDescription);
  const bool has_field = stream.has_checksum || is_format || !stream.has_format;
  if (!has_field) return true;
  if (raw.size() < EventHeader::kBytes + kChecksumBytes) return false;
  if (is_format ? format_checksum_matches(raw) : checksum_matches(raw)) {
    raw = raw.first(raw.size() - kChecksumBytes);
    return true;
  }
  // Before the first format description only a server's made-up Rotate can come, and it has a
  // checksum only where the client announced that it understands them.
  const bool is_rotate = is_type(header, EventType::Rotate);
  return !stream.has_format && is_rotate &&
         is_binlog_name(as_text(raw.subspan(std::min(raw.size(), EventHeader::kBytes + 8))));
}

bool is_outside_the_file(const EventHeader& header) {
  if ((header.flags & EventHeader::kFlagArtificial) != 0) return true;
  switch (static_cast<EventType>(header.type)) {
    case EventType::Heartbeat:
    case EventType::HeartbeatV2:
      return true;
    case EventType::FormatDescription:
      return header.log_pos == 0;  // sent again because reading starts inside the file
    default:
      return false;
  }
}

/// Where the event ends in its file. Counted by size; a server that skips transactions (GTID sets)
/// leaves holes, which the header's 32 bits show. They are 0 in MariaDB's cached events.
std::uint64_t end_position(std::uint64_t start, const EventHeader& header) {
  const auto counted = start + header.size;
  if (header.log_pos == 0 || header.log_pos == static_cast<std::uint32_t>(counted)) return counted;
  constexpr std::uint64_t kWrap = std::uint64_t{1} << 32;
  const auto told = (counted & ~(kWrap - 1)) | header.log_pos;
  return told < counted ? told + kWrap : told;
}

core::Error at_place(const StreamState& stream, const EventHeader& header, core::Error error) {
  error.message =
      fmt::format("{}:{}: {}: {}", stream.file.empty() ? "(unnamed stream)" : stream.file,
                  stream.position, event_type_name(header.type), error.message);
  return error;
}

}  // namespace

Decoder::Decoder() : state_(std::make_unique<StreamState>()) {}
Decoder::~Decoder() = default;

void Decoder::set_position(std::string file, std::uint64_t pos) {
  state_->file = std::move(file);
  state_->position = pos;
}

core::Result<Event> Decoder::decode(std::span<const std::byte> raw) {
  auto& stream = *state_;
  if (raw.size() < EventHeader::kBytes) {
    return core::Error{core::Errc::Truncated,
                       fmt::format("{}:{}: an event of {} bytes, less than its header", stream.file,
                                   stream.position, raw.size())};
  }
  Event event;
  event.header = read_header(raw);
  const auto& header = event.header;
  const auto refuse = [&](core::Errc code, std::string message) {
    return at_place(stream, header, {code, std::move(message)});
  };
  if (has_inner()) {
    return refuse(core::Errc::Invalid,
                  "comes before the events of the payload before it were taken");
  }
  if (header.size != raw.size()) {
    return refuse(header.size > raw.size() ? core::Errc::Truncated : core::Errc::Malformed,
                  fmt::format("the header says {} bytes, {} are there", header.size, raw.size()));
  }
  if (header.size > kEventBytesMax) {
    return refuse(core::Errc::Limit, fmt::format("an event of {} bytes", header.size));
  }
  if (!strip_checksum(stream, header, raw)) {
    return refuse(core::Errc::Checksum,
                  "the checksum does not match: the event was damaged on disk or on the way");
  }
  const bool is_rotate = is_type(header, EventType::Rotate);
  if (!stream.has_format && !is_type(header, EventType::FormatDescription) && !is_rotate) {
    return refuse(core::Errc::Malformed, "comes before the format description of its stream");
  }
  if (!is_outside_the_file(header)) {
    event.end = end_position(stream.position, header);
    event.start = event.end - header.size;
    stream.position = event.start;  // what an error message should name
  }
  if (auto decoded = decode_body(raw, event); !decoded) return decoded.error();
  if (has_inner()) {
    stream.payload_start = event.start;
    stream.payload_end = event.end;
    return next_inner();
  }
  if (event.end != 0 && !is_rotate) stream.position = event.end;
  return event;
}

core::Result<> Decoder::decode_body(std::span<const std::byte> raw, Event& event) {
  auto& stream = *state_;
  const auto& header = event.header;
  const auto* type = find_event_type(header.type);
  if (type == nullptr) {
    if ((header.flags & EventHeader::kFlagIgnorable) != 0) return {};
    return at_place(stream, header,
                    {core::Errc::Unsupported,
                     "this version does not know the event, and the server does not mark it as one "
                     "that may be skipped; update rowtrail"});
  }
  Cursor in(raw.subspan(EventHeader::kBytes));
  if (auto decoded = type->decode(stream, header, in, event.body); !decoded) {
    return at_place(stream, header, decoded.error());
  }
  return {};
}

bool Decoder::has_inner() const noexcept {
  return state_->payload.active();
}

core::Result<Event> Decoder::next_inner() {
  auto& stream = *state_;
  Event event;
  event.header.type = static_cast<std::uint8_t>(EventType::TransactionPayload);
  const auto raw = stream.payload.next();
  if (!raw) return at_place(stream, event.header, raw.error());
  event.header = read_header(*raw);
  event.start = stream.payload_start;
  event.end = stream.payload_end;
  if (is_stream_event(event.header)) {
    return at_place(stream, event.header,
                    {core::Errc::Malformed, "stands inside a transaction's payload"});
  }
  if (auto decoded = decode_body(*raw, event); !decoded) return decoded.error();
  if (!has_inner()) stream.position = event.end;
  return event;
}

const std::string& Decoder::file() const noexcept {
  return state_->file;
}
std::uint64_t Decoder::position() const noexcept {
  return state_->position;
}
Flavor Decoder::flavor() const noexcept {
  return state_->flavor;
}
std::uint32_t Decoder::format_created() const noexcept {
  return state_->format_created;
}
const std::string& Decoder::server_version() const noexcept {
  return state_->server_version;
}

}  // namespace rowtrail::binlog
