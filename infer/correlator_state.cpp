// What a Correlator remembers, as rows of text and back.
#include "infer/correlator.h"

#include <charconv>

#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::infer {
namespace {

constexpr std::size_t kMembers = 10;

std::string text_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

template <class T>
T number_of(const rapidjson::Value& value) {
  T number = 0;
  const char* text = value.GetString();
  std::from_chars(text, text + value.GetStringLength(), number);
  return number;
}

}  // namespace

void Correlator::set_state(State* state) {
  state_ = state;
  touched_.clear();
  unnumbered_.clear();
  rows_.clear();
  std::unordered_map<std::string, RuleState*> by_name;
  for (RuleState& rule : rules_) {
    rule.due.clear();
    rule.keys.clear();
    rule.seen.clear();
    rule.entries = 0;
    by_name[rule.name] = &rule;
  }
  if (state == nullptr) return;
  for (StateRow& row : state->state_rows()) {
    const auto found = by_name.find(row.rule);
    if (found != by_name.end()) {
      restore(*found->second, row);
    } else {
      // Of a rule that is gone or was changed: it began anew.
      row.removed = true;
      rows_.push_back(std::move(row));
    }
  }
}

void Correlator::restore(RuleState& state, const StateRow& row) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseNumbersAsStringsFlag>(row.value.data(), row.value.size());
  KeyNode& key = *state.keys.try_emplace(row.key).first;
  bool good = json.IsArray();
  for (rapidjson::SizeType i = 0; good && i < json.Size(); ++i) {
    good = json[i].IsArray() && !json[i].Empty();
    Instance& instance = key.second.instances.emplace_back();
    for (rapidjson::SizeType n = 0; good && n < json[i].Size(); ++n) {
      const auto& item = json[i][n];
      good = item.IsArray() && item.Size() == kMembers;
      if (!good) break;
      Entry& entry = instance.entries.emplace_back();
      entry.ref = {text_of(item[0]), number_of<std::uint32_t>(item[1]),
                   number_of<std::uint64_t>(item[2])};
      entry.time_us = number_of<std::int64_t>(item[3]);
      entry.time_has_fraction = false;
      entry.actor = {text_of(item[4]), text_of(item[5]), text_of(item[6])};
      entry.content = text_of(item[7]);
      entry.value = text_of(item[8]);
      const std::string marks = text_of(item[9]);
      for (const char mark : marks) {
        if (mark == 'o') entry.side |= 1U;
        if (mark == 't') entry.side |= 2U;
        if (mark == 'f') entry.time_has_fraction = true;
      }
      ++state.entries;
    }
  }
  if (!good) {
    throw core::Failure(core::Area::Store, false,
                        fmt::format("the store's rule_state of rule {} is damaged; delete its rows "
                                    "to let the rule begin anew",
                                    row.rule));
  }
  schedule(state, key);
  touched_.clear();
}

std::vector<StateRow> Correlator::take_state() {
  std::vector<StateRow> rows = std::move(rows_);
  rows_.clear();
  for (const auto& [number, name] : touched_) {
    const RuleState& state = rules_[number];
    const auto found = state.keys.find(name);
    if (found == state.keys.end()) {
      rows.push_back({state.name, name, {}, true});
      continue;
    }
    std::string value = "[";
    for (const Instance& instance : found->second.instances) {
      value += value.size() > 1 ? ",[" : "[";
      bool first = true;
      for (const Entry& entry : instance.entries) {
        value += first ? "[" : ",[";
        first = false;
        const auto text = [&](std::string_view part) {
          normalize::append_json_string(value, part);
          value += ',';
        };
        text(entry.ref.transaction);
        fmt::format_to(std::back_inserter(value), "{},{},{},", entry.ref.index, entry.ref.seq,
                       entry.time_us);
        text(entry.actor.id);
        text(entry.actor.via);
        text(entry.actor.confidence);
        text(entry.content);
        text(entry.value);
        fmt::format_to(std::back_inserter(value), "\"{}{}{}\"]", entry.time_has_fraction ? "f" : "",
                       (entry.side & 1U) != 0 ? "o" : "", (entry.side & 2U) != 0 ? "t" : "");
      }
      value += ']';
    }
    value += ']';
    rows.push_back({state.name, name, std::move(value), false});
  }
  touched_.clear();
  return rows;
}

void Correlator::set_event_seq(std::uint64_t seq) {
  for (const auto& [number, name] : unnumbered_) {
    const auto found = rules_[number].keys.find(name);
    if (found == rules_[number].keys.end()) continue;
    for (Instance& instance : found->second.instances) {
      for (Entry& entry : instance.entries) {
        if (entry.ref.seq == kUnknownSeq) entry.ref.seq = seq + entry.ref.index;
      }
    }
  }
  unnumbered_.clear();
}

}  // namespace rowtrail::infer
