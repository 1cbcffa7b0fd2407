// The writing half: channel → inference → batch → store. Group commit: everything that is waiting
// goes into one commit, so a lone transaction is durable at once and batches grow under load.
#pragma once

#include <functional>
#include <map>
#include <memory>
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
  WriterLoop(const Config& config, const infer::LoadedRules& rules, Announce announce,
             Channel& channel, SharedState& state, std::function<void()> on_reset);

  /// Until the channel is closed and drained, or an error that waiting cannot mend.
  void run() noexcept;

 private:
  void supervise();
  void open_store();
  void drain();
  void take(Item item);
  void take_transaction(const normalize::Transaction& transaction);
  void judge(const normalize::Transaction& transaction);
  void append();
  void commit();

  const Config& config_;
  const infer::LoadedRules& rules_;
  Announce announce_;
  Channel& channel_;
  SharedState& state_;
  std::function<void()> on_reset_;
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
  std::uint64_t transactions_ = 0, changes_ = 0, event_count_ = 0;
};

}  // namespace rowtrail::pipeline
