// What a TABLE_MAP event says of a table: the only schema rowtrail decodes with. Immutable once
// built and shared by every Change of the table until the server announces another layout.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::binlog {

struct Charset;      // binlog/charset.h
struct ColumnCodec;  // binlog/column_types.h: one row per type, the table everything follows from

struct Column {
  std::string name;  // "@1", "@2" … when the server did not log names
  const ColumnCodec* codec = nullptr;
  std::uint8_t wire_type = 0;  // as in the event, after CHAR/ENUM/SET are told apart
  std::uint16_t metadata = 0;  // meaning by type: lengths, precision and scale, fraction digits
  bool is_unsigned = false;
  bool sign_known = true;  // false under MariaDB's binlog_row_metadata=NO_LOG
  bool nullable = false;
  bool visible = true;
  std::uint16_t collation = 0;       // 0: unknown or not a character column; 63: binary
  const Charset* charset = nullptr;  // of the collation; null: unknown or not a character column
  std::uint32_t dimensions = 0;      // VECTOR
  std::vector<std::string> labels;   // ENUM and SET members, UTF-8

  /// The type as SQL writes it, without attributes: "bigint unsigned", "decimal(10,2)".
  [[nodiscard]] std::string sql_type() const;
};

struct TableSchema {
  std::string database;
  std::string table;
  std::vector<Column> columns;
  std::vector<std::uint32_t> primary_key;  // column indexes in key order; empty: none or not logged
  bool names_known = false;                // binlog_row_metadata=FULL
  std::uint64_t layout_hash = 0;           // of everything above: equal hash, same layout

  /// Index of a column by name, or -1.
  [[nodiscard]] int find(std::string_view name) const noexcept;
};
using TableSchemaPtr = std::shared_ptr<const TableSchema>;

}  // namespace rowtrail::binlog
