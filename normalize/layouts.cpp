#include "normalize/layouts.h"

#include <string_view>

namespace rowtrail::normalize {
namespace {

std::string table_key(std::string_view database, std::string_view table) {
  std::string key(database);
  key += '\0';
  key += table;
  return key;
}

}  // namespace

void Layouts::resume(const KnownSchema& known) {
  Table& table = tables_[table_key(known.database, known.table)];
  if (known.version < table.version) return;
  table = {known.layout_hash, known.version, known.partial_image_told};
}

Layouts::Ready& Layouts::ready(const binlog::TableSchemaPtr& schema, bool& is_new) {
  if (const auto found = ready_.find(schema.get()); found != ready_.end()) return found->second;
  Table& table = tables_[table_key(schema->database, schema->table)];
  is_new = table.version == 0 || table.layout_hash != schema->layout_hash;
  if (is_new) {
    journal_.push_back({&table, table});
    table = {schema->layout_hash, table.version + 1, false};
    // An older layout that comes back is a new version too, whatever was kept of it.
    std::erase_if(ready_, [&](const auto& entry) { return entry.second.table == &table; });
  }
  if (ready_.size() >= kReadyMax) ready_.clear();
  VersionedSchema versioned{schema, table.version, false, std::make_shared<SchemaText>(*schema)};
  return ready_.emplace(schema.get(), Ready{std::move(versioned), &table}).first->second;
}

VersionedSchema Layouts::find(const binlog::TableSchemaPtr& schema) {
  bool is_new = false;
  VersionedSchema versioned = ready(schema, is_new).versioned;
  versioned.is_new = is_new;
  return versioned;
}

void Layouts::adopt(const VersionedSchema& versioned) {
  const binlog::TableSchema& schema = *versioned.schema;
  Table& table = tables_[table_key(schema.database, schema.table)];
  table = {schema.layout_hash, versioned.version, true};
  Ready& ready = ready_.emplace(&schema, Ready{versioned, &table}).first->second;
  ready.versioned.is_new = false;
}

bool Layouts::tell_partial_image(const binlog::TableSchemaPtr& schema) {
  bool is_new = false;
  Table& table = *ready(schema, is_new).table;
  if (table.partial_image_told) return false;
  journal_.push_back({&table, table});
  table.partial_image_told = true;
  return true;
}

void Layouts::rollback() {
  for (auto before = journal_.rbegin(); before != journal_.rend(); ++before) {
    *before->table = before->state;
  }
  journal_.clear();
  ready_.clear();
}

}  // namespace rowtrail::normalize
