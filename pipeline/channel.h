// The queue between capture and writer, bounded in bytes. A full queue makes the producer wait:
// that is all the back-pressure there is, the binlog on the source is the spool.
#pragma once

#include "normalize/normalize.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace rowtrail::pipeline {

/// What capture hands over: a transaction (or part of one), or only a new position, or word that
/// the parts handed over so far belong to a transaction that will be read again from its start.
struct Item {
  std::unique_ptr<normalize::Transaction> transaction;
  std::string file;  // position only
  std::uint64_t pos = 0;
  // The executed set up to here, where it only now became known (started by file and position).
  std::unique_ptr<binlog::GtidSet> gtids;
  std::size_t bytes = 0;
};

class Channel {
 public:
  enum class Push : std::uint8_t { Accepted, TimedOut, Reset, Closed };

  explicit Channel(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Waits for room; an item larger than the queue is accepted when the queue is empty. `item` is
  /// left alone unless Accepted. Reset: the writer starts over from the durable position.
  Push push(Item& item, std::uint64_t epoch, std::chrono::milliseconds timeout);
  /// The next item; false when none came in time or the channel is closed and empty.
  bool pop(Item& item, std::chrono::milliseconds timeout);
  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::size_t bytes() const;
  /// Items taken out so far, and signs of progress: tells a slow consumer from one that stands
  /// still.
  [[nodiscard]] std::uint64_t pops() const;

  /// Writer: still at work on what it took last.
  void progress();
  /// Writer: forget what is queued; producers get Reset until they take the new epoch.
  void reset();
  /// Read by the producer for every event, so it takes no lock.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_.load(); }
  /// Producer: no more items. Consumer drains what is left.
  void close();
  [[nodiscard]] bool closed() const;
  void give_back(std::unique_ptr<normalize::Transaction> transaction);
  std::unique_ptr<normalize::Transaction> take_back();

 private:
  static constexpr std::size_t kRecycledMax = 64;

  mutable std::mutex mutex_;
  std::condition_variable room_, items_;
  std::deque<Item> queue_;
  std::vector<std::unique_ptr<normalize::Transaction>> recycled_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::atomic<std::uint64_t> epoch_{0};  // changed under the mutex
  std::uint64_t pops_ = 0;
  bool closed_ = false;
};

}  // namespace rowtrail::pipeline
