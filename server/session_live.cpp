// Event streams: from the feed's memory at the tip, from the store when behind it.
#include "server/session_live.h"

#include "server/list.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace rowtrail::server {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t kReadMax = 1000;
constexpr std::string_view kGreeting = "retry: 2000\n\n";  // also gets the headers through proxies

/// A piece of history for a stream that is behind.
struct Behind {
  std::string text;
  std::uint64_t last_seq = 0;
  bool whole = true;  // the store had no more
};

Behind read_behind(store::Reader& reader, const Live& live) {
  Behind behind;
  behind.last_seq = live.after_seq.value_or(0);
  store::Page page;
  page.ascending = true;
  page.after_seq = live.after_seq;
  page.limit = kReadMax;
  std::uint64_t count = 0;
  reader.events(live.filter, page, [&](const store::StoredEvent& event) {
    if (behind.text.size() >= kChunkBytes) {
      behind.whole = false;
      return false;
    }
    if (!append_server_sent_event(behind.text, event, live.quote_integers)) {
      throw std::runtime_error(fmt::format("event {} cannot be rendered", event.seq));
    }
    behind.last_seq = event.seq;
    behind.whole = ++count < kReadMax;
    return true;
  });
  return behind;
}

}  // namespace

void Session::start_live() {
  live_->subscription = host_.feed.subscribe([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->pump_live();
  });
  ++host_.app.metrics().streams;
  watch_peer();
  piece_ = kGreeting;
  write_live();
}

void Session::end_live() {
  live_->heartbeat.cancel();
  if (!live_->subscription) return;
  host_.feed.unsubscribe(*live_->subscription);
  --host_.app.metrics().streams;
}

/// Sends what there is, if nothing is under way; is called again when that has changed.
void Session::pump_live() {
  if (ended_ || live_->busy || !host_.feed.ready()) return;
  const Feed& feed = host_.feed;
  Live& live = live_->live;
  if (!live.after_seq) live.after_seq = feed.last_seq();
  if (*live.after_seq >= feed.last_seq()) return;
  if (!is_judged_by_items(live) || !feed.covers(*live.after_seq)) return read_live();
  piece_.clear();
  while (*live.after_seq < feed.last_seq()) {
    if (feed.take(live, piece_, kChunkBytes)) return write_live();
  }
}

void Session::read_live() {
  live_->busy = true;
  // The reader sees every event up to the feed's newest, since both see only whole commits in
  // order.
  const std::uint64_t tip = host_.feed.last_seq();
  auto task = [self = shared_from_this(), live = live_->live, tip](ReaderSlot& slot) {
    std::optional<Behind> behind;
    try {
      behind = read_behind(slot.get(), live);
    } catch (const std::exception& error) {
      slot.drop();
      core::log(core::Level::Warn, fmt::format("an event stream waits: {}", error.what()));
    }
    asio::post(self->host_.io, [self, tip, behind = std::move(behind)]() mutable {
      if (self->ended_) return;
      self->live_->busy = false;
      if (!behind) return;  // the next wake tries again
      self->live_->live.after_seq =
          behind->whole ? std::max(tip, behind->last_seq) : behind->last_seq;
      self->piece_ = std::move(behind->text);
      self->piece_.empty() ? self->pump_live() : self->write_live();
    });
  };
  if (!host_.workers.submit(std::move(task))) live_->busy = false;
}

void Session::write_live() {
  live_->busy = true;
  frame_piece(false);
  stream_.expires_after(limits().write_timeout);
  asio::async_write(stream_, asio::buffer(piece_),
                    [self = shared_from_this()](Error error, std::size_t) {
                      if (error) return self->close();
                      if (self->ended_) return;
                      self->live_->busy = false;
                      self->arm_heartbeat();
                      self->pump_live();
                    });
}

void Session::arm_heartbeat() {
  live_->heartbeat.expires_after(limits().heartbeat);
  live_->heartbeat.async_wait([self = shared_from_this()](Error cancelled) {
    if (cancelled || self->ended_) return;
    if (self->live_->busy) return self->arm_heartbeat();
    // An id without data is kept by clients and dispatches nothing: after a reconnect they need not
    // be told again what their filter left out.
    const auto seq = self->live_->live.after_seq;
    self->piece_ = seq ? fmt::format("id: {}\n\n", *seq) : std::string(": waiting\n\n");
    self->write_live();
  });
}

/// Notices a client that goes away while there is nothing to send. Reads beside tcp_stream, whose
/// timeout belongs to the writes.
void Session::watch_peer() {
  stream_.socket().async_read_some(asio::buffer(live_->unexpected),
                                   [self = shared_from_this()](Error error, std::size_t) {
                                     if (error) return self->close();
                                     if (!self->ended_) self->watch_peer();
                                   });
}

}  // namespace rowtrail::server
