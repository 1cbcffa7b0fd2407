// Joins the rooms: one thread captures (source → decoder → normalizer), one writes (inference →
// store), a queue bounded in bytes between them. Owns checkpoints, back-pressure, reconnection and
// the state that people see. The public header of pipeline/.
#pragma once

#include "binlog/binlog.h"
#include "infer/infer.h"
#include "store/store.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/config.h"

namespace rowtrail::pipeline {

/// What the pipeline is doing, in the words `status` and /readyz use.
enum class Phase : std::uint8_t {
  Starting,
  Connecting,
  Streaming,
  Reconnecting,  // the source went away; waiting before the next try
  Standby,       // another rowtrail holds the log; this one waits to take over
  StoreDown,     // the store refuses; capture waits
  Stalled,       // the store accepts nothing; disconnected from the source until it does
  Finished,      // --until end reached, or the files are read
  Failed,        // stopped by an error that waiting cannot mend
};
[[nodiscard]] std::string_view phase_name(Phase phase);

/// How a sink of tree heads is doing.
struct SinkState {
  std::string name;             // "witness https://…"
  std::uint64_t size = 0;       // records under the head that arrived last
  std::int64_t arrived_us = 0;  // wall clock; 0: none yet
  std::uint64_t failures = 0;   // tries that failed
  std::string error;            // of the last try; empty: it worked
};

/// A consistent view for status pages; cheap to take.
struct Snapshot {
  Phase phase = Phase::Starting;
  std::string detail;  // the last trouble, for people
  std::uint64_t transactions = 0;
  std::uint64_t changes = 0;
  std::uint64_t events = 0;
  std::map<std::string, std::uint64_t> gaps;  // of this source in the log, by kind
  std::uint64_t xa_rolled_back = 0;           // prepared XA transactions that were dropped
  std::uint64_t reconnects = 0;
  std::uint64_t next_seq = 0;
  std::int64_t event_time_us = 0;   // of the last committed transaction
  std::int64_t last_commit_us = 0;  // wall clock
  std::size_t queued_bytes = 0;
  binlog::Position position;  // durable
  std::vector<SinkState> sinks;
  // Turns of the two loops: one that stands still while nothing is waited for hangs.
  std::uint64_t capture_beats = 0, writer_beats = 0;
};

/// One line for whoever watches: a business event that has just become durable.
using Announce = std::function<void(const infer::BusinessEvent&)>;

class Pipeline {
 public:
  /// `announce` (may be empty) is called from the writer's thread after each commit.
  Pipeline(Config config, infer::LoadedRules rules, Announce announce);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Runs until the end of the input, stop(), or an error that waiting cannot mend, which is thrown
  /// as core::Failure. Everything taken from the source before that is durable.
  void run();
  /// Asks run() to return after the transactions in flight are durable. Any thread, async-safe
  /// enough for a signal thread.
  void stop() noexcept;
  /// Goes on with other rules from the next transaction on; their versions are recorded. Any
  /// thread.
  void reload(infer::LoadedRules rules);
  [[nodiscard]] Snapshot snapshot() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rowtrail::pipeline
