// The reading half: source → decoder → normalizer → channel, with reconnection and back-pressure.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "pipeline/channel.h"
#include "pipeline/state.h"

namespace rowtrail::pipeline {

class Capture {
 public:
  Capture(const Config& config, Channel& channel, SharedState& state)
      : config_(config),
        mask_(config.mask_rules, config.mask_key),
        channel_(channel),
        state_(state) {}

  /// Until the end of the input, stop(), or an error that waiting cannot mend (reported to the
  /// state). Closes the channel when it returns.
  void run() noexcept;
  /// Wakes a blocked read. Any thread.
  void interrupt() noexcept;

 private:
  enum class Outcome : std::uint8_t { Ended, Reset, Stalled };

  /// Where reading goes on after a cut, kept at the last transaction handed over as a whole.
  struct Resume {
    binlog::Position position;
    std::optional<binlog::GtidSet> gtids;  // unknown after a start by file and position
    std::int64_t event_time_us = 0;
    std::map<std::pair<std::string, std::string>, normalize::KnownSchema> schemas;
    std::map<std::string, std::string> xa_tables;  // of prepared XA transactions, by xid
    std::size_t parts_to_skip = 0;  // of the next transaction: handed over before the cut
  };

  void supervise();
  void resume_from_store();
  /// The server's starting point by config.start, when the log has none; sets the end for
  /// until_end.
  void ask_server();
  Outcome stream();
  /// Hands over what the normalizer has finished.
  std::optional<Outcome> deliver(normalize::Normalizer& normalizer);
  std::optional<Outcome> push(Item& item);
  void forget_delivered();
  void note_delivered(const normalize::Transaction& transaction);
  /// Outside transactions: a new file, or the executed set at its start.
  std::optional<Outcome> note_position(const binlog::Event& event, const binlog::Decoder& decoder);
  [[nodiscard]] bool reached_end(const std::string& file, std::uint64_t pos) const;
  /// A new log learns the executed set it starts with.
  std::optional<Outcome> tell_start();
  std::unique_ptr<binlog::Source> open_source();
  void close_source();

  const Config& config_;
  normalize::Mask mask_;
  Channel& channel_;
  SharedState& state_;
  Resume resume_;
  std::uint64_t epoch_ = 0;
  std::optional<binlog::Position> end_;
  binlog::Flavor flavor_ = binlog::Flavor::MySql;
  bool gtids_on_ = true;
  bool start_untold_ = false;   // the position is not the store's, but where `start` led
  std::size_t parts_seen_ = 0;  // of the transaction being delivered
  std::vector<normalize::VersionedSchema> new_schemas_;  // of the transaction being delivered
  std::vector<std::pair<std::string, std::string>> partial_images_;  // tables told in it
  std::optional<Item> stalled_;  // what could not be handed over before the link was dropped
  std::mutex source_mutex_;
  std::unique_ptr<binlog::Source> source_;
};

/// binlog.000009:200 comes before binlog.000010:4: by number of the file, then by position.
[[nodiscard]] int compare_positions(const std::string& file_a, std::uint64_t pos_a,
                                    const std::string& file_b, std::uint64_t pos_b);

}  // namespace rowtrail::pipeline
