// A day's anomalies as somebody reads them: the few that matter most first, those of the same
// person or cause folded into one, what was acknowledged behind the rest and never left out.
#pragma once

#include "store/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rowtrail::insight {

inline constexpr std::uint64_t kDailyBudget = 5;

struct Acknowledgement {
  std::uint64_t anomaly = 0;
  std::int64_t time_us = 0;
  std::string by, note;
};
/// What an operator said of an anomaly, as the payload of an admin record.
[[nodiscard]] std::string acknowledgement_payload(const Acknowledgement& acknowledgement);
/// All of the log, in order.
[[nodiscard]] std::vector<Acknowledgement> acknowledgements(store::Reader& reader);

struct Alert {
  store::StoredAnomaly anomaly;        // the one with the highest rank
  std::vector<std::uint64_t> like_it;  // seqs of those folded into it
  std::string summary;                 // of `anomaly`
  double rank = 0;
  std::optional<Acknowledgement> acknowledged;  // only when all of them are
};
struct AlertDay {
  std::string date;           // UTC
  std::vector<Alert> alerts;  // best first
};

/// The alerts of every day that has some, oldest day first.
[[nodiscard]] std::vector<AlertDay> alerts_by_day(store::Reader& reader,
                                                  const store::Filter& filter);

}  // namespace rowtrail::insight
