// Creates the pharmacy: schema.sql and seed.sql, which are compiled in.
#pragma once

#include "deploy/demo/database.h"

namespace rowtrail::demo {

extern const char* const kSchemaSql;
extern const char* const kSeedSql;

// Returns false when the pharmacy is there already, and then changes nothing.
bool set_up(Connection& connection);

}  // namespace rowtrail::demo
