// Ordinary SQL on the source through MySQL Connector/C: preflight, names, snapshots. The session is
// read-only, in UTC and utf8mb4, with an empty sql_mode. One thread uses it at a time.
#pragma once

#include "binlog/gtid.h"
#include "binlog/position.h"
#include "binlog/source.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::binlog {

class Session {
 public:
  using ResultRow = std::vector<std::optional<std::string>>;

  /// Connects to the first host of `options` that is available. Our own client logs in
  /// first: its rules hold here too (binlog/auth.h), and the Connector then accepts only the
  /// certificate that it saw. Throws core::Failure (Area::Source) when no host takes us.
  explicit Session(const ServerOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs one statement; throws core::Failure with the server's message.
  std::vector<ResultRow> query(std::string_view sql);
  /// Value of a global variable, or nullopt when this server does not have it.
  std::optional<std::string> variable(std::string_view name);

  [[nodiscard]] Flavor flavor() const noexcept { return flavor_; }
  [[nodiscard]] const std::string& server_version() const noexcept { return server_version_; }
  /// The connected server's own id: MySQL's server_uuid, MariaDB's server_uid; "" without one.
  std::string server_uuid();
  /// Where the server's binlog stands now. The GTID set is empty when the server has GTIDs off.
  /// format_created is 0: only the stream tells it.
  Position current_position();
  /// The first event of the oldest binlog file that the server still has.
  Position earliest_position();
  /// The server that was reached, for messages: "db2:3306".
  [[nodiscard]] const std::string& where() const noexcept;

 private:
  std::string mysql_gtids(std::string_view text);
  std::string mariadb_gtids_at(std::string_view file, std::uint64_t pos);

  struct Handle;
  std::unique_ptr<Handle> handle_;
  Flavor flavor_ = Flavor::MySql;
  std::string server_version_;
};

/// "9.7.4-2" → 907, "10.11.19-MariaDB" → 1011.
[[nodiscard]] unsigned version_number(std::string_view text);

/// One thing about the source that capture needs or prefers, with the SQL that mends it.
struct Finding {
  enum class Severity : std::uint8_t { Ok, Warn, Fatal };
  std::string id;  // stable: "binlog_format"
  Severity severity = Severity::Ok;
  std::string what;
  std::string fix_sql;  // empty when nothing needs mending
};

/// One finding per check, Ok ones included, in a fixed order. Throws core::Failure when the link is
/// lost; what the user may not see is itself a finding.
std::vector<Finding> preflight(Session& session, const ServerOptions& options);

}  // namespace rowtrail::binlog
