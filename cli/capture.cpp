// `rowtrail capture`: changes on standard output, without a store.
#include "cli/commands.h"
#include "cli/run.h"
#include "cli/terminal.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

namespace rowtrail::cli {
namespace {

using core::Area;
using core::Failure;

constexpr std::chrono::milliseconds kTick{250};
constexpr std::size_t kBufferBytes = std::size_t{64} * 1024;

/// Text gathered into writes of some size. A reader that has gone is no error: it had enough.
class Output {
 public:
  explicit Output(const std::atomic<bool>& stopping) : stopping_(stopping) {}

  std::string text;

  /// False when nobody reads any more, or a stop was asked for while a reader kept us waiting.
  bool flush() {
    std::string_view rest = text;
    while (!rest.empty()) {
      const auto written = ::write(STDOUT_FILENO, rest.data(), rest.size());
      if (written >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
        continue;
      }
      if (errno == EPIPE || (errno == EINTR && stopping_)) return false;
      if (errno == EINTR) continue;
      throw Failure(Area::Usage, false,
                    fmt::format("cannot write to standard output: {}", std::strerror(errno)));
    }
    text.clear();
    return true;
  }
  bool flush_if_large() { return text.size() < kBufferBytes || flush(); }

 private:
  const std::atomic<bool>& stopping_;
};

/// The canonical change of docs/format.md, without `seq` and `actor`, which only a log has.
class NdjsonWriter {
 public:
  bool write(const normalize::Transaction& transaction, Output& output) {
    if (transaction.first_part) {
      header_.clear();
      normalize::append_transaction(header_, transaction);
      shared_ = checked(normalize::TransactionPayload::parse(header_));
    }
    for (const auto& change : transaction.changes) {
      payload_.clear();
      normalize::append_change(payload_, change);
      checked(shared_.append_joined(output.text, std::nullopt, payload_, ""));
      output.text += '\n';
      if (!output.flush_if_large()) return false;
    }
    return true;
  }

 private:
  template <class T>
  static T checked(core::Result<T> result) {
    if (!result) throw Failure(Area::Source, false, result.error().message);
    return std::move(*result);
  }
  static void checked(const core::Result<>& result) {
    if (!result) throw Failure(Area::Source, false, result.error().message);
  }

  std::string header_, payload_;
  normalize::TransactionPayload shared_;
};

pipeline::Stream::Take taker(bool debezium, Output& output) {
  if (debezium) {
    return [&output, writer = normalize::DebeziumWriter()](
               const normalize::Transaction* transaction) mutable {
      if (transaction == nullptr) return output.flush();
      for (const auto& change : transaction->changes) {
        writer.append(output.text, *transaction, change, now_us());
        if (!output.flush_if_large()) return false;
      }
      return true;
    };
  }
  return [&output, writer = NdjsonWriter()](const normalize::Transaction* transaction) mutable {
    return transaction == nullptr ? output.flush() : writer.write(*transaction, output);
  };
}

void print_progress(const pipeline::Snapshot& snapshot) {
  fmt::print(stderr, "\r\x1b[2K{}  {} transactions, {} changes  {}:{}",
             pipeline::phase_name(snapshot.phase), grouped(snapshot.transactions),
             grouped(snapshot.changes), snapshot.position.file, snapshot.position.pos);
}

/// Where the next capture goes on, for whoever stopped this one.
void print_position(const pipeline::Snapshot& snapshot, bool from_files) {
  const auto& position = snapshot.position;
  auto message =
      fmt::format("{} transactions, {} changes", snapshot.transactions, snapshot.changes);
  if (!from_files && !position.empty()) {
    message +=
        fmt::format("; go on behind them with --start '{}'",
                    position.gtid_set.empty() ? fmt::format("{}:{}", position.file, position.pos)
                                              : position.gtid_set);
  }
  core::log(core::Level::Info, message);
}

}  // namespace

int capture_command(const Common& common, bool debezium) {
  const auto signals = block_stop_signals();
  // Wakes a write that a slow reader keeps waiting, and does nothing else.
  struct sigaction wake {};
  wake.sa_handler = [](int /*signal*/) {};
  ::sigaction(SIGUSR1, &wake, nullptr);
  const bool from_files = !common.config.source.files.empty();
  if (!from_files) check_source(common.config.source.server);

  std::atomic<bool> stopping{false}, done{false};
  Output output(stopping);
  pipeline::Stream stream(common.config, taker(debezium, output));
  std::exception_ptr failure;
  const bool progress = ::isatty(STDERR_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 0;
  {
    std::jthread runner([&] {
      try {
        stream.run();
      } catch (...) {
        failure = std::current_exception();
      }
      done = true;
    });
    const timespec tick{0, std::chrono::nanoseconds(kTick).count()};
    while (!done) {
      const int signal = sigtimedwait(&signals, nullptr, &tick);
      if (signal == SIGINT || signal == SIGTERM) {
        stopping = true;
        stream.stop();
      }
      if (stopping && !done) ::pthread_kill(runner.native_handle(), SIGUSR1);
      if (progress) print_progress(stream.snapshot());
    }
  }
  if (progress) fmt::print(stderr, "\r\x1b[2K");
  if (failure) std::rethrow_exception(failure);
  print_position(stream.snapshot(), from_files);
  return 0;
}

}  // namespace rowtrail::cli
