#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "pipeline/capture.h"
#include "pipeline/channel.h"
#include "pipeline/pipeline.h"
#include "pipeline/state.h"
#include <fmt/format.h>

namespace rowtrail::pipeline {
namespace {

using core::Area;
using core::Failure;

constexpr std::chrono::milliseconds kIdleWait{500};
constexpr std::size_t kPartBytes = std::size_t{2} * 1024 * 1024;

Config with_small_parts(Config config) {
  config.limits.part_bytes_max = kPartBytes;
  return config;
}

}  // namespace

struct Stream::Impl {
  Impl(Config config_in, Take take_in)
      : config(with_small_parts(std::move(config_in))),
        take(std::move(take_in)),
        mask(config.mask_rules, config.mask_key),
        channel(config.limits.queue_bytes_max),
        capture(config, channel, state) {}

  void drain() {
    Item item;
    while (taken) {
      if (!channel.pop(item, std::chrono::milliseconds{0})) {
        taken = take(nullptr);
        if (!taken || !channel.pop(item, kIdleWait)) {
          if (channel.closed() && channel.empty()) return;
          continue;
        }
      }
      hand_over(std::move(item));
      item = {};
      if (state.stopping() && !inside_transaction) break;
    }
    taken = taken && take(nullptr);
  }

  void hand_over(Item item) {
    if (item.gtids) gtids = std::move(*item.gtids);
    if (!item.transaction) return note_position(item.file, item.pos);
    auto& transaction = *item.transaction;
    switch (transaction.xa) {
      case normalize::XaPhase::None:
        give(transaction);
        break;
      case normalize::XaPhase::Prepared:
        keep_xa(transaction);
        give(transaction);  // of which there are gaps at the most
        break;
      case normalize::XaPhase::RolledBack:
        drop_xa(transaction.xid);
        give(transaction);
        break;
      case normalize::XaPhase::Committed:
        return release_xa(std::move(item.transaction));
    }
    transaction.reset();
    channel.give_back(std::move(item.transaction));
  }

  void give(const normalize::Transaction& transaction) {
    for (const auto& gap : transaction.gaps) log_gap(transaction, gap);
    taken = taken && take(&transaction);
    inside_transaction = !transaction.last_part;
    changes += transaction.changes.size();
    if (!transaction.last_part) return;
    ++transactions;
    if (transaction.gtid.empty()) gtids.reset();
    if (gtids) gtids->add(transaction.gtid);
    if (taken) note_position(transaction.file, transaction.end_pos);
  }

  void note_position(const std::string& file, std::uint64_t pos) {
    state.update([&](Snapshot& s) {
      s.transactions = transactions;
      s.changes = changes;
      s.position.file = file;
      s.position.pos = pos;
    });
  }

  /// Rows of XA transactions wait for their fate; a store would keep them sealed, here is none.
  void keep_xa(const normalize::Transaction& transaction) {
    if (transaction.first_part) drop_xa(transaction.xid);
    kept_bytes += transaction.xa_events.size();
    if (kept_bytes > config.limits.xa_kept_bytes_max) {
      throw Failure(
          Area::Source, false,
          fmt::format("more than {} MiB of rows are prepared by XA transactions that have "
                      "neither committed nor rolled back; without a store they are kept "
                      "in memory. End them (XA RECOVER lists them), or use `rowtrail run`",
                      config.limits.xa_kept_bytes_max >> 20U));
    }
    kept[transaction.xid] += transaction.xa_events;
  }

  void drop_xa(const std::string& xid) {
    const auto found = kept.extract(xid);
    if (!found.empty()) kept_bytes -= found.mapped().size();
  }

  void release_xa(std::unique_ptr<normalize::Transaction> commit) {
    const std::string xid = commit->xid;
    normalize::Options options;
    options.source = config.source.name;
    options.match_bytes_max = kPartBytes;
    options.mask = &mask;
    normalize::XaRelease release(options, std::move(commit));
    const auto give_parts = [&](const core::Result<>& result) {
      if (!result) throw Failure(Area::Source, false, result.error().message);
      while (auto part = release.take()) give(*part);
    };
    const auto found = kept.find(xid);
    if (found != kept.end()) give_parts(release.push(found->second));
    give_parts(release.finish());
    drop_xa(xid);
  }

  Config config;
  Take take;
  normalize::Mask mask;  // of XA transactions' rows
  SharedState state;
  Channel channel;
  Capture capture;
  std::map<std::string, std::string> kept;  // events of prepared XA transactions, by xid
  std::size_t kept_bytes = 0;
  std::optional<binlog::GtidSet> gtids;
  std::uint64_t transactions = 0, changes = 0;
  bool inside_transaction = false;
  bool taken = true;  // the taker wants more
};

Stream::Stream(Config config, Take take)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(take))) {}

Stream::~Stream() = default;

void Stream::run() {
  impl_->state.set_durable({}, impl_->channel.epoch());  // nothing is known but where to start
  {
    const std::jthread reading([this] { impl_->capture.run(); });
    try {
      impl_->drain();
    } catch (...) {
      impl_->state.fail(std::current_exception());
    }
    stop();
  }
  if (impl_->gtids) {
    impl_->state.update([&](Snapshot& s) { s.position.gtid_set = impl_->gtids->text(); });
  }
  if (auto failure = impl_->state.failure()) std::rethrow_exception(failure);
}

void Stream::stop() noexcept {
  impl_->state.request_stop();
  impl_->capture.interrupt();
}

Snapshot Stream::snapshot() const {
  return impl_->state.snapshot();
}

}  // namespace rowtrail::pipeline
