#include "server/feed.h"

#include "server/json_text.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::server {
namespace {

constexpr std::uint64_t kRefreshMax = 2048;
constexpr std::uint64_t kFirstMax = 256;  // events kept when the server starts

std::string text_of(const rapidjson::Value& object, const char* name) {
  if (!object.HasMember(name) || !object[name].IsString()) return {};
  return {object[name].GetString(), object[name].GetStringLength()};
}

/// New events in seq order; the first time the newest few.
std::vector<FeedItem> read_new(store::Reader& reader, std::uint64_t after, bool first) {
  std::vector<FeedItem> items;
  store::Page page;
  page.ascending = !first;
  page.limit = first ? kFirstMax : kRefreshMax;
  if (!first) page.after_seq = after;
  reader.events({}, page, [&](const store::StoredEvent& event) {
    items.push_back(make_feed_item(event));
    return true;
  });
  if (first) std::reverse(items.begin(), items.end());
  return items;
}

}  // namespace

core::Result<> append_server_sent_event(std::string& out, const store::StoredEvent& event,
                                        bool quote_integers) {
  out += fmt::format("id: {}\ndata: ", event.seq);
  const std::size_t start = out.size();
  const auto rendered = infer::append_rendered_event(out, event.seq, event.transaction_seq,
                                                     event.payload, event.because);
  if (!rendered) return rendered;
  if (quote_integers) quote_large_integers(out, start);
  out += "\n\n";
  return {};
}

FeedItem make_feed_item(const store::StoredEvent& event) {
  FeedItem item;
  item.seq = event.seq;
  item.time_us = event.time_us;
  item.type = event.type;
  item.actor = event.actor;
  if (const auto rendered = append_server_sent_event(item.text, event, false); !rendered) {
    core::log(core::Level::Error,
              fmt::format("event {} cannot be rendered: {}", event.seq, rendered.error().message));
    item.text.clear();  // matches nothing
    return item;
  }
  rapidjson::Document payload;
  payload.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag>(
      event.payload.data(), event.payload.size());
  if (payload.HasParseError() || !payload.IsObject()) return item;
  item.source = text_of(payload, "source");
  item.severity = text_of(payload, "severity");
  item.transaction = text_of(payload, "transaction");
  if (!payload.HasMember("objects") || !payload["objects"].IsArray()) return item;
  for (const auto& object : payload["objects"].GetArray()) {
    if (object.IsObject())
      item.objects.emplace_back(text_of(object, "type"), text_of(object, "id"));
  }
  return item;
}

bool matches(const store::Filter& filter, const FeedItem& item) {
  const auto equal = [](const std::string& wanted, const std::string& value) {
    return wanted.empty() || wanted == value;
  };
  const bool touches =
      (filter.object_type.empty() && filter.object_id.empty()) ||
      std::any_of(item.objects.begin(), item.objects.end(), [&](const auto& object) {
        return equal(filter.object_type, object.first) && equal(filter.object_id, object.second);
      });
  const auto is = [&](const std::pair<std::string, std::string>& excluded) {
    const auto& [name, value] = excluded;
    return value == (name == "type"     ? item.type
                     : name == "actor"  ? item.actor
                     : name == "source" ? item.source
                                        : item.severity);
  };
  const bool left_out = std::any_of(filter.exclude.begin(), filter.exclude.end(), is);
  return !item.text.empty() && touches && !left_out && equal(filter.type, item.type) &&
         equal(filter.actor, item.actor) && equal(filter.source, item.source) &&
         equal(filter.severity, item.severity) && equal(filter.transaction, item.transaction) &&
         (!filter.since_us || item.time_us >= *filter.since_us) &&
         (!filter.until_us || item.time_us < *filter.until_us);
}

bool is_judged_by_items(const Live& live) {
  const store::Filter& filter = live.filter;
  return filter.database.empty() && filter.table.empty() && !filter.pk && filter.text.empty() &&
         !live.quote_integers;
}

Feed::Feed(boost::asio::io_context& io, Workers& workers, std::chrono::milliseconds poll)
    : io_(io), workers_(workers), poll_(poll), timer_(io) {}

void Feed::publish() {
  boost::asio::post(io_, [this] {
    if (!subscribers_.empty()) refresh();
  });
}

void Feed::stop() {
  stopped_ = true;
  timer_.cancel();
}

Feed::Id Feed::subscribe(std::function<void()> wake) {
  if (subscribers_.empty()) {
    forget();
    arm_poll();
  }
  const Id id = next_id_++;
  subscribers_.emplace(id, std::move(wake));
  refresh();
  return id;
}

/// Nobody watched for a while, so what is kept may be old: "now" must not be then.
void Feed::forget() {
  items_.clear();
  bytes_ = 0;
  first_seq_ = 0;
  last_seq_ = 0;
  ready_ = false;
  ++generation_;
}

void Feed::unsubscribe(Id id) {
  subscribers_.erase(id);
}

void Feed::arm_poll() {
  if (stopped_) return;
  timer_.expires_after(poll_);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled || subscribers_.empty()) return;
    refresh();
    arm_poll();
  });
}

void Feed::refresh() {
  if (stopped_) return;
  again_ = refreshing_;
  if (refreshing_) return;
  refreshing_ = workers_.submit(
      [this, after = last_seq_, first = !ready_, generation = generation_](ReaderSlot& slot) {
        std::vector<FeedItem> items;
        bool read = true;
        try {
          items = read_new(slot.get(), after, first);
        } catch (const std::exception& error) {
          read = false;
          slot.drop();
          core::log(core::Level::Warn, fmt::format("event streams wait: {}", error.what()));
        }
        boost::asio::post(io_, [this, read, generation, items = std::move(items)]() mutable {
          refreshing_ = false;
          if (generation == generation_) return on_refreshed(read, std::move(items));
          again_ = false;
          refresh();
        });
      });
}

void Feed::on_refreshed(bool read, std::vector<FeedItem> items) {
  if (read && !ready_) {
    ready_ = true;
    if (!items.empty()) first_seq_ = items.front().seq - 1;
  }
  const bool more = items.size() == kRefreshMax;
  append(std::move(items));
  if (more || std::exchange(again_, false)) refresh();
  for (auto next = subscribers_.begin(); next != subscribers_.end();) {
    const auto wake = (next++)->second;  // a copy: it may unsubscribe itself
    wake();
  }
}

void Feed::append(std::vector<FeedItem> items) {
  for (FeedItem& item : items) {
    last_seq_ = item.seq;
    bytes_ += item.text.size();
    items_.push_back(std::move(item));
  }
  while (items_.size() > kFeedItemsMax || bytes_ > kFeedBytesMax) {
    first_seq_ = items_.front().seq;
    bytes_ -= items_.front().text.size();
    items_.pop_front();
  }
}

bool Feed::take(Live& live, std::string& out, std::size_t bytes_max) const {
  const std::size_t before = out.size();
  const auto begin =
      std::upper_bound(items_.begin(), items_.end(), live.after_seq.value_or(last_seq_),
                       [](std::uint64_t seq, const FeedItem& item) { return seq < item.seq; });
  for (auto item = begin; item != items_.end() && out.size() - before < bytes_max; ++item) {
    if (matches(live.filter, *item)) out += item->text;
    live.after_seq = item->seq;
  }
  return out.size() > before;
}

}  // namespace rowtrail::server
