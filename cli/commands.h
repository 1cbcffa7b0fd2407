// One function per command; cli/app.cpp parses the options and calls it. Each returns an exit code.
#pragma once

#include "store/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/pipeline.h"

namespace rowtrail::cli {

enum class Format : std::uint8_t { Text, Json, Ndjson, Csv };

/// What several commands share, after config file and command line are merged.
struct Common {
  pipeline::Config config;
  Format format = Format::Text;
  std::string config_file;  // where the configuration was read from; empty: nowhere
};

struct RunOptions {
  bool print_events = false;
  bool serve = true;
  bool no_auth = false;
};
int run_command(const Common& common, const RunOptions& options);
int replay_command(const Common& common, const RunOptions& options);
/// Changes of a source or of files on standard output, without a store, until interrupted.
int capture_command(const Common& common, bool debezium);

struct ListOptions {
  store::Filter filter;
  std::uint64_t limit = 100;
  bool ascending = false;
};
int events_command(const Common& common, const ListOptions& options);
int changes_command(const Common& common, const ListOptions& options);
/// The days' alerts in text, every anomaly as a record otherwise; `budget` alerts a day, 0: all.
int anomalies_command(const Common& common, const ListOptions& options, std::uint64_t budget);
/// Records that somebody has looked at it.
int acknowledge_command(const Common& common, std::uint64_t seq, const std::string& note);
/// Why an anomaly or an event is in the log.
int explain_command(const Common& common, std::uint64_t seq);
/// The rate detector on lines of timestamp,value; `rate`: share of false alarms allowed.
int detect_command(const std::string& path, double rate);
int gaps_command(const Common& common, const ListOptions& options);

struct RowOptions {
  std::string table, key;  // DATABASE.TABLE, and a key as in a path
  std::optional<std::int64_t> at_us;
};
/// A row at a time and its history; 1 when the log does not know it.
int row_command(const Common& common, const ListOptions& options, const RowOptions& wanted);
/// What the event with this seq changed, column by column.
int diff_command(const Common& common, std::uint64_t seq);
/// The newest events, then those that come, until interrupted.
int tail_command(const Common& common, const ListOptions& options);

int rules_check_command(const Common& common);
/// `junit`: a file for CI; empty: none.
int rules_test_command(const Common& common, const std::string& junit);
/// Why the rules matched the transaction of this event, or did not.
int rules_explain_command(const Common& common, std::uint64_t seq);
/// What the rules would have made of stored changes, beside what is stored.
int rules_backtest_command(const Common& common, const ListOptions& options);
/// Writes rules for the most frequent discovered signatures.
int rules_learn_command(const Common& common, const ListOptions& options);
int status_command(const Common& common);
int doctor_command(const Common& common);
/// Makes tables, log and key, or prints the SQL for a DBA who does.
int store_init_command(const Common& common, bool print_sql);
int store_migrate_command(const Common& common, bool dry_run);

// config.cpp
int config_check_command(const Common& common);
int config_show_command(const Common& common);
int config_schema_command(const Common& common);
/// Interviews the source and writes rowtrail.yaml to `out`, which must not exist yet.
int init_command(const Common& common, const std::string& out);

/// Signs a log that was restored or has lost its key, with the reason on record.
int store_accept_command(const Common& common, const std::string& reason);
struct VerifyOptions {
  std::string since;  // file with a signed tree head that was kept elsewhere
  std::string proof;  // a .tlog-proof file: verify it offline, and nothing else
  std::string key;    // public key, or a file that holds it
  std::uint32_t threads = 0;
};
/// The whole log against its tree, heads and columns; 1 when something is not as it was signed.
int verify_command(const Common& common, const VerifyOptions& options);
/// Writes the .tlog-proof of a record to `out`, or to standard output.
int prove_command(const Common& common, std::uint64_t seq, const std::string& out);
struct SummaryOptions {
  std::string date = "yesterday";    // YYYY-MM-DD, today or yesterday, in UTC
  bool week = false, month = false;  // the one that holds the date
  std::string format = "text";       // text, md, html, json
  std::string out;                   // file; empty: standard output
};
int summary_command(const Common& common, const SummaryOptions& options);
/// MCP on standard input and output, until the input ends.
int mcp_command(const Common& common);
int version_command(const Common& common);

[[nodiscard]] std::int64_t now_us();

}  // namespace rowtrail::cli
