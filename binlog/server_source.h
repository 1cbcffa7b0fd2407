// The replication stream of one live server as a Source. Events that lie whole in the buffer are
// handed out in place; only a large one grows the buffer, for as long as it is needed.
#pragma once

#include "binlog/connection.h"
#include "binlog/position.h"
#include "binlog/source.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

namespace rowtrail::binlog {

/// How we present ourselves as a replica.
struct ReplicaIdentity {
  std::uint32_t server_id = 0;
  std::string uuid;
};
/// From the configured id, else random. The uuid follows a configured id, so that the server ends
/// the dump thread that a lost link left behind when we come back.
[[nodiscard]] ReplicaIdentity choose_identity(std::uint32_t server_id);

// What is sent before and for the dump; open to tests.
[[nodiscard]] std::string dump_settings_sql(const ServerOptions& options, Flavor flavor,
                                            const ReplicaIdentity& identity);
/// MariaDB's start by GTID; empty when `from` has no GTID set.
[[nodiscard]] std::string mariadb_gtid_sql(const GtidSet& gtids);
[[nodiscard]] std::string register_command(const ReplicaIdentity& identity,
                                           std::string_view report_host);
/// MySQL's GTID dump when `from` has a GTID set, else the dump by file and position.
[[nodiscard]] core::Result<std::string> dump_command(const Position& from, Flavor flavor,
                                                     std::uint16_t flags, std::uint32_t server_id);

class ServerSource final : public Source {
 public:
  static constexpr std::size_t kBufferBytes = 512 * 1024;

  /// Connects to the one server of `options`, starts the dump and waits for its first packet.
  ServerSource(const ServerOptions& options, const Position& from, Flavor flavor);

  core::Result<std::span<const std::byte>> next() override;
  void stop() noexcept override;

 private:
  [[noreturn]] void refuse(ByteView payload);
  [[nodiscard]] bool fill();
  void start(const Position& from, Flavor flavor);

  ServerOptions options_;
  Connection connection_;
  PacketBuffer& buffer_;
  std::optional<ByteView> first_;  // came while opening
  Transport::Millis silence_max_;
  bool streaming_ = false;
};

}  // namespace rowtrail::binlog
