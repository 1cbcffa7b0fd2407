#include "insight/anomaly.h"

#include "insight/detectors.h"
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace rowtrail::insight {
namespace {

/// Changes with every change of what is kept or of how it is judged.
constexpr std::string_view kStateVersion = "rowtrail detectors 2\n";
/// Parts are replaced by a snapshot when they are larger than this and than the snapshot before.
constexpr std::size_t kPartsBytesMax = std::size_t{16} * 1024 * 1024;

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += out.back() == '{' ? "\"" : ",\"";
  out += name;
  out += "\":";
  normalize::append_json_string(out, text);
}

}  // namespace

void append_anomaly(std::string& out, const Anomaly& anomaly,
                    const normalize::Transaction& transaction) {
  out += '{';
  append_member(out, "detector", anomaly.detector->id);
  append_member(out, "title", anomaly.detector->title);
  append_member(out, "time", binlog::format_utc(anomaly.time_us));
  append_member(out, "source", transaction.source);
  append_member(out, "transaction", transaction.id);
  append_member(out, "severity", infer::severity_name(anomaly.severity));
  append_member(out, "summary", anomaly.summary);
  if (anomaly.actor.empty()) {
    out += ",\"actor\":null";
  } else {
    append_member(out, "actor", anomaly.actor);
  }
  out += fmt::format(",\"surprise\":{:.2f},\"probability\":{:.3g},\"numbers\":{},\"events\":[{}]}}",
                     anomaly.surprise, anomaly.probability, anomaly.numbers,
                     fmt::join(anomaly.events, ","));
}

core::Result<> append_rendered_anomaly(std::string& out, std::uint64_t seq,
                                       std::string_view evidence, std::string_view payload) {
  const auto events = payload.rfind(",\"events\":[");
  if (!payload.starts_with('{') || events == std::string_view::npos) {
    return core::Error{core::Errc::Malformed,
                       fmt::format("anomaly {} is not in canonical form", seq)};
  }
  fmt::format_to(std::back_inserter(out), "{{\"seq\":{},{},\"evidence\":[{}]}}", seq,
                 payload.substr(1, events - 1), evidence);
  return {};
}

std::string evidence_text(const Anomaly& anomaly) {
  return fmt::format("{}", fmt::join(anomaly.evidence, ","));
}

struct Detectors::State {
  Observer observer;
  Judge judge;
  std::string observed;  // since take_observed()
  std::size_t parts_bytes = 0;
  std::size_t snapshot_bytes = 0;
};

Detectors::Detectors() : state_(std::make_unique<State>()) {}
Detectors::~Detectors() = default;
Detectors::Detectors(Detectors&&) noexcept = default;
Detectors& Detectors::operator=(Detectors&&) noexcept = default;

void Detectors::observe(const normalize::Transaction& transaction,
                        const std::vector<infer::BusinessEvent>& events,
                        std::uint64_t first_event_seq, std::size_t rule_gaps,
                        std::vector<Anomaly>& out) {
  const auto& seen = state_->observer.observe(transaction, events, first_event_seq, rule_gaps);
  seen.save(state_->observed);
  state_->judge.observe(seen, out);
}

std::string Detectors::take_observed() {
  state_->parts_bytes += state_->observed.size();
  return std::exchange(state_->observed, {});
}

bool Detectors::wants_snapshot() const {
  return state_->snapshot_bytes == 0 || state_->parts_bytes + state_->observed.size() >
                                            std::max(kPartsBytesMax, state_->snapshot_bytes);
}

std::string Detectors::snapshot() {
  std::string out(kStateVersion);
  state_->judge.save(out);
  state_->observed.clear();
  state_->parts_bytes = 0;
  state_->snapshot_bytes = out.size();
  return out;
}

bool Detectors::restore(std::span<const std::string> parts) {
  state_ = std::make_unique<State>();
  if (parts.empty()) return true;
  std::string_view bytes = parts.front();
  if (!bytes.starts_with(kStateVersion)) return false;
  bytes.remove_prefix(kStateVersion.size());
  bool sound = state_->judge.load(bytes);
  state_->snapshot_bytes = parts.front().size();
  std::vector<Anomaly> known;
  Observation seen;
  for (const auto& part : parts.subspan(1)) {
    bytes = part;
    state_->parts_bytes += part.size();
    while (sound && !bytes.empty()) {
      sound = seen.load(bytes);
      if (!sound) break;
      state_->judge.observe(seen, known);
      known.clear();
    }
  }
  if (!sound) state_ = std::make_unique<State>();
  return sound;
}

}  // namespace rowtrail::insight
