#include "cli/commands.h"
#include "cli/service.h"
#include "cli/terminal.h"
#include "server/server.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

namespace rowtrail::cli {
namespace {

using core::Area;
using core::Failure;
using core::Level;

constexpr std::chrono::milliseconds kTick{250};

infer::LoadedRules load_rules_or_throw(const std::vector<std::string>& paths) {
  auto rules = infer::load_rules(paths);
  if (rules.errors.empty()) return rules;
  std::string message = fmt::format("{} error{} in the rules:", rules.errors.size(),
                                    rules.errors.size() == 1 ? "" : "s");
  for (const auto& error : rules.errors) message += "\n  " + error.text();
  throw Failure(Area::Usage, false, message);
}

/// Refuses a source that cannot be captured, and says what would make the record better.
void check_source(const binlog::ServerOptions& server) {
  binlog::Session session(server);
  std::string fatal;
  for (const auto& finding : binlog::preflight(session, server)) {
    const auto fix = finding.fix_sql.empty() ? "" : "\n    mend with: " + finding.fix_sql;
    if (finding.severity == binlog::Finding::Severity::Fatal) {
      fatal += fmt::format("\n  {}: {}{}", finding.id, finding.what, fix);
    } else if (finding.severity == binlog::Finding::Severity::Warn) {
      core::log(Level::Warn, fmt::format("{}: {}{}", finding.id, finding.what, fix));
    }
  }
  if (!fatal.empty()) throw Failure(Area::Source, false, "the source cannot be captured:" + fatal);
}

std::string default_token_file() {
  if (const char* state = std::getenv("STATE_DIRECTORY")) return std::string(state) + "/token";
  if (const char* state = std::getenv("XDG_STATE_HOME"))
    return std::string(state) + "/rowtrail/token";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : ".") + "/.local/state/rowtrail/token";
}

double lag_seconds(const pipeline::Snapshot& snapshot) {
  if (snapshot.queued_bytes == 0 || snapshot.event_time_us == 0) return 0;
  return static_cast<double>(std::max<std::int64_t>(0, now_us() - snapshot.event_time_us)) / 1e6;
}

server::Health health_of(const pipeline::Snapshot& snapshot) {
  server::Health health;
  health.source_connected = snapshot.phase == pipeline::Phase::Streaming;
  health.store_writable =
      snapshot.phase != pipeline::Phase::StoreDown && snapshot.phase != pipeline::Phase::Stalled;
  health.lag_s = lag_seconds(snapshot);
  if (!health.source_connected || !health.store_writable) {
    health.detail = std::string(pipeline::phase_name(snapshot.phase));
    if (!snapshot.detail.empty()) health.detail += ": " + snapshot.detail;
    return health;
  }
  for (const auto& sink : snapshot.sinks) {
    if (sink.error.empty()) continue;
    health.detail = fmt::format("tree heads do not reach {}: {}", sink.name, sink.error);
  }
  return health;
}

/// As Prometheus wants label values.
std::string escaped_label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c != '\n') out += c;
  }
  return out;
}

std::vector<server::Metric> metrics_of(const pipeline::Snapshot& snapshot) {
  std::vector<server::Metric> metrics;
  for (const auto& [kind, count] : snapshot.gaps) {
    metrics.push_back({"rowtrail_gaps",
                       "Records of what could not be captured or trusted; see `rowtrail gaps`.",
                       server::Metric::Type::Gauge, static_cast<double>(count),
                       fmt::format("kind=\"{}\"", kind)});
  }
  metrics.push_back({"rowtrail_xa_rolled_back",
                     "Prepared XA transactions that were rolled back: their rows never happened.",
                     server::Metric::Type::Gauge,
                     static_cast<double>(snapshot.xa_rolled_back),
                     {}});
  for (const auto& sink : snapshot.sinks) {
    const auto labels = fmt::format("sink=\"{}\"", escaped_label(sink.name));
    metrics.push_back({"rowtrail_head_sink_size",
                       "Records under the signed tree head that reached the sink last.",
                       server::Metric::Type::Gauge, static_cast<double>(sink.size), labels});
    metrics.push_back({"rowtrail_head_sink_up", "1 when the last try reached the sink.",
                       server::Metric::Type::Gauge, sink.error.empty() ? 1.0 : 0.0, labels});
    metrics.push_back({"rowtrail_head_sink_failures_total", "Tries that did not reach the sink.",
                       server::Metric::Type::Counter, static_cast<double>(sink.failures), labels});
  }
  return metrics;
}

std::unique_ptr<server::Server> start_server(const pipeline::Config& config, bool no_auth,
                                             const pipeline::Pipeline& pipeline) {
  server::Options options;
  options.listen = config.listen;
  options.no_auth = no_auth;
  const auto token_file = config.token_file.empty() ? default_token_file() : config.token_file;
  if (!no_auth) {
    const auto folder = std::filesystem::path(token_file).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder);
    options.tokens = {server::token_from_file(token_file)};
  }
  options.open_reader = [url = config.store_url] { return store::open_reader(url); };
  options.health = [&pipeline] { return health_of(pipeline.snapshot()); };
  options.metrics = [&pipeline] { return metrics_of(pipeline.snapshot()); };
  auto server = std::make_unique<server::Server>(std::move(options));
  server->start();
  core::log(Level::Info,
            no_auth ? fmt::format("serving http://{} without a token", config.listen)
                    : fmt::format("serving http://{}, token in {}", config.listen, token_file));
  // A code that works once is no secret worth keeping from the terminal it was made for.
  fmt::print(stderr, "dashboard: {}{}\n", server->login_url(),
             no_auth ? "" : "  (opens once, within ten minutes)");
  return server;
}

void print_event(const infer::BusinessEvent& event) {
  const auto time = binlog::format_utc(event.time_us, 3).substr(11, 12);
  const std::string who = event.actor.id.empty() ? "-" : fit(event.actor.id, 10);
  const auto gap = std::string(who.size() < 10 ? 10 - who.size() : 0, ' ');
  const auto type = fit(event.type, 26);
  const auto type_gap = std::string(type.size() < 26 ? 26 - type.size() : 0, ' ');
  const auto width = terminal_width();
  fmt::print("{}  {}{}  {}{}  {}\n", styled(time, Style::Muted), who, gap,
             styled(type, Style::Accent), type_gap,
             fit(event.summary, width > 55 ? width - 54 : 20));
  if (!is_terminal()) return;
  std::fflush(stdout);
}

/// SIGINT, SIGTERM and SIGHUP are taken here and nowhere else; all threads made afterwards inherit
/// the mask.
sigset_t block_stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

void print_progress(const pipeline::Snapshot& snapshot, double seconds) {
  fmt::print("\r\x1b[2K{}  {} transactions, {} changes, {} events  {:.0f} changes/s  {}:{}",
             pipeline::phase_name(snapshot.phase), grouped(snapshot.transactions),
             grouped(snapshot.changes), grouped(snapshot.events),
             static_cast<double>(snapshot.changes) / std::max(seconds, 0.001),
             snapshot.position.file, snapshot.position.pos);
  std::fflush(stdout);
}

/// Rules with errors change nothing: those that run go on.
void reload_rules(pipeline::Pipeline& pipeline, const std::vector<std::string>& paths) {
  auto rules = infer::load_rules(paths);
  for (const auto& error : rules.errors) core::log(Level::Error, error.text());
  if (!rules.errors.empty()) {
    core::log(Level::Error, "the rules were not loaded anew; those from before stay in force");
    return;
  }
  pipeline.reload(std::move(rules));
}

/// Runs until done or a stop signal, SIGHUP loads the rules anew; with `progress`, one line that is
/// redrawn.
void run_until_done(pipeline::Pipeline& pipeline, const std::vector<std::string>& rules,
                    const sigset_t& signals, bool progress) {
  std::atomic<bool> done{false};
  std::exception_ptr failure;
  const auto started = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  };
  {
    const std::jthread runner([&] {
      try {
        pipeline.run();
      } catch (...) {
        failure = std::current_exception();
      }
      done = true;
    });
    const timespec tick{0, std::chrono::nanoseconds(kTick).count()};
    Service service;
    while (!done) {
      const int signal = sigtimedwait(&signals, nullptr, &tick);
      if (signal == SIGHUP) reload_rules(pipeline, rules);
      if (signal == SIGINT || signal == SIGTERM) pipeline.stop();
      service.tick(pipeline.snapshot());
      if (progress) print_progress(pipeline.snapshot(), seconds());
    }
  }
  if (progress) fmt::print("\r\x1b[2K");
  if (failure) std::rethrow_exception(failure);
  const auto snapshot = pipeline.snapshot();
  core::log(
      Level::Info,
      fmt::format("{} transactions, {} changes, {} events recorded in {:.1f} s ({:.0f} changes/s)",
                  snapshot.transactions, snapshot.changes, snapshot.events, seconds(),
                  static_cast<double>(snapshot.changes) / std::max(seconds(), 0.001)));
}

}  // namespace

int run_command(const Common& common, const RunOptions& options) {
  const auto stop_signals = block_stop_signals();
  auto rules = load_rules_or_throw(common.config.rules);
  check_source(common.config.source.server);
  pipeline::Pipeline pipeline(common.config, std::move(rules),
                              options.print_events ? pipeline::Announce(print_event) : nullptr);
  std::unique_ptr<server::Server> server;
  if (options.serve) {
    server = start_server(common.config, options.no_auth, pipeline);
  }
  const bool progress = common.config.until_end && !options.print_events && is_terminal();
  run_until_done(pipeline, common.config.rules, stop_signals, progress);
  if (server) server->stop();
  return 0;
}

int replay_command(const Common& common, const RunOptions& options) {
  const auto stop_signals = block_stop_signals();
  auto rules = load_rules_or_throw(common.config.rules);
  pipeline::Pipeline pipeline(common.config, std::move(rules),
                              options.print_events ? pipeline::Announce(print_event) : nullptr);
  run_until_done(pipeline, common.config.rules, stop_signals,
                 !options.print_events && is_terminal());
  return 0;
}

}  // namespace rowtrail::cli
