// The `correlate` part of a rule: events over time.
#include "infer/decimal.h"
#include "infer/rule_reader.h"
#include "infer/suggestion.h"
#include "infer/temporal.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace rowtrail::infer {

using Type = YamlNode::Type;

namespace {

constexpr std::int64_t kDay_us = 86'400'000'000;
constexpr std::int64_t kWithinMax_us = 3'660 * kDay_us;  // ten years
constexpr std::uint64_t kThresholdMax = 1'000;           // events one alert can rest on

constexpr std::array<std::string_view, 6> kCorrelations = {"sequence", "count", "distinct",
                                                           "sum",      "ratio", "first_seen"};

std::optional<std::int64_t> duration_us(const std::string& text) {
  std::uint32_t days = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, days);
  if (parsed.ec == std::errc() && parsed.ptr + 1 == end && *parsed.ptr == 'd') {
    return std::int64_t{days} * kDay_us;
  }
  const auto duration = parse_duration(text);
  if (!duration) return std::nullopt;
  return duration->i / 1000;
}

/// order.paid → paid: what a step is called when it has no `as`.
std::string default_name(const std::string& type) {
  std::string name = type.substr(type.rfind('.') + 1);
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain) c = '_';
  }
  return name;
}

}  // namespace

std::uint32_t RuleReader::add_name(const YamlNode& node, const std::string& name) {
  const bool taken = std::any_of(variables_.begin(), variables_.end(),
                                 [&](const Variable& known) { return known.name == name; });
  if (taken) fail(node, fmt::format("two parts are called '{}'; give one another name: as", name));
  if (variables_.size() >= kVariablesMax) {
    fail(node, fmt::format("more than {} parts", kVariablesMax));
  }
  variables_.push_back({name, false, false});
  return static_cast<std::uint32_t>(variables_.size() - 1);
}

EventPattern RuleReader::read_pattern(const YamlNode& node, std::span<const std::string_view> keys,
                                      std::string_view name) {
  EventPattern pattern;
  const YamlNode* event = &node;
  if (node.type == Type::Map) {
    check_keys(node, "an event to look for", keys);
    event = node.find(keys.front());
    if (event == nullptr) {
      fail(node, fmt::format("there is no {}: which type of event?", keys.front()));
      return pattern;
    }
  }
  const auto add = [&](const YamlNode& type) {
    const std::string text = text_of(type, "a type of event");
    if (!text.empty()) pattern.types.push_back(text);
  };
  if (event->type == Type::Sequence) {
    for (const YamlNode& type : event->items) add(type);
  } else {
    add(*event);
  }
  const YamlNode* as = node.type == Type::Map ? node.find("as") : nullptr;
  pattern.name = as != nullptr           ? text_of(*as, "as")
                 : !name.empty()         ? std::string(name)
                 : pattern.types.empty() ? std::string()
                                         : default_name(pattern.types.front());
  pattern.variable = add_name(node, pattern.name);
  compile_pattern(node, pattern);
  return pattern;
}

void RuleReader::compile_pattern(const YamlNode& node, EventPattern& pattern) {
  if (node.type != Type::Map) return;
  if (const YamlNode* where = node.find("where")) {
    compile_expression(*where, {variables_, -1}, pattern.where, "where");
  }
}

void RuleReader::read_sequence(const YamlNode& node) {
  static constexpr std::array<std::string_view, 3> kEvent = {"event", "as", "where"};
  static constexpr std::array<std::string_view, 3> kAbsent = {"absent", "as", "where"};
  if (!expect(node, Type::Sequence, "sequence")) return;
  Correlate& correlate = *rule_->correlate;
  for (const YamlNode& step : node.items) {
    const bool absent = step.type == Type::Map && step.find("absent") != nullptr;
    if (!absent) {
      correlate.events.push_back(read_pattern(step, kEvent, {}));
      correlate.waits = false;
      continue;
    }
    if (correlate.events.empty()) {
      fail(step, "a sequence begins with an event; something is absent after it");
    }
    auto pattern = read_pattern(step, kAbsent, fmt::format("absent{}", variables_.size()));
    correlate.forbidden.push_back({std::move(pattern), correlate.events.size()});
    correlate.waits = true;
  }
  if (correlate.events.size() + (correlate.waits ? 1U : 0U) < 2) {
    fail(node, "a sequence has at least two events, or one and an absence");
  }
}

void RuleReader::read_aggregate(const YamlNode& node) {
  static constexpr std::array<std::string_view, 3> kKeys = {"event", "where", "of"};
  Correlate& correlate = *rule_->correlate;
  const bool measures =
      correlate.kind == Correlate::Kind::Distinct || correlate.kind == Correlate::Kind::Sum;
  correlate.events.push_back(read_pattern(node, std::span(kKeys).first(measures ? 3 : 2), "event"));
  const YamlNode* of = node.type == Type::Map ? node.find("of") : nullptr;
  if (measures && of == nullptr) {
    fail(node, "there is no of: what is taken of each event, as in event.attributes.quantity");
  }
  if (measures && of != nullptr) compile_expression(*of, {variables_, -1}, correlate.of, "of");
}

void RuleReader::read_ratio(const YamlNode& node) {
  static constexpr std::array<std::string_view, 2> kKeys = {"of", "to"};
  static constexpr std::array<std::string_view, 2> kEvent = {"event", "where"};
  if (!expect(node, Type::Map, "ratio")) return;
  check_keys(node, "ratio", kKeys);
  for (const std::string_view side : kKeys) {
    const YamlNode* found = node.find(side);
    if (found == nullptr) {
      fail(node, fmt::format("the ratio has no {}", side));
    } else {
      rule_->correlate->events.push_back(read_pattern(*found, kEvent, side));
    }
  }
}

void RuleReader::read_by(const YamlNode& node) {
  const auto add = [&](const YamlNode& item) {
    const std::string text = text_of(item, "by");
    const auto dot = text.find('.');
    KeyPart part;
    part.name = text.substr(0, dot);
    if (dot != std::string::npos) part.role = text.substr(dot + 1);
    if (text == "actor") part.kind = KeyPart::Kind::Actor;
    if (part.name == "attributes") {
      part = {KeyPart::Kind::Attribute, std::move(part.role), {}};
    }
    if (part.name.empty()) {
      fail(item, "by is a type of object (order, location.source), actor or attributes.NAME");
    }
    rule_->correlate->by.push_back(std::move(part));
  };
  if (node.type == Type::Sequence) {
    for (const YamlNode& item : node.items) add(item);
  } else {
    add(node);
  }
}

std::int64_t RuleReader::read_within(const YamlNode& correlate) {
  const YamlNode* node = correlate.find("within");
  if (node == nullptr) {
    fail(correlate, "there is no within: how long, as in 48h, 15m or 7d?");
    return 0;
  }
  const auto us = duration_us(text_of(*node, "within"));
  if (us && *us > 0 && *us <= kWithinMax_us) return *us;
  fail(*node, "within is a time such as 48h, 15m, 90s or 7d, at most 3660d");
  return 0;
}

void RuleReader::read_threshold(const YamlNode& correlate) {
  const Correlate::Kind kind = rule_->correlate->kind;
  const YamlNode* node = correlate.find("at_least");
  if (node == nullptr) return fail(correlate, "there is no at_least: from which value on?");
  rule_->correlate->at_least = text_of(*node, "at_least");
  const auto& text = rule_->correlate->at_least;
  if (kind == Correlate::Kind::Count || kind == Correlate::Kind::Distinct) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number == 0 || number > kThresholdMax) {
      fail(*node, fmt::format("at_least is a whole number from 1 to {} here", kThresholdMax));
    }
    return;
  }
  binlog::Arena arena;
  const Value value = parse_decimal(text, arena);
  if (value.is_error() || compare(value, make_int(0)) != Order::Greater) {
    fail(*node, "at_least is a number above 0, such as 500 or 0.2");
  }
}

void RuleReader::read_correlate(const YamlNode& node) {
  static constexpr std::array<std::string_view, 13> kKeys = {
      "sequence", "count",    "distinct", "sum",         "ratio", "first_seen", "by",
      "within",   "at_least", "minimum",  "overlapping", "until", "actor"};
  using What = Correlate::Kind;
  if (!expect(node, Type::Map, "correlate")) return;
  check_keys(node, "correlate", kKeys);
  rule_->correlate = std::make_unique<Correlate>();
  Correlate& correlate = *rule_->correlate;
  const YamlNode* what = nullptr;
  for (std::size_t n = 0; n < kCorrelations.size(); ++n) {
    const YamlNode* found = node.find(kCorrelations[n]);
    if (found == nullptr) continue;
    if (what != nullptr)
      fail(*found,
           "correlate has one of these only: " + fmt::format("{}", fmt::join(kCorrelations, ", ")));
    what = found;
    correlate.kind = static_cast<What>(n);
  }
  if (what == nullptr) {
    return fail(node, fmt::format("correlate needs one of {}", fmt::join(kCorrelations, ", ")));
  }
  const bool sequence = correlate.kind == What::Sequence;
  const auto only = [&](std::string_view key, bool allowed, std::string_view where) {
    const YamlNode* found = node.find(key);
    if (found != nullptr && !allowed) fail(*found, fmt::format("{} is for {} only", key, where));
    return allowed ? found : nullptr;
  };
  if (sequence) {
    read_sequence(*what);
  } else if (correlate.kind == What::Ratio) {
    read_ratio(*what);
  } else {
    read_aggregate(*what);
  }
  if (const YamlNode* until = only("until", sequence, "a sequence")) {
    static constexpr std::array<std::string_view, 3> kEvent = {"event", "as", "where"};
    correlate.forbidden.push_back({read_pattern(*until, kEvent, "until"), 0});
  }
  if (const YamlNode* overlapping = only("overlapping", sequence, "a sequence")) {
    correlate.overlapping = text_of(*overlapping, "overlapping") == "true";
    if (!correlate.overlapping && overlapping->text != "false") {
      fail(*overlapping, "overlapping is true or false");
    }
  }
  if (const YamlNode* actor = only("actor", sequence, "a sequence; elsewhere write by: actor")) {
    const std::string text = text_of(*actor, "actor");
    correlate.actor = text == "same" ? Correlate::ActorRule::Same : Correlate::ActorRule::Different;
    if (text != "same" && text != "different") fail(*actor, "actor is same or different");
  }
  if (const YamlNode* by = node.find("by")) {
    read_by(*by);
  } else if (correlate.kind == What::FirstSeen) {
    fail(node, "there is no by: the first time of what?");
  }
  const bool forever = correlate.kind == What::FirstSeen;
  if (only("within", !forever, "what has an end; first_seen looks at the whole record") !=
          nullptr ||
      !forever) {
    correlate.within_us = read_within(node);
  }
  const bool counted = !sequence && !forever;
  if (only("at_least", counted, "count, distinct, sum and ratio") != nullptr || counted) {
    read_threshold(node);
  }
  if (const YamlNode* minimum = only("minimum", correlate.kind == What::Ratio, "ratio")) {
    const std::string text = text_of(*minimum, "minimum");
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, correlate.minimum);
    if (parsed.ec != std::errc() || parsed.ptr != end || correlate.minimum > kThresholdMax) {
      fail(*minimum, fmt::format("minimum is a whole number, at most {}", kThresholdMax));
    }
  }
  if (counted) {
    for (const std::string_view name : {"count", "value"}) (void)add_name(node, std::string(name));
  }
}

}  // namespace rowtrail::infer
