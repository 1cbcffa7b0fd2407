// A logged-in connection of rowtrail's own protocol client: what the replication stream starts
// from. It sends commands that answer with OK or an error, and hands transport and buffer to the
// stream.
#pragma once

#include "binlog/handshake.h"
#include "binlog/packet.h"
#include "binlog/server_error.h"
#include "binlog/source.h"
#include "binlog/transport.h"

#include <string>
#include <string_view>

namespace rowtrail::binlog {

class Connection {
 public:
  static constexpr std::size_t kCommandBufferBytes = 16 * 1024;

  /// Connects to the one server of `options` (not to its failover hosts) and logs in. Throws
  /// core::Failure.
  explicit Connection(const ServerOptions& options, std::size_t buffer_bytes = kCommandBufferBytes);

  /// Sends one command (its code is the first byte of `payload`).
  void send(std::string_view payload);
  /// Sends one command and waits for its OK; an error packet is thrown as a Failure.
  void execute(std::string_view payload, Stage stage);
  /// Says goodbye, so that the server does not count an aborted client.
  void quit() noexcept;

  [[nodiscard]] const Greeting& greeting() const noexcept { return greeting_; }
  /// The method that the login ended with.
  [[nodiscard]] const std::string& auth_method() const noexcept { return auth_method_; }
  [[nodiscard]] bool encrypted() const noexcept { return encrypted_; }
  [[nodiscard]] const Peer& peer() const noexcept { return peer_; }
  [[nodiscard]] Transport& transport() noexcept { return transport_; }
  [[nodiscard]] PacketBuffer& buffer() noexcept { return buffer_; }

 private:
  ByteView receive();
  void log_in(const ServerOptions& options);
  void send_framed(std::string_view payload);

  Transport transport_;
  PacketBuffer buffer_;
  Peer peer_;
  Greeting greeting_;
  std::string auth_method_;
  Transport::Millis timeout_;
  bool encrypted_ = false;
};

/// `options` for its nth host, 0 being `host` itself; without failover hosts.
[[nodiscard]] ServerOptions options_for_host(const ServerOptions& options, std::size_t n);
[[nodiscard]] inline std::size_t host_count(const ServerOptions& options) noexcept {
  return options.socket.empty() ? 1 + options.failover.size() : 1;
}

}  // namespace rowtrail::binlog
