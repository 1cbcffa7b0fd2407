#include "infer/actor.h"
#include "infer/discovery.h"
#include "infer/matcher.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

constexpr std::uint64_t kStepsPerChange = 10'000;
constexpr std::uint64_t kStepsMin = 1'000'000;
constexpr std::size_t kBindingsMax = 65'536;
constexpr std::size_t kErrorsMax = 1'000;

/// Where rows of one table go: clauses of rules that name it.
struct Binding {
  std::uint32_t rule;
  std::uint32_t clause;
  OpMask ops;
  bool forbidden;
};

struct Found {
  const Rule* rule;
  Match match;
};

}  // namespace

struct Engine::State {
  State(std::shared_ptr<const CompiledRules> rules_in, EngineOptions options_in)
      : rules(rules_in ? std::move(rules_in) : std::make_shared<const CompiledRules>()),
        options(std::move(options_in)),
        evaluator(rules->slots),
        candidates(rules->rules.size()) {
    for (std::size_t n = 0; n < candidates.size(); ++n) {
      const auto& rule = rules->rules[n];
      candidates[n].resize(rule.clauses.size() + rule.forbidden.size());
    }
  }

  const std::vector<Binding>& bindings_of(const normalize::Change& change);
  void collect(const normalize::Transaction& transaction);
  void match_rules(const normalize::Transaction& transaction, std::vector<Found>& found);
  bool is_forbidden(std::uint32_t rule, const normalize::Transaction& transaction);
  void settle(std::vector<Found>& found, std::size_t changes);
  BusinessEvent emit(const Found& found, const normalize::Transaction& transaction);
  void emit_objects(const Found& found, BusinessEvent& event);
  void emit_attributes(const Found& found, BusinessEvent& event,
                       std::vector<std::string>& attribute_texts);
  void summarize(const Rule& rule, const std::vector<std::string>& attribute_texts,
                 BusinessEvent& event);
  void find_actor(const normalize::Transaction& transaction, std::span<const std::uint32_t> rows,
                  const std::string& named, BusinessEvent& event);
  Value value(const Found& found, const Expression& expression);
  void note_error(const Rule& rule, const std::string& message);

  std::shared_ptr<const CompiledRules> rules;
  EngineOptions options;
  Evaluator evaluator;
  binlog::Arena arena;
  std::unordered_map<std::string, std::vector<Binding>> bindings;  // "database\0table"
  std::string key;
  std::vector<std::vector<RowList>> candidates;  // by rule: clauses, then forbidden
  std::vector<std::uint32_t> touched;            // rules with candidates
  std::map<std::string, std::string> errors;     // rule id → first message
  BulkCounts bulk;
};

const std::vector<Binding>& Engine::State::bindings_of(const normalize::Change& change) {
  key.assign(change.database);
  key += '\0';
  key += change.table;
  const auto found = bindings.find(key);
  if (found != bindings.end()) return found->second;
  if (bindings.size() >= kBindingsMax) bindings.clear();
  std::vector<Binding> made;
  for (std::uint32_t n = 0; n < rules->rules.size(); ++n) {
    const auto& rule = rules->rules[n];
    std::uint32_t place = 0;
    for (const auto& clause : rule.clauses) {
      if (clause.table.matches(change.database, change.table)) {
        made.push_back({n, place, clause.ops, false});
      }
      ++place;
    }
    for (const auto& forbidden : rule.forbidden) {
      if (forbidden.table.matches(change.database, change.table)) {
        made.push_back({n, place, forbidden.ops, true});
      }
      ++place;
    }
  }
  return bindings.emplace(key, std::move(made)).first->second;
}

void Engine::State::collect(const normalize::Transaction& transaction) {
  for (const auto rule : touched) {
    for (auto& rows : candidates[rule]) rows.clear();
  }
  touched.clear();
  for (std::uint32_t row = 0; row < transaction.changes.size(); ++row) {
    const auto& change = transaction.changes[row];
    for (const auto& binding : bindings_of(change)) {
      if ((binding.ops & op_bit(change.op)) == 0) continue;
      auto& lists = candidates[binding.rule];
      lists[binding.clause].push_back(row);
      touched.push_back(binding.rule);
    }
  }
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
}

bool Engine::State::is_forbidden(std::uint32_t index, const normalize::Transaction& transaction) {
  const auto& rule = rules->rules[index];
  std::vector<Value> variables(rule.clauses.size() + 1);
  for (std::size_t n = 0; n < rule.forbidden.size(); ++n) {
    const auto& rows = candidates[index][rule.clauses.size() + n];
    if (rule.forbidden[n].when == kUnlimited) {
      if (!rows.empty()) return true;
      continue;
    }
    const auto& when = rule.conditions[rule.forbidden[n].when];
    for (const auto row : rows) {
      variables.back() = make_row(transaction.changes[row]);
      if (evaluator.evaluate(when, when.root, variables, arena).is_true()) return true;
    }
  }
  return false;
}

void Engine::State::match_rules(const normalize::Transaction& transaction,
                                std::vector<Found>& found) {
  std::vector<Match> matches;
  for (const auto index : touched) {
    const auto& rule = rules->rules[index];
    bool possible = true;
    for (std::size_t n = 0; n < rule.clauses.size(); ++n) {
      possible = possible && (rule.clauses[n].min == 0 || !candidates[index][n].empty());
    }
    if (!possible || is_forbidden(index, transaction)) continue;
    matches.clear();
    Matcher matcher(rule, transaction, evaluator, arena);
    matcher.run(candidates[index], matches);
    if (!matcher.error().empty()) note_error(rule, matcher.error());
    for (auto& match : matches) found.push_back({&rule, std::move(match)});
  }
  if (evaluator.exhausted() && !touched.empty()) {
    note_error(rules->rules[touched.back()], "gave up: the transaction needs too many steps");
  }
}

/// Rows that several rules want go to the highest priority, then to the rule that stands first.
void Engine::State::settle(std::vector<Found>& found, std::size_t changes) {
  if (found.size() < 2) return;
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return a.rule->priority > b.rule->priority;
  });
  std::vector<const Rule*> owner(changes, nullptr);
  std::vector<Found> kept;
  for (auto& candidate : found) {
    const Rule* other = nullptr;
    for (const auto row : candidate.match.rows) {
      if (owner[row] != nullptr && owner[row] != candidate.rule) other = owner[row];
    }
    if (other != nullptr) {
      if (other->priority == candidate.rule->priority) {
        note_error(*candidate.rule,
                   fmt::format("wants the same rows as '{}'; give one a priority", other->info.id));
      }
      continue;
    }
    for (const auto row : candidate.match.rows) owner[row] = candidate.rule;
    kept.push_back(std::move(candidate));
  }
  found = std::move(kept);
  // Events stand in the order of their first rows.
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return a.match.rows.front() < b.match.rows.front();
  });
}

Value Engine::State::value(const Found& found, const Expression& expression) {
  const auto result = evaluator.evaluate(expression, expression.root, found.match.variables, arena);
  if (result.is_error()) note_error(*found.rule, describe(result, expression));
  return result;
}

void Engine::State::emit_objects(const Found& found, BusinessEvent& event) {
  const auto add = [&](const ObjectExpression& object, const Value& id) {
    std::string text;
    if (id.is_null() || !append_text(text, id)) return;
    ObjectRef made{object.type, std::move(text), object.role};
    if (std::find(event.objects.begin(), event.objects.end(), made) == event.objects.end()) {
      event.objects.push_back(std::move(made));
    }
  };
  for (const auto& object : found.rule->objects) {
    const auto id = value(found, object.id);
    if (id.kind == Kind::List) {
      for (const auto& item : items_of(id)) add(object, item);
    } else if (!id.is_error()) {
      add(object, id);
    }
  }
}

void Engine::State::emit_attributes(const Found& found, BusinessEvent& event,
                                    std::vector<std::string>& attribute_texts) {
  std::string json = "{";
  for (const auto& attribute : found.rule->attributes) {
    const auto result = value(found, attribute.value);
    if (json.size() > 1) json += ',';
    json += attribute.key;
    if (result.is_error() || !append_json(json, result)) json += "null";
    std::string text;
    if (!append_text(text, result)) text = show(result);
    attribute_texts.push_back(std::move(text));
  }
  event.attributes = json + "}";
}

void Engine::State::summarize(const Rule& rule, const std::vector<std::string>& attribute_texts,
                              BusinessEvent& event) {
  for (const auto& piece : rule.summary) {
    if (!piece.is_name) {
      event.summary += piece.text;
      continue;
    }
    if (piece.text == "actor") {
      event.summary += event.actor.id.empty() ? "somebody" : event.actor.id;
      continue;
    }
    bool is_attribute = false;
    for (std::size_t n = 0; n < rule.attributes.size(); ++n) {
      if (rule.attributes[n].name != piece.text) continue;
      event.summary += attribute_texts[n];
      is_attribute = true;
      break;
    }
    if (is_attribute) continue;
    bool first = true;
    for (const auto& object : event.objects) {
      const bool by_role = !object.role.empty() && object.type + "." + object.role == piece.text;
      if (object.type != piece.text && !by_role) continue;
      if (!first) event.summary += ", ";
      first = false;
      event.summary += object.id;
    }
  }
  if (rule.summary.empty()) event.summary = rule.info.title;
}

void Engine::State::find_actor(const normalize::Transaction& transaction,
                               std::span<const std::uint32_t> rows, const std::string& named,
                               BusinessEvent& event) {
  const auto comment = actor_in_statements(transaction);
  if (!named.empty()) {
    event.actor = {named, "column", comment == named ? "corroborated" : "heuristic"};
  } else if (comment) {
    event.actor = {*comment, "comment", "exact"};
  } else if (auto column = actor_in_columns(transaction, rows, options.actor_columns)) {
    event.actor = {std::move(*column), "column", "heuristic"};
  }
}

BusinessEvent Engine::State::emit(const Found& found, const normalize::Transaction& transaction) {
  BusinessEvent event;
  event.type = found.rule->info.event;
  event.title = found.rule->info.title;
  event.severity = found.rule->severity;
  event.rule_id = found.rule->info.id;
  event.rule_version = found.rule->info.version;
  std::string named;
  if (!found.rule->actor.empty()) {
    const auto actor = value(found, found.rule->actor);
    if (!actor.is_null() && !actor.is_error()) append_text(named, actor);
  }
  find_actor(transaction, found.match.rows, named, event);
  emit_objects(found, event);
  std::vector<std::string> attribute_texts;
  emit_attributes(found, event, attribute_texts);
  summarize(*found.rule, attribute_texts, event);
  for (const auto row : found.match.rows)
    event.evidence.push_back(transaction.changes[row].ordinal);
  return event;
}

void Engine::State::note_error(const Rule& rule, const std::string& message) {
  if (errors.size() < kErrorsMax) errors.emplace(rule.info.id, message);
}

Engine::Engine(std::shared_ptr<const CompiledRules> rules, EngineOptions options)
    : state_(std::make_unique<State>(std::move(rules), std::move(options))) {}
Engine::~Engine() = default;

void Engine::infer(const normalize::Transaction& transaction, std::vector<BusinessEvent>& out) {
  auto& state = *state_;
  state.arena.reset();
  state.evaluator.set_budget(std::max(kStepsMin, kStepsPerChange * transaction.changes.size()));
  state.collect(transaction);
  std::vector<Found> found;
  state.match_rules(transaction, found);
  state.settle(found, transaction.changes.size());
  const auto first = out.size();
  for (const auto& match : found) out.push_back(state.emit(match, transaction));
  if (found.empty()) {
    BusinessEvent event;
    discover(transaction, event);
    std::vector<std::uint32_t> rows(transaction.changes.size());
    for (std::uint32_t n = 0; n < rows.size(); ++n) rows[n] = n;
    state.find_actor(transaction, rows, {}, event);
    out.push_back(std::move(event));
  }
  for (auto n = first; n < out.size(); ++n) {
    out[n].time_us = transaction.event_time_us;
    out[n].time_has_fraction =
        transaction.event_time_us % 1'000'000 != 0 || transaction.committed_at_has_fraction;
  }
}

void Engine::bulk(const normalize::Transaction& part, std::vector<BusinessEvent>& out) {
  auto& state = *state_;
  if (part.first_part) state.bulk.clear();
  count_rows(part, state.bulk);
  if (!part.last_part) return;
  BusinessEvent event;
  describe_bulk(state.bulk, event);
  state.find_actor(part, {}, {}, event);
  event.time_us = part.event_time_us;
  event.time_has_fraction = part.event_time_us % 1'000'000 != 0 || part.committed_at_has_fraction;
  out.push_back(std::move(event));
  state.bulk.clear();
}

std::vector<std::string> Engine::evaluation_errors() const {
  std::vector<std::string> out;
  for (const auto& [rule, message] : state_->errors) out.push_back(rule + ": " + message);
  return out;
}

}  // namespace rowtrail::infer
