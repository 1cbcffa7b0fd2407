// The store URL, taken apart. Never print anything of it but `display`.
//   sqlite:///var/lib/rowtrail/rowtrail.db     an absolute path; sqlite://rowtrail.db a relative
//   one
//   postgresql://user@host:5432/database?sslmode=verify-full&log=pharmacy&password_file=/run/secret
// `log` names one of many logs in a Postgres database (default "main"); `password_file` holds only
// the password; everything else is libpq's, PGPASSWORD and passfile included.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::store {

enum class Engine : std::uint8_t { Sqlite, Postgres };

struct Url {
  static constexpr std::size_t kLogNameMax = 100;

  Engine engine = Engine::Sqlite;
  std::string path;           // SQLite
  std::string connection;     // Postgres: the URL for libpq, without our own parameters
  std::string password_file;  // Postgres
  std::string log = "main";
  std::string display;  // without secrets

  /// Throws core::Failure (Area::Usage) when it cannot be used.
  static Url parse(std::string_view text);
};

}  // namespace rowtrail::store
