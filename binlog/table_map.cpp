#include "binlog/table_map.h"

#include "binlog/charset.h"
#include "binlog/column_types.h"
#include "binlog/decoder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

/// Optional metadata (libs/mysql/binlog/event/rows_event.h, Optional_metadata_field_type).
enum class Metadata : std::uint8_t {
  Signedness = 1,
  DefaultCharset = 2,
  ColumnCharset = 3,
  ColumnName = 4,
  SetLabels = 5,
  EnumLabels = 6,
  GeometryType = 7,
  SimplePrimaryKey = 8,
  PrimaryKeyWithPrefix = 9,
  LabelDefaultCharset = 10,
  LabelColumnCharset = 11,
  Visibility = 12,
  VectorDimensions = 13,
};

class LayoutHash {  // FNV-1a: stable across versions, machines and runs
 public:
  void add(std::uint64_t value) {
    for (unsigned i = 0; i < 8; ++i) byte(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void add(std::string_view text) {
    add(std::uint64_t{text.size()});
    for (const char c : text) byte(static_cast<std::uint8_t>(c));
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return hash_; }

 private:
  void byte(std::uint8_t b) { hash_ = (hash_ ^ b) * 0x100000001B3U; }
  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

std::uint64_t layout_hash(const TableSchema& schema) {
  LayoutHash hash;
  hash.add(schema.database);
  hash.add(schema.table);
  hash.add(std::uint64_t{schema.names_known});
  hash.add(std::uint64_t{schema.columns.size()});
  for (const auto& column : schema.columns) {
    hash.add(column.name);
    hash.add(std::uint64_t{column.wire_type} | std::uint64_t{column.metadata} << 8 |
             std::uint64_t{column.collation} << 24 | std::uint64_t{column.is_unsigned} << 40 |
             std::uint64_t{column.sign_known} << 41 | std::uint64_t{column.nullable} << 42 |
             std::uint64_t{column.visible} << 43);
    hash.add(std::uint64_t{column.dimensions});
    hash.add(std::uint64_t{column.labels.size()});
    for (const auto& label : column.labels) hash.add(label);
  }
  hash.add(std::uint64_t{schema.primary_key.size()});
  for (const auto index : schema.primary_key) hash.add(std::uint64_t{index});
  return hash.value();
}

bool is_in_list(const Column& column, CharsetList list, Flavor flavor) {
  const auto of_column = column.codec->charset_list;
  if (list == CharsetList::Label) return of_column == CharsetList::Label;
  // The list counts VECTOR on MySQL 9 and GEOMETRY on MariaDB, which have no character set.
  return of_column == CharsetList::Text ||
         (of_column == CharsetList::TextOnMySql && flavor == Flavor::MySql) ||
         (of_column == CharsetList::TextOnMariaDb && flavor == Flavor::MariaDb);
}

/// A label in UTF-8. With CHARACTER SET binary its bytes are taken for UTF-8 if they can be.
bool label_text(const Charset* charset, std::string_view label, Arena& arena,
                std::string_view& out) {
  if (charset == nullptr) return false;
  if (charset->kind == CharsetKind::Binary) return is_utf8(as_bytes(label));
  return to_utf8(*charset, as_bytes(label), arena, out);
}

class Parser {
 public:
  Parser(ByteView body, Flavor flavor)
      : in_(body), flavor_(flavor), schema_(std::make_shared<TableSchema>()) {}

  core::Result<TableSchemaPtr> parse();

 private:
  bool fail(core::Errc code, std::string message) {
    error_ = {code, std::move(message)};
    return false;
  }
  bool read_shape();
  bool read_column(Column& column, std::uint8_t type, Cursor& metadata);
  bool read_optional(Metadata field, Cursor& in);
  void read_signs(Cursor& in);
  void read_visibility(Cursor& in);
  void read_default_charset(Cursor& in, CharsetList list);
  void read_column_charsets(Cursor& in, CharsetList list);
  bool read_names(Cursor& in);
  void read_labels(Cursor& in, ColumnType type);
  bool read_primary_key(Cursor& in, bool with_prefix);
  void read_dimensions(Cursor& in);
  void finish_columns();

  Cursor in_;
  Flavor flavor_;
  std::shared_ptr<TableSchema> schema_;
  bool signs_logged_ = false;
  core::Error error_;
};

core::Result<TableSchemaPtr> Parser::parse() {
  if (!read_shape()) return error_;
  while (!in_.at_end()) {
    const auto field = in_.u8();
    auto value = in_.sub(in_.lenenc());
    if (!value.ok() || !read_optional(static_cast<Metadata>(field), value) || !value.ok()) {
      if (!error_.message.empty()) return error_;
      return core::Error{core::Errc::Malformed,
                         fmt::format("optional metadata field {} of table {}.{} is malformed",
                                     field, schema_->database, schema_->table)};
    }
  }
  finish_columns();
  schema_->layout_hash = layout_hash(*schema_);
  return TableSchemaPtr(std::move(schema_));
}

bool Parser::read_shape() {
  schema_->database = in_.text(in_.lenenc());
  in_.skip(1);
  schema_->table = in_.text(in_.lenenc());
  in_.skip(1);
  const auto count = in_.lenenc();
  const auto types = in_.take(count);
  auto metadata = in_.sub(in_.lenenc());
  const auto nullable = in_.take((count + 7) / 8);
  if (!in_.ok()) return fail(core::Errc::Truncated, "a table map ends before its columns do");
  if (count > Decoder::kColumnsMax) {
    return fail(core::Errc::Limit, fmt::format("a table with {} columns; at most {} are allowed",
                                               count, Decoder::kColumnsMax));
  }
  if (!is_utf8(as_bytes(schema_->database)) || !is_utf8(as_bytes(schema_->table))) {
    return fail(core::Errc::Malformed, "the name of a table is not UTF-8");
  }
  schema_->columns.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& column = schema_->columns[i];
    column.name = fmt::format("@{}", i + 1);
    column.nullable = bit(nullable, i);
    if (!read_column(column, std::to_integer<std::uint8_t>(types[i]), metadata)) return false;
  }
  return true;
}

bool Parser::read_column(Column& column, std::uint8_t type, Cursor& metadata) {
  const auto where = [&] {
    return fmt::format("column {} of table {}.{}", column.name, schema_->database, schema_->table);
  };
  column.wire_type = type;
  column.codec = find_codec(static_cast<ColumnType>(type));
  if (column.codec == nullptr) {
    return fail(core::Errc::Unsupported,
                fmt::format("{} has type {}, which this version cannot decode", where(), type));
  }
  if (!column.codec->parse_metadata(metadata, column) || !metadata.ok()) {
    return fail(core::Errc::Malformed, fmt::format("the metadata of {} (type {}) is malformed",
                                                   where(), column.codec->name));
  }
  column.codec =
      find_codec(static_cast<ColumnType>(column.wire_type));  // STRING may be ENUM or SET
  return true;
}

bool Parser::read_optional(Metadata field, Cursor& in) {
  switch (field) {
    case Metadata::Signedness:
      read_signs(in);
      return true;
    case Metadata::DefaultCharset:
      read_default_charset(in, CharsetList::Text);
      return true;
    case Metadata::ColumnCharset:
      read_column_charsets(in, CharsetList::Text);
      return true;
    case Metadata::LabelDefaultCharset:
      read_default_charset(in, CharsetList::Label);
      return true;
    case Metadata::LabelColumnCharset:
      read_column_charsets(in, CharsetList::Label);
      return true;
    case Metadata::ColumnName:
      return read_names(in);
    case Metadata::SetLabels:
      read_labels(in, ColumnType::Set);
      return true;
    case Metadata::EnumLabels:
      read_labels(in, ColumnType::Enum);
      return true;
    case Metadata::SimplePrimaryKey:
      return read_primary_key(in, false);
    case Metadata::PrimaryKeyWithPrefix:
      return read_primary_key(in, true);
    case Metadata::Visibility:
      read_visibility(in);
      return true;
    case Metadata::VectorDimensions:
      read_dimensions(in);
      return true;
    case Metadata::GeometryType:
      break;  // the value itself says what it is
  }
  return true;  // a field of a later server: nothing that decoding depends on is ever added so
}

void Parser::read_signs(Cursor& in) {
  // One bit a numeric column, the first in the top bit; set: unsigned.
  std::size_t n = 0;
  std::uint8_t bits = 0;
  for (auto& column : schema_->columns) {
    if (!column.codec->has_sign) continue;
    if (n % 8 == 0) bits = in.u8();
    column.is_unsigned = (bits >> (7 - n % 8) & 1U) != 0;
    ++n;
  }
  signs_logged_ = true;
}

void Parser::read_visibility(Cursor& in) {
  std::uint8_t bits = 0;
  for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
    if (i % 8 == 0) bits = in.u8();
    schema_->columns[i].visible = (bits >> (7 - i % 8) & 1U) != 0;
  }
}

void Parser::read_default_charset(Cursor& in, CharsetList list) {
  // The commonest collation, then (position in the list of character columns, collation) of the
  // rest.
  const auto common = static_cast<std::uint16_t>(in.lenenc());
  std::vector<Column*> columns;
  for (auto& column : schema_->columns) {
    if (!is_in_list(column, list, flavor_)) continue;
    column.collation = common;
    columns.push_back(&column);
  }
  while (!in.at_end()) {
    const auto index = in.lenenc();
    const auto collation = static_cast<std::uint16_t>(in.lenenc());
    if (index >= columns.size()) return in.fail();
    columns[index]->collation = collation;
  }
}

void Parser::read_column_charsets(Cursor& in, CharsetList list) {
  for (auto& column : schema_->columns) {
    if (!is_in_list(column, list, flavor_)) continue;
    column.collation = static_cast<std::uint16_t>(in.lenenc());
  }
}

bool Parser::read_names(Cursor& in) {
  for (auto& column : schema_->columns) {
    column.name = in.text(in.lenenc());
    if (!is_utf8(as_bytes(column.name))) return false;
  }
  schema_->names_known = in.ok();
  return true;
}

void Parser::read_labels(Cursor& in, ColumnType type) {
  for (auto& column : schema_->columns) {
    if (column.codec->type != type) continue;
    const auto count = in.lenenc();
    if (count > in.remaining()) return in.fail();
    column.labels.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) column.labels.emplace_back(in.text(in.lenenc()));
  }
}

bool Parser::read_primary_key(Cursor& in, bool with_prefix) {
  while (!in.at_end()) {
    const auto index = in.lenenc();
    if (with_prefix) in.lenenc();  // the key holds a prefix; the row still has the whole value
    if (index >= schema_->columns.size()) return false;
    schema_->primary_key.push_back(static_cast<std::uint32_t>(index));
  }
  return true;
}

void Parser::read_dimensions(Cursor& in) {
  for (auto& column : schema_->columns) {
    if (column.codec->type == ColumnType::Vector) {
      column.dimensions = static_cast<std::uint32_t>(in.lenenc());
    }
  }
}

void Parser::finish_columns() {
  Arena scratch;
  for (auto& column : schema_->columns) {
    const auto list = column.codec->charset_list;
    column.sign_known = signs_logged_ || !column.codec->has_sign;
    if (list != CharsetList::Text && list != CharsetList::Label) column.collation = 0;
    column.charset = column.collation == 0 ? nullptr : charset_of(column.collation);
    // Labels travel in the column's character set. Where one cannot be converted (CONVERT TO utf32
    // leaves its bytes in the old set) none is trusted, and values stay on the wire.
    for (auto& label : column.labels) {
      std::string_view text = label;
      if (!label_text(column.charset, label, scratch, text)) {
        column.labels.clear();
        break;
      }
      label = std::string(text);
    }
  }
}

}  // namespace

core::Result<TableSchemaPtr> parse_table_map(ByteView body, Flavor flavor) {
  return Parser(body, flavor).parse();
}

core::Result<const TableSchemaPtr*> TableMaps::add(std::uint64_t table_id, ByteView body,
                                                   Flavor flavor) {
  make_room();
  const auto text = as_text(body);
  auto& entry = by_id_[table_id];
  if (entry.known == nullptr || entry.known->first != text) {
    if (by_id_.size() > Decoder::kTableMapsMax) {
      return core::Error{core::Errc::Limit, fmt::format("one statement maps more than {} tables",
                                                        Decoder::kTableMapsMax)};
    }
    auto known = by_body_.find(std::string(text));
    if (known == by_body_.end()) {
      auto schema = parse_table_map(body, flavor);
      if (!schema) return schema.error();
      known = by_body_.emplace(text, std::move(*schema)).first;
      bytes_ += text.size();
    }
    entry.known = &*known;
  }
  entry.statement = statement_;
  return &entry.known->second;
}

const TableSchemaPtr* TableMaps::find(std::uint64_t table_id) const {
  const auto found = by_id_.find(table_id);
  if (found == by_id_.end() || found->second.statement != statement_) return nullptr;
  return &found->second.known->second;
}

void TableMaps::make_room() {
  if (room_made_ == statement_) return;
  room_made_ = statement_;
  if (bytes_ <= kBytesMax && by_id_.size() < Decoder::kTableMapsMax) return;
  by_id_.clear();
  by_body_.clear();
  bytes_ = 0;
}

}  // namespace rowtrail::binlog
