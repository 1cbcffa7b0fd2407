#include "cli/commands.h"
#include "cli/terminal.h"

#include <utility>

#include <fmt/format.h>

namespace rowtrail::cli {
namespace {

std::string json_text(std::string_view text) {
  std::string out;
  normalize::append_json_string(out, text);
  return out;
}

/// "3 unknown_names, 1 statement_dml"
std::string gap_counts(const store::LogStatus& status) {
  std::string out;
  for (const auto& [kind, count] : status.gaps_by_kind) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", grouped(count), kind);
  }
  return out;
}

std::string status_json(const store::LogStatus& status) {
  std::string out = fmt::format(
      R"({{"store":{},"origin":{},"records":{},"transactions":{},"changes":{},"events":{},"gaps":{},"gaps_by_kind":{{)",
      json_text(status.url), json_text(status.origin), status.size, status.transactions,
      status.changes, status.events, status.gaps);
  bool first = true;
  for (const auto& [kind, count] : status.gaps_by_kind) {
    out += fmt::format("{}{}:{}", std::exchange(first, false) ? "" : ",", json_text(kind), count);
  }
  out += "},\"sources\":[";
  first = true;
  for (const auto& source : status.sources) {
    if (!first) out += ',';
    first = false;
    out += fmt::format(
        R"({{"source":{},"position":{{"file":{},"pos":{},"gtid_set":{}}},"event_time":{},"committed_at":{},"xa_prepared":{},"xa_rolled_back":{}}})",
        json_text(source.source), json_text(source.position.file), source.position.pos,
        json_text(source.position.gtid_set), json_text(binlog::format_utc(source.event_time_us)),
        json_text(binlog::format_utc(source.committed_us)), source.xa_prepared,
        source.xa_rolled_back);
  }
  return out + "]}";
}

}  // namespace

int status_command(const Common& common) {
  const auto reader = store::open_reader(common.config.store_url);
  const auto status = reader->status();
  if (common.format != Format::Text) {
    fmt::print("{}\n", status_json(status));
    return 0;
  }
  fmt::print("{}  {}\n", styled("store ", Style::Muted), status.url);
  fmt::print("{}  {}\n", styled("log   ", Style::Muted), status.origin);
  fmt::print("{}  {} records: {} transactions, {} changes, {} events, {} gaps\n",
             styled("size  ", Style::Muted), grouped(status.size), grouped(status.transactions),
             grouped(status.changes), grouped(status.events), grouped(status.gaps));
  if (status.gaps > 0) {
    fmt::print("{}  {}: see 'rowtrail gaps'\n", styled("gaps  ", Style::Warn), gap_counts(status));
  }
  for (const auto& source : status.sources) {
    fmt::print("{}  {}\n", styled("source", Style::Muted), styled(source.source, Style::Bold));
    fmt::print("        position    {}:{}\n", source.position.file, source.position.pos);
    if (!source.position.gtid_set.empty()) {
      fmt::print("        executed    {}\n", fit(source.position.gtid_set, 300));
    }
    fmt::print("        last event  {}\n", binlog::format_utc(source.event_time_us));
    fmt::print("        written     {}\n", binlog::format_utc(source.committed_us));
    if (source.xa_prepared + source.xa_rolled_back > 0) {
      fmt::print("        XA          {} prepared, {} rolled back\n", source.xa_prepared,
                 source.xa_rolled_back);
    }
  }
  if (status.sources.empty()) {
    fmt::print("No source has been recorded yet; start one with 'rowtrail run --source URL'.\n");
  }
  return 0;
}

namespace {

/// The columns that the configuration, or their names, keep out of the record.
void doctor_masks(binlog::Session& session, const normalize::Mask& mask) {
  const auto columns = session.query(
      "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE "
      "TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') ORDER BY "
      "TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION");
  const auto tell = [&](const binlog::TableSchema& schema) {
    for (const auto& masked : mask.plan(schema)) {
      const auto how = masked.paths.empty() ? normalize::mask_action_name(masked.action)
                                            : std::string_view("some paths");
      fmt::print("{}  {}.{}.{} is masked: {}\n", styled("ok   ", Style::Good), schema.database,
                 schema.table, schema.columns[masked.column].name, how);
    }
  };
  binlog::TableSchema schema;
  schema.names_known = true;
  for (const auto& column : columns) {
    const auto database = column[0].value_or(""), table = column[1].value_or("");
    if (database != schema.database || table != schema.table) {
      tell(schema);
      schema.columns.clear();
      schema.database = database;
      schema.table = table;
    }
    schema.columns.emplace_back().name = column[2].value_or("");
  }
  tell(schema);
}

bool doctor_source(const pipeline::Config& config) {
  const auto& server = config.source.server;
  binlog::Session session(server);
  const auto findings = binlog::preflight(session, server);
  bool fatal = false;
  for (const auto& finding : findings) {
    switch (finding.severity) {
      case binlog::Finding::Severity::Ok:
        fmt::print("{}  {}\n", styled("ok   ", Style::Good), finding.what);
        break;
      case binlog::Finding::Severity::Warn:
        fmt::print("{}  {}\n", styled("warn ", Style::Warn), finding.what);
        break;
      case binlog::Finding::Severity::Fatal:
        fatal = true;
        fmt::print("{}  {}\n", styled("fatal", Style::Bad), finding.what);
        break;
    }
    if (!finding.fix_sql.empty()) fmt::print("       {}\n", styled(finding.fix_sql, Style::Accent));
  }
  doctor_masks(session, normalize::Mask(config.mask_rules, config.mask_key));
  return fatal;
}

}  // namespace

int doctor_command(const Common& common) {
  const bool has_source = !common.config.source.server.user.empty();
  const bool fatal = has_source && doctor_source(common.config);
  // Without a log there is nothing to check yet.
  if (!store::pending_migrations(common.config.store_url).empty()) return fatal ? 1 : 0;
  for (const auto& check : store::check_store(common.config.store_url)) {
    fmt::print("{}  {}\n", check.good ? styled("ok   ", Style::Good) : styled("warn ", Style::Warn),
               check.what);
    if (!check.fix.empty()) fmt::print("       {}\n", styled(check.fix, Style::Accent));
  }
  return fatal ? 1 : 0;
}

int store_init_command(const Common& common, bool print_sql) {
  if (print_sql) {
    fmt::print("{}", store::init_sql(common.config.store_url));
    return 0;
  }
  store::WriterOptions options;
  options.keys = common.config.keys;
  const auto writer = store::open_writer(common.config.store_url, std::move(options));
  const auto status = store::open_reader(common.config.store_url)->status();
  fmt::print("{} holds the log {}; {} records\n", status.url, status.origin,
             grouped(writer->next_seq()));
  return 0;
}

int store_migrate_command(const Common& common, bool dry_run) {
  const auto steps = store::pending_migrations(common.config.store_url);
  if (steps.empty()) {
    fmt::print("the tables are up to date\n");
    return 0;
  }
  for (const auto& step : steps) {
    fmt::print("-- {}: {}\n", step.number, step.what);
    if (dry_run) fmt::print("{}\n", step.sql);
  }
  if (!dry_run) store::migrate_store(common.config.store_url);
  return 0;
}

int store_accept_command(const Common& common, const std::string& reason) {
  if (reason.empty()) {
    throw core::Failure(core::Area::Usage, false, "--reason has to say why the log is accepted");
  }
  store::WriterOptions options;
  options.keys = common.config.keys;
  options.accept = reason;
  const auto writer = store::open_writer(common.config.store_url, std::move(options));
  writer->publish_head(true);
  fmt::print("accepted and signed; {} records\n", grouped(writer->next_seq()));
  return 0;
}

int version_command(const Common& /*common*/) {
  fmt::print("rowtrail {}\n", ROWTRAIL_VERSION);
  return 0;
}

}  // namespace rowtrail::cli
