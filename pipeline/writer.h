// The writing half: channel → inference → batch → store. Group commit: everything that is waiting
// goes into one commit, so a lone transaction is durable at once and batches grow under load.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "insight/insight.h"
#include "pipeline/channel.h"
#include "pipeline/state.h"

namespace rowtrail::pipeline {

class WriterLoop {
 public:
  /// `on_reset` wakes capture, which has to read again from the durable position.
  WriterLoop(const Config& config, infer::LoadedRules rules, Announce announce, Channel& channel,
             SharedState& state, std::function<void()> on_reset,
             std::function<void(const std::string& note)> on_head);

  /// Until the channel is closed and drained, or an error that waiting cannot mend.
  void run() noexcept;
  /// Other rules, from the next transaction on. Any thread.
  void reload(infer::LoadedRules rules);

 private:
  void supervise();
  void open_store();
  void make_engine();
  void record_rules();
  void take_reloaded();
  void drain();
  void take(Item item);
  void take_transaction(const normalize::Transaction& transaction);
  void judge(const normalize::Transaction& transaction, std::uint64_t first_event);
  void record(const normalize::Transaction& transaction);
  void take_unrecorded(normalize::Transaction& transaction);
  void move_on(const normalize::Transaction& transaction);
  void keep_xa(normalize::Transaction& transaction);
  void release_xa(std::unique_ptr<normalize::Transaction> commit);
  void note_gaps(const normalize::Transaction& transaction,
                 const std::vector<normalize::Gap>& gaps);
  void append();
  void commit();

  const Config& config_;
  normalize::Mask mask_;  // of XA transactions' rows, which the normalizer of capture has not seen
  infer::LoadedRules rules_;
  std::mutex reload_mutex_;
  std::optional<infer::LoadedRules> reloaded_;
  Announce announce_;
  Channel& channel_;
  SharedState& state_;
  std::function<void()> on_reset_;
  std::function<void(const std::string&)> on_head_;
  std::unique_ptr<store::Writer> store_;
  std::unique_ptr<infer::Engine> engine_;
  insight::Detectors detectors_;
  std::vector<insight::Anomaly> anomalies_;
  store::Batch batch_;
  binlog::Position position_;
  std::optional<binlog::GtidSet> gtids_;
  std::int64_t event_time_us_ = 0;
  std::vector<infer::BusinessEvent> events_;
  std::vector<normalize::Gap> rule_gaps_;  // of the transaction being taken
  std::vector<infer::BusinessEvent> pending_;
  std::size_t uncommitted_bytes_ = 0;
  bool dirty_ = false;               // something to commit
  bool inside_transaction_ = false;  // parts of a transaction are appended, its last is not
  std::map<std::string, std::uint64_t> gaps_;  // by kind
  std::uint64_t xa_parts_ = 0;                 // kept of the XA transaction that is being kept
  std::uint64_t xa_rolled_back_ = 0;
  std::uint64_t transactions_ = 0, changes_ = 0, event_count_ = 0;
};

}  // namespace rowtrail::pipeline
