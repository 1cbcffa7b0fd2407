#include "cli/service.h"

#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace rowtrail::cli {

Service::Service() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  const auto size = std::strlen(path);
  if (size >= sizeof(address.sun_path)) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, size);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  if (socket_ >= 0 && ::connect(socket_, reinterpret_cast<sockaddr*>(&address), length) != 0) {
    ::close(socket_);
    socket_ = -1;
  }
  if (const char* limit = std::getenv("WATCHDOG_USEC")) {
    watchdog_ = std::chrono::microseconds(std::strtoll(limit, nullptr, 10));
  }
}

Service::~Service() {
  if (socket_ < 0) return;
  send("STOPPING=1");
  ::close(socket_);
}

void Service::send(std::string_view text) const {
  (void)::send(socket_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Service::tick(const pipeline::Snapshot& snapshot) {
  using pipeline::Phase;
  if (socket_ < 0) return;
  if (snapshot.phase != phase_) {
    phase_ = snapshot.phase;
    send(fmt::format("STATUS={}{}{}", pipeline::phase_name(phase_),
                     snapshot.detail.empty() ? "" : ": ", snapshot.detail));
  }
  if (!ready_ && phase_ == Phase::Streaming) {
    ready_ = true;
    send("READY=1");
  }
  if (watchdog_.count() == 0) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - fed_ < watchdog_ / 4) return;
  const bool turns =
      snapshot.capture_beats != capture_beats_ && snapshot.writer_beats != writer_beats_;
  const bool waits = phase_ == Phase::Reconnecting || phase_ == Phase::StoreDown ||
                     phase_ == Phase::Stalled || phase_ == Phase::Connecting ||
                     phase_ == Phase::Standby;
  if (!turns && !waits) return;
  capture_beats_ = snapshot.capture_beats;
  writer_beats_ = snapshot.writer_beats;
  fed_ = now;
  send("WATCHDOG=1");
}

}  // namespace rowtrail::cli
