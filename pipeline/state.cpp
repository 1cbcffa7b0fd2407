#include "pipeline/state.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace rowtrail::pipeline {

std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::Starting:
      return "starting";
    case Phase::Connecting:
      return "connecting";
    case Phase::Streaming:
      return "streaming";
    case Phase::Reconnecting:
      return "reconnecting";
    case Phase::Standby:
      return "standby";
    case Phase::StoreDown:
      return "store down";
    case Phase::Stalled:
      return "stalled";
    case Phase::Finished:
      return "finished";
    case Phase::Failed:
      return "failed";
  }
  return "unknown";
}

std::optional<binlog::GtidSet> stored_gtids(const binlog::Position& position) {
  const auto& text = position.gtid_set;
  if (text.empty()) return std::nullopt;
  const auto flavor =
      text.find(':') == std::string::npos ? binlog::Flavor::MariaDb : binlog::Flavor::MySql;
  auto set = binlog::GtidSet::parse(text, flavor);
  if (!set) {
    throw core::Failure(
        core::Area::Store, false,
        fmt::format("the stored GTID set is damaged ({}); restore the store from a backup",
                    set.error().message));
  }
  return std::move(*set);
}

void SharedState::set_durable(store::SourceState durable, std::uint64_t epoch) {
  const std::scoped_lock lock(mutex_);
  durable_ = std::move(durable);
  durable_epoch_ = epoch;
  durable_known_ = true;
  changed_.notify_all();
}

bool SharedState::wait_durable(std::uint64_t epoch, store::SourceState& durable) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopping() || (durable_known_ && durable_epoch_ >= epoch); });
  if (stopping()) return false;
  durable = durable_;
  return true;
}

void SharedState::set_phase(Phase phase, std::string detail) {
  const std::scoped_lock lock(mutex_);
  if (snapshot_.phase == Phase::Failed) return;
  snapshot_.phase = phase;
  if (!detail.empty()) snapshot_.detail = std::move(detail);
}

void SharedState::fail(std::exception_ptr failure) {
  {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    snapshot_.phase = Phase::Failed;
  }
  request_stop();
}

std::exception_ptr SharedState::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

void SharedState::request_stop() noexcept {
  stopping_.store(true);
  const std::scoped_lock lock(mutex_);
  changed_.notify_all();
}

bool SharedState::wait_to_retry(Phase phase, const core::Failure& failure, Backoff& backoff) {
  set_phase(phase, failure.what());
  core::log(core::Level::Warn, fmt::format("{}; trying again in {:.1f} s", failure.what(),
                                           static_cast<double>(backoff.next.count()) / 1000));
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, backoff.next, [&] { return stopping(); });
  }
  backoff.next = std::min(backoff.next * 2, backoff.max);
  return !stopping();
}

Snapshot SharedState::snapshot() const {
  const std::scoped_lock lock(mutex_);
  auto snapshot = snapshot_;
  snapshot.capture_beats = capture_beats_.load(std::memory_order_relaxed);
  snapshot.writer_beats = writer_beats_.load(std::memory_order_relaxed);
  return snapshot;
}

}  // namespace rowtrail::pipeline
