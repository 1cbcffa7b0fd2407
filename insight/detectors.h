// The state of the detectors and their parts. Private to insight/.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "insight/anomaly.h"
#include "insight/flat_map.h"
#include "insight/observation.h"
#include "insight/statistics.h"

namespace rowtrail::insight {

enum class DetectorId : std::uint8_t {
  ActorRate,
  ActorBurst,
  ObjectRate,
  TypeRate,
  Silence,
  Drift,
  NewType,
  NewActor,
  NewActorType,
  NewActorTable,
  NewTransition,
  ColumnValue,
  ObjectValue,
  RoundAmount,
  BelowLimit,
  OffHours,
  Bulk,
  DormantActor,
  Backdating,
  SameHand,
  OwnFollowUp,
  RareOperation,
  Unbalanced,
  UnexplainedChange,
  UnusualStep,
  TooFast,
  NoContext,
  SchemaChange,
  GapMet,
  Count,
};
[[nodiscard]] const DetectorInfo& info(DetectorId id);

/// Counts per period, of those before with their weight halved about every 34 periods.
struct RateCell {
  std::uint32_t touched = 0;
  std::uint32_t period = 0;
  std::uint32_t count = 0;                 // in that period
  float weight = 0, sum = 0, squares = 0;  // of the periods before
  float excess = 0;                        // CUSUM

  [[nodiscard]] double mean() const { return weight > 0 ? double{sum} / double{weight} : 0; }
};
/// What a count is held against.
struct Usual {
  double mean = 0, dispersion = 1.5, peers = 0;
};
/// How often something was so, among how often it could have been.
struct ShareCell {
  std::uint32_t touched = 0;
  float all = 0, so = 0;
};
/// Mean and variance of transformed values; the oldest fade.
struct ValueCell {
  std::uint32_t touched = 0;
  float count = 0, mean = 0, variance = 0;
};
struct SeenCell {
  std::uint32_t touched = 0;
};
/// When somebody acts.
struct HoursCell {
  std::uint32_t touched = 0;
  std::uint32_t last_day = 0;
  float days = 0, gap = 0;  // active days, and how far apart on average
  float all = 0;
  std::array<float, 24> hours{};
  std::array<float, 7> weekdays{};
};
/// Where an object's life stands.
struct LifeCell {
  std::uint32_t touched = 0;
  std::uint32_t steps = 0;
  std::uint64_t step = 0, actor = 0;
  std::int64_t time_us = 0;
};
/// What was recorded of one subject by one detector on a day.
struct ToldCell {
  std::uint32_t touched = 0;
  std::uint32_t day = 0;
  float surprise = 0;
};
/// One event, for the evidence of what comes later.
struct Recent {
  std::uint64_t seq = 0, number = 0;
  std::uint64_t type = 0, actor = 0, object = 0;  // object: its first one
  std::uint32_t day = 0;
};

class Judge {
 public:
  void observe(const Observation& seen, std::vector<Anomaly>& out);
  void save(std::string& out) const;
  [[nodiscard]] bool load(std::string_view& bytes);

 private:
  struct Finding {
    std::uint64_t subject = 0;  // told once a day, unless it grows
    std::string_view actor;
    std::uint64_t evidence_type = 0, evidence_actor = 0, evidence_object = 0;
    bool today = false;  // evidence is all such events of the day, not only this one
  };
  using Words = std::function<std::string(std::string& numbers)>;
  void judge(DetectorId id, double score, const Finding& finding, const Words& words);
  void nothing(DetectorId id) { tails_[static_cast<std::size_t>(id)].add_nothing(); }
  [[nodiscard]] double per_day(DetectorId id, double probability) const;
  void add_evidence(const Finding& finding, Anomaly& anomaly) const;

  void begin_time(const Observation& seen);
  void end_day();
  void judge_event(const Observation& seen, const ObservedEvent& event);
  void judge_rates(const ObservedEvent& event);
  void judge_objects(const Observation& seen, const ObservedEvent& event);
  void judge_life(const ObservedEvent& event, const ObservedObject& object);
  void judge_novelty(const Observation& seen, const ObservedEvent& event);
  void judge_hours(const ObservedEvent& event);
  void judge_rows(const Observation& seen);
  void judge_values(const Observation& seen);
  void judge_amounts(const ObservedValue& value);
  void judge_flags(const Observation& seen);
  void judge_integrity(const Observation& seen);

  void roll(RateCell& cell, std::uint32_t period, bool drifts);
  void judge_drift(const ObservedEvent& event, RateCell& cell);
  [[nodiscard]] Usual usual_of(const RateCell& cell, double peers, double peer_weight) const;
  void judge_share(DetectorId id, std::uint64_t key, bool so, const Finding& finding,
                   const Words& words);
  /// `pool`: the spread within all subjects like this one, which helps while few values are known.
  double value_score(std::uint64_t key, std::uint64_t pool, double value, double count_min,
                     double floor, double& usual, double& side);
  [[nodiscard]] std::string_view actor_text() const { return event_.actor.text; }
  [[nodiscard]] std::string who() const;
  [[nodiscard]] Finding here(std::uint64_t subject) const;

  // Of the observation being judged.
  ObservedEvent event_;  // its first event
  std::int64_t time_us_ = 0;
  std::vector<Anomaly>* out_ = nullptr;

  // Remembered.
  std::uint32_t now_ = 0;             // observations so far
  std::uint32_t people_ = 0;          // that have acted so far
  std::uint64_t number_ = 0;          // events so far
  std::uint32_t day_ = 0, hour_ = 0;  // active days and hours so far, from 1
  std::int64_t calendar_hour_ = -1;
  std::array<ScoreTail, static_cast<std::size_t>(DetectorId::Count)> tails_;
  FlatMap<RateCell> rates_{1'200'000};
  FlatMap<ShareCell> shares_{400'000};
  FlatMap<ValueCell> values_{400'000};
  FlatMap<SeenCell> seen_{2'000'000};
  FlatMap<HoursCell> hours_{50'000};
  FlatMap<LifeCell> lives_{200'000};
  FlatMap<ToldCell> told_{50'000};
  FlatMap<RateCell> types_{20'000};
  std::map<std::uint64_t, std::string> type_names_;
  std::vector<Recent> recent_;  // a ring
};

}  // namespace rowtrail::insight
