// The live servers that tests of the client run against, as test/servers/*.sh describe them in the
// environment. A test whose server is missing fails and says how to start it.
#pragma once

#include "binlog/source.h"

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>
#include <mysql.h>

namespace rowtrail::binlog::testing {

class LiveServer {
 public:
  explicit LiveServer(Flavor flavor)
      : flavor_(flavor),
        prefix_(flavor == Flavor::MySql ? "ROWTRAIL_MYSQL_" : "ROWTRAIL_MARIADB_") {}

  [[nodiscard]] std::string env(const std::string& name) const {
    const char* value = std::getenv((prefix_ + name).c_str());
    if (value == nullptr) {
      const std::string script = flavor_ == Flavor::MySql ? "mysql.sh" : "mariadb.sh";
      FAIL(prefix_ + name + " is not set; start the server with: eval \"$(test/servers/" + script +
           " start test)\"");
    }
    return value;
  }

  /// The rowtrail user over TCP; TLS as far as the server has it.
  [[nodiscard]] ServerOptions options() const {
    ServerOptions options;
    options.host = env("HOST");
    options.port = static_cast<std::uint16_t>(std::stoi(env("PORT")));
    options.user = env("USER");
    options.password = env("PASSWORD");
    options.heartbeat_ms = 300;
    options.tls = flavor_ == Flavor::MySql ? TlsMode::VerifyCa : TlsMode::Disabled;
    if (flavor_ == Flavor::MySql) options.tls_ca = env("CA");
    return options;
  }
  [[nodiscard]] ServerOptions local_options() const {
    auto local = options();
    local.socket = env("SOCKET");
    return local;
  }

  /// Runs one statement as root.
  void admin(const std::string& sql) const {
    rows(sql, [](const Values&) {});
  }

  /// One row's values; null where they are NULL.
  using Values = std::vector<std::optional<std::string_view>>;

  /// Runs one statement as root; its rows go to `each` as they arrive.
  template <class Each>
  void rows(const std::string& sql, Each each) const {
    const std::unique_ptr<MYSQL, decltype(&mysql_close)> root(mysql_init(nullptr), &mysql_close);
    if (mysql_real_connect(root.get(), nullptr, "root", env("ROOT_PASSWORD").c_str(), nullptr, 0,
                           env("SOCKET").c_str(), 0) == nullptr ||
        mysql_real_query(root.get(), sql.data(), sql.size()) != 0) {
      FAIL(sql.substr(0, 500) << ": " << mysql_error(root.get()));
    }
    const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
        mysql_use_result(root.get()), &mysql_free_result);
    if (result == nullptr) return;
    Values values(mysql_num_fields(result.get()));
    while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
      const auto* const sizes = mysql_fetch_lengths(result.get());
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] =
            row[i] == nullptr ? std::nullopt : std::optional(std::string_view(row[i], sizes[i]));
      }
      each(values);
    }
    REQUIRE(mysql_errno(root.get()) == 0);
  }

  [[nodiscard]] Flavor flavor() const noexcept { return flavor_; }

 private:
  Flavor flavor_;
  std::string prefix_;
};

/// What `action` throws as a core::Failure; the test fails when it does not.
template <class Action>
core::Failure failure_of(Action action) {
  try {
    action();
  } catch (const core::Failure& failure) {
    return failure;
  }
  FAIL("no failure where one was due");
  return {core::Area::Source, false, ""};
}

inline bool says(const core::Failure& failure, std::string_view part) {
  return std::string_view(failure.what()).find(part) != std::string_view::npos;
}

}  // namespace rowtrail::binlog::testing
