#include "store/admin.h"

#include "store/columns.h"
#include "store/database.h"
#include "store/migrations.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

namespace rowtrail::store {
namespace {

/// Tables that the writer adds to and nobody changes, and those that it rewrites.
constexpr std::string_view kInsertOnly =
    "log, source_table, entry, tree_tile, tree_head, \"transaction\", change, event, event_object, "
    "event_evidence, gap, anomaly, table_schema, rule_version, input, admin_action";
constexpr std::string_view kRewritten =
    "lease, tree_edge, tree_edge_tile, position, rule_state, xa_pending, "
    "detector_state, token";
constexpr std::string_view kEmptied = "rule_state, xa_pending, detector_state";

constexpr std::string_view kRoles = R"sql(
-- Roles: nobody logs in as the owner; whoever writes can add and not change; readers read.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['rowtrail_owner', 'rowtrail_writer', 'rowtrail_retention', 'rowtrail_reader'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    END IF;
  END LOOP;
END $$;
CREATE SCHEMA IF NOT EXISTS rowtrail;
)sql";

constexpr std::string_view kOwners = R"sql(
-- Owners and grants. May be run again, also where rowtrail has made the tables itself.
DO $$
DECLARE
  item record;
BEGIN
  FOR item IN SELECT c.relkind, c.oid::regclass AS name FROM pg_class c
              WHERE c.relnamespace = 'rowtrail'::regnamespace AND c.relkind IN ('r', 'p', 'v') LOOP
    EXECUTE format('ALTER %s %s OWNER TO rowtrail_owner', CASE item.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, item.name);
  END LOOP;
END $$;
ALTER SCHEMA rowtrail OWNER TO rowtrail_owner;
REVOKE ALL ON SCHEMA rowtrail FROM PUBLIC, rowtrail_writer, rowtrail_retention, rowtrail_reader;
REVOKE ALL ON ALL TABLES IN SCHEMA rowtrail FROM PUBLIC, rowtrail_writer, rowtrail_retention, rowtrail_reader;
GRANT USAGE ON SCHEMA rowtrail TO rowtrail_writer, rowtrail_retention, rowtrail_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA rowtrail TO rowtrail_writer, rowtrail_retention, rowtrail_reader;
)sql";

/// USER of postgresql://USER[:PASSWORD]@…, as an identifier; empty when there is none.
std::string user_of(std::string_view url) {
  const auto begin = url.find("//");
  const auto at = url.find('@');
  if (begin == std::string_view::npos || at == std::string_view::npos) return {};
  auto user = url.substr(begin + 2, at - begin - 2);
  user = user.substr(0, user.find(':'));
  const bool plain = std::all_of(user.begin(), user.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (user.empty() || !plain) return {};
  return std::string(user);
}

std::string version_sql() {
  return fmt::format("INSERT INTO meta (name, value) VALUES ('schema_version', '{}');\n",
                     migrations().back().number);
}

/// Rows of one text column.
std::vector<std::string> texts(Database& db, const std::string& sql) {
  std::vector<std::string> found;
  db.query({sql, {}}, [&](const Row& row) {
    found.emplace_back(row.text(0));
    return true;
  });
  return found;
}

constexpr const char* kApplyRoles =
    "run the output of `rowtrail store init --print-sql` as a superuser";

void check_postgres(Database& db, std::vector<StoreCheck>& checks) {
  const auto none = [&](const std::vector<std::string>& found, const std::string& good,
                        const std::string& bad, const char* fix) {
    checks.push_back(
        found.empty()
            ? StoreCheck{true, good, {}}
            : StoreCheck{false, fmt::format(fmt::runtime(bad), fmt::join(found, ", ")), fix});
  };
  none(texts(db,
             "SELECT current_user::text WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = "
             "current_user)"),
       "the store's user is not a superuser", "the store's user {} is a superuser",
       "give rowtrail a user of its own: CREATE ROLE rowtrail LOGIN; GRANT rowtrail_writer TO "
       "rowtrail");
  none(texts(db,
             "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = "
             "'rowtrail'::regnamespace AND c.relkind = 'r' AND pg_has_role(current_user, "
             "c.relowner, 'MEMBER') AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = "
             "current_user) ORDER BY 1"),
       "the store's user does not own the tables",
       "the store's user owns tables, and could change or drop them: {}", kApplyRoles);
  std::string records;
  for (const auto& kind : kind_columns()) {
    records += fmt::format("{}'{}'", records.empty() ? "" : ",", kind_name(kind.kind));
  }
  // Whoever it is: superusers aside, nobody but the owner may do more to a record than add it. A
  // right on one column counts, and one that comes by SET ROLE.
  none(texts(db, fmt::format(
                     "SELECT r.rolname || ' (' || string_agg(DISTINCT p.name || ' ' || c.relname, "
                     "', ') || ')' FROM pg_class c CROSS JOIN pg_roles r CROSS JOIN (VALUES "
                     "('UPDATE'), ('DELETE'), ('TRUNCATE'), ('TRIGGER')) p(name) WHERE "
                     "c.relnamespace = 'rowtrail'::regnamespace AND c.relname IN "
                     "({},'event_object','event_evidence','entry','tree_tile','tree_head')"
                     " AND NOT r.rolsuper AND r.rolname NOT LIKE 'pg\\_%' AND NOT "
                     "pg_has_role(r.oid, c.relowner, 'MEMBER') AND (has_table_privilege(r.oid, "
                     "c.oid, p.name) OR (p.name = 'UPDATE' AND has_any_column_privilege(r.oid, "
                     "c.oid, p.name))) GROUP BY r.rolname ORDER BY 1",
                     records)),
       "records can be added and not changed", "roles that may change records: {}", kApplyRoles);
  none(texts(db,
             "SELECT DISTINCT r.rolname::text FROM pg_class c CROSS JOIN pg_roles r WHERE "
             "c.relnamespace = 'rowtrail'::regnamespace AND c.relkind = 'r' AND NOT r.rolsuper AND "
             "r.oid <> c.relowner AND pg_has_role(r.oid, c.relowner, 'MEMBER') ORDER BY 1"),
       "nobody can become the owner of the tables",
       "roles that are members of the tables' owner, and could change or drop everything: {}",
       "REVOKE rowtrail_owner FROM them");
  none(texts(db,
             "SELECT r.rolname::text FROM pg_roles r WHERE NOT r.rolsuper AND r.rolname NOT LIKE "
             "'pg\\_%' AND r.oid <> (SELECT nspowner FROM pg_namespace WHERE nspname = 'rowtrail') "
             "AND has_schema_privilege(r.oid, 'rowtrail', 'CREATE') ORDER BY 1"),
       "nobody else can make tables or functions beside the log's",
       "roles that can make tables or functions in the schema rowtrail: {}", kApplyRoles);
  none(texts(db,
             "SELECT name || ' = ' || setting FROM pg_settings WHERE (name IN ('fsync', "
             "'full_page_writes') AND setting = 'off') OR (name = 'synchronous_commit' AND "
             "setting = 'off')"),
       "what is committed survives a power cut", "a power cut can lose what was committed: {}",
       "set them to on in postgresql.conf");
}

void check_sqlite(Database& db, std::vector<StoreCheck>& checks) {
  const auto here = texts(db, "SELECT name FROM sqlite_master WHERE type = 'trigger'");
  std::vector<std::string> missing;
  constexpr std::string_view kTrigger = "CREATE TRIGGER ";
  const std::string_view sql = kSqliteTables;
  for (auto at = sql.find(kTrigger); at != std::string_view::npos; at = sql.find(kTrigger, at)) {
    at += kTrigger.size();
    const std::string name(sql.substr(at, sql.find(' ', at) - at));
    if (std::find(here.begin(), here.end(), name) == here.end()) missing.push_back(name);
  }
  checks.push_back(missing.empty()
                       ? StoreCheck{true, "the triggers that guard the records are there", {}}
                       : StoreCheck{false,
                                    fmt::format("triggers that guard the records are missing: {}",
                                                fmt::join(missing, ", ")),
                                    "`rowtrail verify` tells whether records were changed; then "
                                    "make the triggers again from `rowtrail store init "
                                    "--print-sql`"});
}

}  // namespace

std::string init_sql(std::string_view text) {
  const auto url = Url::parse(text);
  if (url.engine == Engine::Sqlite) return std::string(kSqliteTables) + version_sql();
  std::string out =
      "-- Everything that rowtrail has in a Postgres database. Run it there as a superuser, or as\n"
      "-- the database's owner with CREATEROLE, with ON_ERROR_STOP.\n";
  out += kRoles;
  out +=
      "\n-- Tables and views. Leave this part out where they are already.\n"
      "SET search_path = rowtrail;\n";
  out += kPostgresTables;
  out += version_sql();
  out += kOwners;
  out += "SET search_path = rowtrail;\n";
  out += fmt::format("GRANT INSERT ON {}, {} TO rowtrail_writer;\n", kInsertOnly, kRewritten);
  out += fmt::format("GRANT UPDATE ON {} TO rowtrail_writer;\n", kRewritten);
  out += fmt::format("GRANT DELETE ON {} TO rowtrail_writer;\n", kEmptied);
  out += "GRANT UPDATE (vkey) ON log TO rowtrail_writer;\n";
  out += "REVOKE SELECT ON token, xa_pending FROM rowtrail_reader, rowtrail_retention;\n";
  const auto user = user_of(text);
  out += user.empty() ? "-- GRANT rowtrail_writer TO the user that rowtrail logs in with;\n"
                      : fmt::format("GRANT rowtrail_writer TO \"{}\";\n", user);
  return out;
}

std::vector<MigrationStep> pending_migrations(const std::string& text) {
  const auto url = Url::parse(text);
  int reached = 0;
  // A SQLite file that is not there yet lacks everything.
  std::error_code ignored;
  if (url.engine != Engine::Sqlite || std::filesystem::exists(url.path, ignored)) {
    reached = schema_version(*open_database(url, Access::Read), url.display);
  }
  std::vector<MigrationStep> steps;
  for (const auto& migration : migrations()) {
    if (migration.number <= reached) continue;
    steps.push_back({migration.number, migration.what,
                     url.engine == Engine::Sqlite ? migration.sqlite : migration.postgres});
  }
  return steps;
}

void migrate_store(const std::string& text) {
  const auto url = Url::parse(text);
  migrate(*open_database(url, Access::Write), url.display);
}

std::vector<StoreCheck> check_store(const std::string& text) {
  const auto url = Url::parse(text);
  const auto db = open_database(url, Access::Read);
  const int reached = schema_version(*db, url.display);
  std::vector<StoreCheck> checks;
  if (reached == 0) {
    checks.push_back(
        {true, fmt::format("{} is empty; rowtrail makes its tables", url.display), {}});
    return checks;
  }
  const bool current = reached == migrations().back().number;
  checks.push_back({current,
                    current ? fmt::format("{} is up to date", url.display)
                            : fmt::format("{} has tables of version {}", url.display, reached),
                    current ? "" : "rowtrail store migrate"});
  if (url.engine == Engine::Sqlite) {
    check_sqlite(*db, checks);
  } else {
    check_postgres(*db, checks);
  }
  return checks;
}

}  // namespace rowtrail::store
