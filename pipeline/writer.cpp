#include "pipeline/writer.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

namespace rowtrail::pipeline {
namespace {

constexpr std::chrono::milliseconds kIdleWait{500};

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Gaps are in the record; whoever watches the log shall not have to look there to learn of one.
void say_gaps(const normalize::Transaction& transaction, const std::vector<normalize::Gap>& gaps) {
  for (const auto& gap : gaps) {
    core::log(core::Level::Warn, fmt::format("gap {} at {}:{} in transaction {}: {}; {}",
                                             normalize::gap_kind_name(gap.kind), gap.file, gap.pos,
                                             transaction.id, gap.reason, gap.advice));
  }
}

}  // namespace

WriterLoop::WriterLoop(const Config& config, const infer::LoadedRules& rules, Announce announce,
                       Channel& channel, SharedState& state, std::function<void()> on_reset)
    : config_(config),
      rules_(rules),
      announce_(std::move(announce)),
      channel_(channel),
      state_(state),
      on_reset_(std::move(on_reset)) {
  infer::EngineOptions options;
  if (!config.actor_columns.empty()) options.actor_columns = config.actor_columns;
  engine_ = std::make_unique<infer::Engine>(rules_.rules, options);
}

void WriterLoop::run() noexcept {
  try {
    supervise();
  } catch (...) {
    state_.fail(std::current_exception());
    on_reset_();
  }
}

void WriterLoop::supervise() {
  Backoff backoff(config_.limits);
  for (;;) {
    try {
      open_store();
      backoff.reset();
      drain();
      return;
    } catch (const core::Failure& failure) {
      // Whether a COMMIT that was cut took effect is told by the position found after reopening.
      store_.reset();
      // With capture gone nothing can be read again: the operator runs us once more.
      if (!failure.retryable() || channel_.closed()) throw;
      channel_.reset();
      on_reset_();
      if (!state_.wait_to_retry(Phase::StoreDown, failure, backoff)) throw;
    }
  }
}

void WriterLoop::open_store() {
  store::WriterOptions options;
  options.keys = config_.keys;
  store_ = store::open_writer(config_.store_url, std::move(options));
  const auto& name = config_.source.name;
  auto durable = store_->source_state(name);
  position_ = durable.position;
  event_time_us_ = durable.event_time_us;
  gaps_ = durable.gaps;
  gtids_ = stored_gtids(position_);
  batch_.reset(store_->next_seq());
  uncommitted_bytes_ = 0;
  dirty_ = inside_transaction_ = false;
  pending_.clear();

  if (!detectors_.restore(store_->detector_state(name))) {
    core::log(core::Level::Warn,
              "what the anomaly detectors remembered is from another version of rowtrail; they "
              "begin to learn anew, so that unusual things go unnoticed for some days");
  }

  auto rule_gaps = store_->recorded_gaps(normalize::GapKind::RuleFailed);
  for (auto& gap : store_->recorded_gaps(normalize::GapKind::RuleConflict)) {
    rule_gaps.push_back(std::move(gap));
  }
  engine_->set_recorded_gaps(rule_gaps);
  const auto recorded = store_->recorded_rules();
  const std::unordered_set<std::string> known(recorded.begin(), recorded.end());
  for (const auto& rule : rules_.infos) {
    if (known.contains(rule.id + "@" + rule.version)) continue;
    batch_.add_rule(rule, now_us());
    dirty_ = true;
  }
  if (dirty_) commit();
  state_.update([&](Snapshot& s) {
    s.position = position_;
    s.event_time_us = event_time_us_;
    s.next_seq = batch_.next_seq();
    s.gaps = gaps_;
  });
  state_.set_durable(std::move(durable), channel_.epoch());
}

void WriterLoop::drain() {
  Item item;
  for (;;) {
    const bool waiting = dirty_ && !inside_transaction_;
    if (channel_.pop(item, waiting ? std::chrono::milliseconds{0} : kIdleWait)) {
      take(std::move(item));
      item = {};
      continue;
    }
    if (waiting) {
      commit();
      continue;
    }
    if (!inside_transaction_) store_->publish_head(false);
    if (channel_.closed() && channel_.empty()) {
      break;
    }
  }
  // Parts of a transaction whose end never came are not in the record: it will be read again.
  if (inside_transaction_) store_->rollback();
  store_->publish_head(true);
}

void WriterLoop::take(Item item) {
  if (item.gtids) gtids_ = std::move(*item.gtids);
  if (!item.transaction) {
    position_.file = item.file;
    position_.pos = item.pos;
    dirty_ = true;
    return;
  }
  take_transaction(*item.transaction);
  item.transaction->reset();
  channel_.give_back(std::move(item.transaction));
}

void WriterLoop::take_transaction(const normalize::Transaction& transaction) {
  // What came before a transaction in parts must not share its fate when the link is cut.
  if (transaction.first_part && !transaction.last_part && dirty_) commit();
  events_.clear();
  rule_gaps_.clear();
  if (transaction.first_part && transaction.last_part) {
    engine_->infer(transaction, events_, rule_gaps_);
  } else {
    engine_->bulk(transaction, events_, rule_gaps_);
  }
  say_gaps(transaction, transaction.gaps);
  say_gaps(transaction, rule_gaps_);
  // A large transaction is rendered in slices, so that its text never stands in memory as a whole.
  std::size_t next_change = 0;
  do {
    next_change =
        batch_.add(transaction, next_change, config_.limits.append_bytes, events_, rule_gaps_);
    if (next_change == transaction.changes.size() && transaction.last_part) judge(transaction);
    if (batch_.bytes() >= config_.limits.append_bytes) append();
  } while (next_change < transaction.changes.size());

  dirty_ = true;
  inside_transaction_ = !transaction.last_part;
  changes_ += transaction.changes.size();
  event_count_ += events_.size();
  for (const auto& gap : transaction.gaps) {
    ++gaps_[std::string(normalize::gap_kind_name(gap.kind))];
  }
  if (!transaction.last_part) return;
  ++transactions_;
  if (position_.file != transaction.file) position_.file = transaction.file;
  position_.pos = transaction.end_pos;
  event_time_us_ = transaction.event_time_us;
  if (transaction.gtid.empty()) gtids_.reset();
  if (gtids_) gtids_->add(transaction.gtid);
  if (announce_) {
    for (auto& event : events_) pending_.push_back(std::move(event));
  }
  if (uncommitted_bytes_ + batch_.bytes() >= config_.limits.commit_bytes_max) commit();
}

/// What the detectors say of a transaction stands behind its events, in the same commit.
void WriterLoop::judge(const normalize::Transaction& transaction) {
  anomalies_.clear();
  detectors_.observe(transaction, events_, batch_.next_seq() - events_.size(), rule_gaps_.size(),
                     anomalies_);
  std::string payload;
  for (const auto& anomaly : anomalies_) {
    payload.clear();
    insight::append_anomaly(payload, anomaly, transaction);
    const auto evidence = insight::evidence_text(anomaly);
    batch_.add_anomaly({anomaly.time_us, anomaly.severity, anomaly.detector->id, anomaly.actor,
                        evidence, payload});
  }
}

void WriterLoop::append() {
  if (batch_.empty()) return;
  uncommitted_bytes_ += batch_.bytes();
  store_->append(batch_);
  batch_.reset(batch_.next_seq());
}

void WriterLoop::commit() {
  append();
  const bool whole = detectors_.wants_snapshot();
  const auto observed = whole ? detectors_.snapshot() : detectors_.take_observed();
  if (!observed.empty()) {
    store_->save_detector_state(config_.source.name, observed, whole);
  }
  position_.gtid_set = gtids_ ? gtids_->text() : std::string();
  store_->commit(config_.source.name, position_, event_time_us_);
  store_->publish_head(false);
  uncommitted_bytes_ = 0;
  dirty_ = false;
  state_.update([&](Snapshot& s) {
    s.transactions = transactions_;
    s.changes = changes_;
    s.events = event_count_;
    s.gaps = gaps_;
    s.next_seq = batch_.next_seq();
    s.event_time_us = event_time_us_;
    s.last_commit_us = now_us();
    s.position = position_;
  });
  for (const auto& event : pending_) announce_(event);
  pending_.clear();
}

}  // namespace rowtrail::pipeline
