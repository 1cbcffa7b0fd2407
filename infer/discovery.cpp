#include "infer/discovery.h"

#include "infer/decimal.h"
#include "infer/hashing.h"
#include "infer/naming.h"
#include "infer/row.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_set>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

using normalize::Change;
using normalize::Op;

constexpr std::size_t kObjectsMax = 64;
constexpr std::size_t kEvidenceMax = 1'000;       // beyond: the whole transaction
constexpr std::size_t kReferenceRowsMax = 4'096;  // rows that are looked at for references

std::string text_of(const Change& change, Side side, std::uint32_t column) {
  binlog::Arena arena;
  std::string out;
  append_text(out, column_value(change, side, static_cast<int>(column), arena));
  return out;
}

const binlog::Column& column_of(const Change& change, std::uint32_t column) {
  return change.schema->columns[column];
}

void find_changed(const Change& change, std::vector<std::uint32_t>& changed) {
  changed.clear();
  if (change.op != Op::Update || change.schema == nullptr) return;
  const std::size_t columns = std::min(change.before.size(), change.after.size());
  for (std::uint32_t n = 0; n < columns; ++n) {
    const bool logged = change.after[n].kind != binlog::CellKind::Absent;
    if (logged && !(change.before[n] == change.after[n])) changed.push_back(n);
  }
}

std::string_view bucket(std::uint32_t rows) {
  if (rows == 1) return "1";
  return rows <= 5 ? "few" : "many";
}

/// What happened to such a row: "created", "status_to_shipped", "decreased".
std::string update_verb(const Change& change, const std::vector<std::uint32_t>& changed) {
  std::vector<std::uint32_t> telling;
  for (const auto column : changed) {
    const auto& name = column_of(change, column).name;
    if (is_deletion_column(name)) {
      const auto before = text_of(change, Side::Before, column);
      return before.empty() || before == "0" ? "deleted" : "restored";
    }
    if (!is_audit_column(name)) telling.push_back(column);
  }
  for (const auto column : telling) {
    if (!is_transition(change, column)) continue;
    const auto to = word(text_of(change, Side::After, column));
    return fmt::format("{}_to_{}", word(column_of(change, column).name), to.empty() ? "empty" : to);
  }
  if (telling.size() != 1) return "updated";
  const auto& name = column_of(change, telling.front()).name;
  const int sign = delta_sign(change, telling.front());
  if (sign == 0) return word(name) + "_changed";
  const std::string_view direction = sign < 0 ? "decreased" : "increased";
  return is_amount_column(name) ? std::string(direction)
                                : fmt::format("{}_{}", word(name), direction);
}

std::string name_of(const Change& change, const std::vector<std::uint32_t>& changed) {
  const std::string noun = word(singular(change.table));
  switch (change.op) {
    case Op::Ddl:
      return "schema_changed";
    case Op::Truncate:
      return word(change.table) + "_truncated";
    case Op::Insert:
      return noun + "_created";
    case Op::Delete:
      return noun + "_deleted";
    case Op::Snapshot:
      return noun + "_snapshot";
    case Op::Update:
      return noun + "_" + update_verb(change, changed);
  }
  return noun + "_changed";
}

/// The key of the row, "7" or "[7,2]"; empty when the table has none.
std::string key_text(const Change& change) {
  if (change.schema == nullptr || change.schema->primary_key.empty()) return {};
  const Side side = change.after.empty() ? Side::Before : Side::After;
  const auto& key = change.schema->primary_key;
  if (key.size() == 1) return text_of(change, side, key.front());
  std::string out = "[";
  for (const auto column : key) {
    if (out.size() > 1) out += ',';
    binlog::Arena arena;
    if (!append_json(out, column_value(change, side, static_cast<int>(column), arena))) return {};
  }
  return out + "]";
}

void add_object(const Change& change, std::set<ObjectRef>& seen, BusinessEvent& event) {
  if (event.objects.size() >= kObjectsMax) return;
  ObjectRef object{word(singular(change.table)), key_text(change), {}};
  if (object.id.empty() || !seen.insert(object).second) return;
  event.objects.push_back(std::move(object));
}

}  // namespace

int delta_sign(const Change& change, std::uint32_t column) {
  binlog::Arena arena;
  const Value delta = column_delta(change, static_cast<int>(column), arena);
  if (!delta.is_number()) return 0;
  const Order order = compare(delta, make_int(0));
  return order == Order::Less ? -1 : (order == Order::Greater ? 1 : 0);
}

bool is_transition(const Change& change, std::uint32_t column) {
  const binlog::Cell& before = change.before[column];
  const binlog::Cell& after = change.after[column];
  if (before.kind == binlog::CellKind::Enum || after.kind == binlog::CellKind::Enum) {
    return after.kind == binlog::CellKind::Enum;
  }
  constexpr std::uint32_t kLabelBytesMax = 32;
  return after.kind == binlog::CellKind::Text && after.size <= kLabelBytesMax &&
         is_status_column(column_of(change, column).name);
}

bool is_reference(std::string_view column, const std::string& parent, std::string_view key) {
  return column == parent + "_id" || column == "id_" + parent || column == parent + "id" ||
         (key != "id" && column == key);
}

void Discovery::find_shapes(const normalize::Transaction& transaction) {
  shapes_.clear();
  ids_.clear();
  shape_of_.clear();
  std::vector<std::uint32_t> changed;
  for (const Change& change : transaction.changes) {
    find_changed(change, changed);
    key_.assign(change.database);
    key_ += '\0';
    key_ += change.table;
    key_ += '\0';
    key_ += static_cast<char>('0' + static_cast<int>(change.op));
    for (const auto column : changed) {
      const auto& name = column_of(change, column).name;
      if (is_audit_column(name)) continue;
      key_ += ' ';
      key_ += name;
      if (is_transition(change, column)) {
        key_ += fmt::format("={}>{}", text_of(change, Side::Before, column),
                            text_of(change, Side::After, column));
      } else if (const int sign = delta_sign(change, column); sign != 0) {
        key_ += sign < 0 ? '-' : '+';
      }
    }
    const auto [found, fresh] = ids_.emplace(key_, static_cast<std::uint32_t>(shapes_.size()));
    if (fresh) shapes_.push_back({&change, 0, 0, changed});
    ++shapes_[found->second].rows;
    shape_of_.push_back(found->second);
  }
}

/// Counts, for every shape, the rows of other tables that carry the key of one of its rows.
void Discovery::count_references(const normalize::Transaction& transaction) {
  if (shapes_.size() < 2) return;
  const std::size_t rows = std::min(transaction.changes.size(), kReferenceRowsMax);
  std::vector<std::unordered_set<std::string>> keys(shapes_.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const Change& change = transaction.changes[row];
    if (change.schema == nullptr || change.schema->primary_key.size() != 1) continue;
    keys[shape_of_[row]].insert(key_text(change));
  }
  for (std::uint32_t parent = 0; parent < shapes_.size(); ++parent) {
    const Change& owner = *shapes_[parent].first;
    if (keys[parent].empty()) continue;
    const std::string noun = singular(owner.table);
    const auto& key = column_of(owner, owner.schema->primary_key.front()).name;
    for (std::size_t row = 0; row < rows; ++row) {
      const Change& change = transaction.changes[row];
      if (change.schema == nullptr || change.table == owner.table) continue;
      const Side side = change.after.empty() ? Side::Before : Side::After;
      for (std::uint32_t n = 0; n < change.schema->columns.size(); ++n) {
        if (!is_reference(column_of(change, n).name, noun, key)) continue;
        if (keys[parent].contains(text_of(change, side, n))) ++shapes_[parent].referenced;
        break;
      }
    }
  }
}

/// New rows that others refer to, then a row that moved to another status, then other new rows,
/// then deleted ones, then the rest; logs last.
const Discovery::Shape& Discovery::leading() const {
  const auto rank = [](const Shape& shape) {
    const Change& change = *shape.first;
    const bool moved = std::any_of(shape.changed.begin(), shape.changed.end(),
                                   [&](auto column) { return is_transition(change, column); });
    int tier = 5;
    if (change.op == Op::Ddl) {
      tier = 0;
    } else if (change.op == Op::Insert && shape.referenced > 0) {
      tier = 1;
    } else if (moved) {
      tier = 2;
    } else if (change.op == Op::Insert) {
      tier = 3;
    } else if (change.op == Op::Delete || change.op == Op::Truncate) {
      tier = 4;
    }
    const bool log = is_log_table(change.table);
    return std::tuple(log, tier, -static_cast<std::int64_t>(shape.referenced), change.ordinal);
  };
  return *std::min_element(shapes_.begin(), shapes_.end(),
                           [&](const Shape& a, const Shape& b) { return rank(a) < rank(b); });
}

std::string Discovery::signature() const {
  std::vector<std::string> lines;
  for (const auto& [key, number] : ids_) {
    lines.push_back(fmt::format("{} ×{}\n", key, bucket(shapes_[number].rows)));
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const auto& line : lines) text += line;
  return sha256_hex8(text);
}

void Discovery::describe(const normalize::Transaction& transaction, BusinessEvent& event) {
  event.rule_id = "auto";
  event.rule_version = kDiscoveryVersion;
  if (transaction.changes.empty()) {
    event.type = "auto.empty_transaction";
    event.title = "Empty transaction";
    event.summary = "A transaction that changed no rows";
    return;
  }
  find_shapes(transaction);
  count_references(transaction);
  const Shape& root = leading();
  const std::string name = name_of(*root.first, root.changed);
  event.type = "auto." + name;
  event.title = title_of(name);
  std::set<ObjectRef> seen;
  std::set<std::string_view> tables;
  const auto root_number = static_cast<std::uint32_t>(&root - shapes_.data());
  for (const bool leading_rows : {true, false}) {
    for (std::size_t row = 0; row < transaction.changes.size(); ++row) {
      if ((shape_of_[row] == root_number) != leading_rows) continue;
      add_object(transaction.changes[row], seen, event);
    }
  }
  for (const Shape& shape : shapes_) tables.insert(shape.first->table);
  const std::size_t rows = transaction.changes.size();
  const std::string id = root.rows == 1 ? key_text(*root.first) : std::string();
  event.summary = event.title;
  if (!id.empty()) event.summary += fmt::format(": {} {}", singular(root.first->table), id);
  if (rows > 1) {
    event.summary +=
        fmt::format(" ({} rows in {} table{})", rows, tables.size(), tables.size() == 1 ? "" : "s");
  }
  event.attributes = fmt::format(R"({{"signature":"{}","rows":{}}})", signature(), rows);
  if (rows > kEvidenceMax) return;
  for (const Change& change : transaction.changes) event.evidence.push_back(change.ordinal);
}

void count_rows(const normalize::Transaction& part, BulkCounts& counts) {
  std::uint64_t* last = nullptr;
  const Change* before = nullptr;
  for (const Change& change : part.changes) {
    const bool same = before != nullptr && before->op == change.op &&
                      before->table.data() == change.table.data() &&
                      before->database.data() == change.database.data();
    if (!same) {
      last = &counts[{fmt::format("{}.{}", change.database, change.table), change.op}];
    }
    before = &change;
    ++*last;
  }
}

void describe_bulk(const BulkCounts& counts, BusinessEvent& event) {
  event.rule_id = "auto";
  event.rule_version = kDiscoveryVersion;
  event.type = "auto.bulk_change";
  event.title = "Bulk change";
  std::string tables;
  std::uint64_t total = 0;
  std::string open;
  for (const auto& [what, count] : counts) {
    if (what.first != open) {
      if (!open.empty()) tables += "},";
      open = what.first;
      normalize::append_json_string(tables, open);
      tables += ":{";
    } else {
      tables += ',';
    }
    tables += fmt::format(R"("{}":{})", op_name(what.second), count);
    total += count;
  }
  if (!open.empty()) tables += '}';
  event.attributes = fmt::format(R"({{"rows":{},"tables":{{{}}}}})", total, tables);
  event.summary =
      fmt::format("Changed {} rows in one transaction, more than rules are evaluated on", total);
}

}  // namespace rowtrail::infer
