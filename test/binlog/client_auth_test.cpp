// Every authentication method against a real server, through both ways in: our own client (the
// dump) and the Connector (the session).
#include "binlog/connection.h"
#include "binlog/server_source.h"
#include "binlog/session.h"
#include "test/binlog/client_server.h"

#include <string>

using namespace rowtrail;
using namespace rowtrail::binlog;
using namespace rowtrail::binlog::testing;

namespace {

/// A user made for one test, gone after it.
class TestUser {
 public:
  TestUser(const LiveServer& server, std::string name, const std::string& identified)
      : server_(server), name_(std::move(name)) {
    server_.admin("DROP USER IF EXISTS " + name_ + "@'%'");
    server_.admin("CREATE USER " + name_ + "@'%' " + identified);
    server_.admin("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO " + name_ + "@'%'");
  }
  ~TestUser() { server_.admin("DROP USER " + name_ + "@'%'"); }
  TestUser(const TestUser&) = delete;
  TestUser& operator=(const TestUser&) = delete;

 private:
  const LiveServer& server_;
  std::string name_;
};

ServerOptions as(ServerOptions options, const std::string& user, const std::string& password) {
  options.user = user;
  options.password = password;
  return options;
}

void both_ways_in(const ServerOptions& options, Flavor flavor) {
  Session session(options);
  const auto source = open_server_source(options, session.current_position(), flavor);
  CHECK_FALSE(source->next()->empty());
}

std::string refusal(const ServerOptions& options) {
  return failure_of([&] { Connection connection(options); }).what();
}

}  // namespace

TEST_CASE("login: caching_sha2_password over plain TCP with the server's key pinned", "[live]") {
  const LiveServer server(Flavor::MySql);
  const TestUser user(server, "client_rsa",
                      "IDENTIFIED WITH caching_sha2_password BY 'RSA: Ünïcode'");
  auto options = as(server.options(), "client_rsa", "RSA: Ünïcode");
  options.tls = TlsMode::Disabled;
  // The server's cache does not know the user yet: the password itself is needed.
  CHECK(refusal(options).find("pin the server's RSA key") != std::string::npos);
  CHECK(std::string(failure_of([&] { Session session(options); }).what()) == refusal(options));
  options.server_public_key = server.env("DATADIR") + "/ca.pem";
  CHECK(refusal(options).find("not an RSA public key") != std::string::npos);
  options.server_public_key = "/no/such/key.pem";
  CHECK(refusal(options).find("'/no/such/key.pem' cannot be read") != std::string::npos);
  options.server_public_key = server.env("DATADIR") + "/public_key.pem";
  both_ways_in(options, Flavor::MySql);
  options.server_public_key.clear();  // now the cache knows the user
  both_ways_in(options, Flavor::MySql);
}

TEST_CASE("login: caching_sha2_password, full and from the cache, over TLS and socket", "[live]") {
  const LiveServer server(Flavor::MySql);
  for (const auto& options : {server.options(), server.local_options()}) {
    const TestUser user(server, "client_sha2", "IDENTIFIED WITH caching_sha2_password BY 'p'");
    both_ways_in(as(options, "client_sha2", "p"), Flavor::MySql);
    both_ways_in(as(options, "client_sha2", "p"), Flavor::MySql);
  }
}

TEST_CASE("login: sha256_password over TLS, socket and with a pinned key", "[live]") {
  const LiveServer server(Flavor::MySql);
  const TestUser user(server, "client_sha256", "IDENTIFIED WITH sha256_password BY 'p'");
  both_ways_in(as(server.options(), "client_sha256", "p"), Flavor::MySql);
  const auto local = as(server.local_options(), "client_sha256", "p");
  Connection over_socket(local);
  over_socket.quit();
  CHECK(says(failure_of([&] { Session session(local); }), "sha256_password over TLS only"));
  auto options = as(server.options(), "client_sha256", "p");
  options.tls = TlsMode::Disabled;
  CHECK(refusal(options).find("not sent over plain TCP") != std::string::npos);
  options.server_public_key = server.env("DATADIR") + "/public_key.pem";
  Connection connection(options);
  connection.quit();
}

TEST_CASE("login: an empty password", "[live]") {
  const LiveServer mysql(Flavor::MySql);
  for (const std::string method : {"caching_sha2_password", "sha256_password"}) {
    const TestUser user(mysql, "client_empty", "IDENTIFIED WITH " + method + " BY ''");
    both_ways_in(as(mysql.options(), "client_empty", ""), Flavor::MySql);
    auto plain = as(mysql.options(), "client_empty", "");
    plain.tls = TlsMode::Disabled;
    Connection connection(plain);
    connection.quit();
  }
  const LiveServer mariadb(Flavor::MariaDb);
  const TestUser user(mariadb, "client_empty", "IDENTIFIED BY ''");
  both_ways_in(as(mariadb.options(), "client_empty", ""), Flavor::MariaDb);
}

TEST_CASE("login: mysql_native_password on MariaDB", "[live]") {
  const LiveServer server(Flavor::MariaDb);
  const TestUser user(server, "client_native",
                      "IDENTIFIED VIA mysql_native_password USING PASSWORD('p')");
  both_ways_in(as(server.options(), "client_native", "p"), Flavor::MariaDb);
  both_ways_in(as(server.local_options(), "client_native", "p"), Flavor::MariaDb);
}

TEST_CASE("login: a client certificate where the user must have one", "[live]") {
  const LiveServer server(Flavor::MySql);
  const TestUser user(server, "client_x509", "IDENTIFIED BY 'p' REQUIRE X509");
  auto options = as(server.options(), "client_x509", "p");
  CHECK(refusal(options).find("Access denied") != std::string::npos);
  options.tls_cert = server.env("DATADIR") + "/client-cert.pem";
  options.tls_key = server.env("DATADIR") + "/client-key.pem";
  both_ways_in(options, Flavor::MySql);
  options.tls_key = server.env("DATADIR") + "/server-key.pem";
  CHECK(refusal(options).find("tls_key") != std::string::npos);
  options.tls_cert = "/no/such/cert.pem";
  CHECK(refusal(options).find("tls_cert '/no/such/cert.pem' cannot be used") != std::string::npos);
}

TEST_CASE("login: every TLS mode that the server's certificate satisfies", "[live]") {
  const LiveServer server(Flavor::MySql);
  for (const auto mode : {TlsMode::Preferred, TlsMode::Required, TlsMode::VerifyCa}) {
    auto options = server.options();
    options.tls = mode;
    Connection connection(options);
    CHECK(connection.encrypted());
    CHECK(connection.transport().fingerprints().sha256.size() == 64);
    connection.quit();
    Session session(options);
    CHECK(session.query("SHOW SESSION STATUS LIKE 'Ssl_version'")[0][1].value().starts_with(
        "TLSv1."));
  }
  auto plain = server.options();
  plain.tls = TlsMode::Disabled;
  Connection connection(plain);
  CHECK_FALSE(connection.encrypted());
  connection.quit();
}
