// Ordinary SQL on the source through MySQL Connector/C: preflight, names, snapshots. Read-only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/gtid.h"
#include "binlog/position.h"
#include "binlog/source.h"

namespace rowtrail::binlog {

class Session {
 public:
  using ResultRow = std::vector<std::optional<std::string>>;

  /// Throws core::Failure (Area::Source) when the server cannot be reached or refuses us.
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
  /// Where the server's binlog stands now.
  Position current_position();
  /// The first event of the oldest binlog file that the server still has.
  Position earliest_position();

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
  Flavor flavor_ = Flavor::MySql;
  std::string server_version_;
};

/// One thing about the source that capture needs or prefers, with the SQL that mends it.
struct Finding {
  enum class Severity : std::uint8_t { Ok, Warn, Fatal };
  std::string id;  // stable: "binlog_format"
  Severity severity = Severity::Ok;
  std::string what;
  std::string fix_sql;  // empty when nothing needs mending
};

/// Grants, binlog_format, row image, metadata, rows_query, GTID mode, server-id clash, expiry.
std::vector<Finding> preflight(Session& session, const ServerOptions& options);

}  // namespace rowtrail::binlog
