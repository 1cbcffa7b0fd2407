#include "insight/observation.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "insight/flat_map.h"

namespace rowtrail::insight {
namespace {

using binlog::Cell;
using binlog::CellKind;
using normalize::Change;
using normalize::Op;

// A transaction is judged by its first rows, a row by its first columns.
constexpr std::size_t kRowsMax = 24;
constexpr std::size_t kColumnsMax = 6;
constexpr std::size_t kObjectsMax = 16;
constexpr std::size_t kTablesMax = 16;

bool number_of(const Cell& cell, double& out) {
  switch (cell.kind) {
    case CellKind::Int:
      out = static_cast<double>(cell.i);
      return true;
    case CellKind::UInt:
      out = static_cast<double>(cell.u);
      return true;
    case CellKind::Float:
    case CellKind::Double:
      out = cell.d;
      return std::isfinite(out);
    case CellKind::Decimal: {
      const auto text = cell.text();
      return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc{};
    }
    default:
      return false;
  }
}

/// Microseconds since the epoch; dates without a zone as if in UTC: their usual lag holds the zone.
bool time_of(const Cell& cell, std::int64_t& out) {
  using namespace std::chrono;
  binlog::DateTimeParts parts;
  if (cell.kind == CellKind::Timestamp) {
    out = cell.i;
    return out != 0;
  }
  if (cell.kind == CellKind::Date) {
    parts.year = static_cast<std::uint32_t>(cell.u >> 9);
    parts.month = static_cast<std::uint32_t>(cell.u >> 5 & 0xF);
    parts.day = static_cast<std::uint32_t>(cell.u & 0x1F);
  } else if (cell.kind == CellKind::DateTime) {
    parts = binlog::unpack_datetime(cell.u);
  } else {
    return false;
  }
  const year_month_day date{year{static_cast<int>(parts.year)}, month{parts.month}, day{parts.day}};
  if (!date.ok()) return false;
  const auto seconds = sys_days{date}.time_since_epoch().count() * std::int64_t{86'400} +
                       std::int64_t{parts.hour} * 3600 + std::int64_t{parts.minute} * 60 +
                       std::int64_t{parts.second};
  out = seconds * 1'000'000 + std::int64_t{parts.microsecond};
  return true;
}

bool is_reference(std::string_view name) {
  return name.ends_with("_id") || name.ends_with("Id") || name.starts_with("id_");
}

bool is_number_type(const std::string& type) {
  return type.starts_with("decimal") || type.starts_with("int") || type.starts_with("smallint") ||
         type.starts_with("mediumint") || type.starts_with("bigint") || type.starts_with("float") ||
         type.starts_with("double");
}

}  // namespace

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  return mixed(hash, text.size()) | 1;
}

void Observation::clear() {
  time_us = 0;
  changes = gaps = 0;
  statement = gap = {};
  truncate = false;
  events.clear();
  objects.clear();
  rows.clear();
  values.clear();
  flags.clear();
}

namespace {

bool take_text(std::string_view& bytes, std::string_view& text) {
  std::uint32_t size = 0;
  if (!take(bytes, size) || bytes.size() < size) return false;
  text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

template <class Items, class Save>
void save_each(std::string& out, const Items& items, const Save& save) {
  put(out, static_cast<std::uint32_t>(items.size()));
  for (const auto& item : items) save(item);
}

template <class Items, class Load>
bool load_each(std::string_view& bytes, Items& items, const Load& load) {
  std::uint32_t count = 0;
  if (!take(bytes, count)) return false;
  items.clear();
  for (; count > 0; --count) {
    if (!load(items.emplace_back())) return false;
  }
  return true;
}

}  // namespace

void Observation::save(std::string& out) const {
  put(out, time_us);
  put(out, changes);
  put(out, gaps);
  put(out, statement.hash);
  put(out, gap.hash);
  put(out, truncate);
  save_each(out, events, [&](const ObservedEvent& event) {
    put(out, event.seq);
    put(out, event.type.hash);
    put(out, static_cast<std::uint32_t>(event.type.text.size()));
    out += event.type.text;
    put(out, event.actor.hash);
    put(out, event.discovered);
    put(out, event.objects_begin);
    put(out, event.objects_end);
  });
  save_each(out, objects, [&](const ObservedObject& object) {
    put(out, object.type.hash);
    put(out, object.id.hash);
  });
  save_each(out, rows, [&](const ObservedRows& touched) {
    put(out, touched.table.hash);
    put(out, touched.op);
    put(out, touched.rows);
  });
  save_each(out, values, [&](const ObservedValue& value) {
    put(out, value.kind);
    put(out, value.column.hash);
    put(out, value.subject.hash);
    put(out, value.pool);
    put(out, value.value);
  });
  save_each(out, flags, [&](const ObservedFlag& flag) {
    put(out, flag.kind);
    put(out, flag.about.hash);
    put(out, flag.what.hash);
    put(out, flag.set);
  });
}

bool Observation::load(std::string_view& bytes) {
  clear();
  return take(bytes, time_us) && take(bytes, changes) && take(bytes, gaps) &&
         take(bytes, statement.hash) && take(bytes, gap.hash) && take(bytes, truncate) &&
         load_each(bytes, events,
                   [&](ObservedEvent& event) {
                     return take(bytes, event.seq) && take(bytes, event.type.hash) &&
                            take_text(bytes, event.type.text) && take(bytes, event.actor.hash) &&
                            take(bytes, event.discovered) && take(bytes, event.objects_begin) &&
                            take(bytes, event.objects_end);
                   }) &&
         load_each(bytes, objects,
                   [&](ObservedObject& object) {
                     return take(bytes, object.type.hash) && take(bytes, object.id.hash);
                   }) &&
         load_each(bytes, rows,
                   [&](ObservedRows& touched) {
                     return take(bytes, touched.table.hash) && take(bytes, touched.op) &&
                            take(bytes, touched.rows);
                   }) &&
         load_each(bytes, values,
                   [&](ObservedValue& value) {
                     return take(bytes, value.kind) && take(bytes, value.column.hash) &&
                            take(bytes, value.subject.hash) && take(bytes, value.pool) &&
                            take(bytes, value.value);
                   }) &&
         load_each(bytes, flags, [&](ObservedFlag& flag) {
           return take(bytes, flag.kind) && take(bytes, flag.about.hash) &&
                  take(bytes, flag.what.hash) && take(bytes, flag.set);
         });
}

const Observer::Plan& Observer::plan_of(const binlog::TableSchema& schema) {
  const auto known = plans_.find(schema.layout_hash);
  if (known != plans_.end()) return known->second;
  constexpr std::size_t kPlansMax = 10'000;
  if (plans_.size() >= kPlansMax) plans_.clear();
  Plan& plan = plans_[schema.layout_hash];
  plan.table_text = schema.table;
  plan.table = hash_of(schema.database + "." + schema.table);
  for (std::uint32_t i = 0; i < schema.columns.size(); ++i) {
    const auto& column = schema.columns[i];
    const auto& key = schema.primary_key;
    if (std::find(key.begin(), key.end(), i) != key.end()) continue;
    const auto text = schema.table + "." + column.name;
    const Column seen{i, hash_of(schema.database + "." + text), text};
    const auto type = column.sql_type();
    const auto add = [&](std::vector<Column>& columns) {
      if (columns.size() < kColumnsMax) columns.push_back(seen);
    };
    if (is_reference(column.name)) {
      add(plan.references);
    } else if (!column.labels.empty() && type.starts_with("enum")) {
      add(plan.labels);
    } else if (column.name.ends_with("_by")) {
      add(plan.persons);
    } else if (type.starts_with("date") || type.starts_with("timestamp")) {
      add(plan.dates);
    } else if (is_number_type(type) && column.name.find("version") == std::string::npos) {
      add(plan.amounts);
    }
  }
  return plan;
}

void Observer::add_values(const Change& change, const Plan& plan) {
  const bool update = !change.before.empty() && !change.after.empty();
  if (change.after.empty()) return;
  for (const auto& column : plan.amounts) {
    double now = 0;
    if (!number_of(change.after[column.index], now)) continue;
    ObservedValue value{ValueKind::Amount, {column.hash, column.text}, {}, 0, 0, now};
    if (update) {
      double was = 0;
      if (!number_of(change.before[column.index], was) || was == now) continue;
      value.kind = ValueKind::Difference;
      value.value = now - was;
      auto known = std::find_if(balances_.begin(), balances_.end(),
                                [&](const Balance& b) { return b.column == column.hash; });
      if (known == balances_.end()) {
        known = balances_.insert(known, Balance{column.hash, column.text, 0, 0});
      }
      ++known->rows;
      known->sum += value.value;
    }
    out_.values.push_back(value);
    if (update) continue;
    for (const auto& reference : plan.references) {
      double id = 0;
      if (!number_of(change.after[reference.index], id)) continue;
      value.subject_id = static_cast<std::int64_t>(id);
      value.subject = {mixed(reference.hash, static_cast<std::uint64_t>(value.subject_id)) | 1,
                       reference.text};
      value.pool = reference.hash;
      out_.values.push_back(value);
    }
  }
  if (update) return;
  for (const auto& column : plan.dates) {
    std::int64_t at = 0;
    if (!time_of(change.after[column.index], at)) continue;
    constexpr double kHourUs = 3.6e9;
    out_.values.push_back({ValueKind::Lag,
                           {column.hash, column.text},
                           {},
                           0,
                           0,
                           static_cast<double>(out_.time_us - at) / kHourUs});
  }
}

void Observer::add_flags(const Change& change, const Plan& plan) {
  if (change.after.empty()) return;
  const auto person = [&](const Column& column) {
    const auto& cell = change.after[column.index];
    return cell.kind == CellKind::Text ? cell.text() : std::string_view();
  };
  for (std::size_t i = 0; i < plan.persons.size(); ++i) {
    for (std::size_t j = i + 1; j < plan.persons.size(); ++j) {
      const auto a = person(plan.persons[i]);
      const auto b = person(plan.persons[j]);
      if (a.empty() || b.empty()) continue;
      const auto& other = plan.persons[j];
      out_.flags.push_back({FlagKind::SameHand,
                            {mixed(plan.persons[i].hash, other.hash), plan.persons[i].text},
                            {other.hash, other.text},
                            {},
                            a == b});
    }
  }
  if (change.before.empty()) return;
  const auto& columns = change.schema->columns;
  for (const auto& column : plan.labels) {
    const auto& before = change.before[column.index];
    const auto& after = change.after[column.index];
    const auto& labels = columns[column.index].labels;
    if (before.kind != CellKind::Enum || after.kind != CellKind::Enum || before.u == after.u ||
        before.u > labels.size() || after.u > labels.size()) {
      continue;
    }
    const auto label = [&](std::uint64_t n) {
      return n == 0 ? std::string_view("''") : std::string_view(labels[n - 1]);
    };
    const auto pair = mixed(hash_of(label(before.u)), hash_of(label(after.u)));
    out_.flags.push_back({FlagKind::Transition,
                          {column.hash, column.text},
                          {pair, label(before.u)},
                          label(after.u),
                          true});
  }
}

void Observer::add_rows(const Change& change) {
  const auto table = change.schema != nullptr ? plan_of(*change.schema).table : 0;
  if (table == 0) return;
  for (auto& known : out_.rows) {
    if (known.table.hash == table && known.op == change.op) {
      ++known.rows;
      return;
    }
  }
  if (out_.rows.size() < kTablesMax) out_.rows.push_back({{table, change.table}, change.op, 1});
}

void Observer::add_balance() {
  for (const auto& balance : balances_) {
    if (balance.rows < 2) continue;
    out_.flags.push_back({FlagKind::Unbalanced,
                          {balance.column, balance.text},
                          {},
                          {},
                          std::abs(balance.sum) > 1e-9});
  }
}

void Observer::add_events(const std::vector<infer::BusinessEvent>& events,
                          std::uint64_t first_seq) {
  for (const auto& event : events) {
    ObservedEvent seen;
    seen.seq = first_seq++;
    seen.type = {hash_of(event.type), event.type};
    if (!event.actor.id.empty()) seen.actor = {hash_of(event.actor.id), event.actor.id};
    seen.discovered = event.rule_id == "auto";
    seen.objects_begin = static_cast<std::uint32_t>(out_.objects.size());
    for (const auto& object : event.objects) {
      if (out_.objects.size() - seen.objects_begin >= kObjectsMax) break;
      out_.objects.push_back(
          {{hash_of(object.type), object.type}, {hash_of(object.id), object.id}});
    }
    seen.objects_end = static_cast<std::uint32_t>(out_.objects.size());
    out_.events.push_back(seen);
  }
}

const Observation& Observer::observe(const normalize::Transaction& transaction,
                                     const std::vector<infer::BusinessEvent>& events,
                                     std::uint64_t first_event_seq, std::size_t rule_gaps) {
  out_.clear();
  balances_.clear();
  out_.time_us = transaction.event_time_us;
  out_.gaps = static_cast<std::uint32_t>(transaction.gaps.size() + rule_gaps);
  if (!transaction.gaps.empty()) {
    const auto kind = normalize::gap_kind_name(transaction.gaps.front().kind);
    out_.gap = {hash_of(kind), kind};
  }
  const auto& last = transaction.changes;
  out_.changes = last.empty() ? 0 : last.back().ordinal + 1;  // of all parts
  std::size_t looked_at = 0;
  for (const auto& change : transaction.changes) {
    if (change.op == Op::Ddl || change.op == Op::Truncate) {
      if (out_.statement.hash != 0) continue;
      out_.statement = {hash_of(change.sql), change.sql};
      out_.truncate = change.op == Op::Truncate;
      continue;
    }
    add_rows(change);
    if (++looked_at > kRowsMax || change.schema == nullptr || change.op == Op::Snapshot) continue;
    const auto& plan = plan_of(*change.schema);
    add_values(change, plan);
    add_flags(change, plan);
  }
  if (looked_at <= kRowsMax) add_balance();
  add_events(events, first_event_seq);
  return out_;
}

}  // namespace rowtrail::insight
