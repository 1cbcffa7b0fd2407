#include "pipeline/writer.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

namespace rowtrail::pipeline {
namespace {

constexpr std::chrono::milliseconds kIdleWait{500};
constexpr std::chrono::milliseconds kStandbyWait{1000};

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

WriterLoop::WriterLoop(const Config& config, infer::LoadedRules rules, Announce announce,
                       Channel& channel, SharedState& state, std::function<void()> on_reset,
                       std::function<void(const std::string&)> on_head)
    : config_(config),
      mask_(config.mask_rules, config.mask_key),
      rules_(std::move(rules)),
      announce_(std::move(announce)),
      channel_(channel),
      state_(state),
      on_reset_(std::move(on_reset)),
      on_head_(std::move(on_head)) {
  make_engine();
}

void WriterLoop::make_engine() {
  infer::EngineOptions options;
  if (!config_.actor_columns.empty()) options.actor_columns = config_.actor_columns;
  engine_ = std::make_unique<infer::Engine>(rules_.rules, options);
}

void WriterLoop::reload(infer::LoadedRules rules) {
  const std::scoped_lock lock(reload_mutex_);
  reloaded_ = std::move(rules);
}

/// Between two transactions: what came before is committed under the rules that judged it.
void WriterLoop::take_reloaded() {
  if (inside_transaction_) return;
  {
    const std::scoped_lock lock(reload_mutex_);
    if (!reloaded_) return;
  }
  if (dirty_) commit();
  {
    const std::scoped_lock lock(reload_mutex_);
    rules_ = std::move(*reloaded_);
    reloaded_.reset();
  }
  make_engine();
  record_rules();
  core::log(core::Level::Info, fmt::format("{} rules loaded anew", rules_.infos.size()));
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
      const bool held = dynamic_cast<const store::LogHeld*>(&failure) != nullptr;
      // A standby takes over within seconds, whatever it waited before.
      if (held) backoff.next = std::min(backoff.next, std::chrono::milliseconds(kStandbyWait));
      if (!state_.wait_to_retry(held ? Phase::Standby : Phase::StoreDown, failure, backoff)) throw;
    }
  }
}

void WriterLoop::open_store() {
  store::WriterOptions options;
  options.keys = config_.keys;
  options.on_head = on_head_;
  store_ = store::open_writer(config_.store_url, std::move(options));
  const auto& name = config_.source.name;
  auto durable = store_->source_state(name);
  position_ = durable.position;
  event_time_us_ = durable.event_time_us;
  gaps_ = durable.gaps;
  xa_rolled_back_ = durable.xa_rolled_back;
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

  record_rules();
  state_.update([&](Snapshot& s) {
    s.position = position_;
    s.event_time_us = event_time_us_;
    s.next_seq = batch_.next_seq();
    s.gaps = gaps_;
    s.xa_rolled_back = xa_rolled_back_;
  });
  state_.set_durable(std::move(durable), channel_.epoch());
}

/// The engine knows what the record holds, and the record every version of a rule that acts.
void WriterLoop::record_rules() {
  auto rule_gaps = store_->recorded_gaps(normalize::GapKind::RuleFailed);
  for (auto& gap : store_->recorded_gaps(normalize::GapKind::RuleConflict)) {
    rule_gaps.push_back(std::move(gap));
  }
  engine_->set_recorded_gaps(rule_gaps);
  engine_->set_state(store_.get());
  const auto recorded = store_->recorded_rules();
  const std::unordered_set<std::string> known(recorded.begin(), recorded.end());
  for (const auto& rule : rules_.infos) {
    if (known.contains(rule.id + "@" + rule.version)) continue;
    batch_.add_rule(rule, now_us());
    dirty_ = true;
  }
  if (dirty_) commit();
}

void WriterLoop::drain() {
  Item item;
  for (;;) {
    take_reloaded();
    state_.beat_writer();
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
    store_->publish_head(false);
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
  switch (item.transaction->xa) {
    case normalize::XaPhase::None:
      take_transaction(*item.transaction);
      break;
    case normalize::XaPhase::Prepared:
      keep_xa(*item.transaction);
      break;
    case normalize::XaPhase::RolledBack:
      xa_rolled_back_ += store_->drop_xa(config_.source.name, item.transaction->xid, true) ? 1 : 0;
      take_unrecorded(*item.transaction);
      break;
    case normalize::XaPhase::Committed:
      release_xa(std::move(item.transaction));
      return;
  }
  item.transaction->reset();
  channel_.give_back(std::move(item.transaction));
}

void WriterLoop::take_transaction(const normalize::Transaction& transaction) {
  // What came before a transaction in parts must not share its fate when the link is cut.
  if (transaction.first_part && !transaction.last_part && dirty_ && !inside_transaction_) commit();
  record(transaction);
  move_on(transaction);
}

/// Of an XA transaction that is prepared or rolled back only gaps met on the way are recorded.
void WriterLoop::take_unrecorded(normalize::Transaction& transaction) {
  if (!transaction.gaps.empty()) {
    transaction.first_part = true;  // of the record
    record(transaction);
  }
  move_on(transaction);
}

void WriterLoop::keep_xa(normalize::Transaction& transaction) {
  const auto& source = config_.source.name;
  const auto& xid = transaction.xid;
  if (transaction.first_part) {
    if (!transaction.last_part && dirty_) commit();
    store_->drop_xa(source, xid, false);  // one that did not end, of the same name
    xa_parts_ = 0;
  }
  const std::string_view events = transaction.xa_events;
  constexpr std::size_t kPartBytes = normalize::Normalizer::kXaPieceBytes;
  for (std::size_t at = 0; at < events.size(); at += kPartBytes) {
    store_->keep_xa(source, xid, ++xa_parts_, events.substr(at, kPartBytes));
  }
  uncommitted_bytes_ += events.size();
  if (transaction.last_part) store_->keep_xa(source, xid, 0, transaction.xa_tables);
  take_unrecorded(transaction);
}

void WriterLoop::release_xa(std::unique_ptr<normalize::Transaction> commit) {
  const auto& source = config_.source.name;
  const std::string xid = commit->xid;
  normalize::Options options;
  options.source = source;
  options.mask = &mask_;
  normalize::XaRelease release(options, std::move(commit));
  const auto use = [](const core::Result<>& result) {
    if (!result) throw core::Failure(core::Area::Store, false, result.error().message);
  };
  const auto take_parts = [&] {
    while (auto part = release.take()) take_transaction(*part);
  };
  for (std::uint64_t part = 1; const auto events = store_->kept_xa(source, xid, part); ++part) {
    use(release.push(*events));
    take_parts();
    channel_.progress();
  }
  use(release.finish());
  store_->drop_xa(source, xid, false);
  take_parts();
}

void WriterLoop::record(const normalize::Transaction& transaction) {
  events_.clear();
  rule_gaps_.clear();
  if (transaction.first_part && transaction.last_part) {
    engine_->infer(transaction, events_, rule_gaps_);
  } else {
    engine_->bulk(transaction, events_, rule_gaps_);
  }
  note_gaps(transaction, transaction.gaps);
  note_gaps(transaction, rule_gaps_);
  // A large transaction is rendered in slices, so that its text never stands in memory as a whole.
  std::size_t next_change = 0;
  do {
    next_change =
        batch_.add(transaction, next_change, config_.limits.append_bytes, events_, rule_gaps_);
    if (next_change == transaction.changes.size()) {
      const auto first_event = batch_.next_seq() - events_.size();
      engine_->set_event_seq(first_event);
      if (transaction.last_part) judge(transaction, first_event);
    }
    if (batch_.bytes() >= config_.limits.append_bytes) append();
  } while (next_change < transaction.changes.size());
  changes_ += transaction.changes.size();
  event_count_ += events_.size();
  if (!transaction.last_part) return;
  ++transactions_;
  if (announce_) {
    for (auto& event : events_) pending_.push_back(std::move(event));
  }
}

/// The position behind the transaction, when this is its last part.
void WriterLoop::move_on(const normalize::Transaction& transaction) {
  dirty_ = true;
  inside_transaction_ = !transaction.last_part;
  if (!transaction.last_part) return;
  if (position_.file != transaction.file) position_.file = transaction.file;
  position_.pos = transaction.end_pos;
  event_time_us_ = transaction.event_time_us;
  if (transaction.gtid.empty()) gtids_.reset();
  if (gtids_) gtids_->add(transaction.gtid);
  if (uncommitted_bytes_ + batch_.bytes() >= config_.limits.commit_bytes_max) commit();
}

/// What the detectors say of a transaction stands behind its events, in the same commit.
void WriterLoop::judge(const normalize::Transaction& transaction, std::uint64_t first_event) {
  anomalies_.clear();
  detectors_.observe(transaction, events_, first_event, rule_gaps_.size(), anomalies_);
  std::string payload;
  for (const auto& anomaly : anomalies_) {
    payload.clear();
    insight::append_anomaly(payload, anomaly, transaction);
    const auto evidence = insight::evidence_text(anomaly);
    batch_.add_anomaly({anomaly.time_us, anomaly.severity, anomaly.detector->id, anomaly.actor,
                        evidence, payload});
  }
}

void WriterLoop::note_gaps(const normalize::Transaction& transaction,
                           const std::vector<normalize::Gap>& gaps) {
  for (const auto& gap : gaps) {
    ++gaps_[std::string(normalize::gap_kind_name(gap.kind))];
    log_gap(transaction, gap);
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
  store_->save_state(engine_->take_state());
  const bool whole = detectors_.wants_snapshot();
  const auto observed = whole ? detectors_.snapshot() : detectors_.take_observed();
  if (!observed.empty()) {
    store_->save_detector_state(config_.source.name, observed, whole);
  }
  position_.gtid_set = gtids_ ? gtids_->text() : std::string();
  store_->commit(config_.source.name, position_, event_time_us_);
  uncommitted_bytes_ = 0;
  dirty_ = false;
  state_.update([&](Snapshot& s) {
    s.transactions = transactions_;
    s.changes = changes_;
    s.events = event_count_;
    s.gaps = gaps_;
    s.xa_rolled_back = xa_rolled_back_;
    s.next_seq = batch_.next_seq();
    s.event_time_us = event_time_us_;
    s.last_commit_us = now_us();
    s.position = position_;
  });
  for (const auto& event : pending_) announce_(event);
  pending_.clear();
  store_->publish_head(false);  // last: the records are durable whatever becomes of it
}

}  // namespace rowtrail::pipeline
