// One byte stream to a server: TCP (IPv4, IPv6) or unix socket, in the clear or under TLS. Every
// wait has a limit; stop() ends a wait from another thread. Driven by Asio, which stays in the
// .cpp.
#pragma once

#include "binlog/source.h"
#include "binlog/tls.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace rowtrail::binlog {

class Transport {
 public:
  using Millis = std::chrono::milliseconds;

  /// Connects to `options.socket`, else to `options.host` and `options.port` (one host only).
  /// Throws core::Failure: unknown host, refused, no answer within connect_timeout_ms.
  explicit Transport(const ServerOptions& options);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Negotiates TLS. Throws core::Failure when the certificate does not satisfy options.tls.
  void start_tls(const ServerOptions& options);
  [[nodiscard]] Fingerprints fingerprints() const;

  /// Bytes read, at least one; 0 only after stop(). Throws core::Failure (retryable) when the peer
  /// closes or nothing comes within `timeout` (0: no limit).
  [[nodiscard]] std::size_t read_some(std::span<std::byte> into, Millis timeout);
  void write(std::string_view bytes, Millis timeout);
  /// Whether something comes within `timeout`; nothing is read.
  [[nodiscard]] bool wait_for_bytes(Millis timeout);

  /// In a burst, when all that came is read, let bytes gather for some tens of microseconds before
  /// going to sleep: a dump thread loses up to 40 % to waking a sleeping reader. Without TLS only.
  void set_gathering(bool on) noexcept;

  /// The socket, for a benchmark that reads it bare.
  [[nodiscard]] int native_handle() noexcept;

  /// Makes a waiting read_some() return 0 soon, and every later one at once. Any thread.
  void stop() noexcept;

  /// "db1:3306", "[::1]:3306" or "socket /run/mysqld/mysqld.sock", for messages.
  [[nodiscard]] const std::string& where() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// How a server is named in messages.
[[nodiscard]] std::string describe_server(const ServerOptions& options);

}  // namespace rowtrail::binlog
