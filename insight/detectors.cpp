#include "insight/detectors.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace rowtrail::insight {
namespace {

constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr std::uint32_t kDaysOfLearning = 10;  // active days before rates and habits are judged
constexpr std::size_t kRecentMax = 16'384;
constexpr std::size_t kEvidenceMax = 20;
constexpr std::size_t kTypeNamesMax = 20'000;

std::uint64_t key_of(DetectorId id, std::uint64_t a, std::uint64_t b = 0) {
  return mixed(mixed(static_cast<std::uint64_t>(id) + 1, a), b);
}

/// A severity one higher for what is beyond doubt.
infer::Severity raised(infer::Severity severity, double surprise) {
  constexpr double kBeyondDoubt = 6;
  if (surprise < kBeyondDoubt || severity == infer::Severity::Critical) return severity;
  return static_cast<infer::Severity>(static_cast<int>(severity) + 1);
}

}  // namespace

double Judge::per_day(DetectorId id, double probability) const {
  const auto& tail = tails_[static_cast<std::size_t>(id)];
  return probability * std::max(tail.count(), 1.0) / std::max<double>(day_, 1);
}

void Judge::judge(DetectorId id, double score, const Finding& finding, const Words& words) {
  auto& tail = tails_[static_cast<std::size_t>(id)];
  const auto& detector = info(id);
  tail.add(score);
  if (score < detector.score_min) return;
  const double probability = tail.probability(score);
  const double per = per_day(id, probability);
  if (per > detector.expected_per_day) return;
  const double surprise = std::min(-std::log10(std::max(per, 1e-30)), kScoreMax);
  auto& told = told_.at(key_of(id, finding.subject), now_);
  constexpr float kGrowth = 2;
  if (told.day == day_ && surprise < static_cast<double>(told.surprise + kGrowth)) return;
  told.day = day_;
  told.surprise = static_cast<float>(surprise);
  Anomaly anomaly;
  anomaly.detector = &detector;
  anomaly.time_us = time_us_;
  anomaly.severity = raised(detector.severity, surprise);
  anomaly.actor = finding.actor;
  anomaly.surprise = surprise;
  anomaly.probability = probability;
  std::string numbers;
  anomaly.summary = words(numbers);
  anomaly.numbers = "{" + numbers + "}";
  add_evidence(finding, anomaly);
  out_->push_back(std::move(anomaly));
}

void Judge::add_evidence(const Finding& finding, Anomaly& anomaly) const {
  const auto add = [&](const Recent& event) {
    anomaly.events.push_back(event.number);
    anomaly.evidence.push_back(event.seq);
  };
  const auto size = std::min<std::uint64_t>(number_, kRecentMax);
  for (std::uint64_t back = 0; back < size && anomaly.evidence.size() < kEvidenceMax; ++back) {
    const auto& event = recent_[(number_ - 1 - back) % kRecentMax];
    if (!finding.today) {
      // The events of this transaction stand at the end.
      if (event.seq < event_.seq) break;
      add(event);
      continue;
    }
    if (event.day != day_) break;
    const auto fits = [](std::uint64_t wanted, std::uint64_t is) {
      return wanted == 0 || wanted == is;
    };
    if (fits(finding.evidence_type, event.type) && fits(finding.evidence_actor, event.actor) &&
        fits(finding.evidence_object, event.object)) {
      add(event);
    }
  }
  std::reverse(anomaly.events.begin(), anomaly.events.end());
  std::reverse(anomaly.evidence.begin(), anomaly.evidence.end());
}

std::string Judge::who() const {
  return event_.actor.hash == 0 ? std::string("Somebody unknown") : std::string(actor_text());
}

Judge::Finding Judge::here(std::uint64_t subject) const {
  Finding finding;
  finding.subject = subject;
  finding.actor = actor_text();
  return finding;
}

void Judge::begin_time(const Observation& seen) {
  time_us_ = seen.time_us;
  const auto hour = seen.time_us / kHourUs;
  if (hour <= calendar_hour_) return;
  const bool new_day = calendar_hour_ < 0 || hour / 24 != calendar_hour_ / 24;
  if (new_day && calendar_hour_ >= 0) end_day();
  calendar_hour_ = hour;
  ++hour_;
  if (new_day) ++day_;
}

void Judge::roll(RateCell& cell, std::uint32_t period, bool drifts) {
  if (cell.period == 0) cell.period = period;
  if (cell.period >= period) return;
  constexpr double kKept = 0.98;
  const double mean = cell.mean();
  const double variance =
      cell.weight > 0 ? std::max(double{cell.squares} / double{cell.weight} - mean * mean, mean)
                      : 0;
  const double deviation = std::sqrt(std::max(variance, 0.25));
  double count = cell.count;
  // An outlier shall not become the usual at once.
  if (cell.weight >= 5) count = std::min(count, mean + 4 * deviation + 2);
  if (drifts && cell.weight >= 15) {
    cell.excess =
        static_cast<float>(std::max(0.0, double{cell.excess} + (count - mean) / deviation - 0.5));
  }
  const double gap = period - cell.period - 1;
  const double faded = std::pow(kKept, gap);
  cell.weight =
      static_cast<float>((double{cell.weight} * kKept + 1) * faded + (1 - faded) / (1 - kKept));
  cell.sum = static_cast<float>((double{cell.sum} * kKept + count) * faded);
  cell.squares = static_cast<float>((double{cell.squares} * kKept + count * count) * faded);
  if (gap > 0) cell.excess = 0;
  cell.count = 0;
  cell.period = period;
}

Usual Judge::usual_of(const RateCell& cell, double peers, double peer_weight) const {
  Usual usual;
  usual.peers = peers;
  const double weight = cell.weight;
  usual.mean = std::max((double{cell.sum} + peers * peer_weight) / (weight + peer_weight), 0.02);
  const double own = cell.mean();
  const double variance = weight > 0 ? std::max(double{cell.squares} / weight - own * own, 0.0) : 0;
  constexpr double kPriorDays = 5;
  constexpr double kPrior = 1.5;
  usual.dispersion = std::clamp(
      (weight * variance / std::max(own, 0.05) + kPriorDays * kPrior) / (weight + kPriorDays), 1.2,
      100.0);
  return usual;
}

namespace {

/// "3–7" or "3": where counts usually lie.
std::string usual_range(double mean, double dispersion) {
  const double spread = 1.3 * std::sqrt(mean * dispersion);
  const auto low = static_cast<std::int64_t>(std::max(0.0, std::floor(mean - spread + 0.5)));
  const auto high = static_cast<std::int64_t>(std::floor(mean + spread + 0.5));
  return low == high ? std::to_string(low) : fmt::format("{}–{}", low, high);
}

std::string times(std::uint32_t count) {
  return count == 1 ? std::string("once") : fmt::format("{} times", count);
}

}  // namespace

void Judge::end_day() {
  if (day_ < kDaysOfLearning) return;
  std::vector<std::pair<std::uint64_t, double>> quiet;
  types_.each([&](std::uint64_t key, RateCell& cell) {
    RateCell now = cell;
    roll(now, day_, false);
    if (now.weight < kDaysOfLearning) return;
    const auto usual = usual_of(now, now.mean(), 0);
    if (usual.mean < 2) return;
    quiet.emplace_back(key, low_count_score(now.count, usual.mean, usual.dispersion));
  });
  std::sort(quiet.begin(), quiet.end());
  for (const auto& [key, score] : quiet) {
    const auto name = type_names_.find(key);
    if (name == type_names_.end()) continue;
    const auto* cell = types_.find(key);
    Finding finding;
    finding.subject = key;
    judge(DetectorId::Silence, score, finding, [&, type = key](std::string& numbers) {
      RateCell now = *cell;
      roll(now, day_, false);
      const auto usual = usual_of(now, now.mean(), 0);
      numbers = fmt::format("\"count\":{},\"usual\":{:.2f}", now.count, usual.mean);
      return fmt::format("{} came {} on the day before; usual {}", name->second,
                         now.count == 0 ? std::string("not at all") : times(now.count),
                         usual_range(usual.mean, usual.dispersion));
    });
  }
}

void Judge::judge_rates(const ObservedEvent& event) {
  auto& all = types_.at(event.type.hash, now_);
  roll(all, day_, false);
  ++all.count;
  auto& names = type_names_;
  if (names.size() < kTypeNamesMax) names.try_emplace(event.type.hash, event.type.text);
  const bool known_type = all.weight >= kDaysOfLearning;
  const auto usual_all = usual_of(all, all.mean(), 0);
  const auto type_count = all.count;
  if (known_type && type_count > usual_all.mean) {
    Finding finding;
    finding.subject = event.type.hash;
    finding.evidence_type = event.type.hash;
    finding.today = true;
    judge(DetectorId::TypeRate, count_score(type_count, usual_all.mean, usual_all.dispersion),
          finding, [&](std::string& numbers) {
            numbers = fmt::format("\"count\":{},\"usual\":{:.2f}", type_count, usual_all.mean);
            return fmt::format("{} came {} today; usual {}", event.type.text, times(type_count),
                               usual_range(usual_all.mean, usual_all.dispersion));
          });
  } else {
    nothing(DetectorId::TypeRate);
  }
  if (event.actor.hash == 0) return;
  // How many people do this: counted when they first do.
  auto& people = shares_.at(key_of(DetectorId::ActorRate, event.type.hash), now_);
  const auto pair = mixed(event.type.hash, event.actor.hash);
  auto& own = rates_.at(key_of(DetectorId::ActorRate, pair), now_);
  if (own.period == 0) people.all += 1;
  const double peers = usual_all.mean / std::max(double{people.all}, 1.0);
  roll(own, day_, true);
  ++own.count;
  const auto usual = usual_of(own, peers, 3);
  const auto count = own.count;
  Finding finding;
  finding.subject = pair;
  finding.actor = event.actor.text;
  finding.evidence_type = event.type.hash;
  finding.evidence_actor = event.actor.hash;
  finding.today = true;
  const auto words = [&](const char* span, std::uint32_t number, const Usual& is) {
    return fmt::format("{}: {} {} {}; usual {}, peers {}", event.actor.text, event.type.text,
                       times(number), span, usual_range(is.mean, is.dispersion),
                       usual_range(is.peers, is.dispersion));
  };
  if (day_ > kDaysOfLearning && count > usual.mean) {
    judge(DetectorId::ActorRate, count_score(count, usual.mean, usual.dispersion), finding,
          [&](std::string& numbers) {
            numbers = fmt::format("\"count\":{},\"usual\":{:.2f},\"peers\":{:.2f}", count,
                                  usual.mean, usual.peers);
            return words("today", count, usual);
          });
  } else {
    nothing(DetectorId::ActorRate);
  }
  if (count == 1) judge_drift(event, own);
  auto& burst = rates_.at(key_of(DetectorId::ActorBurst, pair), now_);
  roll(burst, hour_, false);
  ++burst.count;
  constexpr double kHoursOfDay = 8;
  const auto hourly = usual_of(burst, peers / kHoursOfDay, 3 * kHoursOfDay);
  const auto in_hour = burst.count;
  if (day_ > kDaysOfLearning && in_hour >= 3 && in_hour > hourly.mean) {
    judge(DetectorId::ActorBurst, count_score(in_hour, hourly.mean, hourly.dispersion), finding,
          [&](std::string& numbers) {
            numbers = fmt::format("\"count\":{},\"usual\":{:.2f}", in_hour, hourly.mean);
            return words("within an hour", in_hour, hourly);
          });
  } else {
    nothing(DetectorId::ActorBurst);
  }
}

void Judge::judge_drift(const ObservedEvent& event, RateCell& cell) {
  constexpr double kExcessMin = 8;
  const double excess = cell.excess;
  if (excess < kExcessMin) {
    nothing(DetectorId::Drift);
    return;
  }
  Finding finding;
  finding.subject = mixed(event.type.hash, event.actor.hash);
  finding.actor = event.actor.text;
  const double mean = cell.mean();
  judge(DetectorId::Drift, excess / 2, finding, [&](std::string& numbers) {
    numbers = fmt::format("\"usual\":{:.2f},\"excess\":{:.2f}", mean, excess);
    return fmt::format("{}: {} has been above the usual {:.1f} a day for some time",
                       event.actor.text, event.type.text, mean);
  });
}

void Judge::judge_objects(const Observation& seen, const ObservedEvent& event) {
  for (auto i = event.objects_begin; i < event.objects_end; ++i) {
    const auto& object = seen.objects[i];
    const auto key = mixed(mixed(object.type.hash, object.id.hash), event.type.hash);
    auto& cell = rates_.at(key_of(DetectorId::ObjectRate, key), now_);
    roll(cell, day_, false);
    ++cell.count;
    const auto usual = usual_of(cell, cell.mean(), 0);
    const auto count = cell.count;
    if (cell.weight >= kDaysOfLearning && count >= 3 && count > usual.mean) {
      Finding finding;
      finding.subject = key;
      finding.evidence_type = event.type.hash;
      finding.evidence_object =
          i == event.objects_begin ? mixed(object.type.hash, object.id.hash) : 0;
      finding.today = finding.evidence_object != 0;
      judge(DetectorId::ObjectRate, count_score(count, usual.mean, usual.dispersion), finding,
            [&](std::string& numbers) {
              numbers = fmt::format("\"count\":{},\"usual\":{:.2f}", count, usual.mean);
              return fmt::format("{} {}: {} {} today; usual {}", object.type.text, object.id.text,
                                 event.type.text, times(count),
                                 usual_range(usual.mean, usual.dispersion));
            });
    } else {
      nothing(DetectorId::ObjectRate);
    }
    judge_life(event, object);
  }
}

void Judge::judge_life(const ObservedEvent& event, const ObservedObject& object) {
  // Only objects with a life of their own: a product takes part in everything.
  auto& kind = shares_.at(key_of(DetectorId::UnusualStep, object.type.hash), now_);
  auto& life = lives_.at(mixed(object.type.hash, object.id.hash), now_);
  kind.all += 1;
  if (life.steps == 0) kind.so += 1;
  constexpr float kStepsMax = 5;
  const bool is_case = kind.all <= kStepsMax * kind.so;
  const LifeCell before = life;
  life.step = event.type.hash;
  life.actor = event.actor.hash;
  life.time_us = time_us_;
  life.steps = std::min(before.steps + 1, 1'000'000U);
  if (!is_case) return;
  const auto from = mixed(object.type.hash, before.step);
  const auto step = mixed(from, event.type.hash);
  auto& all = shares_.at(key_of(DetectorId::UnusualStep, from, 1), now_);
  all.all += 1;
  const double total = all.all;
  auto& these = shares_.at(key_of(DetectorId::UnusualStep, step, 2), now_);
  const double share = (double{these.so} + 0.5) / total;
  these.so += 1;
  const auto name = type_names_.find(before.step);
  const std::string previous = name == type_names_.end() ? std::string() : name->second;
  if (total >= 50) {
    auto finding = here(step);
    finding.actor = event.actor.text;
    judge(DetectorId::UnusualStep, std::max(0.0, -std::log10(share)), finding,
          [&](std::string& numbers) {
            numbers = fmt::format("\"such\":{},\"of\":{}", these.so, total);
            return before.steps == 0
                       ? fmt::format("{} {} begins with {}: {} of {} did", object.type.text,
                                     object.id.text, event.type.text, these.so, total)
                       : fmt::format("{} {}: {} after {}: {} of {} went on so", object.type.text,
                                     object.id.text, event.type.text, previous, these.so, total);
          });
  }
  if (before.steps == 0 || before.time_us == time_us_) return;
  const double seconds = static_cast<double>(time_us_ - before.time_us) / 1e6;
  double usual = 0;
  double side = 0;
  const double score =
      value_score(key_of(DetectorId::TooFast, step), 0, seconds, 20, 0.5, usual, side);
  if (side < 0) {
    judge(DetectorId::TooFast, score, here(step), [&](std::string& numbers) {
      numbers = fmt::format("\"seconds\":{:.0f},\"usual\":{:.0f}", seconds, usual);
      return fmt::format("{} {}: {} only {:.0f} s after {}; usual {:.0f} s", object.type.text,
                         object.id.text, event.type.text, seconds, previous, usual);
    });
  } else {
    nothing(DetectorId::TooFast);
  }
  if (event.actor.hash == 0 || before.actor == 0) return;
  const bool same = before.actor == event.actor.hash;
  auto finding = here(mixed(step, event.actor.hash));
  finding.actor = event.actor.text;
  judge_share(DetectorId::SameHand, step, same, finding, [&](std::string& numbers) {
    numbers = fmt::format("\"step\":\"follow-up\"");
    return fmt::format("{} did both {} and {} on {} {}", event.actor.text, previous,
                       event.type.text, object.type.text, object.id.text);
  });
  if (!same) return;
  auto& own = rates_.at(key_of(DetectorId::OwnFollowUp, step, event.actor.hash), now_);
  roll(own, day_, false);
  ++own.count;
  const auto often = usual_of(own, 0.2, 3);
  const auto count = own.count;
  if (day_ <= kDaysOfLearning || count < 2) {
    nothing(DetectorId::OwnFollowUp);
    return;
  }
  finding.evidence_type = event.type.hash;
  finding.evidence_actor = event.actor.hash;
  finding.today = true;
  judge(DetectorId::OwnFollowUp, count_score(count, often.mean, often.dispersion), finding,
        [&](std::string& numbers) {
          numbers = fmt::format("\"count\":{},\"usual\":{:.2f}", count, often.mean);
          return fmt::format("{}: {} {} today after doing {} themselves; usual {}",
                             event.actor.text, event.type.text, times(count), previous,
                             usual_range(often.mean, often.dispersion));
        });
}

void Judge::judge_share(DetectorId id, std::uint64_t key, bool so, const Finding& finding,
                        const Words& words) {
  constexpr float kSharesMin = 50;
  auto& cell = shares_.at(key_of(id, key), now_);
  const double share = (double{cell.so} + 0.5) / (double{cell.all} + 1);
  const bool known = cell.all >= kSharesMin;
  cell.all += 1;
  if (so) cell.so += 1;
  if (so && known) {
    judge(id, -std::log10(share), finding, words);
  } else {
    nothing(id);
  }
}

void Judge::judge_novelty(const Observation& seen, const ObservedEvent& event) {
  auto& types = shares_.at(key_of(DetectorId::NewType, 0), now_);
  types.all += 1;
  const bool warm = day_ > kDaysOfLearning;
  const auto first = [&](std::uint64_t key) {
    if (seen_.find(key) != nullptr) {
      seen_.at(key, now_);
      return false;
    }
    seen_.at(key, now_);
    return true;
  };
  const auto share_of = [](const ShareCell& cell) {
    return (double{cell.so} + 0.5) / (double{cell.all} + 1);
  };
  if (first(key_of(DetectorId::NewType, event.type.hash))) {
    const double share = share_of(types);
    if (warm) {
      types.so += 1;
      judge(DetectorId::NewType, -std::log10(share), here(event.type.hash),
            [&](std::string& numbers) {
              numbers = fmt::format("\"types\":{},\"events\":{}", types.so, types.all);
              return fmt::format("{} happened for the first time, by {}", event.type.text, who());
            });
    }
  } else {
    nothing(DetectorId::NewType);
  }
  if (event.actor.hash == 0) return;
  auto& people = shares_.at(key_of(DetectorId::NewActor, 0), now_);
  people.all += 1;
  if (first(key_of(DetectorId::NewActor, event.actor.hash))) {
    const double share = share_of(people);
    ++people_;
    if (warm) {
      people.so += 1;
      judge(DetectorId::NewActor, -std::log10(share), here(event.actor.hash),
            [&](std::string& numbers) {
              numbers = fmt::format("\"people\":{}", people_);
              return fmt::format("{} acted for the first time", event.actor.text);
            });
    }
  } else {
    nothing(DetectorId::NewActor);
  }
  const double everybody = std::max<double>(people_, 1);
  const auto pair = [&](DetectorId id, const Name& what, const char* does) {
    const auto key = mixed(event.actor.hash, what.hash);
    auto& own = shares_.at(key_of(id, event.actor.hash, 1), now_);
    own.all += 1;
    if (!first(key_of(id, key))) {
      nothing(id);
      return;
    }
    const double share = share_of(own);
    if (warm) own.so += 1;
    auto& others = shares_.at(key_of(id, what.hash, 2), now_);
    const double common = (double{others.so} + 0.5) / (everybody + 1);
    others.so += 1;
    const auto known = others.so - 1;
    constexpr float kEventsMin = 30;
    auto& by = shares_.at(key_of(id, event.actor.hash, 1), now_);
    if (!warm || by.all < kEventsMin) return;
    auto finding = here(key);
    finding.actor = event.actor.text;
    judge(id, std::max(0.0, -std::log10(share * std::min(common, 1.0))), finding,
          [&](std::string& numbers) {
            numbers = fmt::format("\"people\":{}", known);
            return fmt::format("{} {} {} for the first time; {} others do", event.actor.text, does,
                               what.text, known);
          });
  };
  pair(DetectorId::NewActorType, event.type, "did");
  if (&event != &seen.events.front()) return;
  for (const auto& rows : seen.rows) pair(DetectorId::NewActorTable, rows.table, "wrote to");
}

void Judge::judge_hours(const ObservedEvent& event) {
  if (event.actor.hash == 0) return;
  const auto hour = static_cast<std::size_t>(calendar_hour_ % 24);
  const auto weekday = static_cast<std::size_t>((calendar_hour_ / 24 + 4) % 7);
  const auto smooth = [&](const HoursCell& cell) {
    return 0.5 * (0.5 * double{cell.hours.at((hour + 23) % 24)} + double{cell.hours.at(hour)} +
                  0.5 * double{cell.hours.at((hour + 1) % 24)});
  };
  auto& everybody = hours_.at(key_of(DetectorId::OffHours, 0), now_);
  const double common = (smooth(everybody) + 0.05) / (double{everybody.all} + 1.2);
  const double common_day =
      (double{everybody.weekdays.at(weekday)} + 0.15) / (double{everybody.all} + 1);
  everybody.all += 1;
  everybody.hours.at(hour) += 1;
  everybody.weekdays.at(weekday) += 1;
  auto& own = hours_.at(key_of(DetectorId::OffHours, event.actor.hash), now_);
  constexpr double kPrior = 10;
  const double all = own.all;
  const double share = (smooth(own) + kPrior * common) / (all + kPrior);
  const double share_day =
      (double{own.weekdays.at(weekday)} + kPrior * common_day) / (all + kPrior);
  const auto last_day = own.last_day;
  const double gap = own.gap;
  const double days = own.days;
  own.all += 1;
  own.hours.at(hour) += 1;
  own.weekdays.at(weekday) += 1;
  if (own.last_day != day_) {
    if (last_day != 0) {
      own.gap = static_cast<float>(gap + (static_cast<double>(day_ - last_day) - gap) /
                                             std::min(days + 1, 30.0));
    }
    own.days += 1;
    own.last_day = day_;
  }
  auto finding = here(event.actor.hash);
  finding.actor = event.actor.text;
  finding.evidence_actor = event.actor.hash;
  constexpr double kActsMin = 100;
  if (day_ > kDaysOfLearning && all >= kActsMin) {
    judge(DetectorId::OffHours, std::max(0.0, -std::log10(std::min(share * 4, share_day * 3))),
          finding, [&](std::string& numbers) {
            numbers = fmt::format("\"hour\":{},\"share\":{:.5f},\"of\":{:.0f}", hour, share, all);
            return fmt::format(
                "{} acted at {:02}:00 on a {} (UTC): {} of {:.0f} earlier acts were "
                "at that hour, {} on that weekday",
                event.actor.text, hour,
                std::array{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
                           "Saturday"}
                    .at(weekday),
                own.hours.at(hour) - 1, all, own.weekdays.at(weekday) - 1);
          });
  } else {
    nothing(DetectorId::OffHours);
  }
  const double away = last_day == 0 ? 0 : static_cast<double>(day_ - last_day);
  constexpr double kAwayMin = 10;
  if (away < kAwayMin || days < 5) {
    if (away > 0) nothing(DetectorId::DormantActor);
    return;
  }
  judge(DetectorId::DormantActor, std::min(away / std::max(gap, 1.0) / 2.302585, 12.0), finding,
        [&](std::string& numbers) {
          numbers = fmt::format("\"days\":{:.0f},\"usual\":{:.1f}", away, gap);
          return fmt::format("{} acted again after {:.0f} working days without; usual {:.1f}",
                             event.actor.text, away, gap);
        });
}

double Judge::value_score(std::uint64_t key, std::uint64_t pool, double value, double count_min,
                          double floor, double& usual, double& side) {
  auto& cell = values_.at(key, now_);
  const double x = std::copysign(std::log1p(std::abs(value)), value);
  const double count = cell.count;
  const double mean = cell.mean;
  double variance = cell.variance;
  double freedom = count;
  ValueCell pooled;
  if (const auto* known = pool != 0 ? values_.find(pool) : nullptr) pooled = *known;
  if (pooled.count > 0) {
    // Few values of one subject say little of how far they spread: those of all others help.
    constexpr double kPrior = 10;
    const double prior = std::min(double{pooled.count}, kPrior);
    variance = (count * variance + prior * double{pooled.variance}) / (count + prior);
    freedom = count + std::min(double{pooled.count}, 100.0);
  }
  const double deviation = std::sqrt((variance + floor * floor) * (1 + 1 / std::max(count, 1.0)));
  const double z = (x - mean) / deviation;
  usual = std::copysign(std::expm1(std::abs(mean)), mean);
  side = z;
  const double score = count >= count_min ? deviation_score(std::abs(z), freedom) : 0;
  constexpr double kMemory = 500;
  constexpr double kClip = 4;
  const double weight = 1 / std::min(count + 1, kMemory);
  const double kept = count >= count_min ? std::clamp(z, -kClip, kClip) * deviation : x - mean;
  cell.mean = static_cast<float>(mean + weight * kept);
  cell.variance = static_cast<float>((1 - weight) * (double{cell.variance} + weight * kept * kept));
  cell.count = static_cast<float>(count + 1);
  if (pool != 0 && count >= 1) {
    // How far a value lies from those before it of the same subject; the mean is nothing.
    constexpr double kPoolMemory = 2000;
    constexpr double kPoolFrom = 100;
    auto& all = values_.at(pool, now_);
    const double reach = kClip * std::sqrt(double{all.variance} + floor * floor);
    double residual = (x - mean) * std::sqrt(count / (count + 1));
    if (all.count >= kPoolFrom) residual = std::clamp(residual, -reach, reach);
    const double part = 1 / std::min(double{all.count} + 1, kPoolMemory);
    all.variance =
        static_cast<float>((1 - part) * double{all.variance} + part * residual * residual);
    all.count += 1;
  }
  return score;
}

void Judge::judge_rows(const Observation& seen) {
  for (const auto& rows : seen.rows) {
    const auto op = static_cast<std::uint64_t>(rows.op);
    const auto op_name = normalize::op_name(rows.op);
    auto finding = here(mixed(rows.table.hash, op));
    double usual = 0;
    double side = 0;
    const double score = value_score(key_of(DetectorId::Bulk, rows.table.hash, op), 0, rows.rows,
                                     30, 0.3, usual, side);
    constexpr std::uint32_t kBulkMin = 10;
    if (rows.rows >= kBulkMin && side > 0 && rows.op != normalize::Op::Insert) {
      judge(DetectorId::Bulk, score, finding, [&](std::string& numbers) {
        numbers = fmt::format("\"rows\":{},\"usual\":{:.1f}", rows.rows, usual);
        return fmt::format("{}: {} of {} rows of {} in one transaction; usual {:.0f}", who(),
                           op_name, rows.rows, rows.table.text, usual);
      });
    } else {
      nothing(DetectorId::Bulk);
    }
    // Against what is done to the table at all, inserts included.
    auto& all = shares_.at(key_of(DetectorId::RareOperation, rows.table.hash), now_);
    all.all += 1;
    const double total = all.all;
    auto& such = shares_.at(key_of(DetectorId::RareOperation, rows.table.hash, op + 1), now_);
    const double share = (double{such.so} + 0.5) / total;
    such.so += 1;
    const auto count = such.so;
    constexpr double kKnownFrom = 100;
    if (rows.op != normalize::Op::Insert && total >= kKnownFrom) {
      judge(DetectorId::RareOperation, std::max(0.0, -std::log10(share)), finding,
            [&](std::string& numbers) {
              numbers = fmt::format("\"such\":{},\"of\":{}", count, total);
              return fmt::format("{}: {} in {}; {} of {} transactions with the table did", who(),
                                 op_name, rows.table.text, count, total);
            });
    } else {
      nothing(DetectorId::RareOperation);
    }
    judge_share(DetectorId::NoContext, rows.table.hash, event_.actor.hash == 0, finding,
                [&](std::string& numbers) {
                  numbers = fmt::format("\"rows\":{}", rows.rows);
                  return fmt::format(
                      "{} of {} rows of {} without anybody's name; the application gives one",
                      op_name, rows.rows, rows.table.text);
                });
    judge_share(DetectorId::UnexplainedChange, rows.table.hash, event_.discovered, finding,
                [&](std::string& numbers) {
                  numbers = fmt::format("\"rows\":{}", rows.rows);
                  return fmt::format("{} changed {} outside any known business event ({})", who(),
                                     rows.table.text, event_.type.text);
                });
  }
}

void Judge::judge_amounts(const ObservedValue& value) {
  constexpr double kAmountMin = 20;
  if (event_.actor.hash == 0 || std::abs(value.value) < kAmountMin) return;
  const double amount = std::abs(value.value);
  const bool round = std::abs(amount - std::round(amount / 10) * 10) < 1e-9;
  bool below = false;
  for (const double limit : {50.0, 100.0, 250.0, 500.0, 1000.0, 5000.0, 10000.0}) {
    below = below || (amount < limit && amount >= 0.95 * limit);
  }
  const auto judge_flag = [&](DetectorId id, bool is, const char* what) {
    if (!is) {
      nothing(id);
      return;
    }
    const auto key = mixed(event_.actor.hash, value.column.hash);
    auto& cell = rates_.at(key_of(id, key), now_);
    roll(cell, day_, false);
    ++cell.count;
    const auto usual = usual_of(cell, cell.mean(), 0);
    const auto count = cell.count;
    if (day_ <= kDaysOfLearning || cell.weight < kDaysOfLearning || count < 3) {
      nothing(id);
      return;
    }
    auto finding = here(key);
    finding.evidence_actor = event_.actor.hash;
    finding.evidence_type = event_.type.hash;
    finding.today = true;
    judge(id, count_score(count, usual.mean, usual.dispersion), finding, [&](std::string& numbers) {
      numbers = fmt::format("\"count\":{},\"usual\":{:.2f}", count, usual.mean);
      return fmt::format("{}: {} was {} {} today; usual {}", who(), value.column.text, what,
                         times(count), usual_range(usual.mean, usual.dispersion));
    });
  };
  judge_flag(DetectorId::RoundAmount, round, "round");
  judge_flag(DetectorId::BelowLimit, below, "just below a limit");
}

void Judge::judge_values(const Observation& seen) {
  for (const auto& value : seen.values) {
    double usual = 0;
    double side = 0;
    const auto kind = static_cast<std::uint64_t>(value.kind);
    const auto about = mixed(value.column.hash, kind);
    const auto finding = here(mixed(about, value.subject.hash));
    if (value.kind == ValueKind::Lag) {
      const double score =
          value_score(key_of(DetectorId::Backdating, about), 0, value.value, 100, 0.1, usual, side);
      judge(DetectorId::Backdating, score, finding, [&](std::string& numbers) {
        numbers = fmt::format("\"hours\":{:.1f},\"usual\":{:.1f}", value.value, usual);
        return fmt::format("{}: {} is {:.0f} hours {} the commit; usual {:.1f}", who(),
                           value.column.text, std::abs(value.value),
                           value.value < 0 ? "after" : "before", usual);
      });
      continue;
    }
    const bool of_object = value.subject.hash != 0;
    const auto id = of_object ? DetectorId::ObjectValue : DetectorId::ColumnValue;
    const auto pool = of_object ? key_of(id, about, value.pool) : 0;
    const double score = value_score(key_of(id, about, value.subject.hash), pool, value.value,
                                     of_object ? 3 : 100, of_object ? 0.08 : 0.15, usual, side);
    if (score > 0.5) {
      judge(id, score, finding, [&](std::string& numbers) {
        numbers = fmt::format("\"value\":{:.4f},\"usual\":{:.4f}", value.value, usual);
        const auto where =
            of_object ? fmt::format(" for {} {}",
                                    value.subject.text.substr(value.subject.text.find('.') + 1),
                                    value.subject_id)
                      : std::string();
        return fmt::format("{}: {} {} {:.2f}{}; usual about {:.2f}", who(), value.column.text,
                           value.kind == ValueKind::Difference ? "changed by" : "was", value.value,
                           where, usual);
      });
    } else {
      nothing(id);
    }
    if (!of_object && value.kind == ValueKind::Amount) judge_amounts(value);
  }
}

void Judge::judge_flags(const Observation& seen) {
  for (const auto& flag : seen.flags) {
    if (flag.kind == FlagKind::SameHand) {
      judge_share(DetectorId::SameHand, flag.about.hash, flag.set, here(flag.about.hash),
                  [&](std::string&) {
                    return fmt::format("{}: {} and {} are the same person", who(), flag.about.text,
                                       flag.what.text);
                  });
    } else if (flag.kind == FlagKind::Unbalanced) {
      const auto key = mixed(flag.about.hash, event_.type.hash);
      judge_share(DetectorId::Unbalanced, key, flag.set, here(key), [&](std::string&) {
        return fmt::format("{}: {} in {} does not add up to nothing, as it usually does", who(),
                           flag.about.text, event_.type.text);
      });
    } else {
      auto& all = shares_.at(key_of(DetectorId::NewTransition, flag.about.hash), now_);
      all.all += 1;
      const double total = all.all;
      const auto key = mixed(flag.about.hash, flag.what.hash);
      auto& such = shares_.at(key_of(DetectorId::NewTransition, key, 1), now_);
      const double share = (double{such.so} + 0.5) / total;
      such.so += 1;
      const auto count = such.so;
      constexpr double kKnownFrom = 50;
      if (total < kKnownFrom) continue;
      judge(DetectorId::NewTransition, std::max(0.0, -std::log10(share)), here(key),
            [&](std::string& numbers) {
              numbers = fmt::format("\"such\":{},\"of\":{}", count, total);
              return fmt::format("{}: {} went from {} to {}; {} of {} changes did", who(),
                                 flag.about.text, flag.what.text, flag.then, count, total);
            });
    }
  }
}

void Judge::judge_integrity(const Observation& seen) {
  const auto always = [&](DetectorId id, const Name& what, const Words& words) {
    if (what.hash == 0) return;
    constexpr double kAlways = 3;
    // What comes again and again has been told often enough.
    auto& cell = shares_.at(key_of(id, what.hash), now_);
    cell.so += 1;
    judge(id, kAlways - std::log10(double{cell.so}), here(what.hash), words);
  };
  always(DetectorId::SchemaChange, seen.statement, [&](std::string&) {
    constexpr std::size_t kSqlMax = 120;
    return fmt::format("{}: {}", who(), seen.statement.text.substr(0, kSqlMax));
  });
  always(DetectorId::GapMet, seen.gap, [&](std::string& numbers) {
    numbers = fmt::format("\"gaps\":{}", seen.gaps);
    return fmt::format("{} gaps of kind {}: `rowtrail gaps` says what to do", seen.gaps,
                       seen.gap.text);
  });
}

void Judge::judge_event(const Observation& seen, const ObservedEvent& event) {
  judge_rates(event);
  judge_objects(seen, event);
  judge_novelty(seen, event);
  judge_hours(event);
}

void Judge::observe(const Observation& seen, std::vector<Anomaly>& out) {
  out_ = &out;
  ++now_;
  event_ = seen.events.empty() ? ObservedEvent{} : seen.events.front();
  begin_time(seen);
  if (recent_.empty()) recent_.resize(kRecentMax);
  for (const auto& event : seen.events) {
    auto& recent = recent_[number_ % kRecentMax];
    recent = {event.seq, ++number_, event.type.hash, event.actor.hash, 0, day_};
    if (event.objects_begin < event.objects_end) {
      const auto& object = seen.objects[event.objects_begin];
      recent.object = mixed(object.type.hash, object.id.hash);
    }
  }
  for (const auto& event : seen.events) judge_event(seen, event);
  judge_rows(seen);
  judge_values(seen);
  judge_flags(seen);
  judge_integrity(seen);
  out_ = nullptr;
}

void Judge::save(std::string& out) const {
  put(out, now_);
  put(out, people_);
  put(out, number_);
  put(out, day_);
  put(out, hour_);
  put(out, calendar_hour_);
  for (const auto& tail : tails_) tail.save(out);
  rates_.save(out);
  shares_.save(out);
  values_.save(out);
  seen_.save(out);
  hours_.save(out);
  lives_.save(out);
  told_.save(out);
  types_.save(out);
  put(out, static_cast<std::uint32_t>(type_names_.size()));
  for (const auto& [hash, name] : type_names_) {
    put(out, hash);
    put(out, static_cast<std::uint32_t>(name.size()));
    out += name;
  }
  const auto kept = std::min<std::uint64_t>(number_, kRecentMax);
  for (std::uint64_t n = number_ - kept; n < number_; ++n) put(out, recent_[n % kRecentMax]);
}

bool Judge::load(std::string_view& bytes) {
  if (!take(bytes, now_) || !take(bytes, people_) || !take(bytes, number_) || !take(bytes, day_) ||
      !take(bytes, hour_) || !take(bytes, calendar_hour_)) {
    return false;
  }
  for (auto& tail : tails_) {
    if (!tail.load(bytes)) return false;
  }
  if (!rates_.load(bytes) || !shares_.load(bytes) || !values_.load(bytes) || !seen_.load(bytes) ||
      !hours_.load(bytes) || !lives_.load(bytes) || !told_.load(bytes) || !types_.load(bytes)) {
    return false;
  }
  std::uint32_t names = 0;
  if (!take(bytes, names)) return false;
  for (; names > 0; --names) {
    std::uint64_t hash = 0;
    std::uint32_t size = 0;
    if (!take(bytes, hash) || !take(bytes, size) || bytes.size() < size) return false;
    type_names_.emplace(hash, bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  recent_.resize(kRecentMax);
  const auto kept = std::min<std::uint64_t>(number_, kRecentMax);
  for (std::uint64_t n = number_ - kept; n < number_; ++n) {
    if (!take(bytes, recent_[n % kRecentMax])) return false;
  }
  return bytes.empty();
}

}  // namespace rowtrail::insight
