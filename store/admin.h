// What an operator does with a store beside reading it: making its tables and roles, looking
// whether they are as they should be. Included by store/store.h.
#pragma once

#include "core/core.h"

#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::store {

/// Another writer holds the log and lives: who waits may take over when it is gone.
class LogHeld : public core::Failure {
 public:
  explicit LogHeld(const std::string& message) : Failure(core::Area::Store, true, message) {}
};

/// The SQL that makes schema, tables, roles and grants, to be read and run by a DBA (Postgres; for
/// SQLite the tables alone).
[[nodiscard]] std::string init_sql(std::string_view url);

struct MigrationStep {
  int number = 0;
  std::string what;
  std::string sql;
};
/// What a store lacks of this rowtrail's tables, in order; reads only.
[[nodiscard]] std::vector<MigrationStep> pending_migrations(const std::string& url);
/// Brings the store up to date.
void migrate_store(const std::string& url);

struct StoreCheck {
  bool good = false;
  std::string what;
  std::string fix;  // SQL or words; empty when good
};
/// Grants, guards, versions of a store, seen as the user of the URL.
[[nodiscard]] std::vector<StoreCheck> check_store(const std::string& url);

}  // namespace rowtrail::store
