// The client against a scripted server in this process that cuts, stalls or lies at every byte of a
// whole conversation: greeting, login, settings, registration, dump.
#include "binlog/packet.h"
#include "binlog/server_source.h"
#include "test/binlog/client_server.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace rowtrail;
using namespace rowtrail::binlog;
using namespace rowtrail::binlog::testing;

namespace {

std::string le(std::uint64_t value, unsigned bytes) {
  std::string out;
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
  return out;
}

std::string greeting() {
  const std::string nul(1, '\0');
  return std::string("\x0A") + "9.7.4" + nul + le(77, 4) + "ABCDEFGH" + nul + le(0xFFFF, 2) +
         "\xFF" + le(2, 2) + le(0xDFFF, 2) + "\x15" + std::string(10, '\0') + "ijklmnopqrst" + nul +
         "mysql_native_password" + nul;
}

/// An event of `size` bytes, header included.
std::string event(std::size_t size, char fill = 'x', std::uint8_t type = 2) {
  return le(1, 4) + le(type, 1) + le(1, 4) + le(size, 4) + le(0, 4) + le(0, 2) +
         std::string(size - 19, fill);
}

const std::string kOk = std::string("\0\0\0\2\0\0\0", 7);

/// Packets the server sends, in turn: it waits for one client packet before each but the first, as
/// long as the stream has not begun.
struct Script {
  std::vector<std::string> login{greeting(), kOk, kOk, kOk};  // login, settings, registration
  std::vector<std::string> stream;                            // after the dump command
  std::size_t cut_after = std::string::npos;                  // bytes sent before the cut
  bool stall_at_cut = false;                                  // keep the connection, say nothing
};

class ScriptedServer {
 public:
  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 4) == 0);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    done_ = true;
    thread_.join();
    ::close(listener_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] ServerOptions options() const {
    ServerOptions options;
    options.port = port_;
    options.user = "u";
    options.password = "p";
    options.tls = TlsMode::Disabled;
    options.connect_timeout_ms = 150;
    options.heartbeat_ms = 50;
    return options;
  }

 private:
  // Waits at most as long as the test runs; false when it is over or the client is gone.
  bool wait_for_client(int client) {
    while (!done_) {
      pollfd waiting{client, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      char buffer[4096];
      return ::recv(client, buffer, sizeof buffer, 0) > 0;
    }
    return false;
  }

  bool send(int client, std::string_view bytes) {
    const auto allowed = std::min(bytes.size(), script_.cut_after - sent_);
    for (std::size_t at = 0; at < allowed;) {
      const auto count = ::send(client, bytes.data() + at, allowed - at, MSG_NOSIGNAL);
      if (count <= 0) return false;
      at += static_cast<std::size_t>(count);
    }
    sent_ += allowed;
    return allowed == bytes.size();
  }

  bool converse(int client) {
    for (std::size_t i = 0; i < script_.login.size(); ++i) {
      if (i > 0 && !wait_for_client(client)) return false;
      std::uint8_t sequence = i == 0 ? 0 : i == 1 ? 2 : 1;
      if (!send(client, frame_packet(script_.login[i], sequence))) return true;
    }
    if (!wait_for_client(client)) return false;
    std::uint8_t sequence = 1;
    for (const auto& payload : script_.stream) {
      if (!send(client, frame_packet(payload, sequence))) return true;
    }
    return true;
  }

  void serve() {
    pollfd waiting{listener_, POLLIN, 0};
    while (!done_ && ::poll(&waiting, 1, 20) <= 0) continue;
    if (done_) return;
    const int client = ::accept(listener_, nullptr, nullptr);
    if (converse(client) && script_.stall_at_cut) {
      while (!done_) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    ::close(client);
  }

  Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::size_t sent_ = 0;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

/// Reads a whole script: the sizes of the events that came, and how it ended.
struct Outcome {
  std::vector<std::size_t> sizes;
  std::string ended;
  bool retryable = false;
};
Outcome read_all(const Script& script) {
  const ScriptedServer server(script);
  Outcome outcome;
  try {
    Position from;
    from.file = "binlog.000001";
    const auto source = open_server_source(server.options(), from, Flavor::MySql);
    for (;;) {
      const auto raw = source->next();
      if (!raw) {
        outcome.ended = "error: " + raw.error().message;
        return outcome;
      }
      if (raw->empty()) {
        outcome.ended = "end";
        return outcome;
      }
      outcome.sizes.push_back(raw->size());
    }
  } catch (const core::Failure& failure) {
    outcome.ended = failure.what();
    outcome.retryable = failure.retryable();
  }
  return outcome;
}

std::string status(const std::string& raw) {
  return std::string(1, '\0') + raw;
}

std::size_t conversation_bytes(const Script& script) {
  std::size_t bytes = 0;
  for (const auto* part : {&script.login, &script.stream}) {
    for (const auto& payload : *part) bytes += payload.size() + 4;
  }
  return bytes;
}

}  // namespace

TEST_CASE(
    "client: a conversation cut at any byte is a retryable failure, and no event is invented") {
  Script script;
  script.stream = {status(event(40)), status(event(19)), status(event(300))};
  const auto whole = read_all(script);
  CHECK(whole.sizes == std::vector<std::size_t>{40, 19, 300});
  CHECK(whole.ended.find("closed the connection") != std::string::npos);
  CHECK(whole.retryable);
  const auto bytes = conversation_bytes(script);
  for (std::size_t cut = 0; cut < bytes; ++cut) {
    script.cut_after = cut;
    const auto outcome = read_all(script);
    INFO("cut after " << cut << ": " << outcome.ended);
    CHECK(outcome.retryable);
    CHECK(outcome.sizes.size() <= 2);
    CHECK(outcome.ended.starts_with("127.0.0.1:"));
  }
}

TEST_CASE("client: a server that falls silent is given up after three heartbeats") {
  Script script;
  script.stream = {status(event(40)), status(event(50))};
  script.stall_at_cut = true;
  const auto began = std::chrono::steady_clock::now();
  const auto outcome = read_all(script);
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(outcome.sizes == std::vector<std::size_t>{40, 50});
  CHECK(outcome.ended.find("nothing came for 150 ms") != std::string::npos);
  CHECK(outcome.retryable);
  CHECK(took >= std::chrono::milliseconds(150));
  CHECK(took < std::chrono::seconds(3));

  for (const std::size_t cut : {0U, 10U, 90U, 100U}) {  // silent at login
    script.cut_after = cut;
    const auto login = read_all(script);
    INFO(login.ended);
    CHECK(login.sizes.empty());
    CHECK(login.ended.find("nothing came for 150 ms") != std::string::npos);
    CHECK(login.retryable);
  }
}

TEST_CASE("client: events over 16 MB, and memory given back after them") {
  Script script;
  for (const std::size_t size : {std::size_t{100}, kPacketChunkMax - 2, kPacketChunkMax - 1,
                                 kPacketChunkMax, 2 * kPacketChunkMax + 5, std::size_t{64}}) {
    script.stream.push_back(status(event(size, static_cast<char>('a' + size % 26))));
  }
  const ScriptedServer server(script);
  auto options = server.options();
  options.connect_timeout_ms = 5000;
  options.heartbeat_ms = 2000;
  Position from;
  from.file = "binlog.000001";
  const auto source = open_server_source(options, from, Flavor::MySql);
  for (const auto& wanted : script.stream) {
    const auto raw = source->next();
    REQUIRE(raw.has_value());
    CHECK(as_text(*raw) == std::string_view(wanted).substr(1));
  }
}

TEST_CASE("client: what is no event ends the stream with its reason") {
  const auto ended_by = [](std::string payload) {
    Script script;
    script.stream = {status(event(40)), std::move(payload)};
    return read_all(script);
  };
  auto outcome = ended_by(std::string("\xFF") + le(1053, 2) + "#08S01Server shutdown in progress");
  CHECK(outcome.ended.find("Server shutdown in progress (error 1053)") != std::string::npos);
  CHECK(outcome.retryable);
  outcome = ended_by(std::string("\xFE") + le(0, 4));
  CHECK(outcome.ended.find("ended the dump") != std::string::npos);
  CHECK(outcome.retryable);
  for (const auto& odd :
       {std::string(), std::string(1, '\0'), std::string("\x07 what"), std::string("\xFF")}) {
    outcome = ended_by(odd);
    CHECK(outcome.sizes == std::vector<std::size_t>{40});
    CHECK(outcome.ended.find("neither an event nor an error") != std::string::npos);
  }
}

TEST_CASE("client: an error at any step of opening is thrown by open") {
  for (std::size_t step = 0; step < 5; ++step) {
    Script script;
    const auto denied = std::string("\xFF") + le(1045, 2) + "#28000Access denied for user 'u'@'h'";
    if (step < 4) {
      script.login.resize(step);
      script.login.push_back(denied);
    } else {
      script.stream = {denied};
    }
    const auto outcome = read_all(script);
    INFO(step << ": " << outcome.ended);
    CHECK(outcome.ended.find("Access denied for user 'u'@'h' (error 1045)") != std::string::npos);
    CHECK_FALSE(outcome.retryable);
    // From the settings on, the login has succeeded and a grant is what is missing.
    CHECK((outcome.ended.find("GRANT REPLICATION SLAVE") != std::string::npos) == (step >= 2));
  }
}

TEST_CASE("client: a peer that is no MySQL server is named as such") {
  for (const auto& first :
       {std::string("SSH-2.0-OpenSSH_9.2p1 Debian\r\n"),
        std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string(64, '\xEE')}) {
    Script script;
    script.login = {first};
    const auto outcome = read_all(script);
    INFO(outcome.ended);
    CHECK(outcome.ended.find("greet") != std::string::npos);
    CHECK_FALSE(outcome.retryable);
  }
}

TEST_CASE("client: stop() ends a wait from another thread at once") {
  Script script;
  script.stream = {status(event(40))};
  script.stall_at_cut = true;
  const ScriptedServer server(script);
  auto options = server.options();
  options.heartbeat_ms = 60'000;
  Position from;
  from.file = "binlog.000001";
  const auto source = open_server_source(options, from, Flavor::MySql);
  CHECK(source->next()->size() == 40);
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    source->stop();
    source->stop();
  });
  const auto began = std::chrono::steady_clock::now();
  CHECK(source->next()->empty());
  stopper.join();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(2));
  CHECK(source->next()->empty());
}
