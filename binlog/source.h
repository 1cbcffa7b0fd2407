// Where raw events come from: a live server (replication protocol) or binlog files.
#pragma once

#include "binlog/gtid.h"
#include "binlog/position.h"
#include "core/core.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::binlog {

class Source {
 public:
  virtual ~Source() = default;
  /// The next raw event, header and checksum included; empty when there is no more (end of the
  /// files, or stop()). Valid until the next call. Network trouble is thrown as core::Failure.
  virtual core::Result<std::span<const std::byte>> next() = 0;
  /// Makes a blocked next() return empty soon. Callable from any thread and more than once.
  virtual void stop() noexcept = 0;
  /// File name to tell the decoder when the event that next() gave does not follow the one before
  /// it, else empty. Only files: `decoder.set_position(name, source.new_file_pos())`.
  [[nodiscard]] virtual std::string take_new_file() { return {}; }
  /// Offset in that file of the event that next() gave.
  [[nodiscard]] virtual std::uint64_t new_file_pos() const { return 4; }
};

enum class TlsMode : std::uint8_t { Disabled, Preferred, Required, VerifyCa, VerifyIdentity };

struct HostPort {
  std::string host;
  std::uint16_t port = 3306;
};

/// How to reach a server; shared by the replication client and by Session.
struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 3306;
  std::vector<HostPort> failover;  // tried in order when `host` is unavailable; same data by GTID
  std::string socket;              // unix socket path; wins over host and port
  std::string user;
  std::string password;
  TlsMode tls = TlsMode::VerifyIdentity;  // not used on a unix socket
  std::string tls_ca, tls_cert, tls_key;  // PEM files; no tls_ca: the system's CAs
  std::string server_public_key;  // pinned RSA key file for caching_sha2_password without TLS
  std::uint32_t server_id = 0;    // our id as a replica; 0: chosen at random for this process
  std::uint32_t connect_timeout_ms = 10'000;
  std::uint32_t heartbeat_ms = 5'000;  // a peer silent for three heartbeats is dead
  std::uint32_t net_write_timeout_s = 60;
};

/// Reads "mysql://user@host:3306/?tls=verify-ca&tls_ca=FILE" ("mariadb://" too): hosts separated by
/// commas, IPv6 in brackets, percent-encoding, one parameter per field of ServerOptions. A password
/// in the URL is refused: it would show in the process list and the shell's history.
[[nodiscard]] core::Result<ServerOptions> parse_server_url(std::string_view url);

/// Opens a replication stream at `from`: by GTID set when it has one, else by file and position.
/// Throws core::Failure (Area::Source) with advice: unknown host, wrong password, purged binlog.
[[nodiscard]] std::unique_ptr<Source> open_server_source(const ServerOptions& options,
                                                         const Position& from, Flavor flavor);

/// Reads binlog files in the order given, from `start_pos` (at least 4) of the first.
[[nodiscard]] std::unique_ptr<Source> open_file_source(std::vector<std::string> paths,
                                                       std::uint64_t start_pos = 4);

}  // namespace rowtrail::binlog
