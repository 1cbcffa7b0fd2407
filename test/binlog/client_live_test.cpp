// The replication client and the SQL session against real servers.
#include "binlog/connection.h"
#include "binlog/event.h"
#include "binlog/server_source.h"
#include "binlog/session.h"
#include "test/binlog/client_server.h"

#include <chrono>
#include <set>
#include <thread>
#include <vector>

using namespace rowtrail;
using namespace rowtrail::binlog;
using namespace rowtrail::binlog::testing;

namespace {

constexpr std::uint8_t kRotate = 4;
constexpr std::uint8_t kFormatDescription = 15;
constexpr std::uint8_t kHeartbeat = 27;
constexpr std::uint8_t kHeartbeatV2 = 41;

std::uint8_t type_of(ByteView raw) {
  return std::to_integer<std::uint8_t>(raw[4]);
}
bool is_heartbeat(ByteView raw) {
  return type_of(raw) == kHeartbeat || type_of(raw) == kHeartbeatV2;
}

/// Event types up to where the server stands: two heartbeats with nothing between them. One alone
/// may only say that MySQL skipped what a GTID set already holds (sql/rpl_binlog_sender.cc).
std::vector<std::uint8_t> types_until_idle(Source& source) {
  std::vector<std::uint8_t> types;
  for (int heartbeats = 0;;) {
    const auto raw = source.next();
    REQUIRE(raw.has_value());
    REQUIRE(raw->size() >= EventHeader::kBytes);
    CHECK(load_le<4>(raw->data() + 9) == raw->size());
    if (is_heartbeat(*raw)) {
      if (++heartbeats == 2) return types;
      continue;
    }
    heartbeats = 0;
    types.push_back(type_of(*raw));
  }
}

/// Reads on, past heartbeats, until an event holds `text`; false after five seconds.
bool sees(Source& source, std::string_view text) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (std::chrono::steady_clock::now() < limit) {
    const auto raw = source.next();
    REQUIRE(raw.has_value());
    if (as_text(*raw).find(text) != std::string_view::npos) return true;
  }
  return false;
}

void check_stream(const LiveServer& server, const ServerOptions& options) {
  server.admin("CREATE DATABASE IF NOT EXISTS client_test");  // a new server has no GTID yet
  const auto here = Session(options).current_position();
  REQUIRE_FALSE(here.file.empty());
  REQUIRE_FALSE(here.gtid_set.empty());
  auto by_file = here;
  by_file.gtid_set.clear();
  auto by_gtid = here;
  by_gtid.file.clear();
  auto file_source = open_server_source(options, by_file, server.flavor());
  auto gtid_source = open_server_source(options, by_gtid, server.flavor());
  const auto from_file = types_until_idle(*file_source);
  REQUIRE(from_file.size() >= 2);
  CHECK(from_file[0] == kRotate);
  CHECK(from_file[1] == kFormatDescription);
  CHECK(types_until_idle(*gtid_source)[0] == kRotate);

  server.admin("CREATE DATABASE IF NOT EXISTS client_test /* seen by both */");
  CHECK(sees(*file_source, "seen by both"));
  CHECK(sees(*gtid_source, "seen by both"));
}

}  // namespace

TEST_CASE("client: MySQL over TLS with caching_sha2_password, by file and by GTID", "[live]") {
  const LiveServer server(Flavor::MySql);
  check_stream(server, server.options());
}

TEST_CASE("client: MySQL over its unix socket", "[live]") {
  const LiveServer server(Flavor::MySql);
  check_stream(server, server.local_options());
}

TEST_CASE("client: MariaDB, by file and by GTID", "[live]") {
  const LiveServer server(Flavor::MariaDb);
  check_stream(server, server.options());
  check_stream(server, server.local_options());
}

TEST_CASE("client: the whole binlog from the earliest position and from none", "[live]") {
  for (const auto flavor : {Flavor::MySql, Flavor::MariaDb}) {
    const LiveServer server(flavor);
    const auto options = server.local_options();
    Session session(options);
    const auto earliest = session.earliest_position();
    CHECK(earliest.pos == 4);
    const auto from_earliest = types_until_idle(*open_server_source(options, earliest, flavor));
    const auto from_nothing = types_until_idle(*open_server_source(options, {}, flavor));
    CHECK(from_earliest.size() >= 3);
    CHECK(from_earliest == from_nothing);
  }
}

TEST_CASE("client: an idle server sends heartbeats and a waiting next() can be stopped", "[live]") {
  const LiveServer server(Flavor::MySql);
  const auto options = server.options();
  auto source = open_server_source(options, Session(options).current_position(), server.flavor());
  static_cast<void>(types_until_idle(*source));
  const auto began = std::chrono::steady_clock::now();
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    source->stop();
    source->stop();
  });
  const auto raw = source->next();
  stopper.join();
  REQUIRE(raw.has_value());
  CHECK(raw->empty());
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(2));
  CHECK(source->next()->empty());
}

TEST_CASE("client: a session answers queries, is read-only and knows the server", "[live]") {
  for (const auto flavor : {Flavor::MySql, Flavor::MariaDb}) {
    const LiveServer server(flavor);
    Session session(server.options());
    CHECK(session.flavor() == flavor);
    CHECK_FALSE(session.server_version().empty());
    const auto rows = session.query("SELECT 1, NULL, 'x''y', @@session.time_zone");
    REQUIRE(rows.size() == 1);
    CHECK(rows[0] == Session::ResultRow{"1", std::nullopt, "x'y", "+00:00"});
    CHECK(session.query("DO 1").empty());
    CHECK(session.variable("binlog_format") == "ROW");
    CHECK_FALSE(session.variable("no_such_variable").has_value());
    CHECK(session.server_uuid().empty() ==
          (flavor == Flavor::MariaDb && !session.variable("server_uid").has_value()));
    const auto wrong = failure_of([&] { session.query("SELECT FROM"); });
    CHECK(says(wrong, "error 1064"));
    CHECK_FALSE(wrong.retryable());
    const auto written = failure_of([&] { session.query("CREATE DATABASE client_never"); });
    CHECK_FALSE(written.retryable());
    CHECK(session.query("SELECT 2").front()[0] == "2");  // the session lives on
  }
}

TEST_CASE("client: preflight finds nothing fatal on a server set up for capture", "[live]") {
  const LiveServer server(Flavor::MySql);
  const auto options = server.options();
  Session session(options);
  std::set<std::string> ids;
  for (const auto& finding : preflight(session, options)) {
    INFO(finding.id << ": " << finding.what);
    CHECK(finding.severity == Finding::Severity::Ok);
    CHECK(finding.fix_sql.empty());
    CHECK(ids.insert(finding.id).second);
  }
  CHECK(ids.size() >= 14);
}
