// What rowtrail was told to do: rowtrail.yaml, overridden by the command line.
#pragma once

#include "binlog/binlog.h"
#include "core/core.h"
#include "normalize/normalize.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::pipeline {

struct SourceConfig {
  std::string name;
  std::string url;            // as given; never holds a password
  std::string password_file;  // as given; the password itself is in `server`
  binlog::ServerOptions server;
  std::vector<std::string> files;  // non-empty: replay these instead of a server
  std::string start;               // now | earliest | GTID set | file:pos; empty: the default
};

/// Where signed tree heads go, so that somebody else can hold the log against them.
struct HeadSink {
  enum class Kind : std::uint8_t {
    File,     // appended to a file
    Syslog,   // a line to a local syslog socket
    Webhook,  // POSTed as text/plain
    Witness,  // add-checkpoint of a C2SP witness
  };
  Kind kind = Kind::File;
  std::string target;          // path or URL
  std::string token;           // of a webhook: sent as bearer token
  std::string token_file;      // where it came from
  std::string file;            // of a witness: cosigned heads are appended here
  std::uint32_t every_s = 60;  // at most this often; the last head of a run always
};
[[nodiscard]] std::string_view sink_name(HeadSink::Kind kind);

/// Named limits of the pipeline (DESIGN invariants 5 and 6).
struct Limits {
  std::size_t queue_bytes_max = 12 * 1024 * 1024;
  std::size_t append_bytes = 1024 * 1024;            // rendered text handed to the store at once
  std::size_t commit_bytes_max = 8 * 1024 * 1024;    // rendered text in one commit
  std::size_t xa_kept_bytes_max = 64 * 1024 * 1024;  // of prepared rows, where there is no store
  // Where a transaction is cut into parts, when no rule needs to see it as a whole.
  std::optional<std::size_t> part_bytes_max;
  std::uint32_t stall_s = 20;
  std::uint32_t backoff_ms_min = 500;
  std::uint32_t backoff_ms_max = 30'000;
};

struct Config {
  SourceConfig source;
  std::string store_url = "sqlite:///rowtrail.db";
  std::string keys;  // folder of the signing key; empty: beside the store
  std::vector<std::string> rules;
  std::string listen = "127.0.0.1:8765";
  std::string token_file;
  std::vector<std::string> hosts;                    // that the HTTP API answers to
  std::optional<std::uint64_t> requests_per_minute;  // of one token; 0: any number
  std::vector<std::string> actor_columns;
  std::vector<std::string> mask;  // as given
  std::vector<normalize::MaskRule> mask_rules;
  std::string mask_key_file;  // as given
  std::string mask_key;
  std::vector<HeadSink> heads;
  bool until_end = false;
  Limits limits;
};

/// One option: its place in rowtrail.yaml, in the environment and in docs/configuration.md.
struct ConfigOption {
  enum class Kind : std::uint8_t { Text, List, Sinks };
  std::string_view name;  // dotted: source.url
  Kind kind;
  std::string_view meaning;  // one sentence for people
  std::string_view example;
  std::function<core::Result<>(std::vector<std::string>, Config&)> set;
  std::function<std::vector<std::string>(const Config&)> show;  // empty: not set
  [[nodiscard]] std::string environment() const;                // ROWTRAIL_SOURCE_URL
};
[[nodiscard]] std::span<const ConfigOption> config_options();

/// Reads a YAML file, then the *.yaml of the folder conf.d beside it in the order of their names,
/// over `config`. Every error names file, line and column; all are reported, one a line.
core::Result<> load_config(const std::string& path, Config& config);
/// Values of the options' environment variables over `config`.
core::Result<> load_environment(Config& config);

/// The options that are set, as YAML that load_config reads. Secrets are named by their files only.
[[nodiscard]] std::string config_yaml(const Config& config);
/// JSON Schema of rowtrail.yaml, for editors.
[[nodiscard]] std::string config_schema();
/// The table of options in docs/configuration.md.
[[nodiscard]] std::string config_markdown();

/// First line of a file that holds a secret; a bare name is looked up in $CREDENTIALS_DIRECTORY.
core::Result<std::string> read_secret(const std::string& path);

/// `mysql://user@host:3306/…` (a default name is the host) into the source part.
core::Result<> set_source_url(std::string_view url, SourceConfig& source);

}  // namespace rowtrail::pipeline
