#include "infer/stored.h"

#include "infer/temporal.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::infer {
namespace {

using binlog::Cell;
using binlog::CellKind;
using Json = rapidjson::Document;

constexpr unsigned kFlags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag;

core::Error damaged(std::string_view what) {
  return {
      core::Errc::Malformed,
      fmt::format("a {} record cannot be read back; check the log with `rowtrail verify`", what)};
}

std::string_view text_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

std::string_view member(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || !found->value.IsString()) return {};
  return text_of(found->value);
}

template <class T>
bool read_number(std::string_view text, T& out) {
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, out);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

/// What a column of this SQL type decodes to: "bigint unsigned", "decimal(10,2)".
CellKind kind_of(std::string_view sql_type) {
  static constexpr struct {
    std::string_view name;
    CellKind kind;
  } kKinds[] = {{"tinyint", CellKind::Int},
                {"smallint", CellKind::Int},
                {"mediumint", CellKind::Int},
                {"int", CellKind::Int},
                {"bigint", CellKind::Int},
                {"year", CellKind::Int},
                {"bit", CellKind::Int},
                {"float", CellKind::Float},
                {"double", CellKind::Double},
                {"decimal", CellKind::Decimal},
                {"date", CellKind::Date},
                {"datetime", CellKind::DateTime},
                {"timestamp", CellKind::Timestamp},
                {"time", CellKind::Time},
                {"enum", CellKind::Enum},
                {"set", CellKind::Set},
                {"json", CellKind::Json},
                {"vector", CellKind::Vector},
                {"binary", CellKind::Bytes},
                {"varbinary", CellKind::Bytes},
                {"blob", CellKind::Bytes},
                {"tinyblob", CellKind::Bytes},
                {"mediumblob", CellKind::Bytes},
                {"longblob", CellKind::Bytes}};
  const auto end =
      std::find_if(sql_type.begin(), sql_type.end(), [](char c) { return c == '(' || c == ' '; });
  const std::string_view base =
      sql_type.substr(0, static_cast<std::size_t>(end - sql_type.begin()));
  for (const auto& row : kKinds) {
    if (row.name == base) return row.kind;
  }
  return CellKind::Text;
}

/// Digits up to the next mark; false when there are none.
bool take_number(std::string_view& text, std::uint32_t& out) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  if (parsed.ec != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return true;
}

bool take_numbers(std::string_view& text, std::string_view marks,
                  std::initializer_list<std::uint32_t*> out) {
  std::size_t n = 0;
  for (std::uint32_t* number : out) {
    if (n > 0) {
      if (text.empty() || text.front() != marks[n - 1]) return false;
      text.remove_prefix(1);
    }
    if (!take_number(text, *number)) return false;
    ++n;
  }
  return true;
}

/// ".123" as microseconds, and how many digits there are.
bool take_fraction(std::string_view& text, std::uint32_t& microsecond, std::uint8_t& digits) {
  if (!text.starts_with('.')) return true;
  text.remove_prefix(1);
  std::uint32_t scale = 100'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    microsecond += static_cast<std::uint32_t>(text.front() - '0') * scale;
    scale /= 10;
    ++digits;
    text.remove_prefix(1);
  }
  return digits > 0 && digits <= 6;
}

bool read_time(std::string_view text, Cell& cell) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::uint32_t hour = 0, minute = 0, second = 0, microsecond = 0;
  if (!take_numbers(text, "::", {&hour, &minute, &second})) return false;
  if (!take_fraction(text, microsecond, cell.fsp) || !text.empty()) return false;
  cell.i =
      (std::int64_t{hour} * 3600 + std::int64_t{minute} * 60 + second) * 1'000'000 + microsecond;
  if (negative) cell.i = -cell.i;
  return true;
}

bool read_civil(std::string_view text, Cell& cell) {
  binlog::DateTimeParts parts;
  if (!take_numbers(text, "--", {&parts.year, &parts.month, &parts.day})) return false;
  if (cell.kind == CellKind::Date) {
    cell.u = std::uint64_t{parts.year} << 9 | parts.month << 5 | parts.day;
    return text.empty();
  }
  if (!text.starts_with('T')) return false;
  text.remove_prefix(1);
  if (!take_numbers(text, "::", {&parts.hour, &parts.minute, &parts.second})) return false;
  if (!take_fraction(text, parts.microsecond, cell.fsp)) return false;
  if (cell.kind == CellKind::DateTime) {
    cell.u = binlog::pack_datetime(parts);
    return text.empty();
  }
  if (parts.year != 0) {
    const CivilTime civil{parts.year,   parts.month,  parts.day, parts.hour,
                          parts.minute, parts.second, 0,         0};
    cell.i = seconds_of(civil) * 1'000'000 + parts.microsecond;
  }
  return text == "Z";
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool read_base64(std::string_view text, std::string& out) {
  std::uint32_t bits = 0;
  unsigned count = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 255);
  }
  return true;
}

void set_text(Cell& cell, std::string_view text, binlog::Arena& arena) {
  const auto copy = arena.copy(text);
  cell.data = copy.data();
  cell.size = static_cast<std::uint32_t>(copy.size());
}

bool read_label(const rapidjson::Value& json, const binlog::Column& column, std::uint64_t& number) {
  const auto found = std::find(column.labels.begin(), column.labels.end(), text_of(json));
  number = static_cast<std::uint64_t>(found - column.labels.begin()) + 1;
  if (found != column.labels.end()) return true;
  number = 0;
  return json.GetStringLength() == 0;
}

bool read_set(const rapidjson::Value& json, const binlog::Column& column, Cell& cell) {
  if (!json.IsArray()) return false;
  for (const auto& item : json.GetArray()) {
    std::uint64_t number = 0;
    if (!item.IsString() || !read_label(item, column, number) || number == 0) return false;
    cell.u |= std::uint64_t{1} << (number - 1);
  }
  return true;
}

/// A value of `cell.kind`, whose JSON is a string (numbers come as strings too).
bool read_scalar(const rapidjson::Value& json, const binlog::Column& column, Cell& cell,
                 binlog::Arena& arena) {
  if (cell.kind == CellKind::Set) return read_set(json, column, cell);
  if (!json.IsString()) return false;
  const std::string_view text = text_of(json);
  switch (cell.kind) {
    case CellKind::Int:
      if (read_number(text, cell.i)) return true;
      cell.kind = CellKind::UInt;
      return read_number(text, cell.u);
    case CellKind::Float:
    case CellKind::Double:
      return read_number(text, cell.d);
    case CellKind::Date:
    case CellKind::DateTime:
    case CellKind::Timestamp:
      return read_civil(text, cell);
    case CellKind::Time:
      return read_time(text, cell);
    case CellKind::Enum:
      return read_label(json, column, cell.u);
    case CellKind::Bytes: {
      std::string bytes;
      if (!read_base64(text, bytes)) return false;
      set_text(cell, bytes, arena);
      return true;
    }
    default:
      set_text(cell, text, arena);
      return true;
  }
}

/// Of the note {"masked":"redact"}.
std::optional<normalize::MaskAction> mask_action(std::string_view note) {
  using normalize::MaskAction;
  for (const auto action : {MaskAction::Redact, MaskAction::Hash, MaskAction::Last4}) {
    if (note == fmt::format(R"({{"masked":"{}"}})", normalize::mask_action_name(action))) {
      return action;
    }
  }
  return std::nullopt;
}

class ImageReader {
 public:
  ImageReader(const StoredLayout& layout, const normalize::Members& notes, binlog::Arena& arena)
      : layout_(layout), notes_(notes), arena_(arena) {}

  core::Result<std::span<const Cell>> read(const normalize::Members& members,
                                           std::string_view side) {
    const auto cells = arena_.make_span<Cell>(layout_.kinds.size());
    std::fill(cells.begin(), cells.end(), Cell{});
    for (const auto& value : members) {
      const int at = layout_.schema.find(value.name);
      if (at < 0) return damaged("change");
      const auto column = static_cast<std::size_t>(at);
      const auto note = std::find_if(notes_.begin(), notes_.end(), [&](const auto& candidate) {
        return candidate.name.starts_with(side) && candidate.name.substr(4) == value.name;
      });
      if (!read_cell(value.json, note == notes_.end() ? nullptr : &*note, column, cells[column])) {
        return damaged("change");
      }
    }
    return std::span<const Cell>(cells);
  }

 private:
  bool read_cell(std::string_view text, const normalize::Member* note, std::size_t column,
                 Cell& cell) {
    if (note != nullptr) {
      if (const auto action = mask_action(note->json)) {
        Json shown;
        shown.Parse<kFlags>(text.data(), text.size());
        if (shown.HasParseError()) return false;
        cell.kind = CellKind::Masked;
        cell.wire_type = static_cast<std::uint8_t>(*action);
        set_text(cell, shown.IsString() ? text_of(shown) : std::string_view(), arena_);
        return true;
      }
      const bool json_null = note->json == R"({"json":"null"})";
      cell.kind = json_null ? CellKind::Json : CellKind::Wire;
      set_text(cell, json_null ? "null" : note->json, arena_);
      return true;
    }
    if (text == "null") {
      cell.kind = CellKind::Null;
      return true;
    }
    cell.kind = layout_.kinds[column];
    if (cell.kind == CellKind::Json || cell.kind == CellKind::Vector) {
      set_text(cell, text, arena_);
      return true;
    }
    Json json;
    json.Parse<kFlags>(text.data(), text.size());
    return !json.HasParseError() && read_scalar(json, layout_.schema.columns[column], cell, arena_);
  }

  const StoredLayout& layout_;
  const normalize::Members& notes_;
  binlog::Arena& arena_;
};

core::Result<std::unique_ptr<const StoredLayout>> read_layout(const std::string& payload,
                                                              std::uint32_t& version) {
  Json json;
  json.Parse<kFlags>(payload.data(), payload.size());
  if (!json.IsObject() || !json.HasMember("columns") || !json["columns"].IsArray() ||
      !json.HasMember("primary_key") || !json["primary_key"].IsArray() ||
      !read_number(member(json, "version"), version)) {
    return damaged("table_schema");
  }
  auto layout = std::make_unique<StoredLayout>();
  auto* schema = &layout->schema;
  schema->database = member(json, "database");
  schema->table = member(json, "table");
  const auto hash = member(json, "layout");
  std::from_chars(hash.data(), hash.data() + hash.size(), schema->layout_hash, 16);
  schema->names_known = json.HasMember("names_known") && json["names_known"].IsTrue();
  for (const auto& item : json["columns"].GetArray()) {
    if (!item.IsObject()) return damaged("table_schema");
    auto& column = schema->columns.emplace_back();
    column.name = member(item, "name");
    layout->kinds.push_back(kind_of(member(item, "type")));
    column.nullable = item.HasMember("nullable") && item["nullable"].IsTrue();
    if (!item.HasMember("labels") || !item["labels"].IsArray()) continue;
    for (const auto& label : item["labels"].GetArray()) column.labels.emplace_back(text_of(label));
  }
  for (const auto& name : json["primary_key"].GetArray()) {
    const int at = schema->find(text_of(name));
    if (at < 0) return damaged("table_schema");
    schema->primary_key.push_back(static_cast<std::uint32_t>(at));
  }
  return std::unique_ptr<const StoredLayout>(std::move(layout));
}

core::Result<> read_images(const normalize::ParsedChange& parsed, const StoredLayout& layout,
                           normalize::Change& change, normalize::Transaction& transaction) {
  ImageReader reader(layout, parsed.cells, transaction.arena);
  if (parsed.old_row) {
    auto image = reader.read(*parsed.old_row, "old.");
    if (!image) return image.error();
    change.before = *image;
  }
  if (parsed.new_row) {
    auto image = reader.read(*parsed.new_row, "new.");
    if (!image) return image.error();
    change.after = *image;
  }
  return {};
}

}  // namespace

core::Result<const StoredLayout*> StoredLayouts::find(const std::string& database,
                                                      const std::string& table,
                                                      std::uint32_t version) {
  const std::string name = database + '\0' + table;
  auto known = tables_.find(name);
  if (known == tables_.end() || !known->second.contains(version)) {
    auto& versions = tables_[name];
    for (const std::string& payload : load_(database, table)) {
      std::uint32_t number = 0;
      auto layout = read_layout(payload, number);
      if (!layout) return layout.error();
      versions.try_emplace(number, std::move(*layout));
    }
    known = tables_.find(name);
  }
  const auto found = known->second.find(version);
  if (found == known->second.end()) return damaged("table_schema");
  return found->second.get();
}

core::Result<> read_transaction(std::string_view payload, normalize::Transaction& transaction) {
  Json json;
  json.Parse<kFlags>(payload.data(), payload.size());
  if (!json.IsObject()) return damaged("transaction");
  transaction.source = member(json, "source");
  transaction.id = member(json, "transaction");
  const auto committed = member(json, "committed_at");
  const auto time = parse_timestamp(committed);
  if (!time || transaction.id.empty()) return damaged("transaction");
  transaction.committed_at_us = time->i * 1'000'000 + time->size / 1000;
  transaction.committed_at_has_fraction = committed.find('.') != std::string_view::npos;
  transaction.event_time_us = transaction.committed_at_us;
  if (json.HasMember("position") && json["position"].IsObject()) {
    transaction.file = member(json["position"], "file");
    read_number(member(json["position"], "pos"), transaction.start_pos);
  }
  read_number(member(json, "server_id"), transaction.server_id);
  read_number(member(json, "thread_id"), transaction.thread_id);
  if (!json.HasMember("statements") || !json["statements"].IsArray()) return {};
  for (const auto& statement : json["statements"].GetArray()) {
    std::uint32_t ordinal = 0;
    if (!read_number(member(statement, "ordinal"), ordinal)) return damaged("transaction");
    transaction.statements.push_back({ordinal, transaction.arena.copy(member(statement, "query"))});
  }
  return {};
}

core::Result<> read_change(std::string_view payload, StoredLayouts& layouts,
                           normalize::Transaction& transaction) {
  auto parsed = normalize::parse_change(payload);
  if (!parsed) return parsed.error();
  normalize::Change change;
  change.op = parsed->op;
  change.ordinal = parsed->ordinal;
  change.statement = parsed->statement;
  change.schema_version = parsed->schema_version;
  change.sql = transaction.arena.copy(std::string_view(parsed->sql));
  if (parsed->op == normalize::Op::Ddl || parsed->op == normalize::Op::Truncate) {
    change.database = transaction.arena.copy(std::string_view(parsed->database));
    change.table = transaction.arena.copy(std::string_view(parsed->table));
  } else {
    const auto layout = layouts.find(parsed->database, parsed->table, parsed->schema_version);
    if (!layout) return layout.error();
    change.schema = &(*layout)->schema;
    change.database = change.schema->database;
    change.table = change.schema->table;
    if (auto read = read_images(*parsed, **layout, change, transaction); !read) return read;
  }
  transaction.changes.push_back(change);
  return {};
}

}  // namespace rowtrail::infer
