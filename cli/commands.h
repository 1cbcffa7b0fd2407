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
};

struct RunOptions {
  bool print_events = false;
  bool serve = true;
  bool no_auth = false;
};
int run_command(const Common& common, const RunOptions& options);
int replay_command(const Common& common, const RunOptions& options);

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
int rules_test_command(const Common& common);
int status_command(const Common& common);
int doctor_command(const Common& common);
/// Signs a log that was restored or has lost its key, with the reason on record.
int store_accept_command(const Common& common, const std::string& reason);
struct SummaryOptions {
  std::string date = "yesterday";    // YYYY-MM-DD, today or yesterday, in UTC
  bool week = false, month = false;  // the one that holds the date
  std::string format = "text";       // text, md, html, json
  std::string out;                   // file; empty: standard output
};
int summary_command(const Common& common, const SummaryOptions& options);
int version_command(const Common& common);

[[nodiscard]] std::int64_t now_us();

}  // namespace rowtrail::cli
