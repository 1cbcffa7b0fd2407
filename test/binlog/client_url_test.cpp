#include "binlog/source.h"

#include <catch2/catch.hpp>

using namespace rowtrail::binlog;

namespace {

std::string complaint(std::string_view url) {
  const auto parsed = parse_server_url(url);
  return parsed ? "" : parsed.error().message;
}
bool complains(std::string_view url, std::string_view about) {
  return complaint(url).find(about) != std::string::npos;
}

}  // namespace

TEST_CASE("source URL: host, port and user") {
  const auto plain = parse_server_url("mysql://rowtrail@db1:3307");
  REQUIRE(plain.has_value());
  CHECK(plain->host == "db1");
  CHECK(plain->port == 3307);
  CHECK(plain->user == "rowtrail");
  CHECK(plain->password.empty());
  CHECK(plain->tls == TlsMode::VerifyIdentity);

  const auto standard = parse_server_url("mariadb://r%40x%25@db1/");
  REQUIRE(standard.has_value());
  CHECK(standard->user == "r@x%");
  CHECK(standard->port == 3306);

  const auto six = parse_server_url("mysql://u@[2001:db8::1]:3308/");
  REQUIRE(six.has_value());
  CHECK(six->host == "2001:db8::1");
  CHECK(six->port == 3308);
}

TEST_CASE("source URL: parameters") {
  const auto parsed = parse_server_url(
      "mysql://u@h/?tls=verify-ca&tls_ca=%2Fetc%2Fca%20file.pem&tls_cert=c&tls_key=k&server_id=42&"
      "server_public_key=pk.pem&connect_timeout_ms=1500&heartbeat_ms=250&net_write_timeout_s=90");
  REQUIRE(parsed.has_value());
  CHECK(parsed->tls == TlsMode::VerifyCa);
  CHECK(parsed->tls_ca == "/etc/ca file.pem");
  CHECK(parsed->tls_cert == "c");
  CHECK(parsed->tls_key == "k");
  CHECK(parsed->server_id == 42);
  CHECK(parsed->server_public_key == "pk.pem");
  CHECK(parsed->connect_timeout_ms == 1500);
  CHECK(parsed->heartbeat_ms == 250);
  CHECK(parsed->net_write_timeout_s == 90);

  const auto local = parse_server_url("mysql://u@/?socket=/run/mysqld/mysqld.sock");
  REQUIRE(local.has_value());
  CHECK(local->socket == "/run/mysqld/mysqld.sock");
}

TEST_CASE("source URL: several hosts, in the order to try") {
  const auto parsed = parse_server_url("mysql://u@a,b:3307,[::1]:3308,c/");
  REQUIRE(parsed.has_value());
  CHECK(parsed->host == "a");
  CHECK(parsed->port == 3306);
  REQUIRE(parsed->failover.size() == 3);
  CHECK(parsed->failover[0].host == "b");
  CHECK(parsed->failover[0].port == 3307);
  CHECK(parsed->failover[1].host == "::1");
  CHECK(parsed->failover[1].port == 3308);
  CHECK(parsed->failover[2].host == "c");
  CHECK(parsed->failover[2].port == 3306);
}

TEST_CASE("source URL: a password is refused and not repeated") {
  CHECK(complains("mysql://u:hunter2@h/", "holds a password"));
  CHECK(complaint("mysql://u:hunter2@h/").find("hunter2") == std::string::npos);
  CHECK(complains("mysql://u:@h/", "holds a password"));
  CHECK(complaint("mysql://u@h/?password=hunter2").find("hunter2") == std::string::npos);
}

TEST_CASE("source URL: every mistake is named") {
  CHECK(complains("postgresql://h/", "begins with mysql://"));
  CHECK(complains("", "begins with mysql://"));
  CHECK(complains("mysql://", "a host is missing"));
  CHECK(complains("mysql://u@:3306/", "a host is missing"));
  CHECK(complains("mysql://u@h:0/", "'0' is not a port"));
  CHECK(complains("mysql://u@h:70000/", "'70000' is not a port"));
  CHECK(complains("mysql://u@h:x/", "'x' is not a port"));
  CHECK(complains("mysql://u@a,,b/", "a host is missing"));
  CHECK(complains("mysql://u@::1/", "in brackets"));
  CHECK(complains("mysql://u@[::1/", "lacks its ']'"));
  CHECK(complains("mysql://u@[::1]x/", "is not a port"));
  CHECK(complains("mysql://u@h/shop", "names a database"));
  CHECK(complains("mysql://u@h/?tls=yes", "tls wants disabled"));
  CHECK(complains("mysql://u@h/?server_id=-1", "server_id wants a number"));
  CHECK(complains("mysql://u@h/?server_id=4294967296", "server_id wants a number"));
  CHECK(complains("mysql://u@h/?socket=", "socket wants"));
  CHECK(complains("mysql://u@h/?tsl=required", "unknown parameter 'tsl'"));
  CHECK(complains("mysql://u%4@h/", "hexadecimal"));
  CHECK(complains("mysql://u%00@h/", "hexadecimal"));
  CHECK(complains("mysql://" + std::string(9000, 'h'), "longer than"));
}

TEST_CASE("source URL: no prefix of a full URL does harm") {
  const std::string url =
      "mysql://u%20x@a,b:3307,[::1]:3308/?tls=verify-ca&tls_ca=%2Fca.pem&server_id=7";
  for (std::size_t cut = 0; cut <= url.size(); ++cut) {
    const auto parsed = parse_server_url(url.substr(0, cut));
    CHECK((parsed.has_value() || !parsed.error().message.empty()));
  }
}
