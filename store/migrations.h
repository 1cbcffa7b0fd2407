// Numbered, forward-only changes of the tables. `meta` holds the number reached; a store with a
// higher number than this program knows is refused.
#pragma once

#include "store/database.h"

#include <span>
#include <string>
#include <vector>

namespace rowtrail::store {

struct Migration {
  int number;
  const char* what;
  const char* sqlite;
  const char* postgres;
};
[[nodiscard]] std::span<const Migration> migrations();

/// The number a store has reached, 0 without rowtrail's tables. Throws when it is newer than we
/// are.
[[nodiscard]] int schema_version(Database& db, const std::string& store);

/// Brings the tables up to date, in one transaction.
void migrate(Database& db, const std::string& store);

/// Tables and views as they are made: kept apart, one file a database, to be read by people.
extern const char* const kSqliteTables;
extern const char* const kPostgresTables;

}  // namespace rowtrail::store
