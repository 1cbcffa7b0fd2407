// Threads for the blocking reads of the store. Each has a Reader of its own, opened when it is
// first needed and again after a failure.
#pragma once

#include "store/store.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace rowtrail::server {

/// A thread's Reader.
class ReaderSlot {
 public:
  using Open = std::function<std::unique_ptr<store::Reader>()>;
  explicit ReaderSlot(const Open& open) : open_(open) {}
  /// Throws core::Failure when the store cannot be opened.
  store::Reader& get();
  /// Forgets a Reader whose connection may be broken.
  void drop() { reader_.reset(); }

 private:
  const Open& open_;
  std::unique_ptr<store::Reader> reader_;
};

class Workers {
 public:
  using Task = std::function<void(ReaderSlot&)>;

  Workers(ReaderSlot::Open open, unsigned threads, std::size_t queued_max);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// False when the queue is full; the task is then not kept. Tasks must not throw.
  [[nodiscard]] bool submit(Task task);
  /// Forgets what waits, finishes what runs, joins. Idempotent.
  void stop();

 private:
  void run();

  ReaderSlot::Open open_;
  std::size_t queued_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace rowtrail::server
