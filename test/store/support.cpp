#include "test/store/support.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <pqxx/pqxx>
#include <sqlite3.h>
#include <unistd.h>

namespace rowtrail::store::test {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kStart = 1'795'514'400'000'000;  // 2026-11-24T10:00:00Z

int fresh_number() {
  static std::atomic<int> last{0};
  return ++last;
}

class SqlitePlace final : public Place {
 public:
  SqlitePlace() {
    folder_ = fs::temp_directory_path() /
              fmt::format("rowtrail-store-test-{}-{}", ::getpid(), fresh_number());
    fs::create_directories(folder_);
  }
  ~SqlitePlace() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::string url() const override { return "sqlite://" + file(); }
  std::vector<std::string> sql(const std::string& text) override {
    sqlite3* db = nullptr;
    std::vector<std::string> out;
    char* message = nullptr;
    if (sqlite3_open(file().c_str(), &db) == SQLITE_OK) {
      sqlite3_busy_timeout(db, 5000);
      const auto row = [](void* to, int, char** values, char**) {
        static_cast<std::vector<std::string>*>(to)->emplace_back(values[0] ? values[0] : "NULL");
        return 0;
      };
      sqlite3_exec(db, text.c_str(), row, &out, &message);
    }
    const std::string failure = message != nullptr ? message : "";
    sqlite3_free(message);
    sqlite3_close(db);
    if (!failure.empty()) throw std::runtime_error(failure);
    return out;
  }

 private:
  [[nodiscard]] std::string file() const { return (folder_ / "rowtrail.db").string(); }
  fs::path folder_;
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    FAIL("no PostgreSQL to test on (" << name
                                      << " is not set); start one with: "
                                         "eval \"$(test/servers/postgres.sh start test)\"");
  }
  return value;
}

/// One database for the whole process, made by the superuser, and a log of its own per Place.
class TestDatabase {
 public:
  TestDatabase() : name_(fmt::format("store_test_{}", ::getpid())), owner_(::getpid()) {
    pqxx::connection root(root_options("postgres"));
    pqxx::nontransaction(root).exec("DROP DATABASE IF EXISTS " + name_);
    pqxx::nontransaction(root).exec("CREATE DATABASE " + name_ + " OWNER " +
                                    environment("ROWTRAIL_POSTGRES_USER"));
  }
  ~TestDatabase() {
    if (::getpid() != owner_) return;
    try {
      pqxx::connection root(root_options("postgres"));
      pqxx::nontransaction(root).exec("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
    } catch (const std::exception&) {
      // The server has gone; the next clean removes it.
    }
  }
  [[nodiscard]] std::string url() const {
    return fmt::format("postgresql://{}:{}@{}:{}/{}", environment("ROWTRAIL_POSTGRES_USER"),
                       environment("ROWTRAIL_POSTGRES_PASSWORD"),
                       environment("ROWTRAIL_POSTGRES_HOST"), environment("ROWTRAIL_POSTGRES_PORT"),
                       name_);
  }
  [[nodiscard]] static std::string root_options(const std::string& database) {
    return fmt::format("host={} port={} user={} password={} dbname={}",
                       environment("ROWTRAIL_POSTGRES_HOST"), environment("ROWTRAIL_POSTGRES_PORT"),
                       environment("ROWTRAIL_POSTGRES_ROOT_USER"),
                       environment("ROWTRAIL_POSTGRES_ROOT_PASSWORD"), database);
  }

 private:
  std::string name_;
  pid_t owner_;
};

class PostgresPlace final : public Place {
 public:
  PostgresPlace() : log_(fmt::format("log{}", fresh_number())) {
    // Signing keys of these logs go where the database goes.
    static const std::string state =
        (fs::temp_directory_path() / fmt::format("rowtrail-store-state-{}", ::getpid())).string();
    ::setenv("XDG_STATE_HOME", state.c_str(), 1);
    static const struct Remove {
      ~Remove() {
        std::error_code ignored;
        fs::remove_all(state, ignored);
      }
    } remove;
    static TestDatabase database;
    database_ = database.url();
  }
  std::string url() const override { return with_log(database_, log_); }
  std::vector<std::string> sql(const std::string& text) override {
    pqxx::connection connection(database_);
    pqxx::nontransaction session(connection);
    session.exec("SET search_path = rowtrail");
    std::vector<std::string> out;
    for (const auto& row : session.exec(text)) {
      out.emplace_back(row[0].is_null() ? "NULL" : row[0].c_str());
    }
    return out;
  }

 private:
  std::string log_;
  std::string database_;
};

}  // namespace

std::unique_ptr<Place> sqlite_place() {
  return std::make_unique<SqlitePlace>();
}
std::unique_ptr<Place> postgres_place() {
  return std::make_unique<PostgresPlace>();
}

std::string with_log(const std::string& url, const std::string& log) {
  return url.substr(0, url.find('?')) + "?log=" + log;
}

binlog::TableSchemaPtr table(const std::string& database, const std::string& name) {
  auto schema = std::make_shared<binlog::TableSchema>();
  schema->database = database;
  schema->table = name;
  schema->columns.resize(2);
  schema->columns[0].name = "id";
  schema->columns[1].name = "name";
  schema->primary_key = {0};
  schema->names_known = true;
  schema->layout_hash = 0xFEDC'BA98'7654'3210 ^ std::hash<std::string>{}(database + "." + name);
  return schema;
}

Made::Made(std::uint64_t number, std::int64_t time_us)
    : transaction(std::make_unique<normalize::Transaction>()) {
  transaction->source = "pharmacy";
  transaction->id = fmt::format("3e11fa47-71ca-11e1-9e33-c80aa9429562:{}", number);
  transaction->file = "binlog.000001";
  transaction->start_pos = number * 1000;
  transaction->end_pos = number * 1000 + 1000;
  transaction->committed_at_us =
      time_us != 0 ? time_us : kStart + static_cast<std::int64_t>(number) * 1'000'000;
  transaction->event_time_us = transaction->committed_at_us;
  transaction->committed_at_has_fraction = true;
  transaction->server_id = 1;
}

Made& Made::insert(const binlog::TableSchemaPtr& schema, std::int64_t id, std::string_view name) {
  auto& arena = transaction->arena;
  const auto cells = arena.make_span<binlog::Cell>(2);
  cells[0] = {};
  cells[0].kind = binlog::CellKind::Int;
  cells[0].i = id;
  const auto text = arena.copy(name);
  cells[1] = {};
  cells[1].kind = binlog::CellKind::Text;
  cells[1].data = text.data();
  cells[1].size = static_cast<std::uint32_t>(text.size());

  auto& schemas = transaction->schemas;
  const auto known = std::any_of(schemas.begin(), schemas.end(),
                                 [&](const auto& s) { return s.schema == schema; });
  if (!known) schemas.push_back({schema, 1, false, nullptr});
  normalize::Change change;
  change.op = normalize::Op::Insert;
  change.ordinal = static_cast<std::uint32_t>(transaction->changes.size());
  change.schema_version = 1;
  change.schema = schema.get();
  change.database = schema->database;
  change.table = schema->table;
  change.after = cells;
  transaction->changes.push_back(change);
  return *this;
}

Made& Made::event(const std::string& type, const std::string& actor,
                  std::vector<infer::ObjectRef> objects) {
  infer::BusinessEvent made;
  made.type = type;
  made.title = type;
  made.summary = type + " by " + actor;
  made.time_us = transaction->committed_at_us;
  made.objects = std::move(objects);
  made.actor = {actor, actor.empty() ? "" : "comment", actor.empty() ? "unknown" : "exact"};
  made.rule_id = "rule-" + type;
  made.rule_version = "9f2c41d0";
  for (const auto& change : transaction->changes) made.evidence.push_back(change.ordinal);
  events.push_back(std::move(made));
  return *this;
}

void Made::into(Batch& batch) const {
  batch.add(*transaction, 0, Batch::kBytesMax, events, {});
}

Made plain(std::uint64_t number) {
  static const auto stock = table();
  static const auto sale = table("pharmacy", "sale");
  Made made(number);
  const auto id = static_cast<std::int64_t>(number);
  made.insert(stock, id % 5, fmt::format("row {}", number));
  if (number % 2 == 0) made.insert(sale, id, "second");
  if (number % 3 == 0) made.insert(stock, id % 5 + 100, "third");
  made.event(number % 2 == 0 ? "sale.made" : "stock.counted", number % 4 == 0 ? "anna" : "ben",
             {{"product", std::to_string(number % 5), ""}, {"location", "1", "source"}});
  return made;
}

binlog::Position position_after(std::uint64_t number) {
  return {"binlog.000001", number * 1000 + 1000,
          fmt::format("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-{}", number), "uuid", 1'700'000'000};
}

void write(Writer& writer, std::uint64_t first, std::uint64_t last) {
  Batch batch;
  for (auto number = first; number <= last; ++number) {
    batch.reset(writer.next_seq());
    const auto made = plain(number);
    made.into(batch);
    writer.append(batch);
    writer.commit("pharmacy", position_after(number), made.transaction->event_time_us);
  }
}

std::vector<StoredEvent> events(Reader& reader, const Filter& filter, const Page& page) {
  std::vector<StoredEvent> out;
  reader.events(filter, page, [&](const StoredEvent& event) {
    out.push_back(event);
    return true;
  });
  return out;
}

std::vector<StoredChange> changes(Reader& reader, const Filter& filter, const Page& page) {
  std::vector<StoredChange> out;
  reader.changes(filter, page, [&](const StoredChange& change) {
    out.push_back(change);
    return true;
  });
  return out;
}

std::string dump(Reader& reader) {
  std::string out;
  const Page all{{}, {}, true, 0};
  for (const auto& c : changes(reader, {}, all)) {
    out += fmt::format("{} {} {} {} {}\n", c.seq, c.transaction_seq, c.payload,
                       c.transaction_payload, c.event_payload);
  }
  for (const auto& e : events(reader, {}, all)) {
    out += fmt::format("{} {} {} {} {} {}\n", e.seq, e.transaction_seq, e.time_us, e.type, e.actor,
                       e.payload);
  }
  return out;
}

void on_both(const std::function<void(Place&)>& test) {
  SECTION("SQLite") {
    test(*sqlite_place());
  }
  SECTION("Postgres") {
    test(*postgres_place());
  }
}

}  // namespace rowtrail::store::test
