// GTID events of both families: what begins every transaction.
#include "binlog/event_types.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

std::int64_t to_us(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

/// Variable-length integer of libs/mysql/serialization: as many bytes as the first byte's trailing
/// ones plus one, the value above those bits; nine bytes hold the value after the first.
std::uint64_t read_varlen(Cursor& in) {
  if (in.remaining() == 0) return in.u8();
  const auto size = static_cast<std::size_t>(
      std::countr_one(std::to_integer<std::uint8_t>(in.rest().front())) + 1);
  if (size == 9) {
    in.skip(1);
    return in.u64();
  }
  return in.le(size) >> size;
}

std::uint64_t read_varlen_positive(Cursor& in) {
  const auto value = read_varlen(in);
  if ((value & 1U) != 0) in.fail();  // the sign bit: none of our fields is ever negative
  return value >> 1;
}

void read_tag(Cursor& in, Gtid& gtid) {
  const auto tag = in.text(read_varlen(in));
  if (tag.size() > Gtid::kTagLengthMax) return in.fail();
  gtid.tag_length = static_cast<std::uint8_t>(tag.size());
  std::copy(tag.begin(), tag.end(), gtid.tag_bytes.begin());
}

}  // namespace

//   ┌ flags 1 ┬ uuid 16 ┬ number 8 ┬ 2 ┬ last committed 8 ┬ sequence 8 ┬ immediate commit 7 ┬
//   [original 7] ┬ transaction length ┬ server versions … ┐      (Gtid_event, control_events.h)
core::Result<> decode_gtid(StreamState& stream, const EventHeader& header, Cursor& in,
                           EventBody& out) {
  constexpr std::uint64_t kHasOriginal = std::uint64_t{1} << 55;
  auto& event = out.emplace<GtidEvent>();
  in.skip(1);
  const auto uuid = in.text(event.gtid.uuid.size());
  const auto number = in.u64();
  if (!in.ok()) return truncated_event();
  if (static_cast<EventType>(header.type) == EventType::Gtid) {
    std::copy(uuid.begin(), uuid.end(), event.gtid.uuid.begin());
    event.gtid.number = number;
  }
  stream.tables.end_statement();
  // 5.6 ends here or after the logical clock; commit times came with 8.0.1.
  if (in.remaining() < 17 || in.u8() != 2) return {};
  in.skip(16);
  if (in.remaining() < 7) return {};
  const auto immediate = in.le<7>();
  event.immediate_commit_us = to_us(immediate & ~kHasOriginal);
  event.original_commit_us =
      (immediate & kHasOriginal) != 0 ? to_us(in.le<7>()) : event.immediate_commit_us;
  if (!in.at_end()) event.transaction_bytes = in.lenenc();
  if (!in.ok()) return truncated_event();
  return {};
}

/// Fields of Gtid_event in the order of its define_fields(): the id is the place.
core::Result<> decode_gtid_tagged(StreamState& stream, const EventHeader& /*header*/, Cursor& in,
                                  EventBody& out) {
  constexpr std::uint64_t kVersion = 1, kLastField = 11;
  auto& event = out.emplace<GtidEvent>();
  const auto version = read_varlen(in);
  const auto total = read_varlen(in);  // counts itself and the version
  const auto last_required = read_varlen(in);
  if (!in.ok()) return truncated_event();
  if (version != kVersion || last_required > kLastField) {
    return core::Error{
        core::Errc::Unsupported,
        fmt::format("serialization version {} with required field {}", version, last_required)};
  }
  static_cast<void>(total);
  while (!in.at_end()) {
    const auto field = read_varlen(in);
    if (field > kLastField) break;  // later servers' additions, all ignorable, stand last
    switch (field) {
      case 1:
        for (auto& byte : event.gtid.uuid) byte = static_cast<std::uint8_t>(read_varlen(in));
        break;
      case 2:
        event.gtid.number = read_varlen_positive(in);
        break;
      case 3:
        read_tag(in, event.gtid);
        break;
      case 6:
        event.immediate_commit_us = to_us(read_varlen(in));
        break;
      case 7:
        event.original_commit_us = to_us(read_varlen(in));
        break;
      case 8:
        event.transaction_bytes = read_varlen(in);
        break;
      default:
        read_varlen(in);
        break;  // flags, logical clock, versions, commit ticket
    }
  }
  if (!in.ok()) return truncated_event();
  if (event.original_commit_us == 0) event.original_commit_us = event.immediate_commit_us;
  stream.tables.end_statement();
  return {};
}

//   ┌ sequence 8 ┬ domain 4 ┬ flags 1 ┬ [commit id 8] ┬ [XA: format 4, lengths 1+1, data] ┬ [extra
//   flags 1 …] ┐ zero-padded to 19 bytes      (Gtid_log_event, sql/log_event_server.cc)
core::Result<> decode_mariadb_gtid(StreamState& stream, const EventHeader& header, Cursor& in,
                                   EventBody& out) {
  constexpr unsigned kStandalone = 1, kGroupCommit = 2, kPreparedXa = 64, kCompletedXa = 128;
  constexpr unsigned kExtraEngines = 1, kExtraAlter = 4 | 8, kExtraThread = 16;
  auto& event = out.emplace<GtidEvent>();
  event.gtid.flavor = Flavor::MariaDb;
  event.gtid.number = in.u64();
  event.gtid.domain = in.u32();
  event.gtid.server = header.server_id;
  const unsigned flags = in.u8();
  event.is_ddl_or_standalone = (flags & kStandalone) != 0;
  event.is_xa_prepared_or_completed = (flags & (kPreparedXa | kCompletedXa)) != 0;
  if ((flags & kGroupCommit) != 0) in.skip(8);
  if (event.is_xa_prepared_or_completed) {
    event.xa.format = in.u32();
    const auto gtrid_bytes = in.u8();
    const auto bqual_bytes = in.u8();
    event.xa.gtrid = in.text(gtrid_bytes);
    event.xa.bqual = in.text(bqual_bytes);
  }
  if (!in.ok()) return truncated_event();
  if (!in.at_end()) {
    const unsigned extra = in.u8();
    if ((extra & kExtraEngines) != 0) in.skip(1);
    if ((extra & kExtraAlter) != 0) in.skip(8);
    if ((extra & kExtraThread) != 0) event.thread_id = in.u32();
    if (!in.ok()) return truncated_event();
  }
  stream.tables.end_statement();
  return {};
}

}  // namespace rowtrail::binlog
