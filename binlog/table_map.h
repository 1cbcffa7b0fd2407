// TABLE_MAP events → TableSchema, and the ids the server gave them. The server sends a map with
// every statement; an unchanged one is recognised by its bytes and its schema shared.
//
//   ┌ table_id 6 ┬ flags 2 ┬ database ┬ table ┬ count ┬ types ┬ metadata ┬ null bitmap ┬ TLVs … ┐
#pragma once

#include "binlog/cursor.h"
#include "binlog/gtid.h"
#include "binlog/schema.h"
#include "core/core.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rowtrail::binlog {

/// The schema in the body of a TABLE_MAP after table id and flags.
core::Result<TableSchemaPtr> parse_table_map(ByteView body, Flavor flavor);

class TableMaps {
 public:
  /// Wire bytes of maps to remember; beyond it the cache is emptied at the next statement.
  static constexpr std::size_t kBytesMax = 8 * 1024 * 1024;

  /// Announces a map. The pointer is valid until the next statement's first add().
  core::Result<const TableSchemaPtr*> add(std::uint64_t table_id, ByteView body, Flavor flavor);
  /// The schema announced under an id in this statement, or null.
  [[nodiscard]] const TableSchemaPtr* find(std::uint64_t table_id) const;
  /// A statement is over: its ids mean nothing any more.
  void end_statement() noexcept { ++statement_; }

 private:
  using Known = std::unordered_map<std::string, TableSchemaPtr>;
  struct Entry {
    const Known::value_type* known = nullptr;
    std::uint64_t statement = 0;
  };
  void make_room();

  Known by_body_;  // survives ids, which FLUSH TABLES renews
  std::unordered_map<std::uint64_t, Entry> by_id_;
  std::size_t bytes_ = 0;
  std::uint64_t statement_ = 1;
  std::uint64_t room_made_ = 0;
};

}  // namespace rowtrail::binlog
