#include "server/workers.h"

#include <algorithm>
#include <utility>

namespace rowtrail::server {

store::Reader& ReaderSlot::get() {
  if (!reader_) {
    if (open_) reader_ = open_();
    if (!reader_) throw core::Failure(core::Area::Store, false, "the server has no store to read");
  }
  return *reader_;
}

Workers::Workers(ReaderSlot::Open open, unsigned threads, std::size_t queued_max)
    : open_(std::move(open)), queued_max_(queued_max) {
  for (unsigned i = 0; i < std::max(threads, 1U); ++i) threads_.emplace_back([this] { run(); });
}

Workers::~Workers() {
  stop();
}

bool Workers::submit(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= queued_max_) return false;
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void Workers::stop() {
  std::deque<Task> dropped;  // destroyed outside the lock: tasks own sessions
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Workers::run() {
  ReaderSlot slot(open_);
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task(slot);
  }
}

}  // namespace rowtrail::server
