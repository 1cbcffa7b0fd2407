#include "normalize/layouts.h"

namespace rowtrail::normalize {
namespace {

std::string table_key(std::string_view database, std::string_view table) {
  std::string key(database);
  key += '\0';
  key += table;
  return key;
}

}  // namespace

void Layouts::resume(std::string_view database, std::string_view table, std::uint64_t layout_hash,
                     std::uint32_t version) {
  Table& known = tables_[table_key(database, table)];
  if (version >= known.version) known = {layout_hash, version};
}

VersionedSchema Layouts::find(const binlog::TableSchemaPtr& schema) {
  if (const auto ready = ready_.find(schema.get()); ready != ready_.end()) return ready->second;
  Table& table = tables_[table_key(schema->database, schema->table)];
  const bool is_new = table.version == 0 || table.layout_hash != schema->layout_hash;
  if (is_new) {
    table = {schema->layout_hash, table.version + 1};
    // An older layout that comes back is a new version too, whatever was kept of it.
    std::erase_if(ready_, [&](const auto& entry) {
      return entry.second.schema->table == schema->table &&
             entry.second.schema->database == schema->database;
    });
  }
  if (ready_.size() >= kReadyMax) ready_.clear();
  VersionedSchema versioned{schema, table.version, false, std::make_shared<SchemaText>(*schema)};
  ready_.emplace(schema.get(), versioned);
  versioned.is_new = is_new;
  return versioned;
}

}  // namespace rowtrail::normalize
