#include "insight/ranking.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "insight/calendar.h"
#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::insight {
namespace {

std::string text_member(const rapidjson::Document& object, const char* name) {
  if (!object.IsObject()) return {};
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

double number_member(const rapidjson::Document& object, const char* name) {
  if (!object.IsObject()) return 0;
  const auto found = object.FindMember(name);
  return found != object.MemberEnd() && found->value.IsNumber() ? found->value.GetDouble() : 0;
}

/// Anomalies of one person stand together; those of nobody by what they are.
std::string fold_key(const store::StoredAnomaly& anomaly) {
  return anomaly.actor.empty() ? "\n" + anomaly.detector : anomaly.actor;
}

struct Fold {
  Alert alert;
  std::set<std::string> detectors;
  bool all_acknowledged = true;
};

void add(Fold& fold, const store::StoredAnomaly& anomaly, const Acknowledgement* acknowledgement) {
  rapidjson::Document payload;
  payload.Parse(anomaly.payload.data(), anomaly.payload.size());
  const double rank = number_member(payload, "surprise") + static_cast<double>(anomaly.severity);
  const bool first = fold.detectors.empty();
  fold.detectors.insert(anomaly.detector);
  if (acknowledgement == nullptr) fold.all_acknowledged = false;
  auto& alert = fold.alert;
  if (!first && rank <= alert.rank) {
    alert.like_it.push_back(anomaly.seq);
    return;
  }
  if (!first) alert.like_it.push_back(alert.anomaly.seq);
  alert.anomaly = anomaly;
  alert.summary = text_member(payload, "summary");
  alert.rank = rank;
  if (acknowledgement != nullptr) alert.acknowledged = *acknowledgement;
}

AlertDay finish(std::string date, std::map<std::string, Fold>& folds) {
  AlertDay day;
  day.date = std::move(date);
  for (auto& [key, fold] : folds) {
    if (!fold.all_acknowledged) fold.alert.acknowledged.reset();
    // Several detectors that agree weigh more than the best of them.
    fold.alert.rank += std::log2(static_cast<double>(fold.detectors.size()));
    std::sort(fold.alert.like_it.begin(), fold.alert.like_it.end());
    day.alerts.push_back(std::move(fold.alert));
  }
  std::stable_sort(day.alerts.begin(), day.alerts.end(), [](const Alert& a, const Alert& b) {
    if (a.acknowledged.has_value() != b.acknowledged.has_value()) {
      return b.acknowledged.has_value();
    }
    return a.rank > b.rank;
  });
  folds.clear();
  return day;
}

}  // namespace

std::string acknowledgement_payload(const Acknowledgement& acknowledgement) {
  std::string out =
      fmt::format("{{\"type\":\"acknowledge\",\"anomaly\":{},\"by\":", acknowledgement.anomaly);
  normalize::append_json_string(out, acknowledgement.by);
  out += ",\"note\":";
  normalize::append_json_string(out, acknowledgement.note);
  return out + "}";
}

std::vector<Acknowledgement> acknowledgements(store::Reader& reader) {
  std::vector<Acknowledgement> found;
  for (const auto& action : reader.admin_actions("acknowledge")) {
    rapidjson::Document payload;
    payload.Parse(action.payload.data(), action.payload.size());
    if (!payload.IsObject() || !payload.HasMember("anomaly") || !payload["anomaly"].IsUint64()) {
      continue;
    }
    found.push_back({payload["anomaly"].GetUint64(), action.time_us, text_member(payload, "by"),
                     text_member(payload, "note")});
  }
  return found;
}

std::vector<AlertDay> alerts_by_day(store::Reader& reader, const store::Filter& filter) {
  std::map<std::uint64_t, Acknowledgement> known;
  for (auto& acknowledgement : acknowledgements(reader)) {
    known[acknowledgement.anomaly] = std::move(acknowledgement);
  }
  std::map<std::string, std::map<std::string, Fold>> days;
  store::Page page;
  page.ascending = true;
  page.limit = 0;
  reader.anomalies(filter, page, [&](const store::StoredAnomaly& anomaly) {
    const auto acknowledgement = known.find(anomaly.seq);
    add(days[date_text(anomaly.time_us)][fold_key(anomaly)], anomaly,
        acknowledgement == known.end() ? nullptr : &acknowledgement->second);
    return true;
  });
  std::vector<AlertDay> out;
  for (auto& [date, folds] : days) out.push_back(finish(date, folds));
  return out;
}

}  // namespace rowtrail::insight
