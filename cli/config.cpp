// What rowtrail was told to do, and the first file that tells it.
#include "cli/commands.h"
#include "cli/terminal.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace rowtrail::cli {
namespace {

using core::Area;
using core::Failure;

/// Columns whose name says that they hold who changed the row.
constexpr std::string_view kActorColumns =
    "SELECT column_name, COUNT(*) FROM information_schema.columns "
    "WHERE table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') "
    "AND column_name REGEXP "
    "'^(updated|modified|changed|created|entered|last_modified|last_updated)_?(by|user)(_id)?$' "
    "GROUP BY column_name ORDER BY COUNT(*) DESC, column_name LIMIT 10";
constexpr std::string_view kTables =
    "SELECT COUNT(*), COUNT(DISTINCT table_schema) FROM information_schema.tables "
    "WHERE table_type = 'BASE TABLE' AND table_schema NOT IN "
    "('mysql', 'sys', 'information_schema', 'performance_schema')";

void write_new_file(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (file < 0 && errno == EEXIST) {
    throw Failure(Area::Usage, false, fmt::format("{} exists already; nothing was changed", path));
  }
  const bool written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file) == 0;
  const int error = errno;
  if (file >= 0) ::close(file);
  if (written) return;
  if (file >= 0) ::unlink(path.c_str());
  throw Failure(Area::Usage, false, fmt::format("cannot write {}: {}", path, std::strerror(error)));
}

/// To standard error, so that the configuration alone is on standard output.
void say(std::string_view mark, Style style, std::string_view text) {
  fmt::print(stderr, "{}  {}\n", styled(mark, style), text);
}

bool print_findings(const std::vector<binlog::Finding>& findings) {
  bool fatal = false;
  std::string mend;
  for (const auto& finding : findings) {
    const bool bad = finding.severity == binlog::Finding::Severity::Fatal;
    fatal = fatal || bad;
    if (bad) {
      say("fatal", Style::Bad, finding.what);
    } else if (finding.severity == binlog::Finding::Severity::Warn) {
      say("warn ", Style::Warn, finding.what);
    } else {
      say("ok   ", Style::Good, finding.what);
    }
    if (!finding.fix_sql.empty()) mend += fmt::format("    {}\n", finding.fix_sql);
  }
  if (!mend.empty()) fmt::print(stderr, "\nRun as an administrator of the server:\n{}\n", mend);
  return fatal;
}

}  // namespace

int config_check_command(const Common& common) {
  if (common.config_file.empty()) {
    throw Failure(Area::Usage, false, "no config file; name one with --config");
  }
  fmt::print("{}: no errors\n", common.config_file);
  return 0;
}

int config_show_command(const Common& common) {
  fmt::print("{}", pipeline::config_yaml(common.config));
  return 0;
}

int config_schema_command(const Common& /*common*/) {
  fmt::print("{}", pipeline::config_schema());
  return 0;
}

int init_command(const Common& common, const std::string& out) {
  auto config = common.config;
  binlog::Session session(config.source.server);
  say("ok   ", Style::Good, fmt::format("connected to {}", session.where()));
  const bool fatal = print_findings(binlog::preflight(session, config.source.server));
  const auto tables = session.query(kTables);
  say("ok   ", Style::Good,
      fmt::format("{} tables in {} databases are visible", tables.front()[0].value_or("0"),
                  tables.front()[1].value_or("0")));
  if (config.actor_columns.empty()) {
    for (const auto& row : session.query(kActorColumns)) {
      config.actor_columns.push_back(row[0].value_or(""));
      say("ok   ", Style::Good,
          fmt::format("column {} of {} tables says who changed a row", row[0].value_or(""),
                      row[1].value_or("")));
    }
  }
  const auto text = "# Written by 'rowtrail init'. All options: docs/configuration.md\n" +
                    pipeline::config_yaml(config);
  if (out.empty()) {
    fmt::print("{}", text);
  } else {
    write_new_file(out, text);
    say("ok   ", Style::Good,
        fmt::format("wrote {}; start with: rowtrail run --config {}", out, out));
  }
  return fatal ? 1 : 0;
}

}  // namespace rowtrail::cli
