// The way into a server, without I/O: packets of the server in, packets to send out. Whoever drives
// it frames, sends and receives, and starts TLS when told to (binlog/connection.cpp; a test; a
// fuzzer).
//
//   greeting → [TLS request, TLS] → response → { switch | more data → answer } → OK or error
//
// Layout: MySQL's documentation, "Protocol::HandshakeV10" and "Protocol::HandshakeResponse41";
// MariaDB's differs in the last four reserved bytes of the greeting, which are not needed here.
#pragma once

#include "binlog/auth.h"
#include "binlog/cursor.h"
#include "binlog/gtid.h"
#include "binlog/source.h"
#include "core/core.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::binlog {

/// An error packet.
struct ServerError {
  std::uint16_t code = 0;
  std::string state;  // SQLSTATE, five characters; empty when the server sent none
  std::string message;
};

constexpr std::uint8_t kOkPacket = 0x00;
constexpr std::uint8_t kMoreDataPacket = 0x01;
constexpr std::uint8_t kEofPacket = 0xFE;  // during authentication: switch the method
constexpr std::uint8_t kErrorPacket = 0xFF;

/// Reads an error packet, its leading 0xFF included.
[[nodiscard]] core::Result<ServerError> parse_error_packet(ByteView payload);

struct Greeting {
  std::string server_version;  // "9.7.4", "10.11.19-MariaDB-0+deb12u1"
  std::uint32_t connection_id = 0;
  std::uint32_t capabilities = 0;
  std::string salt;
  std::string auth_method;
  Flavor flavor = Flavor::MySql;
};
[[nodiscard]] core::Result<Greeting> parse_greeting(ByteView payload);

struct Credentials {
  std::string user;
  std::string password;
  TlsMode tls = TlsMode::VerifyIdentity;
  bool local_socket = false;  // then TLS is not used
  std::string server_key;     // pinned RSA public key, PEM
};

class Handshake {
 public:
  enum class Step : std::uint8_t {
    Send,      // send the payload, then receive
    StartTls,  // send the payload, then negotiate TLS, then call tls_started()
    Receive,   // nothing to send
    Done,      // logged in
    Refused,   // refusal() says why
  };
  struct Output {
    Step step = Step::Receive;
    std::string payload;
  };
  /// Rounds of "more data" and switches before a server is taken for one that plays games.
  static constexpr int kRoundsMax = 16;

  explicit Handshake(Credentials credentials);

  /// One packet of the server. Errors: bad bytes, or a request that the credentials do not allow.
  [[nodiscard]] core::Result<Output> receive(ByteView payload);
  /// TLS is up; `verified` when the certificate was checked.
  [[nodiscard]] core::Result<Output> tls_started(bool verified);

  [[nodiscard]] const Greeting& greeting() const noexcept { return greeting_; }
  /// The method in use; empty before the response.
  [[nodiscard]] std::string_view auth_method() const noexcept {
    return method_ == nullptr ? std::string_view() : method_->name;
  }
  [[nodiscard]] const ServerError& refusal() const noexcept { return refusal_; }

 private:
  core::Result<Output> on_greeting(ByteView payload);
  core::Result<Output> on_switch(Cursor cursor);
  core::Result<Output> on_more(ByteView data);
  core::Result<Output> response();
  [[nodiscard]] AuthContext context() const noexcept;
  [[nodiscard]] std::string response_head(std::uint32_t capabilities) const;

  enum class State : std::uint8_t { Greeting, Tls, Authenticating, Ended };
  Credentials credentials_;
  Greeting greeting_;
  ServerError refusal_;
  const AuthMethod* method_ = nullptr;
  std::string salt_;
  State state_ = State::Greeting;
  bool encrypted_ = false;
  bool verified_ = false;
  int rounds_ = 0;
};

}  // namespace rowtrail::binlog
