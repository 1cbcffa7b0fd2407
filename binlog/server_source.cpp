#include "binlog/server_source.h"

#include "binlog/session.h"

#include <array>
#include <limits>
#include <random>

#include <fmt/format.h>
#include <unistd.h>

namespace rowtrail::binlog {
namespace {

using core::Area;
using core::Errc;
using core::Error;
using core::Failure;

constexpr char kQueryCommand = 0x03;
constexpr char kDumpCommand = 0x12;
constexpr char kRegisterCommand = 0x15;
constexpr char kDumpGtidCommand = 0x1E;

// MySQL, sql/rpl_constants.h: heartbeats that carry positions over 4 GB, from 8.0.26; older servers
// ignore the bit. MariaDB, sql/sql_repl.cc: the same bit asks for ANNOTATE_ROWS events.
constexpr std::uint16_t kFlagHeartbeatV2 = 2;
constexpr std::uint16_t kFlagSendAnnotate = 2;

// By GTID the server may read through many files before it finds where to begin.
constexpr Transport::Millis kFirstEventMax{120'000};
constexpr int kSilentHeartbeatsMax = 3;
constexpr std::uint32_t kBinlogStart = 4;
constexpr std::size_t kFileNameMax = 512;

void put_le(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

std::string host_name() {
  std::array<char, 61> name{};  // COM_REGISTER_SLAVE takes at most 60
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string query(std::string_view sql) {
  return std::string(1, kQueryCommand).append(sql);
}

// Where MySQL must be the server that wrote them: file names and offsets mean nothing elsewhere.
void check_same_server(const ServerOptions& options, const Position& from) {
  if (from.server_uuid.empty() || !from.gtid_set.empty()) return;
  Session session(options);
  const auto uuid = session.server_uuid();
  if (uuid == from.server_uuid) return;
  throw Failure(
      Area::Source, false,
      fmt::format("{}: the position {}:{} belongs to server {}, but this is server {}; "
                  "without GTIDs capture cannot move to another server: choose a new start",
                  describe_server(options), from.file, from.pos, from.server_uuid, uuid));
}

// The advice for a purged binlog names what is still there, if the server will tell.
Failure with_oldest(const Failure& failure, const ServerOptions& options) {
  std::string message = failure.what();
  try {
    const auto oldest = Session(options).earliest_position();
    message += fmt::format("; the oldest that is still there: {}", oldest.file);
    if (!oldest.gtid_set.empty()) message += fmt::format(", purged are {}", oldest.gtid_set);
  } catch (const std::exception&) {  // the first message says enough
  }
  return {Area::Source, failure.retryable(), message};
}

}  // namespace

ReplicaIdentity choose_identity(std::uint32_t server_id) {
  // "rowtrail" in ASCII, then the id.
  if (server_id != 0) {
    return {server_id, fmt::format("726f7774-7261-696c-8000-0000{:08x}", server_id)};
  }
  std::random_device device;
  const auto draw = [&] { return static_cast<std::uint32_t>(device()); };
  // The upper half, where nobody numbers servers by hand; 2^32 - 1 itself is no valid id.
  const auto id = std::min(draw() | 0x8000'0000U, std::numeric_limits<std::uint32_t>::max() - 1);
  const auto low = draw();
  return {id, fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:08x}{:04x}", draw(), low >> 16,
                          low & 0xFFF, draw() & 0xFFF, draw(), draw() & 0xFFFF)};
}

std::string dump_settings_sql(const ServerOptions& options, Flavor flavor,
                              const ReplicaIdentity& identity) {
  // User variables are never unknown to a server, so old and new names can both be set.
  const auto heartbeat_ns = std::uint64_t{options.heartbeat_ms} * 1'000'000;
  auto sql = fmt::format(
      "SET @master_heartbeat_period={0}, @source_heartbeat_period={0}, "
      "@master_binlog_checksum='CRC32', @source_binlog_checksum='CRC32', "
      "SESSION net_write_timeout={1}",
      heartbeat_ns, options.net_write_timeout_s);
  if (flavor == Flavor::MariaDb) {
    // 4: we know GTID events; below that the server rewrites them to dummies (sql/sql_repl.cc).
    return sql + ", @mariadb_slave_capability=4";
  }
  return sql + fmt::format(", @slave_uuid='{0}', @replica_uuid='{0}'", identity.uuid);
}

std::string mariadb_gtid_sql(const GtidSet& gtids) {
  return fmt::format(
      "SET @slave_connect_state='{}', @slave_gtid_strict_mode=1, @slave_gtid_ignore_duplicates=0",
      gtids.text());
}

std::string register_command(const ReplicaIdentity& identity, std::string_view report_host) {
  std::string out(1, kRegisterCommand);
  put_le(out, identity.server_id, 4);
  out += static_cast<char>(report_host.size());
  out += report_host;
  put_le(out, 0, 1);  // user
  put_le(out, 0, 1);  // password
  put_le(out, 0, 2);  // port: nobody can connect to us
  put_le(out, 0, 4);  // rank, unused
  put_le(out, 0, 4);  // source id, filled in by the server
  return out;
}

core::Result<std::string> dump_command(const Position& from, Flavor flavor, std::uint16_t flags,
                                       std::uint32_t server_id) {
  if (from.file.size() > kFileNameMax) {
    return Error{Errc::Invalid, "the binlog file name of the start position is too long"};
  }
  const bool by_gtid = !from.gtid_set.empty();
  std::string out;
  if (by_gtid && flavor == Flavor::MySql) {
    const auto gtids = GtidSet::parse(from.gtid_set, flavor);
    if (!gtids) return gtids.error();
    const auto encoded = gtids->encode();
    out += kDumpGtidCommand;
    put_le(out, flags, 2);
    put_le(out, server_id, 4);
    put_le(out, 0, 4);  // no file name: the server finds it
    put_le(out, kBinlogStart, 8);
    put_le(out, encoded.size(), 4);
    return out + encoded;
  }
  // MariaDB with @slave_connect_state, and "from the oldest file": an empty name.
  const auto pos = by_gtid || from.pos < kBinlogStart ? kBinlogStart : from.pos;
  if (pos > std::numeric_limits<std::uint32_t>::max()) {
    return Error{Errc::Unsupported,
                 fmt::format("{}:{} lies beyond 4 GB, where only GTIDs can start a dump; turn on "
                             "GTIDs, or start at the next file",
                             from.file, from.pos)};
  }
  out += kDumpCommand;
  put_le(out, pos, 4);
  put_le(out, flags, 2);
  put_le(out, server_id, 4);
  return by_gtid ? out : out + from.file;
}

ServerSource::ServerSource(const ServerOptions& options, const Position& from, Flavor flavor)
    : options_(options),
      connection_(options, kBufferBytes),
      buffer_(connection_.buffer()),
      silence_max_(std::uint64_t{options.heartbeat_ms} * kSilentHeartbeatsMax) {
  check_same_server(options, from);
  start(from, flavor);
  if (!connection_.transport().wait_for_bytes(Transport::Millis(options.connect_timeout_ms)))
    return;
  ByteView payload;
  while (buffer_.next(payload) == PacketBuffer::Status::NeedMore) {
    if (!fill()) return;
  }
  if (!payload.empty() && std::to_integer<std::uint8_t>(payload.front()) != kOkPacket) {
    refuse(payload);
  }
  first_ = payload;
}

void ServerSource::start(const Position& from, Flavor flavor) {
  const auto& peer = connection_.peer();
  const auto identity = choose_identity(options_.server_id);
  const auto flags = flavor == Flavor::MariaDb ? kFlagSendAnnotate : kFlagHeartbeatV2;
  const auto usable = [&](auto result) {
    if (result) return std::move(*result);
    throw Failure(Area::Source, false,
                  fmt::format("{}: start position: {}", peer.where, result.error().message));
  };
  const auto command = usable(dump_command(from, flavor, flags, identity.server_id));
  connection_.execute(query(dump_settings_sql(options_, flavor, identity)), Stage::Statement);
  if (flavor == Flavor::MariaDb && !from.gtid_set.empty()) {
    const auto gtids = usable(GtidSet::parse(from.gtid_set, flavor));
    connection_.execute(query(mariadb_gtid_sql(gtids)), Stage::Statement);
  }
  connection_.execute(register_command(identity, host_name()), Stage::Register);
  connection_.send(command);
  buffer_.set_payload_max(kStreamPayloadMax);
  connection_.transport().set_gathering(true);
}

bool ServerSource::fill() {
  const auto limit = streaming_ || silence_max_.count() == 0
                         ? silence_max_
                         : std::max(silence_max_, kFirstEventMax);
  const auto count = connection_.transport().read_some(buffer_.writable(), limit);
  buffer_.commit(count);
  streaming_ = true;
  return count > 0;
}

core::Result<std::span<const std::byte>> ServerSource::next() {
  if (first_) [[unlikely]] {
    const auto payload = *first_;
    first_.reset();
    return payload.subspan(1);
  }
  for (;;) {
    ByteView payload;
    const auto status = buffer_.next(payload);
    if (status == PacketBuffer::Status::Packet) [[likely]] {
      if (payload.size() > 1 && payload.front() == std::byte{kOkPacket}) [[likely]] {
        return payload.subspan(1);
      }
      refuse(payload);
    }
    if (status == PacketBuffer::Status::Bad) {
      return Error{buffer_.error().code,
                   fmt::format("{}: {}", connection_.peer().where, buffer_.error().message)};
    }
    if (!fill()) return ByteView();
  }
}

void ServerSource::refuse(ByteView payload) {
  const auto& peer = connection_.peer();
  const auto kind = payload.empty() ? kOkPacket : std::to_integer<std::uint8_t>(payload.front());
  if (kind == kErrorPacket) {
    if (const auto error = parse_error_packet(payload)) {
      const auto failure = explain(*error, Stage::Dump, peer);
      throw is_purged(*error) ? with_oldest(failure, options_) : failure;
    }
  }
  if (kind == kEofPacket) {
    throw Failure(Area::Source, true, fmt::format("{}: the server ended the dump", peer.where));
  }
  throw Failure(Area::Source, true,
                fmt::format("{}: a packet that is neither an event nor an error", peer.where));
}

void ServerSource::stop() noexcept {
  connection_.transport().stop();
}

std::unique_ptr<Source> open_server_source(const ServerOptions& options, const Position& from,
                                           Flavor flavor) {
  const auto hosts = host_count(options);
  std::string messages;
  bool retryable = false;
  for (std::size_t n = 0; n < hosts; ++n) {
    try {
      return std::make_unique<ServerSource>(options_for_host(options, n), from, flavor);
    } catch (const Failure& failure) {
      if (hosts == 1) throw;
      retryable = retryable || failure.retryable();
      messages += (messages.empty() ? "" : "\n") + std::string(failure.what());
    }
  }
  throw Failure(Area::Source, retryable, messages);
}

}  // namespace rowtrail::binlog
