#include "store/postgres_error.h"

#include "core/core.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace rowtrail::store {
namespace {

struct Advice {
  std::string_view match;  // a SQLSTATE or its class, or a piece of libpq's message
  bool retryable;
  std::string_view advice;
};

// The first row that matches counts.
constexpr std::array kStates{
    Advice{"53100", true, "the disk of the database is full; free space there"},
    Advice{"53300", true, "the database has no connection left; raise max_connections"},
    Advice{"53", true, "the database is out of resources"},
    Advice{"08", true, "the connection was lost"},
    Advice{"57P", true, "the database is shutting down or starting"},
    Advice{"57014", true, "the database cancelled the statement"},
    Advice{"25006", true, "the database is read-only; is it a standby?"},
    Advice{"25P03", true, "the database closed an idle transaction"},
    Advice{"40", true, "the database rolled the transaction back"},
    Advice{"55P03", true, "the database has locked what the log needs"},
    Advice{"58", true, "the database has trouble with its disk"},
    Advice{"28", false, "the database refuses this user; check user, password and pg_hba.conf"},
    Advice{"3D000", false, "there is no such database; create it with ENCODING 'UTF8'"},
    Advice{"42501", false,
           "the database user lacks a permission; let the owner create the tables and grant it"},
    Advice{"3F000", false,
           "the schema rowtrail is missing; start `rowtrail run` as its owner once"},
    Advice{"42P01", false, "a table of the log is missing; start `rowtrail run` as its owner once"},
    Advice{"54", false, "a record is larger than the database can hold (1 GB)"},
};

constexpr std::array kConnections{
    Advice{"password authentication failed", false,
           "check the user and password (PGPASSWORD, passfile or password_file)"},
    Advice{"no password supplied", false,
           "give a password by PGPASSWORD, passfile or password_file"},
    Advice{"authentication failed", false, "check user and pg_hba.conf"},
    Advice{"no pg_hba.conf entry", false, "allow this host and user in pg_hba.conf"},
    Advice{"does not exist", false, "check database and user in the store URL"},
    Advice{"Temporary failure in name resolution", true, "the name server does not answer"},
    Advice{"could not translate host name", false, "check the host in the store URL"},
    Advice{"certificate", false, "check sslmode and sslrootcert"},
    Advice{"server does not support SSL", false, "turn SSL on at the server, or change sslmode"},
    Advice{"permission denied for database", false, "grant CONNECT to the user"},
    Advice{"Connection refused", true, "is the database running there?"},
    Advice{"timeout", true, "the database does not answer"},
};

}  // namespace

std::string first_line(std::string_view message) {
  while (!message.empty() && (message.front() == '\n' || message.front() == ' ')) {
    message.remove_prefix(1);
  }
  std::string line(message.substr(0, std::min(message.find('\n'), message.size())));
  for (const std::string_view noise : {"ERROR:  ", "FATAL:  "}) {
    if (line.starts_with(noise)) line.erase(0, noise.size());
  }
  return line;
}

void fail_postgres(const Url& url, std::string_view state, std::string_view message) {
  for (const auto& row : kStates) {
    if (!state.starts_with(row.match)) continue;
    throw core::Failure(core::Area::Store, row.retryable,
                        fmt::format("{}: {} ({})", url.display, row.advice, first_line(message)));
  }
  throw core::Failure(core::Area::Store, false,
                      fmt::format("{}: {}{}", url.display, first_line(message),
                                  state.empty() ? "" : fmt::format(" (SQLSTATE {})", state)));
}

void fail_postgres_connection(const Url& url, std::string_view message) {
  for (const auto& row : kConnections) {
    if (message.find(row.match) == std::string_view::npos) continue;
    throw core::Failure(core::Area::Store, row.retryable,
                        fmt::format("{}: {} ({})", url.display, row.advice, first_line(message)));
  }
  throw core::Failure(
      core::Area::Store, true,
      fmt::format("{}: the connection failed ({})", url.display, first_line(message)));
}

}  // namespace rowtrail::store
