#include "binlog/handshake.h"

#include <functional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace rowtrail;
using namespace rowtrail::binlog;

namespace {

using Step = Handshake::Step;

constexpr std::uint32_t kTlsBit = 1U << 11;
constexpr std::uint32_t kMySqlCapabilities = 0xDFFFFFFF;
const std::string kNul(1, '\0');
const std::string kSalt = "ABCDEFGHijklmnopqrst";
const std::string kNonce = std::string("0123456789abcdef0123456789abcdef");

std::string le(std::uint64_t value, unsigned bytes) {
  std::string out;
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
  return out;
}

// As MySQL 9.7 and MariaDB 10.11 send it.
std::string greeting(std::string_view version = "9.7.4",
                     std::string_view method = "caching_sha2_password",
                     std::uint32_t capabilities = kMySqlCapabilities) {
  return std::string("\x0A") + std::string(version) + kNul + le(77, 4) + kSalt.substr(0, 8) + kNul +
         le(capabilities & 0xFFFF, 2) + std::string("\xFF") + le(2, 2) + le(capabilities >> 16, 2) +
         "\x15" + std::string(10, '\0') + kSalt.substr(8) + kNul + std::string(method) + kNul;
}

std::string switch_to(std::string_view method, std::string_view data) {
  return std::string("\xFE") + std::string(method) + kNul + std::string(data);
}

const std::string kOk = std::string("\0\0\0\2\0\0\0", 7);
const std::string kDenied = std::string("\xFF") + le(1045, 2) +
                            "#28000Access denied for user 'u'@'h' (using password: YES)";

Credentials credentials(TlsMode tls = TlsMode::Disabled, bool local = false) {
  return {"user", "secret", tls, local, ""};
}

/// The steps of a handshake against `packets`, TLS always succeeding. Ends at an error.
std::string steps(const Credentials& who, const std::vector<std::string>& packets) {
  Handshake handshake(who);
  std::string out;
  const auto note = [&](core::Result<Handshake::Output> output) {
    if (!output) {
      out += "error: " + output.error().message;
      return false;
    }
    if (output->step == Step::StartTls) {
      out += "tls ";
      output = handshake.tls_started(who.tls >= TlsMode::VerifyCa);
      if (!output) {
        out += "error: " + output.error().message;
        return false;
      }
    }
    switch (output->step) {
      case Step::Send:
        out += "send(" + std::to_string(output->payload.size()) + ") ";
        break;
      case Step::Receive:
        out += "receive ";
        break;
      case Step::Done:
        out += "done";
        break;
      case Step::Refused:
        out += "refused: " + handshake.refusal().message;
        break;
      case Step::StartTls:
        out += "tls again";
        break;
    }
    return output->step == Step::Send || output->step == Step::Receive;
  };
  for (const auto& packet : packets) {
    if (!note(handshake.receive(as_bytes(packet)))) return out;
  }
  return out;
}

struct Scenario {
  const char* name;
  Credentials who;
  std::vector<std::string> packets;
  std::function<bool(const std::string&)> ends;
};

bool ends_done(const std::string& steps) {
  return steps.ends_with("done");
}
std::function<bool(const std::string&)> says(std::string text) {
  return [text](const std::string& steps) { return steps.find(text) != std::string::npos; };
}

const std::string kMore = "\x01";

std::vector<Scenario> scenarios() {
  const auto tls = TlsMode::VerifyCa;
  return {
      {"fast path", credentials(), {greeting(), kMore + "\x03", kOk}, ends_done},
      {"full auth, TLS", credentials(tls), {greeting(), kMore + "\x04", kOk}, ends_done},
      {"full auth, socket", credentials(tls, true), {greeting(), kMore + "\x04", kOk}, ends_done},
      {"full auth, plain", credentials(), {greeting(), kMore + "\x04"}, says("plain TCP")},
      {"native", credentials(), {greeting("5.7.44", "mysql_native_password"), kOk}, ends_done},
      {"switch to native",
       credentials(),
       {greeting(), switch_to("mysql_native_password", kSalt + kNul), kOk},
       ends_done},
      {"switch to ed25519",
       credentials(),
       {greeting("5.5.5-10.11.6-MariaDB", "mysql_native_password"),
        switch_to("client_ed25519", kNonce), kOk},
       ends_done},
      {"switch to parsec",
       credentials(),
       {greeting("11.8.1-MariaDB", "mysql_native_password"), switch_to("parsec", kNonce),
        std::string("P") + kNul + std::string(18, 's'), kOk},
       ends_done},
      {"switch to sha256",
       credentials(tls),
       {greeting(), switch_to("sha256_password", kSalt), kOk},
       ends_done},
      {"unknown default",
       credentials(),
       {greeting("9.7.4", "auth_ldap"), kMore + "\x03", kOk},
       ends_done},
      {"switch to unknown",
       credentials(),
       {greeting(), switch_to("dialog", "x")},
       says("'dialog' is not supported")},
      {"old password", credentials(), {greeting(), "\xFE"}, says("MySQL 4.0")},
      {"clear text, plain",
       credentials(),
       {greeting(), switch_to("mysql_clear_password", "")},
       says("clear text")},
      {"clear text, unverified",
       credentials(TlsMode::Required),
       {greeting(), switch_to("mysql_clear_password", "")},
       says("clear text")},
      {"clear text, verified",
       credentials(tls),
       {greeting(), switch_to("mysql_clear_password", ""), kOk},
       ends_done},
      {"no TLS to be had",
       credentials(tls),
       {greeting("9.7.4", "caching_sha2_password", kMySqlCapabilities & ~kTlsBit)},
       says("offers no TLS")},
      {"TLS preferred, none",
       credentials(TlsMode::Preferred),
       {greeting("9.7.4", "caching_sha2_password", kMySqlCapabilities & ~kTlsBit), kMore + "\x03",
        kOk},
       ends_done},
      {"wrong password", credentials(), {greeting(), kDenied}, says("refused: Access denied")},
      {"too many connections",
       credentials(),
       {std::string("\xFF") + le(1040, 2) + "Too many connections"},
       says("refused: Too many connections")},
      {"not MySQL", credentials(), {"SSH-2.0-OpenSSH_9.2\r\n"}, says("does not greet")},
      {"ancient", credentials(), {greeting("4.0.1", "", 0x0001)}, says("too old")},
  };
}

}  // namespace

TEST_CASE("handshake: every scenario ends as it should") {
  for (const auto& scenario : scenarios()) {
    const auto seen = steps(scenario.who, scenario.packets);
    INFO(scenario.name << ": " << seen);
    CHECK(scenario.ends(seen));
  }
}

TEST_CASE("handshake: an error packet at any step ends it with the server's words") {
  for (const auto& scenario : scenarios()) {
    for (std::size_t at = 0; at < scenario.packets.size(); ++at) {
      auto packets = scenario.packets;
      packets.resize(at);
      packets.push_back(kDenied);
      const auto seen = steps(scenario.who, packets);
      INFO(scenario.name << " at " << at << ": " << seen);
      CHECK(seen.find("refused: Access denied") != std::string::npos);
    }
  }
}

TEST_CASE("handshake: every prefix and every flipped byte of every packet ends without harm") {
  for (const auto& scenario : scenarios()) {
    for (std::size_t at = 0; at < scenario.packets.size(); ++at) {
      for (std::size_t cut = 0; cut < scenario.packets[at].size(); ++cut) {
        auto packets = scenario.packets;
        packets[at].resize(cut);
        CHECK_FALSE(steps(scenario.who, packets).empty());
        packets = scenario.packets;
        packets[at][cut] = static_cast<char>(packets[at][cut] ^ 0xFF);
        CHECK_FALSE(steps(scenario.who, packets).empty());
      }
    }
  }
}

TEST_CASE("handshake: a cut greeting is an error, never a login") {
  const auto whole = greeting();
  // The method's name may end anywhere: old servers leave it out.
  for (std::size_t cut = 0; cut < whole.size() - 23; ++cut) {
    CHECK(parse_greeting(as_bytes(whole.substr(0, cut))).has_error());
  }
  const auto parsed = parse_greeting(as_bytes(whole));
  REQUIRE(parsed.has_value());
  CHECK(parsed->salt == kSalt);
  CHECK(parsed->server_version == "9.7.4");
  CHECK(parsed->connection_id == 77);
  CHECK(parsed->auth_method == "caching_sha2_password");
  CHECK(parsed->flavor == Flavor::MySql);
  CHECK(parse_greeting(as_bytes(greeting("11.8.1-MariaDB")))->flavor == Flavor::MariaDb);
}

TEST_CASE("handshake: nothing of the password goes out before TLS") {
  Handshake handshake(credentials(TlsMode::VerifyIdentity));
  const auto output = handshake.receive(as_bytes(greeting()));
  REQUIRE(output.has_value());
  CHECK(output->step == Step::StartTls);
  CHECK(output->payload.size() == 32);
  CHECK(output->payload.find("user") == std::string::npos);
}

TEST_CASE("handshake: the response says who we are and never offers our files") {
  Handshake handshake(credentials());
  const auto output = handshake.receive(as_bytes(greeting()));
  REQUIRE(output.has_value());
  const auto& sent = output->payload;
  const auto capabilities = load_le<4>(as_bytes(sent).data());
  CHECK((capabilities & (1U << 7)) == 0);   // LOCAL_FILES
  CHECK((capabilities & (1U << 16)) == 0);  // MULTI_STATEMENTS
  CHECK((capabilities & kTlsBit) == 0);
  CHECK(sent.substr(32, 5) == "user" + kNul);
  CHECK(sent.find("caching_sha2_password" + kNul) != std::string::npos);
  CHECK(sent.find("program_name\x08rowtrail") != std::string::npos);
  CHECK(sent.find("secret") == std::string::npos);
}

TEST_CASE("handshake: a server that asks for ever is left") {
  std::vector<std::string> packets{greeting()};
  for (int i = 0; i < 100; ++i) packets.push_back(switch_to("mysql_native_password", kSalt));
  CHECK(steps(credentials(), packets).find("asks on and on") != std::string::npos);
}

TEST_CASE("handshake: nothing is taken after the end") {
  Handshake handshake(credentials());
  CHECK(handshake.receive(as_bytes(greeting())).has_value());
  CHECK(handshake.receive(as_bytes(kOk))->step == Step::Done);
  CHECK(handshake.receive(as_bytes(kOk)).has_error());
  CHECK(handshake.tls_started(true).has_error());
}
