// What capture needs of a source and what it would like, each with the SQL that mends it. One row
// of kChecks per finding; a check sees the server through Facts and knows nothing of the others.
#include "binlog/session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>
#include <map>

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

using Severity = Finding::Severity;

constexpr std::uint64_t kExpiryMinSeconds = 24 * 60 * 60;
constexpr std::uint64_t kSecondsPerDay = 24 * 60 * 60;
constexpr unsigned kMySqlOldest = 507;
constexpr unsigned kMariaDbOldest = 1005;
constexpr unsigned kMySqlWithPersist = 800;
constexpr unsigned kMySqlLogsCascades = 906;
constexpr std::size_t kTablesMax = 1000;  // whose definition is read for cascades

struct Facts {
  Session& session;
  const ServerOptions& options;
  std::map<std::string, std::string, std::less<>> variables;
  unsigned version = 0;  // major * 100 + minor

  [[nodiscard]] bool mariadb() const noexcept { return session.flavor() == Flavor::MariaDb; }
  [[nodiscard]] bool has(std::string_view name) const { return variables.contains(name); }
  [[nodiscard]] std::string value(std::string_view name) const {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  }
  [[nodiscard]] bool is(std::string_view name, std::string_view wanted) const {
    const auto have = value(name);
    return have.size() == wanted.size() && ::strcasecmp(have.c_str(), wanted.data()) == 0;
  }
  [[nodiscard]] std::uint64_t number(std::string_view name) const {
    const auto text = value(name);
    std::uint64_t parsed = 0;
    std::from_chars(text.data(), text.data() + text.size(), parsed);
    return parsed;
  }
  /// Sets a variable for good where the server can, else until its restart.
  [[nodiscard]] std::string set(std::string_view assignment) const {
    if (!mariadb() && version >= kMySqlWithPersist)
      return fmt::format("SET PERSIST {};", assignment);
    return fmt::format("SET GLOBAL {}; -- and the same in the server's option file", assignment);
  }
};

Finding ok(std::string what) {
  return {{}, Severity::Ok, std::move(what), {}};
}
Finding warn(std::string what, std::string fix = {}) {
  return {{}, Severity::Warn, std::move(what), std::move(fix)};
}
Finding fatal(std::string what, std::string fix = {}) {
  return {{}, Severity::Fatal, std::move(what), std::move(fix)};
}

/// Rows of a statement, or nullopt when this user may not run it.
std::optional<std::vector<Session::ResultRow>> try_query(Session& session, std::string_view sql) {
  try {
    return session.query(sql);
  } catch (const core::Failure& failure) {
    if (failure.retryable()) throw;
    return std::nullopt;
  }
}

std::string quoted_name(const std::optional<std::string>& name) {
  std::string out = "`";
  for (const char c : name.value_or("")) out.append(c == '`' ? 2 : 1, c);
  return out + '`';
}

Finding check_version(const Facts& facts) {
  const auto oldest = facts.mariadb() ? kMariaDbOldest : kMySqlOldest;
  const auto what = fmt::format("the server is {} {}", facts.mariadb() ? "MariaDB" : "MySQL",
                                facts.session.server_version());
  if (facts.version >= oldest) return ok(what);
  return warn(fmt::format("{}; rowtrail is made for MySQL 5.7 and MariaDB 10.5 or newer", what));
}

Finding check_grants(const Facts& facts) {
  const auto account = facts.session.query("SELECT CURRENT_USER()");
  std::string user = facts.options.user;
  if (!account.empty() && account.front()[0]) {
    const auto& text = *account.front()[0];
    const auto at = text.rfind('@');
    user = fmt::format("'{}'@'{}'", text.substr(0, at), text.substr(at + 1));
  }
  std::string global;  // privileges granted on *.*
  for (const auto& row : facts.session.query("SHOW GRANTS")) {
    const auto text = row[0].value_or("");
    const auto on = text.find(" ON *.* TO ");
    if (text.starts_with("GRANT ") && on != std::string::npos)
      global += text.substr(5, on - 5) + ",";
  }
  const auto holds = [&](std::string_view privilege) {
    return global.find(fmt::format(" {},", privilege)) != std::string::npos ||
           global.find(" ALL PRIVILEGES,") != std::string::npos;
  };
  // MariaDB renamed REPLICATION CLIENT to BINLOG MONITOR in 10.5 and takes both names in a GRANT.
  std::string missing;
  if (!holds("REPLICATION SLAVE")) missing = "REPLICATION SLAVE";
  if (!holds("REPLICATION CLIENT") && !holds("BINLOG MONITOR")) {
    missing += missing.empty() ? "REPLICATION CLIENT" : ", REPLICATION CLIENT";
  }
  if (missing.empty()) return ok(fmt::format("{} may read the binlog", user));
  return fatal(fmt::format("{} lacks {}", user, missing),
               fmt::format("GRANT {} ON *.* TO {};", missing, user));
}

Finding check_log_bin(const Facts& facts) {
  if (facts.is("log_bin", "ON")) return ok("the binlog is on");
  return fatal("the server writes no binlog: put log_bin into its option file and restart it");
}

Finding check_binlog_format(const Facts& facts) {
  if (!facts.has("binlog_format")) return ok("binlog_format can only be ROW on this server");
  if (facts.is("binlog_format", "ROW")) return ok("binlog_format is ROW");
  return fatal(fmt::format("binlog_format is {}: the binlog holds statements, not rows; sessions "
                           "that are open keep the old value",
                           facts.value("binlog_format")),
               facts.set("binlog_format = 'ROW'"));
}

Finding check_row_image(const Facts& facts) {
  if (facts.is("binlog_row_image", "FULL")) return ok("binlog_row_image is FULL");
  return warn(
      fmt::format("binlog_row_image is {}: columns that a statement does not touch are absent "
                  "from its changes",
                  facts.value("binlog_row_image")),
      facts.set("binlog_row_image = 'FULL'"));
}

Finding check_row_metadata(const Facts& facts) {
  if (facts.is("binlog_row_metadata", "FULL")) return ok("binlog_row_metadata is FULL");
  if (!facts.has("binlog_row_metadata")) {
    return warn(
        "this server cannot log column names (binlog_row_metadata): they are read from "
        "information_schema, and where that is not provable rows get positional names");
  }
  return warn(fmt::format("binlog_row_metadata is {}: column names are read from "
                          "information_schema, and where that is not provable rows get positional "
                          "names",
                          facts.value("binlog_row_metadata")),
              facts.set("binlog_row_metadata = 'FULL'"));
}

Finding check_statements(const Facts& facts) {
  const std::string_view name =
      facts.mariadb() ? "binlog_annotate_row_events" : "binlog_rows_query_log_events";
  if (facts.is(name, "ON")) return ok(fmt::format("{} is ON", name));
  return warn(
      fmt::format("{} is OFF: changes carry no SQL text, and comments in it cannot tell who "
                  "made them",
                  name),
      facts.set(fmt::format("{} = ON", name)));
}

Finding check_gtid(const Facts& facts) {
  if (facts.mariadb() || facts.is("gtid_mode", "ON")) return ok("GTIDs are on");
  return warn(
      fmt::format("gtid_mode is {}: positions are file and offset, which end with this server "
                  "(no failover to a replica)",
                  facts.value("gtid_mode")),
      "SET PERSIST enforce_gtid_consistency = ON; SET PERSIST gtid_mode = OFF_PERMISSIVE; "
      "SET PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON;");
}

Finding check_partial_json(const Facts& facts) {
  if (!facts.is("binlog_row_value_options", "PARTIAL_JSON")) return ok("JSON is logged whole");
  if (facts.is("binlog_row_image", "FULL")) {
    return ok("JSON updates are logged as differences, which are applied");
  }
  return warn(
      "JSON updates are logged as differences, but without FULL row images there may be "
      "nothing to apply them to",
      facts.set("binlog_row_value_options = ''"));
}

Finding check_checksum(const Facts& facts) {
  if (facts.is("binlog_checksum", "CRC32")) return ok("events carry a CRC32");
  return warn("binlog_checksum is NONE: damage on disk or on the way would go unnoticed",
              facts.set("binlog_checksum = 'CRC32'"));
}

Finding check_compression(const Facts& facts) {
  const bool on =
      facts.is("binlog_transaction_compression", "ON") || facts.is("log_bin_compress", "ON");
  return ok(on ? "the binlog is compressed, which is read" : "the binlog is not compressed");
}

Finding check_server_id(const Facts& facts) {
  if (facts.number("server_id") == 0) {
    return fatal("the server has server_id 0 and serves no replica", facts.set("server_id = 1"));
  }
  const auto ours = facts.options.server_id;
  if (ours == 0) return ok("our replica id is chosen at random");
  if (facts.number("server_id") == ours) {
    return fatal(
        fmt::format("our server_id {} is the server's own: choose another for this source", ours));
  }
  const bool old_name = facts.mariadb() || facts.version < 802;
  const auto rows = try_query(facts.session, old_name ? "SHOW SLAVE HOSTS" : "SHOW REPLICAS");
  if (!rows) {
    return warn("the server does not tell its replicas, so our server_id may be in use",
                facts.mariadb() ? "GRANT REPLICATION MASTER ADMIN ON *.* TO CURRENT_USER();" : "");
  }
  for (const auto& row : *rows) {
    if (row[0] != std::to_string(ours)) continue;
    return warn(
        fmt::format("server_id {} is attached from '{}': another replica, or an earlier "
                    "rowtrail that has not ended; two of one id throw each other out",
                    ours, row.size() > 1 ? row[1].value_or("") : ""));
  }
  return ok(fmt::format("our server_id {} is free", ours));
}

Finding check_expiry(const Facts& facts) {
  std::uint64_t seconds = facts.number("binlog_expire_logs_seconds");
  if (seconds == 0) {
    double days = 0;  // a fraction on MariaDB
    const auto text = facts.value("expire_logs_days");
    if (!text.empty()) days = std::strtod(text.c_str(), nullptr);
    seconds = static_cast<std::uint64_t>(days * static_cast<double>(kSecondsPerDay));
  }
  if (seconds == 0) return ok("the binlog is kept until somebody purges it");
  const auto what = fmt::format("the binlog is kept for {} hours", seconds / 3600);
  if (seconds >= kExpiryMinSeconds) return ok(what);
  return warn(
      what + ": what rowtrail has not read by then is lost",
      facts.set(facts.has("binlog_expire_logs_seconds") ? "binlog_expire_logs_seconds = 604800"
                                                        : "expire_logs_days = 7"));
}

// MariaDB shows REFERENTIAL_CONSTRAINTS only to who may write the table; who may read it sees the
// keys in KEY_COLUMN_USAGE and their rules in SHOW CREATE TABLE.
std::size_t count_cascades_by_table(Session& session) {
  const auto tables = session.query(fmt::format(
      "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE "
      "REFERENCED_TABLE_NAME IS NOT NULL LIMIT {}",
      kTablesMax));
  std::size_t count = 0;
  for (const auto& table : tables) {
    const auto rows = try_query(session, fmt::format("SHOW CREATE TABLE {}.{}",
                                                     quoted_name(table[0]), quoted_name(table[1])));
    if (!rows || rows->empty() || rows->front().size() < 2) continue;
    const auto text = rows->front()[1].value_or("");
    for (std::size_t at = 0; (at = text.find(" FOREIGN KEY (", at)) != std::string::npos;) {
      const auto line = std::string_view(text).substr(at, text.find('\n', at) - at);
      const auto rule = line.find(") ON ");
      const auto rules = rule == std::string_view::npos ? "" : line.substr(rule);
      if (rules.find(" CASCADE") != std::string_view::npos ||
          rules.find(" SET NULL") != std::string_view::npos) {
        ++count;
      }
      at += line.size();
    }
  }
  return count;
}

std::size_t count_cascades(const Facts& facts) {
  if (facts.mariadb()) return count_cascades_by_table(facts.session);
  const auto rows = facts.session.query(
      "SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE DELETE_RULE IN "
      "('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL')");
  return std::stoull(rows.at(0).at(0).value_or("0"));
}

// MySQL 9.6 moved foreign keys to the SQL layer, where cascades are logged as rows.
Finding check_cascades(const Facts& facts) {
  const bool logged = !facts.mariadb() && facts.version >= kMySqlLogsCascades &&
                      !facts.is("innodb_native_foreign_keys", "ON");
  if (logged) return ok("cascades of foreign keys are logged");
  const auto count = count_cascades(facts);
  if (count == 0) return ok("no foreign key that this user sees cascades");
  const bool can_mend = facts.has("innodb_native_foreign_keys");
  return warn(
      fmt::format("{} foreign keys cascade inside the storage engine, which logs nothing of "
                  "it; each becomes a gap in the log",
                  count),
      can_mend ? "SET PERSIST_ONLY innodb_native_foreign_keys = OFF; -- then restart" : "");
}

Finding check_replica_updates(const Facts& facts) {
  const bool old_name = facts.mariadb() || facts.version < 802;
  const auto rows =
      try_query(facts.session, old_name ? "SHOW SLAVE STATUS" : "SHOW REPLICA STATUS");
  if (rows && rows->empty()) return ok("the server is no replica of another");
  const bool on = facts.is("log_replica_updates", "ON") || facts.is("log_slave_updates", "ON");
  if (on) return ok("what the server receives as a replica goes into its binlog");
  if (!rows) {  // MariaDB shows it only with SLAVE MONITOR, but counts what runs for everybody
    const auto running = facts.session.query("SHOW GLOBAL STATUS LIKE 'Slaves_running'");
    if (!running.empty() && running[0][1] == "0") return ok("no replication runs into the server");
    return warn("the server may be a replica that does not log what it receives");
  }
  return fatal(
      "the server is a replica that does not log what it receives: set log_replica_updates "
      "in its option file and restart it",
      facts.mariadb() || facts.version < 802
          ? ""
          : "SET PERSIST_ONLY log_replica_updates = ON; -- then restart");
}

struct Check {
  std::string_view id;
  Finding (*run)(const Facts& facts);
};
constexpr std::array kChecks{
    Check{"version", check_version},
    Check{"grants", check_grants},
    Check{"log_bin", check_log_bin},
    Check{"binlog_format", check_binlog_format},
    Check{"binlog_row_image", check_row_image},
    Check{"binlog_row_metadata", check_row_metadata},
    Check{"statement_text", check_statements},
    Check{"gtid_mode", check_gtid},
    Check{"partial_json", check_partial_json},
    Check{"binlog_checksum", check_checksum},
    Check{"binlog_compression", check_compression},
    Check{"server_id", check_server_id},
    Check{"binlog_expiry", check_expiry},
    Check{"foreign_key_cascades", check_cascades},
    Check{"replica_updates", check_replica_updates},
};

}  // namespace

std::vector<Finding> preflight(Session& session, const ServerOptions& options) {
  Facts facts{session, options, {}, version_number(session.server_version())};
  for (const auto& row : session.query("SHOW GLOBAL VARIABLES")) {
    if (row.size() > 1 && row[0]) facts.variables[*row[0]] = row[1].value_or("");
  }
  std::vector<Finding> findings;
  for (const auto& check : kChecks) {
    auto& finding = findings.emplace_back(check.run(facts));
    finding.id = check.id;
  }
  return findings;
}

}  // namespace rowtrail::binlog
