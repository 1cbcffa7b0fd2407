#include "infer/rule_index.h"

#include <algorithm>

namespace rowtrail::infer {

RuleIndex::RuleIndex(const CompiledRules& rules) : rules_(rules), states_(rules.rules.size()) {
  for (std::uint32_t n = 0; n < rules.rules.size(); ++n) numbers_[rules.rules[n].get()] = n;
}

RuleIndex::Table& RuleIndex::look_up(const normalize::Change& change) {
  key_.assign(change.database);
  key_ += '\0';
  key_ += change.table;
  auto& table = tables_[key_];
  if (table) return *table;
  table = std::make_unique<Table>();
  const auto add = [&](Listener listener, unsigned ops) {
    for (std::size_t op = 0; op < kOps; ++op) {
      if ((ops >> op & 1U) != 0) table->listeners[op].push_back(listener);
    }
  };
  for (std::uint32_t n = 0; n < rules_.rules.size(); ++n) {
    const Rule& rule = *rules_.rules[n];
    std::uint32_t place = 0;
    for (const auto* clauses : {&rule.match, &rule.forbid}) {
      for (const auto& clause : *clauses) {
        if (clause->table.matches(change.database, change.table)) add({n, place}, clause->ops);
        ++place;
      }
    }
  }
  return *table;
}

RuleIndex::Table& RuleIndex::table_of(const normalize::Change& change) {
  if (change.schema == nullptr) return look_up(change);
  Recent& recent = recent_[(reinterpret_cast<std::uintptr_t>(change.schema) >> 4) % kRecent];
  if (recent.schema != change.schema) recent = {change.schema, &look_up(change)};
  return *recent.table;
}

void RuleIndex::add_group(Table& table, std::size_t op) {
  table.seen[op] = transaction_;
  table.group[op] = static_cast<std::uint32_t>(groups_used_);
  if (groups_used_ == groups_.size()) groups_.emplace_back();
  Group& group = groups_[groups_used_++];
  group.listeners = &table.listeners[op];
  group.rows.clear();
}

void RuleIndex::begin(const normalize::Transaction& transaction) {
  ++transaction_;
  groups_used_ = 0;
  touched_.clear();
  possible_.clear();
  recent_.fill({});  // schemas live as long as their transaction
  if (tables_.size() > kTablesMax) tables_.clear();
  for (std::uint32_t row = 0; row < transaction.changes.size(); ++row) {
    const auto& change = transaction.changes[row];
    Table& table = table_of(change);
    const auto op = static_cast<std::size_t>(change.op);
    if (table.listeners[op].empty()) continue;
    if (table.seen[op] != transaction_) add_group(table, op);
    groups_[table.group[op]].rows.push_back(row);
  }
  for (std::uint32_t number = 0; number < groups_used_; ++number) {
    for (const Listener& listener : *groups_[number].listeners) {
      RuleState& state = states_[listener.rule];
      if (state.seen != transaction_) {
        state.seen = transaction_;
        state.present = 0;
        state.sources.clear();
        touched_.push_back(listener.rule);
      }
      state.sources.push_back({listener.place, number});
      if (listener.place < kVariablesMax) state.present |= std::uint64_t{1} << listener.place;
    }
  }
  std::sort(touched_.begin(), touched_.end());
  for (const auto number : touched_) {
    const Rule& rule = *rules_.rules[number];
    const bool complete = (rule.plan.required & ~states_[number].present) == 0;
    if (complete) possible_.push_back(&rule);
  }
  std::stable_sort(possible_.begin(), possible_.end(),
                   [](const Rule* a, const Rule* b) { return a->priority > b->priority; });
}

std::vector<const Rule*> RuleIndex::listening() const {
  std::vector<const Rule*> out;
  out.reserve(touched_.size());
  for (const auto number : touched_) out.push_back(rules_.rules[number].get());
  return out;
}

std::span<const Rows> RuleIndex::rows_of(const Rule& rule) {
  const std::size_t places = rule.match.size() + rule.forbid.size();
  rows_.assign(places, {});
  if (merged_.size() < places) merged_.resize(places);
  for (const Source& source : states_[numbers_.at(&rule)].sources) {
    const auto& rows = groups_[source.group].rows;
    Rows& place = rows_[source.place];
    if (place.empty()) {
      place = rows;
      continue;
    }
    std::vector<std::uint32_t> both(place.size() + rows.size());
    std::merge(place.begin(), place.end(), rows.begin(), rows.end(), both.begin());
    merged_[source.place] = std::move(both);
    place = merged_[source.place];
  }
  return rows_;
}

}  // namespace rowtrail::infer
