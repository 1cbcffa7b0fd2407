#include "infer/test_rows.h"

#include "infer/suggestion.h"
#include "infer/temporal.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

using binlog::Cell;
using binlog::CellKind;

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "-12.50": digits on both sides of one point.
bool is_decimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto point = text.find('.');
  return point != std::string_view::npos && all_digits(text.substr(0, point)) &&
         all_digits(text.substr(point + 1)) && text.size() <= 80;
}

bool temporal_cell(std::string_view text, Cell& cell) {
  const auto parsed = parse_timestamp(text);
  if (!parsed || text.size() < 10) return false;
  const CivilTime civil = civil_time(parsed->i);
  const auto microsecond = parsed->size / 1000;
  const binlog::DateTimeParts parts{static_cast<std::uint32_t>(civil.year),
                                    civil.month,
                                    civil.day,
                                    civil.hour,
                                    civil.minute,
                                    civil.second,
                                    microsecond};
  cell.fsp = std::min<std::uint8_t>(parsed->scale, 6);
  switch (static_cast<Style>(parsed->style)) {
    case Style::Date:
      cell.kind = CellKind::Date;
      cell.u = std::uint64_t{parts.year} << 9 | parts.month << 5 | parts.day;
      return true;
    case Style::DateTime:
      cell.kind = CellKind::DateTime;
      cell.u = binlog::pack_datetime(parts);
      return true;
    default:
      cell.kind = CellKind::Timestamp;
      cell.i = parsed->i * 1'000'000 + microsecond;
      return true;
  }
}

std::uint64_t layout_hash(std::string_view table, const binlog::TableSchema& schema) {
  std::uint64_t hash = 14695981039346656037ULL;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    hash = (hash ^ 0xff) * 1099511628211ULL;
  };
  add(table);
  for (const auto& column : schema.columns) add(column.name);
  return hash;
}

template <class T>
bool is_number(std::string_view text, T& number) {
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

constexpr std::array<std::string_view, 6> kOpNames = {"insert",   "update", "delete",
                                                      "truncate", "ddl",    "snapshot"};

}  // namespace

void append_json(std::string& out, const YamlNode& node) {
  switch (node.type) {
    case YamlNode::Type::Null:
      out += "null";
      return;
    case YamlNode::Type::Scalar: {
      std::int64_t whole = 0;
      const char* end = node.text.data() + node.text.size();
      const bool number = std::from_chars(node.text.data(), end, whole).ptr == end;
      const bool bare =
          number || is_decimal(node.text) || node.text == "true" || node.text == "false";
      if (bare && !node.quoted) {
        out += node.text;
      } else {
        normalize::append_json_string(out, node.text);
      }
      return;
    }
    case YamlNode::Type::Sequence:
      out += '[';
      for (std::size_t n = 0; n < node.items.size(); ++n) {
        if (n > 0) out += ',';
        append_json(out, node.items[n]);
      }
      out += ']';
      return;
    case YamlNode::Type::Map:
      out += '{';
      for (std::size_t n = 0; n < node.items.size(); ++n) {
        if (n > 0) out += ',';
        normalize::append_json_string(out, node.keys[n].text);
        out += ':';
        append_json(out, node.items[n]);
      }
      out += '}';
      return;
  }
}

void TestRows::fail(const YamlNode& node, std::string message) {
  errors_.push_back({{}, node.line, node.column, std::move(message)});
}

TestRows::TestRows(const YamlNode& test, std::vector<Diagnostic>& errors) : errors_(errors) {
  transaction_.source = "test";
  transaction_.id = "test:1";
  if (const YamlNode* query = test.find("query"); query != nullptr && query->is_scalar()) {
    transaction_.statements.push_back({0, transaction_.arena.copy(std::string_view(query->text))});
  }
  const YamlNode* changes = test.find("changes");
  if (changes == nullptr) return;
  for (const YamlNode& row : changes->items) add_columns(row);
  for (auto& [name, schema] : schemas_) schema->layout_hash = layout_hash(name, *schema);
  for (const YamlNode& row : changes->items) add_change(row);
}

void TestRows::add_columns(const YamlNode& row) {
  const YamlNode* table = row.find("table");
  if (row.type != YamlNode::Type::Map || table == nullptr || !table->is_scalar()) return;
  auto& schema = schemas_[table->text];
  if (!schema) {
    schema = std::make_unique<binlog::TableSchema>();
    const auto dot = table->text.find('.');
    schema->database = dot == std::string::npos ? "test" : table->text.substr(0, dot);
    schema->table = dot == std::string::npos ? table->text : table->text.substr(dot + 1);
    schema->names_known = true;
  }
  for (const std::string_view name : {"before", "after"}) {
    const YamlNode* values = row.find(name);
    if (values == nullptr) continue;
    for (const YamlNode& key : values->keys) {
      if (schema->find(key.text) >= 0) continue;
      if (key.text == "id")
        schema->primary_key = {static_cast<std::uint32_t>(schema->columns.size())};
      schema->columns.emplace_back().name = key.text;
    }
  }
}

void TestRows::set_text(Cell& cell, CellKind kind, std::string_view text) {
  const auto copy = transaction_.arena.copy(text);
  cell.kind = kind;
  cell.data = copy.data();
  cell.size = static_cast<std::uint32_t>(copy.size());
}

Cell TestRows::cell(const YamlNode& value) {
  Cell cell;
  cell.kind = CellKind::Null;
  if (value.is_null()) return cell;
  if (!value.is_scalar()) {
    std::string json;
    append_json(json, value);
    set_text(cell, CellKind::Json, json);
    return cell;
  }
  const std::string& text = value.text;
  const bool plain = !value.quoted && !value.forced_text;
  if (plain && (text == "true" || text == "false")) {
    cell.kind = CellKind::Int;
    cell.i = text == "true" ? 1 : 0;
  } else if (plain && is_number(text, cell.i)) {
    cell.kind = CellKind::Int;
  } else if (plain && is_number(text, cell.u)) {
    cell.kind = CellKind::UInt;
  } else if (!value.forced_text && is_decimal(text)) {
    set_text(cell, CellKind::Decimal, text);
  } else if (plain && is_number(text, cell.d)) {
    cell.kind = CellKind::Double;
  } else if (value.forced_text || !temporal_cell(text, cell)) {
    set_text(cell, CellKind::Text, text);
  }
  return cell;
}

std::span<const Cell> TestRows::image(const binlog::TableSchema& schema, const YamlNode* values,
                                      const YamlNode* fallback) {
  if (values == nullptr || values->is_null()) return {};
  const auto cells = transaction_.arena.make_span<Cell>(schema.columns.size());
  for (std::size_t n = 0; n < cells.size(); ++n) {
    const std::string& name = schema.columns[n].name;
    const YamlNode* value = values->find(name);
    if (value == nullptr && fallback != nullptr) value = fallback->find(name);
    cells[n] = value != nullptr ? cell(*value) : Cell{};
  }
  return cells;
}

void TestRows::add_change(const YamlNode& row) {
  static constexpr std::array<std::string_view, 5> kKeys = {"table", "op", "before", "after",
                                                            "sql"};
  if (row.type != YamlNode::Type::Map)
    return fail(row, "a change is a map: {table: …, op: …, after: {…}}");
  for (const YamlNode& key : row.keys) {
    if (std::find(kKeys.begin(), kKeys.end(), key.text) == kKeys.end()) {
      fail(key,
           fmt::format("no field '{}' in a change{}", key.text, did_you_mean(key.text, kKeys)));
    }
  }
  const YamlNode* table = row.find("table");
  const YamlNode* op = row.find("op");
  if (table == nullptr || !table->is_scalar() || op == nullptr || !op->is_scalar()) {
    return fail(row, "a change has a table and an op");
  }
  const auto found = std::find(kOpNames.begin(), kOpNames.end(), op->text);
  if (found == kOpNames.end()) {
    return fail(*op,
                fmt::format("no operation '{}'{}", op->text, did_you_mean(op->text, kOpNames)));
  }
  const binlog::TableSchema& schema = *schemas_[table->text];
  normalize::Change change;
  change.op = static_cast<normalize::Op>(found - kOpNames.begin());
  change.ordinal = static_cast<std::uint32_t>(transaction_.changes.size());
  change.database = schema.database;
  change.table = schema.table;
  const YamlNode* before = row.find("before");
  const YamlNode* after = row.find("after");
  const bool rows = change.op != normalize::Op::Ddl && change.op != normalize::Op::Truncate;
  const bool needs_before =
      change.op == normalize::Op::Update || change.op == normalize::Op::Delete;
  const bool needs_after = rows && change.op != normalize::Op::Delete;
  if ((needs_before && before == nullptr) || (needs_after && after == nullptr)) {
    return fail(
        row, fmt::format("the {} needs {}", op->text,
                         needs_before ? (needs_after ? "before and after" : "before") : "after"));
  }
  if (rows) {
    change.schema = &schema;
    if (needs_before) change.before = image(schema, before, nullptr);
    if (needs_after) change.after = image(schema, after, needs_before ? before : nullptr);
  }
  if (const YamlNode* sql = row.find("sql"))
    change.sql = transaction_.arena.copy(std::string_view(sql->text));
  transaction_.changes.push_back(change);
}

}  // namespace rowtrail::infer
