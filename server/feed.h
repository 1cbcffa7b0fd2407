// The newest events, rendered once and kept in memory for every event stream. A stream at the tip
// takes from here; one that lags behind, or filters by what an event does not carry, reads the
// store at its own pace. So a slow client costs no memory and misses nothing. Lives on the sockets'
// thread.
#pragma once

#include "server/message.h"
#include "server/workers.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace rowtrail::server {

constexpr std::size_t kFeedItemsMax = 4096;
constexpr std::size_t kFeedBytesMax = 4 * 1024 * 1024;

/// An event with what streams filter on.
struct FeedItem {
  std::uint64_t seq = 0;
  std::int64_t time_us = 0;
  std::string type, actor, source, severity, transaction;
  std::vector<std::pair<std::string, std::string>> objects;  // type and id
  std::string text;                                          // as a server-sent event
};
[[nodiscard]] FeedItem make_feed_item(const store::StoredEvent& event);
[[nodiscard]] bool matches(const store::Filter& filter, const FeedItem& item);
/// Whether matches() can judge: database, table, key and text are known to the store alone.
[[nodiscard]] bool is_judged_by_items(const Live& live);
/// `id: 7`, `data: {…}`, an empty line.
core::Result<> append_server_sent_event(std::string& out, const store::StoredEvent& event,
                                        bool quote_integers);

class Feed {
 public:
  Feed(boost::asio::io_context& io, Workers& workers, std::chrono::milliseconds poll);

  /// Looks for new events soon. Any thread.
  void publish();
  /// Ends polling, so that the io_context can run dry.
  void stop();

  using Id = std::uint64_t;
  /// `wake` is called whenever there may be something new, until unsubscribe().
  Id subscribe(std::function<void()> wake);
  void unsubscribe(Id id);

  /// False until the store was read for the first time.
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  /// Every event up to this seq has been seen; there may be none with it.
  [[nodiscard]] std::uint64_t last_seq() const noexcept { return last_seq_; }
  /// Whether everything after `seq` is still here.
  [[nodiscard]] bool covers(std::uint64_t seq) const noexcept { return seq >= first_seq_; }
  /// Appends what follows `live.after_seq` and matches, about `bytes_max` at most; moves after_seq
  /// on. False when nothing was appended.
  bool take(Live& live, std::string& out, std::size_t bytes_max) const;

 private:
  void refresh();
  void on_refreshed(bool read, std::vector<FeedItem> items);
  void append(std::vector<FeedItem> items);
  void forget();
  void arm_poll();

  boost::asio::io_context& io_;
  Workers& workers_;
  std::chrono::milliseconds poll_;
  boost::asio::steady_timer timer_;
  std::map<Id, std::function<void()>> subscribers_;
  Id next_id_ = 0;
  std::deque<FeedItem> items_;
  std::size_t bytes_ = 0;
  std::uint64_t first_seq_ = 0;  // everything after it is in items_
  std::uint64_t last_seq_ = 0;
  bool ready_ = false;
  std::uint64_t generation_ =
      0;  // of what is kept: after a time without subscribers it starts anew
  bool refreshing_ = false;
  bool again_ = false;  // published while refreshing
  bool stopped_ = false;
};

}  // namespace rowtrail::server
