// Which version of a table's layout a schema is, in one source. Private to normalize/.
#pragma once

#include "normalize/transaction.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace rowtrail::normalize {

/// A layout the store already knows: where version numbers go on after a restart.
struct KnownSchema {
  std::string database;
  std::string table;
  std::uint64_t layout_hash = 0;
  std::uint32_t version = 0;
  bool partial_image_told = false;  // the log has a partial_image gap for this version
};

class Layouts {
 public:
  /// Layouts kept ready to hand; the version of a table is known for all.
  static constexpr std::size_t kReadyMax = 1024;

  /// A layout that the store knows. Of several of one table the highest version counts.
  void resume(const KnownSchema& known);

  /// The schema with its version: the table's next when the layout is not the table's last.
  VersionedSchema find(const binlog::TableSchemaPtr& schema);
  /// Makes find() give what another Layouts gave, as known; nothing of its table is told again.
  void adopt(const VersionedSchema& versioned);
  /// True the first time for each version. `schema` is one that find() gave.
  bool tell_partial_image(const binlog::TableSchemaPtr& schema);

  /// What follows can be taken back, until the next begin().
  void begin() { journal_.clear(); }
  void rollback();

 private:
  struct Table {
    std::uint64_t layout_hash = 0;
    std::uint32_t version = 0;
    bool partial_image_told = false;
  };
  struct Ready {
    VersionedSchema versioned;
    Table* table;  // into tables_, whose elements stay where they are
  };
  struct Before {
    Table* table;
    Table state;
  };
  Ready& ready(const binlog::TableSchemaPtr& schema, bool& is_new);

  std::unordered_map<std::string, Table> tables_;  // "database\0table"
  std::unordered_map<const binlog::TableSchema*, Ready> ready_;
  std::vector<Before> journal_;
};

}  // namespace rowtrail::normalize
