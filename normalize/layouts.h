// Which version of a table's layout a schema is, in one source. Private to normalize/.
#pragma once

#include "normalize/transaction.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rowtrail::normalize {

class Layouts {
 public:
  /// Layouts kept ready to hand; the version of a table is known for all.
  static constexpr std::size_t kReadyMax = 1024;

  /// A layout that the store knows. Of several of one table the highest version counts.
  void resume(std::string_view database, std::string_view table, std::uint64_t layout_hash,
              std::uint32_t version);

  /// The schema with its version: the table's next when the layout is not the table's last.
  VersionedSchema find(const binlog::TableSchemaPtr& schema);

 private:
  struct Table {
    std::uint64_t layout_hash = 0;
    std::uint32_t version = 0;
  };
  std::unordered_map<std::string, Table> tables_;  // "database\0table"
  std::unordered_map<const binlog::TableSchema*, VersionedSchema> ready_;
};

}  // namespace rowtrail::normalize
