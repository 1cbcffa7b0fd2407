#include "pipeline/channel.h"

#include <utility>

namespace rowtrail::pipeline {

Channel::Push Channel::push(Item& item, std::uint64_t epoch, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] {
    return closed_ || epoch != epoch_ || queue_.empty() || bytes_ + item.bytes <= bytes_max_;
  };
  if (!room_.wait_for(lock, timeout, ready)) return Push::TimedOut;
  if (closed_) return Push::Closed;
  if (epoch != epoch_) return Push::Reset;
  bytes_ += item.bytes;
  queue_.push_back(std::move(item));
  if (queue_.size() == 1) items_.notify_one();
  return Push::Accepted;
}

bool Channel::pop(Item& item, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  items_.wait_for(lock, timeout, [&] { return closed_ || !queue_.empty(); });
  if (queue_.empty()) return false;
  item = std::move(queue_.front());
  queue_.pop_front();
  bytes_ -= item.bytes;
  ++pops_;
  // Waking the producer for every item would cost a context switch each; half empty is soon enough.
  if (queue_.empty() || bytes_ <= bytes_max_ / 2) room_.notify_all();
  return true;
}

bool Channel::empty() const {
  const std::scoped_lock lock(mutex_);
  return queue_.empty();
}

std::size_t Channel::bytes() const {
  const std::scoped_lock lock(mutex_);
  return bytes_;
}

std::uint64_t Channel::pops() const {
  const std::scoped_lock lock(mutex_);
  return pops_;
}

void Channel::reset() {
  const std::scoped_lock lock(mutex_);
  queue_.clear();
  bytes_ = 0;
  ++epoch_;
  room_.notify_all();
}

void Channel::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  room_.notify_all();
  items_.notify_all();
}

void Channel::progress() {
  const std::scoped_lock lock(mutex_);
  ++pops_;
}

bool Channel::closed() const {
  const std::scoped_lock lock(mutex_);
  return closed_;
}

void Channel::give_back(std::unique_ptr<normalize::Transaction> transaction) {
  const std::scoped_lock lock(mutex_);
  if (recycled_.size() < kRecycledMax) recycled_.push_back(std::move(transaction));
}

std::unique_ptr<normalize::Transaction> Channel::take_back() {
  const std::scoped_lock lock(mutex_);
  if (recycled_.empty()) return nullptr;
  auto transaction = std::move(recycled_.back());
  recycled_.pop_back();
  return transaction;
}

}  // namespace rowtrail::pipeline
