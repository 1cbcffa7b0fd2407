#include "pipeline/state.h"

#include <chrono>
#include <utility>

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

bool SharedState::sleep(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [&] { return stopping(); });
  return !stopping();
}

Snapshot SharedState::snapshot() const {
  const std::scoped_lock lock(mutex_);
  return snapshot_;
}

}  // namespace rowtrail::pipeline
