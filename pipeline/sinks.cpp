#include "pipeline/sinks.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>

#include "pipeline/http.h"
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace rowtrail::pipeline {
namespace {

using Clock = std::chrono::steady_clock;
using core::Errc;
using core::Error;

constexpr std::chrono::seconds kRetryMin{1};
constexpr std::chrono::seconds kRetryMax{300};
constexpr int kWitnessTries = 3;

Error failed(std::string message) {
  return {Errc::Invalid, std::move(message)};
}
Error failed_call(const char* call) {
  return failed(fmt::format("{}: {}", call, std::strerror(errno)));
}

/// The second line of a checkpoint.
std::uint64_t size_of(const std::string& note) {
  const auto begin = std::min(note.find('\n'), note.size() - 1) + 1;
  std::uint64_t size = 0;
  std::from_chars(note.data() + begin, note.data() + note.size(), size);
  return size;
}

/// Appended as a whole, and durable: the file may be append-only (chattr +a) or on WORM storage.
core::Result<> append_to_file(const std::string& path, const std::string& note) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return failed_call("open");
  const bool written = ::write(fd, note.data(), note.size()) == static_cast<ssize_t>(note.size());
  core::Result<> result;
  if (!written || ::fsync(fd) != 0) result = failed_call("write");
  ::close(fd);
  return result;
}

/// One datagram to the local daemon, facility auth, severity notice. The note's lines are joined by
/// " | ", since a log line has one.
core::Result<> send_to_syslog(const std::string& path, const std::string& note) {
  constexpr int kPriority = 4 * 8 + 5;
  std::string line = fmt::format("<{}>rowtrail[{}]: tree head: ", kPriority, ::getpid());
  std::string_view rest = note;
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  for (const char c : rest) {
    if (c == '\n') {
      line += " | ";
    } else {
      line += c;
    }
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failed("the socket's path is too long");
  std::copy(path.begin(), path.end(), std::begin(address.sun_path));
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed_call("socket");
  core::Result<> result;
  if (::sendto(fd, line.data(), line.size(), 0, reinterpret_cast<const sockaddr*>(&address),
               sizeof address) != static_cast<ssize_t>(line.size())) {
    result = failed_call("send");
  }
  ::close(fd);
  return result;
}

core::Result<> post_to_webhook(const HeadSink& sink, const std::string& note) {
  HttpRequest request;
  request.url = sink.target;
  request.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  if (!sink.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + sink.token);
  request.body = note;
  const auto answer = http_send(request);
  if (!answer) return answer.error();
  if (answer->status / 100 != 2) return failed(fmt::format("it answered {}", answer->status));
  return {};
}

}  // namespace

struct HeadSinks::Sink {
  HeadSink config;
  SinkState state;
  std::uint64_t witnessed = 0;  // size that the witness is known to have seen
  std::jthread thread;

  core::Result<> send(const std::string& store_url, const std::string& note);
  core::Result<> add_checkpoint(const std::string& store_url, const std::string& note);
};

core::Result<> HeadSinks::Sink::send(const std::string& store_url, const std::string& note) {
  switch (config.kind) {
    case HeadSink::Kind::File:
      return append_to_file(config.target, note + "\n");
    case HeadSink::Kind::Syslog:
      return send_to_syslog(config.target, note);
    case HeadSink::Kind::Webhook:
      return post_to_webhook(config, note);
    case HeadSink::Kind::Witness:
      return add_checkpoint(store_url, note);
  }
  return failed("unknown kind of sink");
}

/// c2sp.org/tlog-witness: the witness checks that the head extends the one it saw last, and
/// cosigns.
core::Result<> HeadSinks::Sink::add_checkpoint(const std::string& store_url,
                                               const std::string& note) {
  const auto size = size_of(note);
  for (int i = 0; i < kWitnessTries; ++i) {
    HttpRequest request;
    request.url = config.target + (config.target.ends_with('/') ? "" : "/") + "add-checkpoint";
    request.body = fmt::format("old {}\n", witnessed);
    try {
      const auto proof = store::open_reader(store_url)->consistency(witnessed, size);
      for (const auto& hash : proof) request.body += hash + "\n";
    } catch (const core::Failure& failure) {
      return failed(failure.what());
    }
    request.body += "\n" + note;
    const auto answer = http_send(request);
    if (!answer) return answer.error();
    if (answer->status == 200) {
      witnessed = size;
      if (config.file.empty()) return {};
      return append_to_file(config.file, note + answer->body + "\n");
    }
    if (answer->status != 409) {
      return failed(fmt::format("it answered {}{}", answer->status,
                                answer->status == 404   ? ": it does not know this log"
                                : answer->status == 403 ? ": it does not know this log's key"
                                : answer->status == 422 ? ": the log does not extend what it saw"
                                                        : ""));
    }
    std::uint64_t seen = 0;
    std::from_chars(answer->body.data(), answer->body.data() + answer->body.size(), seen);
    if (seen > size) {
      return failed(fmt::format(
          "it has seen this log with {} records, there are {}: an older backup was restored", seen,
          size));
    }
    witnessed = seen;
  }
  return failed("it keeps answering 409");
}

HeadSinks::HeadSinks(const Config& config) : store_url_(config.store_url) {
  for (const auto& wanted : config.heads) {
    auto sink = std::make_unique<Sink>();
    sink->config = wanted;
    sink->state.name = fmt::format("{} {}", sink_name(wanted.kind), wanted.target);
    sinks_.push_back(std::move(sink));
  }
  for (auto& sink : sinks_) sink->thread = std::jthread([this, &sink] { serve(*sink); });
}

HeadSinks::~HeadSinks() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  sinks_.clear();
}

void HeadSinks::offer(const std::string& note) {
  {
    const std::scoped_lock lock(mutex_);
    newest_ = note;
  }
  changed_.notify_all();
}

std::vector<SinkState> HeadSinks::states() const {
  const std::scoped_lock lock(mutex_);
  std::vector<SinkState> states;
  for (const auto& sink : sinks_) states.push_back(sink->state);
  return states;
}

void HeadSinks::serve(Sink& sink) {
  std::string sent;
  auto retry = kRetryMin;
  Clock::time_point next{};
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || newest_ != sent; });
    changed_.wait_until(lock, next, [&] { return stopping_; });
    if (newest_ == sent) {
      if (stopping_) return;
      continue;
    }
    const auto note = newest_;
    const bool last = stopping_;
    lock.unlock();
    const auto result = sink.send(store_url_, note);
    lock.lock();
    if (result) {
      if (!sink.state.error.empty()) {
        core::log(core::Level::Info, fmt::format("tree heads reach {} again", sink.state.name));
      }
      sink.state.error.clear();
      sink.state.size = size_of(note);
      sink.state.arrived_us = std::chrono::duration_cast<std::chrono::microseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count();
      sent = note;
      retry = kRetryMin;
      next = Clock::now() + std::chrono::seconds(sink.config.every_s);
    } else {
      if (sink.state.error != result.error().message) {
        core::log(core::Level::Warn, fmt::format("a tree head did not reach {}: {}",
                                                 sink.state.name, result.error().message));
      }
      sink.state.error = result.error().message;
      ++sink.state.failures;
      next = Clock::now() + retry;
      retry = std::min(retry * 2, kRetryMax);
    }
    if (last) return;
  }
}

}  // namespace rowtrail::pipeline
