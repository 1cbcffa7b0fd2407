#include "infer/discovery.h"

#include "infer/row.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <openssl/sha.h>

namespace rowtrail::infer {
namespace {

using normalize::Change;
using normalize::Op;

constexpr std::size_t kObjectsMax = 64;
constexpr std::size_t kEvidenceMax = 10'000;

/// "companies" → "company", "sales" → "sale", "address" stays.
std::string singular(std::string_view table) {
  std::string word(table);
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (word.size() > 3 && word.ends_with("ies")) return word.substr(0, word.size() - 3) + "y";
  if (word.size() > 2 && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us")) {
    word.pop_back();
  }
  return word;
}

std::string_view verb(Op op) {
  switch (op) {
    case Op::Insert:
      return "created";
    case Op::Update:
      return "updated";
    case Op::Delete:
      return "deleted";
    case Op::Truncate:
      return "truncated";
    case Op::Ddl:
      return "schema_changed";
    case Op::Snapshot:
      return "snapshot";
  }
  return "changed";
}

bool is_text_status(const binlog::Cell& cell) {
  return cell.kind == binlog::CellKind::Enum;
}

std::string text_of(const Change& change, Side side, int column) {
  binlog::Arena arena;
  std::string out;
  append_text(out, column_value(change, side, column, arena));
  return out;
}

/// -1, 0, 1: sign of a numeric column's change; 0 too when it is not a number.
int delta_sign(const Change& change, int column) {
  binlog::Arena arena;
  const auto delta = column_delta(change, column, arena);
  if (!delta.is_number()) return 0;
  const auto order = compare(delta, make_int(0));
  return order == Order::Less ? -1 : (order == Order::Greater ? 1 : 0);
}

std::vector<int> changed_columns(const Change& change) {
  std::vector<int> changed;
  for (std::size_t n = 0; n < std::min(change.before.size(), change.after.size()); ++n) {
    if (!(change.before[n] == change.after[n])) changed.push_back(static_cast<int>(n));
  }
  return changed;
}

/// The line of the signature that stands for one row: no values, only shape.
std::string shape(const Change& change) {
  std::string out = fmt::format("{}.{} {}", change.database, change.table, op_name(change.op));
  if (change.op != Op::Update || change.schema == nullptr) return out;
  for (const int column : changed_columns(change)) {
    const auto& definition = change.schema->columns[static_cast<std::size_t>(column)];
    out += ' ';
    out += definition.name;
    const auto sign = delta_sign(change, column);
    if (sign != 0) out += sign < 0 ? '-' : '+';
    const auto* cell = cell_of(change, Side::After, column);
    if (cell != nullptr && is_text_status(*cell)) {
      out += fmt::format("={}>{}", text_of(change, Side::Before, column),
                         text_of(change, Side::After, column));
    }
  }
  return out;
}

/// What one row's change is called: "stock_decreased", "order_status_to_shipped", "sale_created".
std::string row_name(const Change& change) {
  const auto noun = singular(change.table);
  if (change.op != Op::Update || change.schema == nullptr) {
    if (change.op == Op::Ddl) return noun.empty() ? "schema_changed" : noun + "_schema_changed";
    return fmt::format("{}_{}", noun, verb(change.op));
  }
  const auto changed = changed_columns(change);
  std::vector<int> signs;
  for (const int column : changed) {
    const auto* cell = cell_of(change, Side::After, column);
    if (cell != nullptr && is_text_status(*cell)) {
      const auto& name = change.schema->columns[static_cast<std::size_t>(column)].name;
      return fmt::format("{}_{}_to_{}", noun, name, text_of(change, Side::After, column));
    }
    if (const auto sign = delta_sign(change, column); sign != 0) signs.push_back(sign);
  }
  if (signs.size() == 1) return noun + (signs.front() < 0 ? "_decreased" : "_increased");
  return noun + "_updated";
}

/// The row that names the transaction: an insert before an update before a delete, parents (whose
/// key other rows carry) before their parts, then the first.
const Change& leading_row(const std::vector<Change>& changes) {
  const auto rank = [&](const Change& change) {
    const int op = change.op == Op::Insert ? 0 : (change.op == Op::Update ? 1 : 2);
    const auto part_of = std::any_of(changes.begin(), changes.end(), [&](const Change& other) {
      return other.table != change.table && change.table.size() > other.table.size() &&
             change.table.starts_with(other.table);
    });
    return std::pair(op, part_of);
  };
  return *std::min_element(changes.begin(), changes.end(),
                           [&](const Change& a, const Change& b) { return rank(a) < rank(b); });
}

std::string title_of(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

void add_object(const Change& change, std::set<ObjectRef>& seen, BusinessEvent& event) {
  if (change.schema == nullptr || change.schema->primary_key.empty()) return;
  if (event.objects.size() >= kObjectsMax) return;
  const auto side = change.after.empty() ? Side::Before : Side::After;
  std::string id;
  for (const auto column : change.schema->primary_key) {
    if (!id.empty()) id += ',';
    id += text_of(change, side, static_cast<int>(column));
  }
  ObjectRef object{singular(change.table), std::move(id), {}};
  if (seen.insert(object).second) event.objects.push_back(std::move(object));
}

std::string signature_of(const std::set<std::string>& shapes) {
  std::string text;
  for (const auto& line : shapes) text += line + "\n";
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return fmt::format("{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]);
}

/// Letters, digits, '_', '.' and '-': a type stands in URLs and file names.
std::string type_text(std::string name) {
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) == 0 && c != '_' && c != '-') c = '_';
  }
  return "auto." + name;
}

}  // namespace

void discover(const normalize::Transaction& transaction, BusinessEvent& event) {
  event.rule_id = "auto";
  if (transaction.changes.empty()) {
    event.type = "auto.empty_transaction";
    event.title = "Empty transaction";
    event.summary = "A transaction that changed no rows";
    return;
  }
  std::set<std::string> shapes;
  std::set<std::string> tables;
  std::set<ObjectRef> seen;
  for (const auto& change : transaction.changes) {
    shapes.insert(shape(change));
    tables.insert(std::string(change.table));
    add_object(change, seen, event);
    if (event.evidence.size() < kEvidenceMax) event.evidence.push_back(change.ordinal);
  }
  if (event.evidence.size() < transaction.changes.size()) event.evidence.clear();
  const auto& leading = leading_row(transaction.changes);
  const auto name = row_name(leading);
  event.type = type_text(name);
  event.title = title_of(name);
  const auto rows = transaction.changes.size();
  event.summary = event.objects.empty()
                      ? event.title
                      : fmt::format("{}: {} {}", event.title, event.objects.front().type,
                                    event.objects.front().id);
  if (rows > 1) {
    event.summary +=
        fmt::format(" ({} rows in {} table{})", rows, tables.size(), tables.size() == 1 ? "" : "s");
  }
  event.attributes = fmt::format(R"({{"signature":"{}","rows":{}}})", signature_of(shapes), rows);
}

void count_rows(const normalize::Transaction& part, BulkCounts& counts) {
  for (const auto& change : part.changes) {
    ++counts[{fmt::format("{}.{}", change.database, change.table), change.op}];
  }
}

void describe_bulk(const BulkCounts& counts, BusinessEvent& event) {
  event.rule_id = "auto";
  event.type = "auto.bulk_change";
  event.title = "Bulk change";
  event.attributes = R"({"rows":{)";
  std::uint64_t total = 0;
  bool first = true;
  for (const auto& [what, count] : counts) {
    if (!first) event.attributes += ',';
    first = false;
    normalize::append_json_string(event.attributes,
                                  fmt::format("{} {}", what.first, op_name(what.second)));
    event.attributes += fmt::format(":{}", count);
    total += count;
  }
  event.attributes += "}}";
  event.summary =
      fmt::format("Changed {} rows in one transaction; rules are not evaluated on it", total);
}

}  // namespace rowtrail::infer
