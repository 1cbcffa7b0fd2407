// Stage B: business events over time. Takes the events of each transaction in order and makes
// further ones; a deadline passes when an event behind it comes. All state is in here, bounded, and
// can be taken out and put back row by row. Belongs to an Engine.
#pragma once

#include "infer/emitter.h"
#include "infer/rule.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace rowtrail::infer {

// What a rule may remember.
inline constexpr std::size_t kEntriesPerRuleMax = 200'000;  // beyond: keys nearest their end go
inline constexpr std::size_t kEntriesPerKeyMax = 1'000;     // beyond: the oldest go
inline constexpr std::size_t kKeysPerEventMax = 64;
inline constexpr std::size_t kSeenCached = 65'536;  // keys of first_seen that need no look-up

class Correlator {
 public:
  Correlator(const CompiledRules& rules, Evaluator& evaluator, Emitter& emitter,
             Emitter::NoteError note_error);

  /// Passes the deadlines before the transaction's event time, then takes its events, out[first…],
  /// and what follows from them. Everything made is appended.
  void take(const normalize::Transaction& transaction, std::size_t first,
            std::vector<BusinessEvent>& out);

  void set_state(State* state);
  [[nodiscard]] std::vector<StateRow> take_state();
  void set_event_seq(std::uint64_t seq);

 private:
  struct Entry {
    EventRef ref;
    std::int64_t time_us = 0;
    bool time_has_fraction = true;
    Actor actor;
    std::string content;     // the event as JSON, where expressions look into it
    std::string value;       // of distinct and sum
    std::uint32_t side = 0;  // of ratio: 1 of, 2 to, 3 both
  };
  /// A sequence that has begun, or the events in a window.
  struct Instance {
    std::vector<Entry> entries;
  };
  struct KeyState {
    std::vector<Instance> instances;
    std::int64_t due_us = 0;  // when something has to be done without an event; 0: nothing is open
  };
  struct RuleState {
    const Rule* rule = nullptr;
    std::string name;  // "id@version"
    std::unordered_map<std::string, KeyState> keys;
    std::set<std::pair<std::int64_t, std::string_view>> due;  // views of the keys
    std::size_t entries = 0;
    std::unordered_set<std::string> seen;  // first_seen: known to be stored or about to be
  };
  struct Listener {
    std::size_t rule;
    std::uint64_t patterns;   // a bit for each of Correlate::events
    std::uint64_t forbidden;  // and of Correlate::forbidden
  };
  using KeyNode = std::pair<const std::string, KeyState>;

  const std::vector<Listener>& listeners(const std::string& type);
  std::vector<std::string> keys_of(const Correlate& correlate, const BusinessEvent& event) const;
  void feed(std::size_t index);
  void feed_sequence(RuleState& state, const Listener& listener, KeyNode& key);
  void feed_window(RuleState& state, const Listener& listener, KeyNode& key);
  void feed_first_seen(RuleState& state, const std::string& key);
  bool is_forbidden(const RuleState& state, const Listener& listener, const Instance& instance);
  bool advances(const RuleState& state, const Listener& listener, const Instance& instance);
  bool holds(const RuleState& state, const EventPattern& pattern, const Instance* instance);
  bool measure(const RuleState& state, Instance& window, Value& count, Value& value);
  void add_entry(RuleState& state, const Listener& listener, Instance& window);
  void pass_deadlines(std::int64_t now_us);
  void pass_deadline(RuleState& state, KeyNode& key, std::int64_t now_us);
  void schedule(RuleState& state, KeyNode& key);
  void make_room(RuleState& state);
  void emit(RuleState& state, const std::string& key, const Instance& instance,
            std::int64_t time_us, Value count, Value value);
  void bind(const RuleState& state, const Instance& instance);
  Value value_of(const Rule& rule, const Expression& expression);
  Entry entry_of(const RuleState& state) const;
  const std::string& content();
  void touch(RuleState& state, const std::string& key);
  void restore(RuleState& state, const StateRow& row);

  Evaluator& evaluator_;
  Emitter& emitter_;
  Emitter::NoteError note_error_;
  std::vector<RuleState> rules_;
  std::unordered_map<std::string, std::vector<Listener>> listeners_;  // by type of event
  State* state_ = nullptr;
  std::set<std::pair<std::size_t, std::string>> touched_;     // keys to be saved
  std::set<std::pair<std::size_t, std::string>> unnumbered_;  // that hold events without seq
  std::vector<StateRow> rows_;                                // others to be saved
  // The transaction and the event being taken.
  const normalize::Transaction* transaction_ = nullptr;
  std::vector<BusinessEvent>* out_ = nullptr;
  std::size_t first_ = 0;
  std::size_t current_ = 0;
  std::optional<std::string> content_;
  std::vector<Value> variables_;
  binlog::Arena arena_;
};

}  // namespace rowtrail::infer
