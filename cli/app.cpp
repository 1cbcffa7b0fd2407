#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/manual.h"
#include "cli/terminal.h"
#include "server/server.h"

#include <chrono>
#include <cstdlib>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

namespace rowtrail::cli {
namespace {

using core::Area;
using core::Failure;

constexpr const char* kSystemConfig = "/etc/rowtrail/rowtrail.yaml";

/// Everything the command line can say, before it is merged with the config file.
struct Arguments {
  std::string config, store, source, source_name, password_file, start,
      format = "text", listen, token_file, until, log_level = "info", reason, note, csv, table, key,
      at, object_type, object_id, junit, envelope = "ndjson";
  SummaryOptions summary;
  VerifyOptions verify;
  std::string out;
  std::uint64_t seq = 0, budget = 5;
  double rate = 0.001;
  std::vector<std::string> rules, files;
  std::map<std::string, std::string> filter;
  std::uint64_t limit = 100;
  bool log_json = false, print_events = false, no_auth = false, no_serve = false, print_sql = false,
       dry_run = false;
};

template <class T>
T value_or_throw(core::Result<T> result) {
  if (!result) throw Failure(Area::Usage, false, result.error().message);
  return std::move(*result);
}

Format format_of(const std::string& name) {
  if (name == "json") return Format::Json;
  if (name == "ndjson") return Format::Ndjson;
  if (name == "csv") return Format::Csv;
  return Format::Text;
}

void value_or_throw(const core::Result<>& result) {
  if (!result) throw Failure(Area::Usage, false, result.error().message);
}

/// What --config or $ROWTRAIL_CONFIG names, else the system's file where there is one.
std::string config_file(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* named = std::getenv("ROWTRAIL_CONFIG")) return named;
  return ::access(kSystemConfig, R_OK) == 0 ? kSystemConfig : "";
}

Common merge(const Arguments& arguments) {
  Common common;
  auto& config = common.config;
  common.config_file = config_file(arguments.config);
  if (!common.config_file.empty())
    value_or_throw(pipeline::load_config(common.config_file, config));
  value_or_throw(pipeline::load_environment(config));
  if (!arguments.store.empty()) config.store_url = arguments.store;
  if (!arguments.source_name.empty()) config.source.name = arguments.source_name;
  if (const char* password = std::getenv("ROWTRAIL_SOURCE_PASSWORD")) {
    config.source.server.password = password;
  }
  if (!arguments.password_file.empty()) {
    config.source.server.password = value_or_throw(pipeline::read_secret(arguments.password_file));
  }
  if (!arguments.source.empty()) {
    value_or_throw(pipeline::set_source_url(arguments.source, config.source));
  }
  if (!arguments.start.empty()) config.source.start = arguments.start;
  if (!arguments.rules.empty()) config.rules = arguments.rules;
  if (!arguments.listen.empty()) config.listen = arguments.listen;
  if (!arguments.token_file.empty()) config.token_file = arguments.token_file;
  config.until_end = arguments.until == "end";
  config.source.files = arguments.files;
  if (config.source.name.empty()) {
    const auto& server = config.source.server;
    config.source.name = !config.source.files.empty() ? "files"
                         : !server.socket.empty()     ? "localhost"
                                                      : server.host;
  }
  common.format = format_of(arguments.format);
  return common;
}

void need_source(const Common& common) {
  if (!common.config.source.server.user.empty()) return;
  throw Failure(Area::Usage, false,
                "no source given; use --source mysql://USER@HOST:3306 or 'source:' in --config");
}

ListOptions list_options(const Arguments& arguments) {
  ListOptions options;
  options.limit = arguments.limit;
  for (const auto& [name, value] : arguments.filter) {
    if (auto set = server::set_filter(options.filter, name, value, now_us()); !set) {
      throw Failure(Area::Usage, false, "--" + name + ": " + set.error().message);
    }
  }
  return options;
}

void add_source_options(CLI::App& command, Arguments& a) {
  command.add_option("--source", a.source, "mysql://USER@HOST:3306/?tls=verify-ca&tls_ca=FILE");
  command.add_option("--source-name", a.source_name, "name of the source in the record");
  command.add_option("--source-password-file", a.password_file,
                     "file with the password (else $ROWTRAIL_SOURCE_PASSWORD)");
}

void add_filter(CLI::App& command, Arguments& a, const std::string& name, const std::string& help) {
  command.add_option_function<std::string>(
      "--" + name, [&a, name](const std::string& value) { a.filter[name] = value; }, help);
}

/// What every list is narrowed by.
void add_common_filters(CLI::App& command, Arguments& a) {
  add_filter(command, a, "source", "name of the source");
  add_filter(command, a, "database", "database of the changed rows");
  add_filter(command, a, "table", "table of the changed rows");
  add_filter(command, a, "since", "from this time on: 24h, 7d, 2026-11-24, RFC 3339");
  add_filter(command, a, "until", "before this time");
  command.add_option("--limit", a.limit, "how many at the most; 0: all")->capture_default_str();
}

void add_list_options(CLI::App& command, Arguments& a) {
  add_filter(command, a, "type", "event type: inventory.transfer");
  add_filter(command, a, "actor", "who did it");
  add_filter(command, a, "object", "business object: product/7");
  add_filter(command, a, "severity", "info, low, medium, high or critical");
  add_common_filters(command, a);
}

void add_run_options(CLI::App& command, Arguments& a) {
  command.add_option("--rules", a.rules, "rule files or folders (repeatable)");
  command.add_flag("--print-events", a.print_events, "print each business event as it is recorded");
}

using Action = std::function<int(const Arguments&)>;

/// One row per command: what it is called, what it does, its options and an example.
struct Command {
  const char* name;
  const char* help;
  const char* example;
  std::function<void(CLI::App&, Arguments&)> options;
  Action action;
};

RunOptions run_options(const Arguments& a) {
  return {a.print_events, !a.no_serve, a.no_auth};
}

// NOLINTNEXTLINE(readability-function-size): a table
const std::vector<Command>& commands() {
  static const std::vector<Command> table = {
      {"run", "Capture, infer, store and serve in one process",
       "rowtrail run --source mysql://rowtrail@db1:3306 --store "
       "sqlite:///var/lib/rowtrail/rowtrail.db",
       [](CLI::App& c, Arguments& a) {
         add_source_options(c, a);
         add_run_options(c, a);
         c.add_option("--start", a.start,
                      "now, earliest, a GTID set or FILE:POSITION, for a new log");
         c.add_option("--until", a.until, "end: stop where the source stands now")
             ->check(CLI::IsMember({"end"}));
         c.add_option("--listen", a.listen, "address of the HTTP API (default 127.0.0.1:8765)");
         c.add_option("--token-file", a.token_file, "where the API's token is kept (mode 0600)");
         c.add_flag("--no-auth", a.no_auth, "serve without a token");
         c.add_flag("--no-serve", a.no_serve, "no HTTP API");
       },
       [](const Arguments& a) {
         const auto common = merge(a);
         need_source(common);
         return run_command(common, run_options(a));
       }},
      {"replay", "Record binlog files as if they came from the server",
       "rowtrail replay --source-name pharmacy mysql-bin.000001.gz mysql-bin.000002",
       [](CLI::App& c, Arguments& a) {
         add_source_options(c, a);
         add_run_options(c, a);
         c.add_option("files", a.files, "binlog files in order, packed with gzip or zstd or not")
             ->required()
             ->check(CLI::ExistingFile);
       },
       [](const Arguments& a) { return replay_command(merge(a), run_options(a)); }},
      {"capture", "Stream changes to standard output, without a store",
       "rowtrail capture --source mysql://rowtrail@db1:3306 --format debezium | my-consumer",
       [](CLI::App& c, Arguments& a) {
         add_source_options(c, a);
         c.add_option("--start", a.start, "now, earliest, a GTID set or FILE:POSITION");
         c.add_option("--until", a.until, "end: stop where the source stands now")
             ->check(CLI::IsMember({"end"}));
         c.add_option("--format", a.envelope,
                      "ndjson: the change as in the record; debezium: Debezium's envelope")
             ->check(CLI::IsMember({"ndjson", "debezium"}))
             ->capture_default_str();
         c.add_option("files", a.files,
                      "binlog files in order, packed with gzip or zstd or not, instead of a server")
             ->check(CLI::ExistingFile);
       },
       [](const Arguments& a) {
         const auto common = merge(a);
         if (a.files.empty()) need_source(common);
         return capture_command(common, a.envelope == "debezium");
       }},
      {"events", "Business events, the newest page or a filtered set",
       "rowtrail events --type inventory.transfer --since 24h",
       [](CLI::App& c, Arguments& a) { add_list_options(c, a); },
       [](const Arguments& a) { return events_command(merge(a), list_options(a)); }},
      {"changes", "Row changes with before and after",
       "rowtrail changes --table stock --format ndjson --limit 0 | jq .new",
       [](CLI::App& c, Arguments& a) { add_list_options(c, a); },
       [](const Arguments& a) { return changes_command(merge(a), list_options(a)); }},
      {"gaps", "What could not be captured or trusted, why, and what to do about it",
       "rowtrail gaps --since 7d", [](CLI::App& c, Arguments& a) { add_common_filters(c, a); },
       [](const Arguments& a) { return gaps_command(merge(a), list_options(a)); }},
      {"detect", "The rate detector on any series of timestamp,value",
       "rowtrail detect --csv requests.csv > scored.csv",
       [](CLI::App& c, Arguments& a) {
         c.add_option("--csv", a.csv, "file of lines timestamp,value, oldest first")->required();
         c.add_option("--rate", a.rate, "share of values that may be called anomalies by chance")
             ->capture_default_str();
       },
       [](const Arguments& a) { return detect_command(a.csv, a.rate); }},
      {"explain", "Why an anomaly or an event is in the log", "rowtrail explain 1043",
       [](CLI::App& c, Arguments& a) {
         c.add_option("seq", a.seq, "seq of the anomaly or event")->required();
       },
       [](const Arguments& a) { return explain_command(merge(a), a.seq); }},
      {"object", "Timeline of one business object", "rowtrail object product 7 --since 30d",
       [](CLI::App& c, Arguments& a) {
         c.add_option("type", a.object_type, "type, as the rules name it")->required();
         c.add_option("id", a.object_id, "id")->required();
         add_list_options(c, a);
       },
       [](const Arguments& a) {
         auto options = list_options(a);
         options.filter.object_type = a.object_type;
         options.filter.object_id = value_or_throw(server::key_from_text(a.object_id));
         return events_command(merge(a), options);
       }},
      {"row", "One row as it was, and its history",
       "rowtrail row pharmacy.stock 7 --at 2026-11-24T12:00:00Z",
       [](CLI::App& c, Arguments& a) {
         c.add_option("table", a.table, "DATABASE.TABLE")->required();
         c.add_option("pk", a.key, "primary key: 7, or ['a',7] as JSON for several columns")
             ->required();
         c.add_option("--at", a.at, "as it was then: RFC 3339, a date, or 24h back from now");
         c.add_option_function<std::string>(
             "--source", [&a](const std::string& v) { a.filter["source"] = v; },
             "name of the source, when several have the table");
         c.add_option("--limit", a.limit, "changes at the most; 0: all")->capture_default_str();
       },
       [](const Arguments& a) {
         RowOptions wanted{a.table, a.key, std::nullopt};
         if (!a.at.empty()) wanted.at_us = value_or_throw(server::time_from_text(a.at, now_us()));
         return row_command(merge(a), list_options(a), wanted);
       }},
      {"diff", "What one event changed, column by column", "rowtrail diff 1042",
       [](CLI::App& c, Arguments& a) {
         c.add_option("seq", a.seq, "seq of the event")->required();
       },
       [](const Arguments& a) { return diff_command(merge(a), a.seq); }},
      {"tail", "The newest events, then those that come", "rowtrail tail --actor anna --limit 10",
       [](CLI::App& c, Arguments& a) { add_list_options(c, a); },
       [](const Arguments& a) { return tail_command(merge(a), list_options(a)); }},
      {"summary", "What happened on a day, in a week or month, against the usual",
       "rowtrail summary --date yesterday --format html --out summary.html",
       [](CLI::App& c, Arguments& a) {
         c.add_option("--date", a.summary.date, "YYYY-MM-DD, today or yesterday (UTC)")
             ->capture_default_str();
         auto* week = c.add_flag("--week", a.summary.week, "the ISO week that holds the date");
         c.add_flag("--month", a.summary.month, "the month that holds the date")->excludes(week);
         c.add_option("--format", a.summary.format, "text, md, html or json (the fact sheet)")
             ->check(CLI::IsMember({"text", "md", "html", "json"}))
             ->capture_default_str();
         c.add_option("--out", a.summary.out, "write to this file");
       },
       [](const Arguments& a) { return summary_command(merge(a), a.summary); }},
      {"verify", "Recompute the whole log and compare it with its tree and signed heads",
       "rowtrail verify --since /mnt/worm/head-2026-11-01.txt",
       [](CLI::App& c, Arguments& a) {
         auto* since = c.add_option("--since", a.verify.since,
                                    "a signed tree head that was kept elsewhere: the log must "
                                    "extend it")
                           ->check(CLI::ExistingFile);
         c.add_option("--proof", a.verify.proof,
                      "verify this .tlog-proof offline instead; needs --key")
             ->check(CLI::ExistingFile)
             ->excludes(since);
         c.add_option("--key", a.verify.key,
                      "public key of the log, or a file that holds it (default: from the folder "
                      "of keys)");
         c.add_option("--threads", a.verify.threads, "0: one per processor")->capture_default_str();
       },
       [](const Arguments& a) { return verify_command(merge(a), a.verify); }},
      {"prove", "Write the proof that a record is in the log, for `rowtrail verify --proof`",
       "rowtrail prove 1042 --out 1042.tlog-proof",
       [](CLI::App& c, Arguments& a) {
         c.add_option("seq", a.seq, "seq of the record")->required();
         c.add_option("--out", a.out, "write to this file");
       },
       [](const Arguments& a) { return prove_command(merge(a), a.seq, a.out); }},
      {"status", "Where the log and its sources stand",
       "rowtrail status --store sqlite:///rowtrail.db", [](CLI::App&, Arguments&) {},
       [](const Arguments& a) { return status_command(merge(a)); }},
      {"doctor", "Check source and store, and print the SQL that mends them",
       "rowtrail doctor --source mysql://rowtrail@db1:3306",
       [](CLI::App& c, Arguments& a) { add_source_options(c, a); },
       [](const Arguments& a) {
         const auto common = merge(a);
         // A store can be checked alone.
         if (a.store.empty()) need_source(common);
         return doctor_command(common);
       }},
      {"mcp", "Serve an AI agent over standard input and output (MCP)",
       "rowtrail mcp --store sqlite:///var/lib/rowtrail/rowtrail.db",
       [](CLI::App& c, Arguments& a) {
         c.add_option(
             "--listen", a.listen,
             "where `rowtrail run` serves the dashboard, for links (default 127.0.0.1:8765)");
       },
       [](const Arguments& a) { return mcp_command(merge(a)); }},
      {"init", "Ask a server what it is, write the configuration, print the grants it needs",
       "rowtrail init --source mysql://rowtrail@db1:3306 --out /etc/rowtrail/rowtrail.yaml",
       [](CLI::App& c, Arguments& a) {
         add_source_options(c, a);
         c.add_option("--rules", a.rules, "rule files or folders (repeatable)");
         c.add_option("--out", a.out, "write the configuration here; standard output otherwise");
       },
       [](const Arguments& a) {
         const auto common = merge(a);
         need_source(common);
         return init_command(common, a.out);
       }},
      {"version", "Print the version", "rowtrail version", [](CLI::App&, Arguments&) {},
       [](const Arguments& a) { return version_command(merge(a)); }},
  };
  return table;
}

void add_rules_command(CLI::App& app, Arguments& arguments, Action& chosen) {
  auto* rules = app.add_subcommand("rules", "Check, test, explain and try out rules");
  rules->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, const char* example, Action action) {
    auto* sub = rules->add_subcommand(name, help);
    sub->footer(std::string("Example:\n  rowtrail rules ") + example);
    sub->callback([&chosen, what = std::move(action)] { chosen = what; });
    return sub;
  };
  const auto paths = [&](CLI::App* sub) {
    sub->add_option("paths", arguments.rules, "rule files or folders")->required();
    return sub;
  };
  const auto stored = [&](CLI::App* sub) {
    sub->add_option("--rules", arguments.rules, "rule files or folders (repeatable)");
    return sub;
  };
  paths(add("check", "Compile all rules; every error with file, line and column",
            "check deploy/demo/rules",
            [](const Arguments& a) { return rules_check_command(merge(a)); }));
  paths(add("test", "Run the tests inside the rules", "test --junit rules.xml deploy/demo/rules",
            [](const Arguments& a) { return rules_test_command(merge(a), a.junit); }))
      ->add_option("--junit", arguments.junit, "also write the results to this file, for CI");
  stored(add("explain", "Which clause of which rule matched an event's transaction, or failed",
             "explain 1042 --rules rules/",
             [](const Arguments& a) { return rules_explain_command(merge(a), a.seq); }))
      ->add_option("seq", arguments.seq, "seq of an event")
      ->required();
  auto* backtest =
      stored(add("backtest", "What the rules would make of stored changes, beside what is stored",
                 "backtest --rules rules/ --since 7d", [](const Arguments& a) {
                   return rules_backtest_command(merge(a), list_options(a));
                 }));
  auto* learn = add("learn", "Rules for the most frequent transactions that no rule knows",
                    "learn --since 7d --limit 20 > rules/learned.yaml", [](const Arguments& a) {
                      return rules_learn_command(merge(a), list_options(a));
                    });
  for (auto* sub : {backtest, learn}) {
    add_filter(*sub, arguments, "source", "name of the source");
    add_filter(*sub, arguments, "since", "from this time on: 24h, 7d, 2026-11-24, RFC 3339");
    add_filter(*sub, arguments, "until", "before this time");
    sub->add_option("--limit", arguments.limit,
                    sub == learn ? "rules at the most" : "differences shown of each type")
        ->capture_default_str();
  }
}

void add_anomalies_command(CLI::App& app, Arguments& arguments, Action& chosen) {
  auto* command =
      app.add_subcommand("anomalies", "What was unusual, why, and the events it rests on");
  command->require_subcommand(0, 1);
  add_filter(*command, arguments, "actor", "about this person");
  add_filter(*command, arguments, "severity", "info, low, medium, high or critical");
  add_filter(*command, arguments, "type", "of this detector: actor-rate");
  add_filter(*command, arguments, "source", "name of the source");
  add_filter(*command, arguments, "since", "from this time on: 24h, 7d, 2026-11-24, RFC 3339");
  add_filter(*command, arguments, "until", "before this time");
  command->add_option("--limit", arguments.limit, "newest days (text) or anomalies; 0: all")
      ->capture_default_str();
  command->add_option("--budget", arguments.budget, "alerts a day in text; 0: all")
      ->capture_default_str();
  command->footer("Example:\n  rowtrail anomalies --since 7d");
  command->callback([&chosen] {
    if (chosen) return;
    chosen = [](const Arguments& a) {
      return anomalies_command(merge(a), list_options(a), a.budget);
    };
  });
  auto* acknowledge = command->add_subcommand("ack", "Record that an anomaly was looked at");
  acknowledge->add_option("seq", arguments.seq, "seq of the anomaly")->required();
  acknowledge->add_option("--note", arguments.note, "what came out, for whoever reads the log")
      ->required();
  acknowledge->footer("Example:\n  rowtrail anomalies ack 1043 --note 'stocktaking, announced'");
  acknowledge->callback([&chosen] {
    chosen = [](const Arguments& a) { return acknowledge_command(merge(a), a.seq, a.note); };
  });
}

void add_store_command(CLI::App& app, Arguments& arguments, Action& chosen) {
  auto* command = app.add_subcommand("store", "The log's database");
  command->require_subcommand(1);
  auto* accept = command->add_subcommand(
      "accept", "Record that a log was restored from a backup, or its signing key lost");
  accept->add_option("--reason", arguments.reason, "why, for whoever reads the log")->required();
  accept->footer("Example:\n  rowtrail store accept --reason 'disk died, backup of Monday'");
  accept->callback([&chosen] {
    chosen = [](const Arguments& a) { return store_accept_command(merge(a), a.reason); };
  });
  auto* init = command->add_subcommand("init", "Make tables, log and signing key");
  init->add_flag("--print-sql", arguments.print_sql,
                 "print the SQL of tables, roles and grants instead, for a DBA to read and run");
  init->footer("Example:\n  rowtrail store init --print-sql | psql -v ON_ERROR_STOP=1 rowtrail");
  init->callback([&chosen] {
    chosen = [](const Arguments& a) { return store_init_command(merge(a), a.print_sql); };
  });
  auto* migrate = command->add_subcommand("migrate", "Bring the tables up to date");
  migrate->add_flag("--dry-run", arguments.dry_run, "print the SQL that would run");
  migrate->footer("Example:\n  rowtrail store migrate --dry-run");
  migrate->callback([&chosen] {
    chosen = [](const Arguments& a) { return store_migrate_command(merge(a), a.dry_run); };
  });
}

/// What describes the command line itself.
void add_manual_commands(CLI::App& app, Action& chosen) {
  auto* completion = app.add_subcommand("completion", "Print a completion script for a shell");
  completion->require_subcommand(1);
  const auto add = [&](const char* name, const char* where, Shell shell) {
    auto* sub = completion->add_subcommand(name, fmt::format("Completion for {}", name));
    sub->footer(fmt::format("Example:\n  rowtrail completion {} > {}", name, where));
    sub->callback([&app, &chosen, shell] {
      chosen = [&app, shell](const Arguments&) {
        fmt::print("{}", completion_script(app, shell));
        return 0;
      };
    });
  };
  add("bash", "/etc/bash_completion.d/rowtrail", Shell::Bash);
  add("zsh", "/usr/local/share/zsh/site-functions/_rowtrail", Shell::Zsh);
  add("fish", "~/.config/fish/completions/rowtrail.fish", Shell::Fish);
  auto* man = app.add_subcommand("man", "Print the manual page");
  man->footer("Example:\n  rowtrail man | man -l -");
  man->callback([&app, &chosen] {
    chosen = [&app](const Arguments&) {
      fmt::print("{}", man_page(app));
      return 0;
    };
  });
}

void add_config_command(CLI::App& app, Action& chosen) {
  auto* command = app.add_subcommand("config", "Check, show and describe the configuration");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, int (*act)(const Common&)) {
    auto* sub = command->add_subcommand(name, help);
    sub->footer(fmt::format("Example:\n  rowtrail config {} --config rowtrail.yaml", name));
    sub->callback([&chosen, act] { chosen = [act](const Arguments& a) { return act(merge(a)); }; });
  };
  add("check", "Read all files; every error with file, line and column", config_check_command);
  add("show", "The options in force after file, environment and flags", config_show_command);
  add("schema", "JSON Schema of rowtrail.yaml, for editors", config_schema_command);
}

int report_failure(const Failure& failure) {
  fmt::print(stderr, "rowtrail: {}\n", failure.what());
  return static_cast<int>(failure.area());
}

}  // namespace

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int run(int argc, char** argv) {
  // Two threads allocate in bulk; more malloc arenas would only keep freed memory resident.
  mallopt(M_ARENA_MAX, 2);
  Arguments arguments;
  Action chosen;
  CLI::App app{"rowtrail: what happened in a MySQL or MariaDB database, who did it, and the proof"};
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--config", arguments.config,
                 "YAML config file (else $ROWTRAIL_CONFIG, else /etc/rowtrail/rowtrail.yaml)");
  app.add_option("--store", arguments.store, "sqlite:///PATH or postgresql://USER@HOST/DB");
  app.add_option("--format", arguments.format, "text, json, ndjson or csv")
      ->check(CLI::IsMember({"text", "json", "ndjson", "csv"}))
      ->capture_default_str();
  app.add_option("--log-level", arguments.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app.add_flag("--log-json", arguments.log_json, "log lines as JSON");
  for (const auto& command : commands()) {
    auto* sub = app.add_subcommand(command.name, command.help);
    sub->footer(std::string("Example:\n  ") + command.example);
    command.options(*sub, arguments);
    sub->callback([&chosen, &command] { chosen = command.action; });
  }
  add_rules_command(app, arguments, chosen);
  add_anomalies_command(app, arguments, chosen);
  add_store_command(app, arguments, chosen);
  add_config_command(app, chosen);
  add_manual_commands(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Area::Usage);
  }
  core::LogOptions log;
  log.json = arguments.log_json;
  log.level = arguments.log_level == "debug"   ? core::Level::Debug
              : arguments.log_level == "warn"  ? core::Level::Warn
              : arguments.log_level == "error" ? core::Level::Error
                                               : core::Level::Info;
  core::configure_log(log);
  try {
    return chosen(arguments);
  } catch (const Failure& failure) {
    return report_failure(failure);
  } catch (const std::exception& error) {
    fmt::print(stderr, "rowtrail: {}\n", error.what());
    return 1;
  }
}

}  // namespace rowtrail::cli
