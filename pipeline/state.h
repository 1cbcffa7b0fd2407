// What capture, writer and whoever watches share. Guarded by one mutex: it is touched per batch and
// per connection, never per row.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <string>

#include "pipeline/pipeline.h"

namespace rowtrail::pipeline {

/// The executed set of a durable position; none when GTIDs are off. Throws core::Failure
/// (Area::Store) when the text is damaged: going on would commit a shorter set over it.
[[nodiscard]] std::optional<binlog::GtidSet> stored_gtids(const binlog::Position& position);

/// Doubling waits between tries.
struct Backoff {
  explicit Backoff(const Limits& limits)
      : min(limits.backoff_ms_min), max(limits.backoff_ms_max), next(min) {}
  void reset() { next = min; }
  std::chrono::milliseconds min, max, next;
};

class SharedState {
 public:
  /// The writer knows where the log stands; capture waits for it before it connects.
  void set_durable(store::SourceState durable, std::uint64_t epoch);
  /// Waits for the durable state of at least `epoch`; false when stopping.
  bool wait_durable(std::uint64_t epoch, store::SourceState& durable);

  void set_phase(Phase phase, std::string detail);
  /// Keeps the first failure, which run() throws, and stops everything.
  void fail(std::exception_ptr failure);
  [[nodiscard]] std::exception_ptr failure() const;

  void request_stop() noexcept;
  /// Each loop says that it still turns; a watchdog compares.
  void beat_capture() noexcept { capture_beats_.fetch_add(1, std::memory_order_relaxed); }
  void beat_writer() noexcept { writer_beats_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  /// Shows `phase` and why, sleeps until the next try, waking early on stop; false when stopping.
  bool wait_to_retry(Phase phase, const core::Failure& failure, Backoff& backoff);

  /// Changes the snapshot under the lock.
  template <class F>
  void update(F&& change) {
    const std::scoped_lock lock(mutex_);
    change(snapshot_);
  }
  [[nodiscard]] Snapshot snapshot() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Snapshot snapshot_;
  store::SourceState durable_;
  std::uint64_t durable_epoch_ = 0;
  bool durable_known_ = false;
  std::exception_ptr failure_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> capture_beats_{0}, writer_beats_{0};
};

}  // namespace rowtrail::pipeline
