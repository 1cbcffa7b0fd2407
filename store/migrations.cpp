#include "store/migrations.h"

#include "core/core.h"

#include <array>

#include <fmt/format.h>

namespace rowtrail::store {
namespace {

const std::array kMigrations{
    Migration{6, "record and working tables", kSqliteTables, kPostgresTables},
};

int stored_version(Database& db) {
  if (!db.has_schema()) return 0;
  int version = 0;
  db.query({"SELECT value FROM meta WHERE name = 'schema_version'", {}}, [&](const Row& row) {
    version = std::stoi(std::string(row.text(0)));
    return false;
  });
  return version;
}

}  // namespace

std::span<const Migration> migrations() {
  return kMigrations;
}

int schema_version(Database& db, const std::string& store) {
  const int version = stored_version(db);
  if (version > kMigrations.back().number) {
    throw core::Failure(
        core::Area::Store, false,
        fmt::format(
            "{} has tables of version {}, this rowtrail knows up to {}; use a newer rowtrail",
            store, version, kMigrations.back().number));
  }
  if (version != 0 && version < kMigrations.front().number) {
    throw core::Failure(core::Area::Store, false,
                        fmt::format("{} was made by an unreleased rowtrail; remove it", store));
  }
  return version;
}

void migrate(Database& db, const std::string& store) {
  if (schema_version(db, store) == kMigrations.back().number) return;
  db.begin();
  try {
    db.lock_schema();
    const int reached = schema_version(db, store);
    for (const auto& migration : kMigrations) {
      if (migration.number <= reached) continue;
      db.script(db.engine() == Engine::Sqlite ? migration.sqlite : migration.postgres);
    }
    Statement mark{
        "INSERT INTO meta (name, value) VALUES ('schema_version', $1) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        {}};
    mark.bind(std::to_string(kMigrations.back().number));
    db.execute(mark);
    db.commit();
  } catch (...) {
    db.rollback();
    throw;
  }
}

}  // namespace rowtrail::store
