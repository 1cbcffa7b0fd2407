// Signed tree heads leave the machine: a file, syslog, a webhook, a C2SP witness. Each sink has a
// thread of its own and takes the newest head when it is ready for one; none of them can hold up
// capture, and what fails is seen in the snapshot.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/config.h"
#include "pipeline/pipeline.h"

namespace rowtrail::pipeline {

class HeadSinks {
 public:
  explicit HeadSinks(const Config& config);
  /// Gives the last head to every sink once more, waiting no longer than a request takes.
  ~HeadSinks();
  HeadSinks(const HeadSinks&) = delete;
  HeadSinks& operator=(const HeadSinks&) = delete;

  /// A head that was published. Any thread; returns at once.
  void offer(const std::string& note);
  [[nodiscard]] std::vector<SinkState> states() const;

 private:
  struct Sink;
  void serve(Sink& sink);

  std::string store_url_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string newest_;  // note
  bool stopping_ = false;
  std::vector<std::unique_ptr<Sink>> sinks_;
};

}  // namespace rowtrail::pipeline
