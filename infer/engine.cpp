#include "infer/actor.h"
#include "infer/correlator.h"
#include "infer/discovery.h"
#include "infer/emitter.h"
#include "infer/explain.h"
#include "infer/rule_index.h"
#include "infer/settle.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::infer {
namespace {

/// How Gaps name a rule.
std::string versioned(const Rule& rule) {
  return rule.id + "@" + rule.version;
}

/// Why there is a Gap: each cause has one.
std::string cause(std::string_view kind, std::string_view versioned_rule) {
  return fmt::format("{} {}", kind, versioned_rule);
}

normalize::Gap rule_gap(normalize::GapKind kind, const normalize::Transaction& transaction) {
  normalize::Gap gap;
  gap.kind = kind;
  gap.file = transaction.file;
  gap.pos = transaction.start_pos;
  return gap;
}

}  // namespace

struct Engine::Impl {
  Impl(std::shared_ptr<const CompiledRules> rules_in, EngineOptions options_in)
      : rules(rules_in ? std::move(rules_in) : std::make_shared<const CompiledRules>()),
        options(std::move(options_in)),
        evaluator(rules->slots),
        index(*rules),
        matcher(evaluator),
        emitter(evaluator,
                [this](const Rule& rule, const std::string& text) { failed(rule, text); }),
        actors(options),
        correlator(*rules, evaluator, emitter,
                   [this](const Rule& rule, const std::string& text) { failed(rule, text); }) {}

  /// A Gap to fill; null when this version of the rule has one of the kind already.
  normalize::Gap* new_gap(normalize::GapKind kind, const Rule& rule);
  void failed(const Rule& rule, const std::string& error);
  void find_matches();
  void settle_level(std::vector<Match>& level, std::size_t rows);
  BusinessEvent emit(const Match& match);
  BusinessEvent discovered();

  std::shared_ptr<const CompiledRules> rules;
  EngineOptions options;
  Evaluator evaluator;
  RuleIndex index;
  Matcher matcher;
  Emitter emitter;
  ActorFinder actors;
  Discovery discovery;
  Correlator correlator;
  binlog::Arena kept;  // what the matches of the transaction point to
  std::vector<Match> matches;
  BulkCounts bulk;
  std::set<std::string> bulk_rules;                     // that listen to its rows
  std::set<std::string> reported;                       // causes
  const normalize::Transaction* transaction = nullptr;  // being inferred
  std::vector<normalize::Gap>* gaps = nullptr;          // where its Gaps go
};

normalize::Gap* Engine::Impl::new_gap(normalize::GapKind kind, const Rule& rule) {
  const std::string name = versioned(rule);
  if (!reported.insert(cause(normalize::gap_kind_name(kind), name)).second) return nullptr;
  normalize::Gap& gap = gaps->emplace_back(rule_gap(kind, *transaction));
  gap.rules.push_back(name);
  return &gap;
}

void Engine::Impl::failed(const Rule& rule, const std::string& error) {
  auto* gap = new_gap(normalize::GapKind::RuleFailed, rule);
  if (gap == nullptr) return;
  gap->reason = fmt::format("rule '{}' could not be evaluated: {}", rule.id, error);
  gap->advice =
      fmt::format("mend the rule in {}, line {}; its events may be missing here and later",
                  rule.file, rule.line);
}

void Engine::Impl::settle_level(std::vector<Match>& level, std::size_t rows) {
  settle(level, rows, [&](const Rule& winner, const Rule& loser) {
    auto* gap = new_gap(normalize::GapKind::RuleConflict, loser);
    if (gap == nullptr) return;
    gap->reason =
        fmt::format("rule '{}' wants the same rows as '{}', which got them", loser.id, winner.id);
    gap->advice = "give one of the two a higher priority";
  });
  for (const Match& match : level) {
    matcher.own(match.rows);
    matches.push_back(match);
  }
  level.clear();
}

void Engine::Impl::find_matches() {
  const std::size_t rows = transaction->changes.size();
  kept.reset();
  matches.clear();
  index.begin(*transaction);
  if (index.rules().empty()) return;
  matcher.begin(*transaction);
  std::vector<Match> level;
  const Rule* last = index.rules().front();
  for (const Rule* rule : index.rules()) {
    if (rule->priority != last->priority) settle_level(level, rows);
    last = rule;
    matcher.run(*rule, index.rows_of(*rule), kept, level);
    if (!matcher.error().empty()) failed(*rule, matcher.error());
  }
  settle_level(level, rows);
  // Events stand in the order of their first rows.
  std::stable_sort(matches.begin(), matches.end(),
                   [](const Match& a, const Match& b) { return a.rows.front() < b.rows.front(); });
}

BusinessEvent Engine::Impl::emit(const Match& match) {
  BusinessEvent event = emitter.emit(match, *transaction);
  event.actor = actors.find(match.rows, emitter.actor(match));
  emitter.summarize(match, event);
  return event;
}

BusinessEvent Engine::Impl::discovered() {
  BusinessEvent event;
  discovery.describe(*transaction, event);
  std::vector<std::uint32_t> rows(transaction->changes.size());
  for (std::uint32_t n = 0; n < rows.size(); ++n) rows[n] = n;
  event.actor = actors.find(rows, {});
  return event;
}

Engine::Engine(std::shared_ptr<const CompiledRules> rules, EngineOptions options)
    : impl_(std::make_unique<Impl>(std::move(rules), std::move(options))) {}
Engine::~Engine() = default;

namespace {

/// Event time is the source's clock, which never runs back.
void set_time(const normalize::Transaction& transaction, BusinessEvent& event) {
  event.time_us = transaction.event_time_us;
  event.time_has_fraction =
      transaction.committed_at_has_fraction || transaction.event_time_us % 1'000'000 != 0;
}

}  // namespace

void Engine::infer(const normalize::Transaction& transaction, std::vector<BusinessEvent>& out,
                   std::vector<normalize::Gap>& gaps) {
  Impl& state = *impl_;
  state.transaction = &transaction;
  state.gaps = &gaps;
  const std::size_t first = out.size();
  state.find_matches();
  state.actors.begin(transaction);
  for (const Match& match : state.matches) out.push_back(state.emit(match));
  if (out.size() == first) out.push_back(state.discovered());
  for (std::size_t n = first; n < out.size(); ++n) set_time(transaction, out[n]);
  state.correlator.take(transaction, first, out);
}

void Engine::bulk(const normalize::Transaction& part, std::vector<BusinessEvent>& out,
                  std::vector<normalize::Gap>& gaps) {
  Impl& state = *impl_;
  if (part.first_part) {
    state.bulk.clear();
    state.bulk_rules.clear();
  }
  count_rows(part, state.bulk);
  state.index.begin(part);
  for (const Rule* rule : state.index.listening()) {
    state.bulk_rules.insert(versioned(*rule));
  }
  if (!part.last_part) return;
  BusinessEvent event;
  describe_bulk(state.bulk, event);
  state.actors.begin(part);
  event.actor = state.actors.find({}, {});
  set_time(part, event);
  out.push_back(std::move(event));
  state.transaction = &part;
  state.gaps = &gaps;
  state.correlator.take(part, out.size() - 1, out);
  state.bulk.clear();
  if (state.bulk_rules.empty()) return;
  auto gap = rule_gap(normalize::GapKind::RulesNotEvaluated, part);
  gap.reason = "the transaction is too large for rules; one event counts its rows";
  gap.advice = "read its changes: what these rules would have said of them is not in the record";
  gap.rules.assign(state.bulk_rules.begin(), state.bulk_rules.end());
  gaps.push_back(std::move(gap));
  state.bulk_rules.clear();
}

void Engine::set_state(State* state) {
  impl_->correlator.set_state(state);
}
std::vector<StateRow> Engine::take_state() {
  return impl_->correlator.take_state();
}
void Engine::set_event_seq(std::uint64_t seq) {
  impl_->correlator.set_event_seq(seq);
}

std::vector<RuleExplanation> Engine::explain(const normalize::Transaction& transaction) {
  Impl& state = *impl_;
  std::vector<normalize::Gap> gaps;
  const auto reported = state.reported;
  state.transaction = &transaction;
  state.gaps = &gaps;
  state.find_matches();
  const auto settled = state.matches;
  state.index.begin(transaction);
  std::vector<RuleExplanation> out;
  binlog::Arena kept;
  state.matcher.begin(transaction);
  for (const Rule* rule : state.index.listening()) {
    Explainer explainer(*rule, transaction, state.evaluator);
    std::vector<Match> alone;
    if (explainer.is_touched(state.index.rows_of(*rule))) {
      state.matcher.set_trace(&explainer);
      state.matcher.run(*rule, state.index.rows_of(*rule), kept, alone);
      state.matcher.set_trace(nullptr);
    }
    out.push_back(explainer.finish(settled, alone, state.matcher.error()));
  }
  state.reported = reported;
  return out;
}

void Engine::set_recorded_gaps(const std::vector<std::string>& gap_payloads) {
  auto& reported = impl_->reported;
  reported.clear();
  for (const std::string& payload : gap_payloads) {
    rapidjson::Document gap;
    gap.Parse(payload.data(), payload.size());
    if (!gap.IsObject()) continue;
    const auto kind = gap.FindMember("kind");
    const auto rules = gap.FindMember("rules");
    if (kind == gap.MemberEnd() || !kind->value.IsString()) continue;
    if (rules == gap.MemberEnd() || !rules->value.IsArray()) continue;
    for (const auto& rule : rules->value.GetArray()) {
      if (rule.IsString()) reported.insert(cause(kind->value.GetString(), rule.GetString()));
    }
  }
}

}  // namespace rowtrail::infer
