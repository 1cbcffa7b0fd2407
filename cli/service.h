// What systemd is told of a service of Type=notify: sd_notify(3)'s datagrams, without its library.
#pragma once

#include <chrono>
#include <string_view>

#include "pipeline/pipeline.h"

namespace rowtrail::cli {

class Service {
 public:
  /// Speaks to $NOTIFY_SOCKET; silent where there is none.
  Service();
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Called a few times a second: READY once the store is open and the source is read, the state in
  /// words when it changes, and WATCHDOG as long as capture and writer turn. Waiting for a source
  /// or a store that is away is no hang.
  void tick(const pipeline::Snapshot& snapshot);

 private:
  void send(std::string_view text) const;

  int socket_ = -1;
  std::chrono::microseconds watchdog_{0};  // $WATCHDOG_USEC; 0: nobody watches
  std::chrono::steady_clock::time_point fed_;
  std::uint64_t capture_beats_ = 0, writer_beats_ = 0;
  bool ready_ = false;
  pipeline::Phase phase_ = pipeline::Phase::Starting;
};

}  // namespace rowtrail::cli
