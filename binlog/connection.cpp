#include "binlog/connection.h"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

constexpr std::size_t kKeyFileBytesMax = 64 * 1024;
constexpr char kQuit = 0x01;

std::string read_key_file(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    text.resize(kKeyFileBytesMax);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (text.empty()) {
    throw core::Failure(core::Area::Source, false,
                        fmt::format("server_public_key '{}' cannot be read", path));
  }
  return text;
}

}  // namespace

ServerOptions options_for_host(const ServerOptions& options, std::size_t n) {
  auto one = options;
  if (n > 0) {
    one.host = options.failover[n - 1].host;
    one.port = options.failover[n - 1].port;
  }
  one.failover.clear();
  return one;
}

Connection::Connection(const ServerOptions& options, std::size_t buffer_bytes)
    : transport_(options),
      buffer_(buffer_bytes),
      peer_{transport_.where(), options.user},
      timeout_(options.connect_timeout_ms) {
  log_in(options);
}

void Connection::log_in(const ServerOptions& options) {
  Handshake handshake({options.user, options.password, options.tls, !options.socket.empty(),
                       read_key_file(options.server_public_key)});
  const auto check = [&](core::Result<Handshake::Output> output) {
    if (output) return std::move(*output);
    throw core::Failure(core::Area::Source, false,
                        fmt::format("{}: {}", peer_.where, output.error().message));
  };
  for (auto output = check(handshake.receive(receive()));;) {
    switch (output.step) {
      case Handshake::Step::StartTls:
        // ByteView that came ahead of TLS could be anybody's; they must not be taken for the
        // server's.
        if (buffer_.pending() > 0) {
          throw core::Failure(core::Area::Source, false,
                              fmt::format("{}: bytes came before TLS was up; somebody may be "
                                          "tampering with the connection",
                                          peer_.where));
        }
        send_framed(output.payload);
        transport_.start_tls(options);
        encrypted_ = true;
        output = check(handshake.tls_started(verifies_server(options.tls)));
        continue;
      case Handshake::Step::Send:
        send_framed(output.payload);
        break;
      case Handshake::Step::Receive:
        break;
      case Handshake::Step::Done:
        greeting_ = handshake.greeting();
        auth_method_ = handshake.auth_method();
        return;
      case Handshake::Step::Refused:
        throw explain(handshake.refusal(), Stage::Login, peer_);
    }
    output = check(handshake.receive(receive()));
  }
}

ByteView Connection::receive() {
  for (;;) {
    ByteView payload;
    switch (buffer_.next(payload)) {
      case PacketBuffer::Status::Packet:
        return payload;
      case PacketBuffer::Status::NeedMore:
        buffer_.commit(transport_.read_some(buffer_.writable(), timeout_));
        break;
      case PacketBuffer::Status::Bad:
        throw core::Failure(core::Area::Source, false,
                            fmt::format("{}: {}; is it a MySQL or MariaDB server?", peer_.where,
                                        buffer_.error().message));
    }
  }
}

void Connection::send_framed(std::string_view payload) {
  auto sequence = buffer_.sequence();
  const auto framed = frame_packet(payload, sequence);
  buffer_.set_sequence(sequence);
  transport_.write(framed, timeout_);
}

void Connection::send(std::string_view payload) {
  buffer_.set_sequence(0);
  send_framed(payload);
}

void Connection::execute(std::string_view payload, Stage stage) {
  send(payload);
  const auto answer = receive();
  const auto kind = answer.empty() ? kEofPacket : std::to_integer<std::uint8_t>(answer.front());
  if (kind == kOkPacket) return;
  if (kind == kErrorPacket) {
    if (auto error = parse_error_packet(answer)) throw explain(*error, stage, peer_);
  }
  throw core::Failure(core::Area::Source, true,
                      fmt::format("{}: the server gave neither OK nor an error", peer_.where));
}

void Connection::quit() noexcept {
  try {
    send(std::string_view(&kQuit, 1));
  } catch (const std::exception&) {  // it is gone already, which is what was wanted
  }
}

}  // namespace rowtrail::binlog
