#include "infer/correlator.h"

#include "infer/decimal.h"
#include "infer/hashing.h"
#include "infer/operators.h"
#include "infer/row.h"
#include "infer/temporal.h"

#include <algorithm>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

constexpr std::uint64_t kSteps = 1'000'000;  // for each expression
constexpr std::size_t kEventsPerTransaction =
    10'000;  // that follow from one: a chain that feeds itself
constexpr std::uint64_t kFirst = 1;

bool fits(std::string_view pattern, std::string_view type) {
  return TablePattern{"*", std::string(pattern)}.matches("", type);
}

/// The event as the content that expressions see; the time in microseconds.
std::string content_of(const BusinessEvent& event) {
  std::string out = "{\"type\":";
  const auto member = [&](std::string_view name, std::string_view text) {
    out.append(",\"").append(name).append("\":");
    normalize::append_json_string(out, text);
  };
  normalize::append_json_string(out, event.type);
  member("summary", event.summary);
  member("severity", severity_name(event.severity));
  if (event.actor.id.empty()) {
    out += ",\"actor\":null";
  } else {
    member("actor", event.actor.id);
  }
  fmt::format_to(std::back_inserter(out), ",\"time\":{},\"objects\":{{", event.time_us);
  std::map<std::string, std::vector<std::string>> objects;
  for (const auto& object : event.objects) objects[object.type].push_back(object.id);
  bool first = true;
  for (const auto& [type, ids] : objects) {
    if (!first) out += ',';
    first = false;
    normalize::append_json_string(out, type);
    out += ids.size() == 1 ? ":" : ":[";
    for (std::size_t n = 0; n < ids.size(); ++n) {
      if (n > 0) out += ',';
      normalize::append_json_string(out, ids[n]);
    }
    if (ids.size() > 1) out += ']';
  }
  out.append("},\"attributes\":").append(event.attributes).append("}");
  return out;
}

Value content_value(std::string_view content, binlog::Arena& arena) {
  Value event = json_value(content, arena);
  if (event.kind != Kind::Map) return event;
  const auto items = arena.make_span<Value>(std::size_t{event.size} * 2);
  std::copy_n(event.items, items.size(), items.begin());
  for (std::size_t n = 0; n + 1 < items.size(); n += 2) {
    if (items[n].text() != "time" || items[n + 1].kind != Kind::Int) continue;
    const std::int64_t us = items[n + 1].i;
    const std::int64_t seconds = us / 1'000'000 - (us % 1'000'000 < 0 ? 1 : 0);
    items[n + 1] = make_timestamp(
        seconds, static_cast<std::uint32_t>(us - seconds * 1'000'000) * 1000, Style::Plain, 6);
  }
  event.items = items.data();
  return event;
}

void append_key(std::string& key, std::string_view part) {
  key += key.empty() ? '[' : ',';
  normalize::append_json_string(key, part);
}

}  // namespace

Correlator::Correlator(const CompiledRules& rules, Evaluator& evaluator, Emitter& emitter,
                       Emitter::NoteError note_error)
    : evaluator_(evaluator), emitter_(emitter), note_error_(std::move(note_error)) {
  for (const auto& rule : rules.rules) {
    if (!rule->correlate) continue;
    RuleState state;
    state.rule = rule.get();
    state.name = rule->id + "@" + rule->version;
    // What was seen once stays seen when the rule's text changes.
    if (rule->correlate->kind == Correlate::Kind::FirstSeen) state.name = rule->id;
    rules_.push_back(std::move(state));
  }
}

const std::vector<Correlator::Listener>& Correlator::listeners(const std::string& type) {
  constexpr std::size_t kTypesMax = 65'536;
  if (listeners_.size() > kTypesMax) listeners_.clear();
  const auto [found, fresh] = listeners_.try_emplace(type);
  if (!fresh) return found->second;
  const auto means = [&](const EventPattern& pattern) {
    return std::any_of(pattern.types.begin(), pattern.types.end(),
                       [&](const std::string& text) { return fits(text, type); });
  };
  for (std::size_t n = 0; n < rules_.size(); ++n) {
    const Correlate& correlate = *rules_[n].rule->correlate;
    Listener listener{n, 0, 0};
    for (std::size_t at = 0; at < correlate.events.size(); ++at) {
      if (means(correlate.events[at])) listener.patterns |= kFirst << at;
    }
    for (std::size_t at = 0; at < correlate.forbidden.size(); ++at) {
      if (means(correlate.forbidden[at].pattern)) listener.forbidden |= kFirst << at;
    }
    // A rule does not feed itself.
    const bool own = rules_[n].rule->event == type;
    if (!own && (listener.patterns | listener.forbidden) != 0) found->second.push_back(listener);
  }
  return found->second;
}

/// One key for each combination of the objects it is by; none when a part is not there.
std::vector<std::string> Correlator::keys_of(const Correlate& correlate,
                                             const BusinessEvent& event) const {
  std::vector<std::string> keys = {""};
  for (const KeyPart& part : correlate.by) {
    std::vector<std::string> values;
    if (part.kind == KeyPart::Kind::Actor) {
      if (!event.actor.id.empty()) values.push_back(event.actor.id);
    } else if (part.kind == KeyPart::Kind::Object) {
      for (const auto& object : event.objects) {
        const bool meant = part.role.empty() || part.role == object.role;
        const bool known = std::find(values.begin(), values.end(), object.id) != values.end();
        if (object.type == part.name && meant && !known) values.push_back(object.id);
      }
    } else {
      binlog::Arena arena;
      const Value attributes = json_value(event.attributes, arena);
      for (std::size_t n = 0; attributes.kind == Kind::Map && n < attributes.size; ++n) {
        if (attributes.items[2 * n].text() != part.name) continue;
        std::string text;
        const Value& value = attributes.items[2 * n + 1];
        if (!value.is_null() && append_text(text, value)) values.push_back(std::move(text));
      }
    }
    std::vector<std::string> longer;
    for (const auto& key : keys) {
      for (const auto& value : values) {
        if (longer.size() >= kKeysPerEventMax) break;
        append_key(longer.emplace_back(key), value);
      }
    }
    keys = std::move(longer);
  }
  for (auto& key : keys) key += key.empty() ? "[]" : "]";
  return keys;
}

void Correlator::touch(RuleState& state, const std::string& key) {
  touched_.emplace(static_cast<std::size_t>(&state - rules_.data()), key);
}

const std::string& Correlator::content() {
  if (!content_) content_ = content_of((*out_)[current_]);
  return *content_;
}

Correlator::Entry Correlator::entry_of(const RuleState& state) const {
  const BusinessEvent& event = (*out_)[current_];
  Entry entry;
  entry.ref = {transaction_->id, static_cast<std::uint32_t>(current_ - first_), kUnknownSeq};
  entry.time_us = event.time_us;
  entry.time_has_fraction = event.time_has_fraction;
  entry.actor = event.actor;
  if (state.rule->correlate->needs_values) entry.content = *content_;
  return entry;
}

/// Names of what has been found stand for it; all others for null.
void Correlator::bind(const RuleState& state, const Instance& instance) {
  const Correlate& correlate = *state.rule->correlate;
  variables_.assign(kVariablesMax, Value{});
  if (!correlate.needs_values || instance.entries.empty()) return;
  if (correlate.kind != Correlate::Kind::Sequence) {
    // The newest of each side.
    for (const Entry& entry : instance.entries) {
      for (std::size_t n = 0; n < correlate.events.size(); ++n) {
        if (entry.side != 0 && (entry.side >> n & 1U) == 0) continue;
        variables_[correlate.events[n].variable] = content_value(entry.content, arena_);
      }
    }
    return;
  }
  for (std::size_t n = 0; n < instance.entries.size(); ++n) {
    variables_[correlate.events[n].variable] = content_value(instance.entries[n].content, arena_);
  }
}

Value Correlator::value_of(const Rule& rule, const Expression& expression) {
  evaluator_.set_budget(kSteps);
  const Value value = evaluator_.evaluate(expression, expression.root, variables_, arena_);
  if (value.is_error()) note_error_(rule, describe(value, expression));
  return value;
}

/// Is the event being taken one that `pattern` means, given what the instance has found?
bool Correlator::holds(const RuleState& state, const EventPattern& pattern,
                       const Instance* instance) {
  if (pattern.where.empty()) return true;
  static const Instance kNothing;
  bind(state, instance != nullptr ? *instance : kNothing);
  variables_[pattern.variable] = content_value(content(), arena_);
  return value_of(*state.rule, pattern.where).is_true();
}

bool Correlator::is_forbidden(const RuleState& state, const Listener& listener,
                              const Instance& instance) {
  const Correlate& correlate = *state.rule->correlate;
  for (std::size_t n = 0; n < correlate.forbidden.size(); ++n) {
    const auto& forbidden = correlate.forbidden[n];
    const bool active = forbidden.after == 0 || forbidden.after == instance.entries.size();
    if (!active || (listener.forbidden >> n & 1U) == 0) continue;
    // A late event that was before what it would end.
    const Entry& since = forbidden.after == 0 ? instance.entries.front() : instance.entries.back();
    if ((*out_)[current_].time_us < since.time_us) continue;
    if (holds(state, forbidden.pattern, &instance)) return true;
  }
  return false;
}

bool Correlator::advances(const RuleState& state, const Listener& listener,
                          const Instance& instance) {
  const Correlate& correlate = *state.rule->correlate;
  const std::size_t next = instance.entries.size();
  if (next >= correlate.events.size() || (listener.patterns >> next & 1U) == 0) return false;
  const BusinessEvent& event = (*out_)[current_];
  const Entry& first = instance.entries.front();
  if (event.time_us < first.time_us || event.time_us > first.time_us + correlate.within_us) {
    return false;
  }
  if (correlate.actor != Correlate::ActorRule::Any) {
    if (event.actor.id.empty() || first.actor.id.empty()) return false;
    const bool same = event.actor.id == first.actor.id;
    if (same != (correlate.actor == Correlate::ActorRule::Same)) return false;
  }
  return holds(state, correlate.events[next], &instance);
}

void Correlator::feed_sequence(RuleState& state, const Listener& listener, KeyNode& key) {
  const Correlate& correlate = *state.rule->correlate;
  auto& instances = key.second.instances;
  bool used = false;
  for (std::size_t n = 0; n < instances.size();) {
    Instance& instance = instances[n];
    if (is_forbidden(state, listener, instance)) {
      state.entries -= instance.entries.size();
      instances.erase(instances.begin() + static_cast<std::ptrdiff_t>(n));
      continue;
    }
    if (advances(state, listener, instance)) {
      used = true;
      instance.entries.push_back(entry_of(state));
      ++state.entries;
      if (instance.entries.size() == correlate.events.size() && !correlate.waits) {
        const Instance complete = std::move(instance);
        state.entries -= complete.entries.size();
        instances.erase(instances.begin() + static_cast<std::ptrdiff_t>(n));
        emit(state, key.first, complete, (*out_)[current_].time_us, {}, {});
        continue;
      }
    }
    ++n;
  }
  const bool opens = (listener.patterns & 1U) != 0 &&
                     (correlate.overlapping || (instances.empty() && !used)) &&
                     holds(state, correlate.events.front(), nullptr);
  if (!opens) return;
  if (instances.size() >= kEntriesPerKeyMax) {
    state.entries -= instances.front().entries.size();
    instances.erase(instances.begin());
    note_error_(*state.rule, fmt::format("{} sequences of one key are open; the oldest is given up",
                                         kEntriesPerKeyMax));
  }
  instances.emplace_back().entries.push_back(entry_of(state));
  ++state.entries;
}

/// Puts the event into the window by its time, and takes out what has left it.
void Correlator::add_entry(RuleState& state, const Listener& listener, Instance& window) {
  const Correlate& correlate = *state.rule->correlate;
  auto& entries = window.entries;
  Entry entry = entry_of(state);
  const std::int64_t newest =
      entries.empty() ? entry.time_us : std::max(entry.time_us, entries.back().time_us);
  if (correlate.kind == Correlate::Kind::Ratio) {
    for (std::uint32_t n = 0; n < 2; ++n) {
      const bool means = (listener.patterns >> n & 1U) != 0;
      if (means && holds(state, correlate.events[n], nullptr)) entry.side |= 1U << n;
    }
    if (entry.side == 0) return;
  } else if (!holds(state, correlate.events.front(), nullptr)) {
    return;
  }
  if (!correlate.of.empty()) {
    variables_.assign(kVariablesMax, Value{});
    variables_[correlate.events.front().variable] = content_value(content(), arena_);
    const Value value = value_of(*state.rule, correlate.of);
    if (value.is_error()) return;
    const bool good =
        correlate.kind == Correlate::Kind::Sum
            ? append_text(entry.value, value) && !parse_decimal(entry.value, arena_).is_error()
            : !value.is_null() && append_json(entry.value, value);
    if (!good) return;
  }
  if (entry.time_us <= newest - correlate.within_us) return;  // too late to be in the window
  const std::size_t before = entries.size();
  std::erase_if(entries, [&](const Entry& old) {
    const bool repeated = correlate.kind == Correlate::Kind::Distinct && old.value == entry.value;
    return old.time_us <= newest - correlate.within_us || repeated;
  });
  if (entries.size() >= kEntriesPerKeyMax) {
    entries.erase(entries.begin());
    note_error_(*state.rule, fmt::format("one key has more than {} events in its window; the "
                                         "oldest no longer count",
                                         kEntriesPerKeyMax));
  }
  const auto place =
      std::upper_bound(entries.begin(), entries.end(), entry.time_us,
                       [](std::int64_t time, const Entry& other) { return time < other.time_us; });
  entries.insert(place, std::move(entry));
  state.entries += entries.size();
  state.entries -= before;
}

/// Has the window reached what the rule waits for?
bool Correlator::measure(const RuleState& state, Instance& window, Value& count, Value& value) {
  const Correlate& correlate = *state.rule->correlate;
  const auto number = [](std::size_t n) { return make_int(static_cast<std::int64_t>(n)); };
  const Value wanted = parse_decimal(correlate.at_least, arena_);
  count = value = number(window.entries.size());
  const auto reached = [&](const Value& got) {
    const Order order = compare(got, wanted);
    return order == Order::Greater || order == Order::Equal;
  };
  if (correlate.kind == Correlate::Kind::Sum) {
    Value sum = make_int(0);
    for (const Entry& entry : window.entries) {
      sum = arithmetic(Operator::Add, sum, parse_decimal(entry.value, arena_), arena_);
    }
    value = sum;
  } else if (correlate.kind == Correlate::Kind::Ratio) {
    std::size_t of = 0, to = 0;
    for (const Entry& entry : window.entries) {
      of += entry.side & 1U;
      to += entry.side >> 1U;
    }
    if (to == 0 || to < correlate.minimum) return false;
    count = number(of);
    value = arithmetic(Operator::Divide, to_decimal(number(of), arena_), number(to), arena_);
    // Compared without division, so that 1 of 3 is never rounded.
    const Value needed = arithmetic(Operator::Multiply, wanted, number(to), arena_);
    return compare(number(of), needed) != Order::Less;
  }
  return reached(value);
}

void Correlator::feed_window(RuleState& state, const Listener& listener, KeyNode& key) {
  auto& instances = key.second.instances;
  if (instances.empty()) instances.emplace_back();
  add_entry(state, listener, instances.front());
  if (instances.front().entries.empty()) {
    instances.clear();
    return;
  }
  Value count, value;
  if (!measure(state, instances.front(), count, value)) return;
  // Each event counts for one alert.
  const Instance complete = std::move(instances.front());
  instances.clear();
  state.entries -= complete.entries.size();
  emit(state, key.first, complete, complete.entries.back().time_us, count, value);
}

void Correlator::feed_first_seen(RuleState& state, const std::string& key) {
  if (!holds(state, state.rule->correlate->events.front(), nullptr)) return;
  const std::string hashed = sha256_hex32(key);
  if (state.seen.contains(hashed)) return;
  if (state.seen.size() >= kSeenCached) {
    // Those about to be saved cannot be looked up yet.
    state.seen.clear();
    for (const StateRow& row : rows_) {
      if (row.rule == state.name) state.seen.insert(row.key);
    }
  }
  state.seen.insert(hashed);
  if (state_ != nullptr && state_->has_state(state.name, hashed)) return;
  rows_.push_back({state.name, hashed, {}, false});
  Instance instance;
  instance.entries.push_back(entry_of(state));
  emit(state, key, instance, (*out_)[current_].time_us, {}, {});
}

void Correlator::emit(RuleState& state, const std::string& key, const Instance& instance,
                      std::int64_t time_us, Value count, Value value) {
  if (out_->size() - first_ >= kEventsPerTransaction) {
    return note_error_(*state.rule, fmt::format("more than {} events follow from one transaction",
                                                kEventsPerTransaction));
  }
  const Rule& rule = *state.rule;
  const Correlate& correlate = *rule.correlate;
  bind(state, instance);
  if (!correlate.at_least.empty()) {
    // The names that come last: count and value.
    std::uint32_t at = 0;
    for (const auto& pattern : correlate.events) at = std::max(at, pattern.variable + 1);
    variables_[at] = count;
    variables_[at + 1] = value;
  }
  if (!rule.where.empty() && !value_of(rule, rule.where).is_true()) return;
  const Match match{&rule, variables_, {}};
  BusinessEvent event = emitter_.emit(match, *transaction_);
  if (rule.objects.empty()) {
    const Value parts = json_value(key, arena_);
    for (std::size_t n = 0; n < correlate.by.size() && n < parts.size; ++n) {
      const KeyPart& part = correlate.by[n];
      if (part.kind != KeyPart::Kind::Object) continue;
      event.objects.push_back({part.name, std::string(parts.items[n].text()), part.role});
    }
  }
  const Entry& last = instance.entries.back();
  event.time_us = time_us;
  event.time_has_fraction = last.time_has_fraction || time_us % 1'000'000 != 0;
  event.actor = last.actor;
  if (const std::string named = emitter_.actor(match); !named.empty() && named != last.actor.id) {
    event.actor = {named, "column", "heuristic"};
  }
  emitter_.summarize(match, event);
  for (const Entry& entry : instance.entries) event.because.push_back(entry.ref);
  out_->push_back(std::move(event));
}

/// Sets when the key has to be looked at again, or drops it when nothing is open.
void Correlator::schedule(RuleState& state, KeyNode& key) {
  touch(state, key.first);
  KeyState& open = key.second;
  if (open.due_us != 0)
    state.due.erase(std::pair<std::int64_t, std::string_view>(open.due_us, key.first));
  if (open.instances.empty()) {
    const std::string name = key.first;
    state.keys.erase(name);
    return;
  }
  const Correlate& correlate = *state.rule->correlate;
  const bool sequence = correlate.kind == Correlate::Kind::Sequence;
  std::int64_t due = 0;
  for (const Instance& instance : open.instances) {
    const Entry& entry = sequence ? instance.entries.front() : instance.entries.back();
    const std::int64_t end = entry.time_us + correlate.within_us;
    due = due == 0 ? end : std::min(due, end);
  }
  open.due_us = due;
  state.due.emplace(due, key.first);
}

/// The key nearest its end goes first.
void Correlator::make_room(RuleState& state) {
  while (state.entries > kEntriesPerRuleMax && !state.due.empty()) {
    const auto found = state.keys.find(std::string(state.due.begin()->second));
    for (const Instance& instance : found->second.instances) {
      state.entries -= instance.entries.size();
    }
    found->second.instances.clear();
    schedule(state, *found);
    note_error_(*state.rule, fmt::format("more than {} events are held; what is nearest its end is "
                                         "given up",
                                         kEntriesPerRuleMax));
  }
}

void Correlator::pass_deadline(RuleState& state, KeyNode& key, std::int64_t now_us) {
  const Correlate& correlate = *state.rule->correlate;
  auto& instances = key.second.instances;
  const bool sequence = correlate.kind == Correlate::Kind::Sequence;
  std::vector<Instance> ended;
  for (std::size_t n = 0; n < instances.size();) {
    const auto& entries = instances[n].entries;
    const Entry& entry = sequence ? entries.front() : entries.back();
    if (entry.time_us + correlate.within_us >= now_us) {
      ++n;
      continue;
    }
    state.entries -= entries.size();
    ended.push_back(std::move(instances[n]));
    instances.erase(instances.begin() + static_cast<std::ptrdiff_t>(n));
  }
  const std::string name = key.first;
  schedule(state, key);  // may free the key
  for (const Instance& instance : ended) {
    if (!correlate.waits || instance.entries.size() != correlate.events.size()) continue;
    emit(state, name, instance, instance.entries.front().time_us + correlate.within_us, {}, {});
  }
}

void Correlator::pass_deadlines(std::int64_t now_us) {
  for (;;) {
    RuleState* next = nullptr;
    for (RuleState& state : rules_) {
      if (state.due.empty() || state.due.begin()->first >= now_us) continue;
      if (next == nullptr || *state.due.begin() < *next->due.begin()) next = &state;
    }
    if (next == nullptr) return;
    pass_deadline(*next, *next->keys.find(std::string(next->due.begin()->second)), now_us);
  }
}

void Correlator::feed(std::size_t index) {
  current_ = index;
  content_.reset();
  arena_.reset();
  for (const Listener& listener : listeners((*out_)[index].type)) {
    RuleState& state = rules_[listener.rule];
    const Correlate& correlate = *state.rule->correlate;
    if (correlate.needs_values || !correlate.of.empty()) (void)content();
    for (const std::string& name : keys_of(correlate, (*out_)[index])) {
      if (correlate.kind == Correlate::Kind::FirstSeen) {
        feed_first_seen(state, name);
        continue;
      }
      KeyNode& key = *state.keys.try_emplace(name).first;
      if (correlate.kind == Correlate::Kind::Sequence) {
        feed_sequence(state, listener, key);
      } else {
        feed_window(state, listener, key);
      }
      unnumbered_.emplace(listener.rule, name);
      schedule(state, key);
      make_room(state);
    }
  }
}

void Correlator::take(const normalize::Transaction& transaction, std::size_t first,
                      std::vector<BusinessEvent>& out) {
  if (rules_.empty()) return;
  transaction_ = &transaction;
  out_ = &out;
  first_ = first;
  const std::size_t own = out.size();
  arena_.reset();
  pass_deadlines(transaction.event_time_us);
  // What a deadline made is earlier than the transaction.
  for (std::size_t n = own; n < out.size(); ++n) feed(n);
  const std::size_t fed = out.size();
  for (std::size_t n = first; n < own; ++n) feed(n);
  for (std::size_t n = fed; n < out.size(); ++n) feed(n);
}

}  // namespace rowtrail::infer
