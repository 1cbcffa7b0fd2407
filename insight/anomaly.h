// Anomalies: what is unusual in the record, why, how unusual, and the events it rests on. The
// detectors see every transaction once, in order, and remember a bounded amount; the same
// transactions give the same anomalies, whatever was restarted in between.
#pragma once

#include "infer/infer.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::insight {

/// One row per detector; docs/anomalies.md is this table.
struct DetectorInfo {
  std::string_view id;
  std::string_view title;
  std::string_view group;  // rates, novelty, values, behaviour, controls, process, integrity
  std::string_view catches;
  std::string_view formula;
  infer::Severity severity;
  double expected_per_day;  // of anomalies by chance alone: beyond it nothing is recorded
  double score_min;         // minus the decimal logarithm of the probability
};
[[nodiscard]] std::span<const DetectorInfo> detectors();
[[nodiscard]] const DetectorInfo* find_detector(std::string_view id);

struct Anomaly {
  const DetectorInfo* detector = nullptr;
  std::int64_t time_us = 0;
  infer::Severity severity = infer::Severity::Info;
  std::string actor;       // empty: unknown, or not about one
  std::string summary;     // the sentence why
  double surprise = 0;     // minus the decimal logarithm of how often a day this comes by chance
  double probability = 0;  // calibrated, of a single event
  std::string numbers = "{}";           // canonical JSON: those in the sentence
  std::vector<std::uint64_t> events;    // counted by source, from 1
  std::vector<std::uint64_t> evidence;  // their seqs
};

/// Payload of an anomaly record; without seqs, which differ where sources interleave.
void append_anomaly(std::string& out, const Anomaly& anomaly,
                    const normalize::Transaction& transaction);
/// The line people see: `"seq"` in front, evidence as seqs.
core::Result<> append_rendered_anomaly(std::string& out, std::uint64_t seq,
                                       std::string_view evidence, std::string_view payload);
/// "1040,1042"
[[nodiscard]] std::string evidence_text(const Anomaly& anomaly);

class Detectors {
 public:
  Detectors();
  ~Detectors();
  Detectors(Detectors&&) noexcept;
  Detectors& operator=(Detectors&&) noexcept;

  /// Judges a transaction (the last part of one in parts) with its events, whose seqs begin with
  /// `first_event_seq`; `rule_gaps` of them came from rules. Anomalies are appended.
  void observe(const normalize::Transaction& transaction,
               const std::vector<infer::BusinessEvent>& events, std::uint64_t first_event_seq,
               std::size_t rule_gaps, std::vector<Anomaly>& out);

  /// What was observed since the last call, to be kept in the commit of what was observed.
  [[nodiscard]] std::string take_observed();
  /// Everything that is remembered. From time to time in place of the kept parts, when the parts
  /// have grown beyond it.
  [[nodiscard]] bool wants_snapshot() const;
  [[nodiscard]] std::string snapshot();
  /// Becomes as it was: `parts[0]` a snapshot, the others what was observed since. False when they
  /// are not what this version wrote; the detectors then begin anew.
  [[nodiscard]] bool restore(std::span<const std::string> parts);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rowtrail::insight
