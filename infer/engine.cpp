#include "infer/actor.h"
#include "infer/discovery.h"
#include "infer/emitter.h"
#include "infer/rule_index.h"
#include "infer/settle.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

constexpr std::size_t kNotesMax = 1'000;

}  // namespace

struct Engine::State {
  State(std::shared_ptr<const CompiledRules> rules_in, EngineOptions options_in)
      : rules(rules_in ? std::move(rules_in) : std::make_shared<const CompiledRules>()),
        options(std::move(options_in)),
        evaluator(rules->slots),
        index(*rules),
        matcher(evaluator),
        emitter(evaluator, [this](const Rule& rule, const std::string& text) { note(rule, text); }),
        actors(options) {}

  void note(const Rule& rule, const std::string& message) {
    if (notes.size() < kNotesMax) notes.emplace(rule.id, message);
  }
  void find_matches(const normalize::Transaction& transaction);
  void settle_level(std::vector<Match>& level, std::size_t rows);
  BusinessEvent emit(const Match& match, const normalize::Transaction& transaction);
  BusinessEvent discovered(const normalize::Transaction& transaction);

  std::shared_ptr<const CompiledRules> rules;
  EngineOptions options;
  Evaluator evaluator;
  RuleIndex index;
  Matcher matcher;
  Emitter emitter;
  ActorFinder actors;
  Discovery discovery;
  binlog::Arena kept;  // what the matches of the transaction point to
  std::vector<Match> matches;
  std::map<std::string, std::string> notes;  // rule id → first message
  BulkCounts bulk;
};

void Engine::State::settle_level(std::vector<Match>& level, std::size_t rows) {
  settle(level, rows, [&](const Rule& winner, const Rule& loser) {
    note(loser, fmt::format("wants the same rows as '{}', which got them; give one of the two a "
                            "higher priority",
                            winner.id));
  });
  for (const Match& match : level) {
    matcher.own(match.rows);
    matches.push_back(match);
  }
  level.clear();
}

void Engine::State::find_matches(const normalize::Transaction& transaction) {
  const std::size_t rows = transaction.changes.size();
  kept.reset();
  matches.clear();
  index.begin(transaction);
  if (index.rules().empty()) return;
  matcher.begin(transaction);
  std::vector<Match> level;
  const Rule* last = index.rules().front();
  for (const Rule* rule : index.rules()) {
    if (rule->priority != last->priority) settle_level(level, rows);
    last = rule;
    matcher.run(*rule, index.rows_of(*rule), kept, level);
    if (!matcher.error().empty()) note(*rule, matcher.error());
  }
  settle_level(level, rows);
  // Events stand in the order of their first rows.
  std::stable_sort(matches.begin(), matches.end(),
                   [](const Match& a, const Match& b) { return a.rows.front() < b.rows.front(); });
}

BusinessEvent Engine::State::emit(const Match& match, const normalize::Transaction& transaction) {
  BusinessEvent event = emitter.emit(match, transaction);
  event.actor = actors.find(match.rows, emitter.actor(match));
  emitter.summarize(match, event);
  return event;
}

BusinessEvent Engine::State::discovered(const normalize::Transaction& transaction) {
  BusinessEvent event;
  discovery.describe(transaction, event);
  std::vector<std::uint32_t> rows(transaction.changes.size());
  for (std::uint32_t n = 0; n < rows.size(); ++n) rows[n] = n;
  event.actor = actors.find(rows, {});
  return event;
}

Engine::Engine(std::shared_ptr<const CompiledRules> rules, EngineOptions options)
    : state_(std::make_unique<State>(std::move(rules), std::move(options))) {}
Engine::~Engine() = default;

namespace {

/// Event time is the source's clock, which never runs back.
void set_time(const normalize::Transaction& transaction, BusinessEvent& event) {
  event.time_us = transaction.event_time_us;
  event.time_has_fraction =
      transaction.committed_at_has_fraction || transaction.event_time_us % 1'000'000 != 0;
}

}  // namespace

void Engine::infer(const normalize::Transaction& transaction, std::vector<BusinessEvent>& out) {
  State& state = *state_;
  const std::size_t first = out.size();
  state.find_matches(transaction);
  state.actors.begin(transaction);
  for (const Match& match : state.matches) out.push_back(state.emit(match, transaction));
  if (out.size() == first) out.push_back(state.discovered(transaction));
  for (std::size_t n = first; n < out.size(); ++n) set_time(transaction, out[n]);
}

void Engine::bulk(const normalize::Transaction& part, std::vector<BusinessEvent>& out) {
  State& state = *state_;
  if (part.first_part) state.bulk.clear();
  count_rows(part, state.bulk);
  if (!part.last_part) return;
  BusinessEvent event;
  describe_bulk(state.bulk, event);
  state.actors.begin(part);
  event.actor = state.actors.find({}, {});
  set_time(part, event);
  out.push_back(std::move(event));
  state.bulk.clear();
}

std::vector<std::string> Engine::evaluation_errors() const {
  std::vector<std::string> out;
  for (const auto& [rule, message] : state_->notes) out.push_back(rule + ": " + message);
  return out;
}

}  // namespace rowtrail::infer
