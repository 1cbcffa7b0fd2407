// What an operator reads when a source cannot be used: one clear message, and `retryable` only
// where waiting can help.
#include "binlog/connection.h"
#include "binlog/server_error.h"
#include "binlog/server_source.h"
#include "binlog/session.h"
#include "test/binlog/client_server.h"

#include <filesystem>
#include <fstream>
#include <set>

using namespace rowtrail;
using namespace rowtrail::binlog;
using namespace rowtrail::binlog::testing;

namespace {

void connect(const ServerOptions& options) {
  Connection connection(options);
  connection.quit();
}

void open(const ServerOptions& options, const Position& from, Flavor flavor) {
  static_cast<void>(open_server_source(options, from, flavor));
}

/// Both ways in fail alike.
core::Failure refused(const ServerOptions& options) {
  const auto failure = failure_of([&] { connect(options); });
  const auto same = failure_of([&] { Session session(options); });
  CHECK(failure.area() == core::Area::Source);
  CHECK(std::string(failure.what()) == same.what());
  CHECK(failure.retryable() == same.retryable());
  return failure;
}

core::Failure explained(std::uint16_t code, const std::string& message, Stage stage) {
  return explain({code, "HY000", message}, stage, {"db1:3306", "rowtrail"});
}

}  // namespace

TEST_CASE("failures: error packets become advice") {
  const auto denied = explained(1045, "Access denied for user 'rowtrail'@'h'", Stage::Login);
  CHECK(std::string(denied.what()).starts_with("db1:3306: Access denied for user"));
  CHECK(says(denied, "check user and password"));
  CHECK_FALSE(denied.retryable());

  const auto grant = explained(1045, "Access denied for user 'rowtrail'@'h'", Stage::Register);
  CHECK(says(grant, "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'rowtrail'"));
  CHECK_FALSE(grant.retryable());
  CHECK(says(explained(1227, "Access denied; you need", Stage::Dump), "GRANT REPLICATION SLAVE"));

  const auto clash = explained(
      1236, "A slave with the same server_uuid/server_id as this slave has connected", Stage::Dump);
  CHECK(says(clash, "server_id of its own"));
  CHECK_FALSE(clash.retryable());

  CHECK(explained(1040, "Too many connections", Stage::Login).retryable());
  CHECK(explained(1053, "Server shutdown in progress", Stage::Dump).retryable());
  CHECK(explained(9999, "unheard of", Stage::Dump).retryable());
  CHECK_FALSE(explained(9999, "unheard of", Stage::Login).retryable());
}

TEST_CASE("failures: every wording of a purged binlog is known, old and new, both families") {
  for (const auto* message :
       {"Could not find first log file name in binary log index file",
        "Cannot replicate because the source purged required binary logs. Replicate the missing",
        "Cannot replicate because the master purged required binary logs.",
        "Could not find GTID state requested by slave in any binlog files. Probably the slave "
        "state is too old and required binlog files have been purged."}) {
    const ServerError error{1236, "HY000", message};
    CHECK(is_purged(error));
    const auto failure = explain(error, Stage::Dump, {"db1:3306", "rowtrail"});
    CHECK(says(failure, "--start earliest"));
    CHECK_FALSE(failure.retryable());
  }
  CHECK_FALSE(is_purged({1236, "HY000",
                         "Client requested source to start replication from "
                         "position > file size"}));
  CHECK_FALSE(is_purged({1045, "28000", "purged required binary logs"}));
}

TEST_CASE("failures: nobody there", "[live]") {
  ServerOptions options;
  options.user = "u";
  options.connect_timeout_ms = 2000;
  options.port = 1;
  auto failure = refused(options);
  CHECK(says(failure, "127.0.0.1:1: cannot connect: Connection refused"));
  CHECK(failure.retryable());

  options.host = "::1";
  CHECK(says(refused(options), "[::1]:1: cannot connect"));

  options.host = "no-such-host.invalid";
  failure = refused(options);
  CHECK(
      (says(failure, "unknown host 'no-such-host.invalid'") || says(failure, "looked up in time")));

  options.socket = "/no/such/mysqld.sock";
  failure = failure_of([&] { connect(options); });
  CHECK(says(failure, "socket /no/such/mysqld.sock: cannot connect: No such file"));
  CHECK(failure.retryable());
  options.socket = std::string(200, 's');
  CHECK(says(failure_of([&] { connect(options); }), "too long for a unix socket"));
}

TEST_CASE("failures: wrong password, unknown user", "[live]") {
  for (const auto flavor : {Flavor::MySql, Flavor::MariaDb}) {
    auto options = LiveServer(flavor).options();
    options.password = "wrong";
    auto failure = refused(options);
    CHECK(says(failure, "Access denied for user 'rowtrail'"));
    CHECK(says(failure, "check user and password"));
    CHECK_FALSE(says(failure, "wrong"));
    CHECK_FALSE(failure.retryable());
    options.user = "nobody";
    CHECK(says(refused(options), "Access denied for user 'nobody'"));
  }
}

TEST_CASE("failures: a certificate that does not verify", "[live]") {
  auto options = LiveServer(Flavor::MySql).options();
  options.tls_ca.clear();  // the system's CAs do not know the server's own
  auto failure = refused(options);
  CHECK(says(failure, "the server's certificate was refused"));
  CHECK(says(failure, "tls_ca"));
  CHECK_FALSE(failure.retryable());

  options = LiveServer(Flavor::MySql).options();
  options.tls = TlsMode::VerifyIdentity;  // MySQL's own certificates carry no host name
  failure = refused(options);
  CHECK(says(failure, "tls=verify-ca"));
  CHECK_FALSE(failure.retryable());

  options.tls_ca = "/no/such/ca.pem";
  failure = refused(options);
  CHECK(says(failure, "tls_ca '/no/such/ca.pem' cannot be used"));
  CHECK_FALSE(failure.retryable());
}

TEST_CASE("failures: TLS demanded of a server without it, plain TCP of one that forbids it",
          "[live]") {
  const LiveServer mysql(Flavor::MySql);
  const LiveServer mariadb(Flavor::MariaDb);
  auto options = mariadb.options();
  options.tls = TlsMode::Required;
  auto failure = refused(options);
  CHECK(says(failure, "offers no TLS"));
  CHECK_FALSE(failure.retryable());
  options.tls = TlsMode::Preferred;
  connect(options);
  Session session(options);

  mysql.admin("CREATE USER IF NOT EXISTS client_tls@'%' IDENTIFIED BY 'p' REQUIRE SSL");
  options = mysql.options();
  options.user = "client_tls";
  options.password = "p";
  connect(options);
  Session also(options);
  options.tls = TlsMode::Disabled;
  failure = refused(options);
  CHECK_FALSE(failure.retryable());
}

TEST_CASE("failures: a missing grant names the GRANT statement", "[live]") {
  for (const auto flavor : {Flavor::MySql, Flavor::MariaDb}) {
    const LiveServer server(flavor);
    server.admin("CREATE USER IF NOT EXISTS client_poor@'%' IDENTIFIED BY 'p'");
    auto options = server.options();
    options.user = "client_poor";
    options.password = "p";
    const auto failure = failure_of([&] { open(options, {}, flavor); });
    INFO(failure.what());
    CHECK(says(failure, "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'client_poor'@"));
    CHECK_FALSE(failure.retryable());

    Session session(options);
    const auto findings = preflight(session, options);
    const auto grants = std::ranges::find(findings, "grants", &Finding::id);
    REQUIRE(grants != findings.end());
    CHECK(grants->severity == Finding::Severity::Fatal);
    CHECK(grants->fix_sql ==
          "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'client_poor'@'%';");
    server.admin(grants->fix_sql.substr(0, grants->fix_sql.size() - 1));
    open(options, {}, flavor);
    server.admin("DROP USER client_poor@'%'");
  }
}

TEST_CASE("failures: a purged position names the oldest that is left", "[live]") {
  for (const auto flavor : {Flavor::MySql, Flavor::MariaDb}) {
    const LiveServer server(flavor);
    const auto options = server.local_options();
    server.admin("CREATE DATABASE IF NOT EXISTS client_test");
    Session session(options);
    const auto first = session.earliest_position();
    server.admin("CREATE DATABASE IF NOT EXISTS client_test");
    server.admin("FLUSH BINARY LOGS");
    server.admin("CREATE DATABASE IF NOT EXISTS client_test");
    server.admin("FLUSH BINARY LOGS");
    const auto last = session.current_position();
    server.admin("PURGE BINARY LOGS TO '" + last.file + "'");

    Position by_file;
    by_file.file = first.file;
    by_file.pos = 4;
    auto failure = failure_of([&] { open(options, by_file, flavor); });
    INFO(failure.what());
    CHECK(says(failure, "the oldest that is still there: " + last.file));
    CHECK(says(failure, "--start earliest"));
    CHECK_FALSE(failure.retryable());

    Position by_gtid;
    by_gtid.gtid_set = flavor == Flavor::MySql ? "00000000-0000-0000-0000-000000000001:1" : "0-9-1";
    failure = failure_of([&] { open(options, by_gtid, flavor); });
    INFO(failure.what());
    CHECK_FALSE(failure.retryable());
    open(options, session.earliest_position(), flavor);
  }
}

TEST_CASE("failures: positions that the server never had", "[live]") {
  const LiveServer server(Flavor::MySql);
  const auto options = server.local_options();
  auto position = Session(options).current_position();
  position.gtid_set.clear();
  position.pos += 1'000'000;
  auto failure = failure_of([&] { open(options, position, Flavor::MySql); });
  CHECK(says(failure, "choose a new start"));
  CHECK_FALSE(failure.retryable());

  position.pos = std::uint64_t{5} << 30;
  failure = failure_of([&] { open(options, position, Flavor::MySql); });
  CHECK(says(failure, "beyond 4 GB"));

  position.pos = 4;
  position.server_uuid = "00000000-0000-0000-0000-000000000002";
  failure = failure_of([&] { open(options, position, Flavor::MySql); });
  CHECK(says(failure, "belongs to server 00000000-0000-0000-0000-000000000002"));
  CHECK_FALSE(failure.retryable());

  position = {};
  position.gtid_set = "nonsense";
  CHECK_FALSE(failure_of([&] { open(options, position, Flavor::MySql); }).retryable());
}

TEST_CASE("failures: two replicas of one server id", "[live]") {
  const LiveServer server(Flavor::MySql);
  auto options = server.local_options();
  options.server_id = 4711;
  Session session(options);
  const auto here = session.current_position();
  auto first = open_server_source(options, here, Flavor::MySql);
  const auto findings = preflight(session, options);
  const auto found = std::ranges::find(findings, "server_id", &Finding::id);
  REQUIRE(found != findings.end());
  CHECK(found->severity == Finding::Severity::Warn);
  auto second = open_server_source(options, here, Flavor::MySql);
  const auto failure = failure_of([&] {
    for (;;) static_cast<void>(first->next().value());
  });
  INFO(failure.what());
  CHECK(says(failure, "server_id of its own"));
  CHECK_FALSE(failure.retryable());

  options.server_id = 1;  // the server's own
  const auto own = preflight(session, options);
  CHECK(std::ranges::find(own, "server_id", &Finding::id)->severity == Finding::Severity::Fatal);
}

TEST_CASE("failures: hosts are tried in order, and all are named when none works", "[live]") {
  const LiveServer server(Flavor::MySql);
  auto options = server.options();
  options.failover = {{options.host, options.port}};
  options.port = 1;
  Session session(options);
  CHECK(session.where() == "127.0.0.1:" + std::to_string(options.failover[0].port));
  const auto source = open_server_source(options, session.current_position(), Flavor::MySql);
  CHECK_FALSE(source->next()->empty());

  options.failover = {{"127.0.0.1", 2}};
  const auto failure = failure_of([&] { open(options, {}, Flavor::MySql); });
  CHECK(std::string(failure.what()) == failure_of([&] { Session none(options); }).what());
  CHECK(says(failure, "127.0.0.1:1: "));
  CHECK(says(failure, "127.0.0.1:2: "));
  CHECK(failure.retryable());
}
