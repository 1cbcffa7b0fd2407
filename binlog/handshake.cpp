#include "binlog/handshake.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace rowtrail::binlog {
namespace {

using core::Errc;
using core::Error;
using core::Result;

// Capability bits, MySQL's include/mysql_com.h. What is not named here is not wanted: no
// LOCAL_FILES (a server could ask for our files), no MULTI_STATEMENTS, no compression.
constexpr std::uint32_t kLongPassword = 1U << 0;
constexpr std::uint32_t kProtocol41 = 1U << 9;
constexpr std::uint32_t kTls = 1U << 11;
constexpr std::uint32_t kTransactions = 1U << 13;
constexpr std::uint32_t kSecureConnection = 1U << 15;
constexpr std::uint32_t kPluginAuth = 1U << 19;
constexpr std::uint32_t kConnectAttributes = 1U << 20;
constexpr std::uint32_t kLongAuthAnswers = 1U << 21;

constexpr std::uint32_t kNeeded = kProtocol41 | kSecureConnection | kPluginAuth;
constexpr std::uint32_t kWanted =
    kNeeded | kLongPassword | kTransactions | kConnectAttributes | kLongAuthAnswers;

constexpr std::uint8_t kProtocolVersion = 10;
constexpr std::uint8_t kUtf8mb4 = 45;  // utf8mb4_general_ci, known to every server of both families
constexpr std::uint32_t kPacketBytesMax = 1U << 30;
constexpr std::size_t kTextMax = 512;  // of a server's version, method name and error message

void put_le(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

void put_lenenc(std::string& out, std::string_view text) {
  if (text.size() < 251) {
    put_le(out, text.size(), 1);
  } else {
    out += '\xFC';
    put_le(out, text.size(), 2);
  }
  out += text;
}

/// Text up to its NUL, or to the end where the server leaves the NUL out.
std::string_view text_to_nul(Cursor& cursor) {
  const auto rest = as_text(cursor.rest());
  const auto length = rest.find('\0');
  if (length == std::string_view::npos) return cursor.text(rest.size());
  const auto text = cursor.text(length);
  cursor.skip(1);
  return text;
}

/// What a hostile peer said, fit for a log line.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, kTextMax));
  for (auto& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return out;
}

// Salts of the SHA-1 and SHA-256 methods are 20 bytes and a NUL; nonces of 32 bytes have none.
std::string salt_of(ByteView bytes) {
  auto text = as_text(bytes);
  if (text.size() == 21 && text.back() == '\0') text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

Result<ServerError> parse_error_packet(ByteView payload) {
  Cursor cursor(payload);
  ServerError error;
  if (cursor.u8() != kErrorPacket) cursor.fail();
  error.code = cursor.u16();
  if (!cursor.ok()) return Error{Errc::Truncated, "error packet without a code"};
  auto text = as_text(cursor.rest());
  // Before the handshake there is no SQLSTATE; then it is '#' and five characters.
  if (text.size() >= 6 && text.front() == '#') {
    error.state = printable(text.substr(1, 5));
    text.remove_prefix(6);
  }
  error.message = printable(text);
  return error;
}

Result<Greeting> parse_greeting(ByteView payload) {
  Cursor cursor(payload);
  const auto protocol = cursor.u8();
  if (cursor.ok() && protocol != kProtocolVersion) {
    return Error{Errc::Unsupported,
                 fmt::format("it does not greet as a MySQL or MariaDB server (protocol {} where 10 "
                             "is expected)",
                             protocol)};
  }
  Greeting greeting;
  greeting.server_version = printable(text_to_nul(cursor));
  greeting.connection_id = cursor.u32();
  std::string salt(cursor.text(8));
  cursor.skip(1);
  greeting.capabilities = cursor.u16();
  cursor.skip(3);  // character set and status
  greeting.capabilities |= static_cast<std::uint32_t>(cursor.u16()) << 16;
  const auto salt_bytes = cursor.u8();
  cursor.skip(10);
  if (!cursor.ok()) return Error{Errc::Truncated, "the server's greeting is cut off"};
  if ((greeting.capabilities & kNeeded) != kNeeded) {
    return Error{Errc::Unsupported,
                 fmt::format("server version {} is too old: it lacks pluggable authentication",
                             greeting.server_version)};
  }
  // The second part is 13 bytes even where the stated length is shorter (mysql_com.h,
  // SCRAMBLE_LENGTH).
  const std::size_t second = salt_bytes > 8 + 13 ? salt_bytes - 8U : 13U;
  salt += cursor.text(second);
  if (!cursor.ok()) return Error{Errc::Truncated, "the server's greeting has no whole salt"};
  greeting.salt = salt_of(as_bytes(salt));
  greeting.auth_method = printable(text_to_nul(cursor));
  // MariaDB 10 once hid behind "5.5.5-", for old replicas' sake.
  if (greeting.server_version.find("MariaDB") != std::string::npos)
    greeting.flavor = Flavor::MariaDb;
  return greeting;
}

Handshake::Handshake(Credentials credentials) : credentials_(std::move(credentials)) {}

AuthContext Handshake::context() const noexcept {
  return {credentials_.password, credentials_.local_socket, encrypted_, verified_,
          credentials_.server_key};
}

Result<Handshake::Output> Handshake::receive(ByteView payload) {
  if (payload.empty()) return Error{Errc::Malformed, "the server sent an empty packet at login"};
  const auto kind = std::to_integer<std::uint8_t>(payload.front());
  if (kind == kErrorPacket && state_ != State::Ended) {
    auto error = parse_error_packet(payload);
    if (!error) return error.error();
    refusal_ = std::move(*error);
    state_ = State::Ended;
    return Output{Step::Refused, {}};
  }
  if (state_ == State::Greeting) return on_greeting(payload);
  if (state_ != State::Authenticating) {
    return Error{Errc::Malformed, "the server sent a packet out of turn at login"};
  }
  if (++rounds_ > kRoundsMax) {
    return Error{Errc::Limit, "the server asks on and on at login without a verdict"};
  }
  switch (kind) {
    case kOkPacket:
      state_ = State::Ended;
      return Output{Step::Done, {}};
    case kEofPacket:
      return on_switch(Cursor(payload.subspan(1)));
    case kMoreDataPacket:
      return on_more(payload.subspan(1));
    default:
      return on_more(payload);  // MariaDB leaves the marker out where nothing can be confused
  }
}

Result<Handshake::Output> Handshake::on_greeting(ByteView payload) {
  auto greeting = parse_greeting(payload);
  if (!greeting) return greeting.error();
  greeting_ = std::move(*greeting);
  salt_ = greeting_.salt;
  const bool offered = (greeting_.capabilities & kTls) != 0;
  if (credentials_.local_socket || credentials_.tls == TlsMode::Disabled) return response();
  if (!offered && credentials_.tls == TlsMode::Preferred) return response();
  if (!offered) {
    return Error{Errc::Invalid,
                 "the server offers no TLS, which this source demands: give it a certificate "
                 "(ssl_cert, ssl_key), use a unix socket, or allow plain TCP with tls=disabled"};
  }
  state_ = State::Tls;
  return Output{Step::StartTls, response_head(kWanted | kTls)};
}

Result<Handshake::Output> Handshake::tls_started(bool verified) {
  if (state_ != State::Tls) return Error{Errc::Malformed, "TLS started out of turn"};
  encrypted_ = true;
  verified_ = verified;
  return response();
}

std::string Handshake::response_head(std::uint32_t capabilities) const {
  std::string out;
  put_le(out, capabilities & (greeting_.capabilities | kLongPassword), 4);
  put_le(out, kPacketBytesMax, 4);
  put_le(out, kUtf8mb4, 1);
  out.append(23, '\0');
  return out;
}

Result<Handshake::Output> Handshake::response() {
  // The greeting names the server's default, not this user's method: where that cannot be begun
  // with, begin with the one that every server of the family knows and let the server switch.
  method_ = find_auth_method(greeting_.auth_method);
  if (method_ == nullptr || !method_->starts_at_greeting) {
    method_ = find_auth_method(greeting_.flavor == Flavor::MariaDb ? "mysql_native_password"
                                                                   : "caching_sha2_password");
  }
  const auto capabilities = kWanted | (encrypted_ ? kTls : 0);
  auto answer = method_->first(context(), as_bytes(salt_));
  if (!answer) return answer.error();
  auto out = response_head(capabilities);
  out += credentials_.user;
  out += '\0';
  if ((greeting_.capabilities & kLongAuthAnswers) != 0) {
    put_lenenc(out, *answer);
  } else if (answer->size() < 256) {
    put_le(out, answer->size(), 1);
    out += *answer;
  } else {
    return Error{Errc::Unsupported, "the server cannot take an authentication answer this long"};
  }
  out += method_->name;
  out += '\0';
  if ((greeting_.capabilities & kConnectAttributes) != 0) {
    const std::array<std::pair<std::string_view, std::string>, 4> attributes{{
        {"_client_name", "rowtrail"},
        {"_client_version", ROWTRAIL_VERSION},
        {"_pid", std::to_string(::getpid())},
        {"program_name", "rowtrail"},
    }};
    std::string block;
    for (const auto& [key, value] : attributes) {
      put_lenenc(block, key);
      put_lenenc(block, value);
    }
    put_lenenc(out, block);
  }
  state_ = State::Authenticating;
  return Output{Step::Send, std::move(out)};
}

Result<Handshake::Output> Handshake::on_switch(Cursor cursor) {
  if (cursor.at_end()) {
    return Error{Errc::Unsupported,
                 "the server asks for the password hash of MySQL 4.0, which is not sent: give the "
                 "user a current authentication method"};
  }
  const auto name = text_to_nul(cursor);
  method_ = find_auth_method(name);
  if (method_ == nullptr) {
    std::string known;
    for (const auto& method : auth_methods()) known += fmt::format(" {}", method.name);
    return Error{Errc::Unsupported, fmt::format("the user's authentication method '{}' is not "
                                                "supported; supported are:{}",
                                                printable(name), known)};
  }
  salt_ = salt_of(cursor.rest());
  auto answer = method_->first(context(), as_bytes(salt_));
  if (!answer) return answer.error();
  return Output{Step::Send, std::move(*answer)};
}

Result<Handshake::Output> Handshake::on_more(ByteView data) {
  auto answer = method_->more(context(), as_bytes(salt_), data);
  if (!answer) return answer.error();
  if (!*answer) return Output{Step::Receive, {}};
  return Output{Step::Send, std::move(**answer)};
}

}  // namespace rowtrail::binlog
