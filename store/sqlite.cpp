// SQLite behind the Database interface: one file in WAL mode, synchronous=FULL, one prepared INSERT
// per record table. A lock file beside it keeps a second writer out (SQLite's own lock is per
// transaction).
#include "core/core.h"
#include "store/database.h"
#include "store/migrations.h"
#include "store/records.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

namespace rowtrail::store {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

[[noreturn]] void fail(bool retryable, const std::string& message) {
  throw core::Failure(core::Area::Store, retryable, message);
}

struct Close {
  void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Connection = std::unique_ptr<sqlite3, Close>;
using Prepared = std::unique_ptr<sqlite3_stmt, Close>;

[[noreturn]] void fail(sqlite3* db, int code, const std::string& path) {
  const std::string detail = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  switch (code & 0xFF) {
    case SQLITE_FULL:
      fail(true,
           fmt::format("{}: no space left for the log; free disk space there ({})", path, detail));
    case SQLITE_READONLY:
    case SQLITE_PERM:
      fail(false,
           fmt::format("{} cannot be written; give this user write permission on the file and "
                       "its folder ({})",
                       path, detail));
    case SQLITE_CANTOPEN:
      fail(false,
           fmt::format("{} cannot be opened; check that its folder exists and that this user "
                       "may write there ({})",
                       path, detail));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      fail(true, fmt::format("{} is locked by another program for more than {} s; end its write "
                             "transaction ({})",
                             path, kBusyTimeoutMs / 1000, detail));
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
      fail(true, fmt::format("{}: {} (SQLite code {})", path, detail, code));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      fail(false, fmt::format("{} is not a sound SQLite database; restore it from a backup ({})",
                              path, detail));
    case SQLITE_TOOBIG:
      fail(false,
           fmt::format("{}: a record is larger than SQLite's limit of 1 GB ({})", path, detail));
    default:
      fail(false, fmt::format("{}: {} (SQLite code {})", path, detail, code));
  }
}

/// Held while a Writer lives. The file stays: removing it would race with another opener.
class WriterLock {
 public:
  explicit WriterLock(const std::string& path) {
    const std::string file = path + ".lock";
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0) {
      fail(false,
           fmt::format("{} cannot be opened for writing ({}); check that the folder exists and "
                       "that this user may write there",
                       file, std::strerror(errno)));
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) refuse(path);
    const std::string pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(descriptor_, 0) != 0 ||
        ::pwrite(descriptor_, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
      // Only the message of a second writer loses the pid.
      core::log(core::Level::Warn, fmt::format("cannot write our pid to {}", file));
    }
  }
  ~WriterLock() { ::close(descriptor_); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  [[noreturn]] void refuse(const std::string& path) const {
    std::array<char, 16> pid{};
    const auto length = ::pread(descriptor_, pid.data(), pid.size() - 1, 0);
    std::string holder(pid.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    ::close(descriptor_);
    fail(false, fmt::format("{} already has a writer (process {}); a log has one writer: stop that "
                            "process, or give this one another store",
                            path, holder.empty() ? "unknown" : holder));
  }

  int descriptor_ = -1;
};

class SqliteRow final : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}
  bool is_null(int column) const override {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  std::int64_t integer(int column) const override {
    return sqlite3_column_int64(statement_, column);
  }
  std::string_view text(int column) const override {
    const auto* bytes = sqlite3_column_text(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return {reinterpret_cast<const char*>(bytes), bytes == nullptr ? 0 : size};
  }
  std::string_view bytes(int column) const override {
    const auto* bytes = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return {static_cast<const char*>(bytes), bytes == nullptr ? 0 : size};
  }

 private:
  sqlite3_stmt* statement_;
};

class Sqlite final : public Database {
 public:
  Sqlite(const Url& url, Access access);

  Engine engine() const noexcept override { return Engine::Sqlite; }
  bool has_schema() override;
  void script(const std::string& sql) override;
  std::uint64_t execute(const Statement& statement) override;
  void query(const Statement& statement, const RowVisitor& visit) override;
  void begin() override { script("BEGIN IMMEDIATE"); }
  void commit() override { script("COMMIT"); }
  void rollback() noexcept override;
  void lock_schema() override {}           // BEGIN IMMEDIATE did
  void lock_log(std::int64_t) override {}  // one log a file, and WriterLock has it
  void insert(std::int64_t, const Batch& batch, const Salts& salts,
              std::span<const std::int32_t> table_ids) override {
    write_records(batch, salts, table_ids, *this);
  }
  void insert_tree(std::int64_t, std::span<const Bundle> bundles,
                   std::span<const Tile> tiles) override {
    write_tree(bundles, tiles, *this);
  }

  Inspection inspect() override;

  // Sink of write_records.
  void begin(const RecordTable& table);
  void begin_row() noexcept { field_ = 0; }
  void big(std::int64_t value) { check(sqlite3_bind_int64(insert_, ++field_, value)); }
  void integer(std::int32_t value) { check(sqlite3_bind_int(insert_, ++field_, value)); }
  void small(std::int16_t value) { check(sqlite3_bind_int(insert_, ++field_, value)); }
  void text(std::string_view value) {
    // Static: the batch outlives the statement's step.
    const char* data = value.data() == nullptr ? "" : value.data();
    check(sqlite3_bind_text64(insert_, ++field_, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  void bytes(std::string_view value) {
    check(sqlite3_bind_blob64(insert_, ++field_, value.data(), value.size(), SQLITE_STATIC));
  }
  void end_row();
  void end() noexcept { insert_ = nullptr; }

 private:
  void configure(Access access);
  Prepared prepare(std::string_view sql, unsigned flags = 0);
  void bind(sqlite3_stmt* prepared, const Statement& statement);
  void check(int code) {
    if (code != SQLITE_OK) fail(db_.get(), code, path_);
  }

  std::string path_;
  std::unique_ptr<WriterLock> lock_;
  Connection db_;
  std::map<const RecordTable*, Prepared> inserts_;
  sqlite3_stmt* insert_ = nullptr;
  int field_ = 0;
};

Sqlite::Sqlite(const Url& url, Access access) : path_(url.path) {
  std::error_code ignored;
  if (access == Access::Read && !std::filesystem::exists(path_, ignored)) {
    fail(false, fmt::format("there is no log at {}; `rowtrail run` or `rowtrail replay` makes one",
                            path_));
  }
  if (access == Access::Write) lock_ = std::make_unique<WriterLock>(path_);
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::Write ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path_.c_str(), &raw, flags, nullptr);
  db_.reset(raw);
  if (code != SQLITE_OK) fail(raw, code, path_);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  if (access == Access::Write && sqlite3_db_readonly(raw, "main") == 1) {
    fail(raw, SQLITE_READONLY, path_);
  }
  configure(access);
}

void Sqlite::configure(Access access) {
  if (access == Access::Read) {
    // The budget of a process is 64 MB, and readers come in numbers.
    script("PRAGMA query_only=1; PRAGMA cache_size=-4096;");
    return;
  }
  // FULL, not NORMAL: a committed position must survive a power cut. 8 KiB pages measured best.
  script(
      "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
      "PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint=2048; PRAGMA "
      "journal_size_limit=67108864;"
      "PRAGMA foreign_keys=0; PRAGMA temp_store=MEMORY;");
}

Prepared Sqlite::prepare(std::string_view sql, unsigned flags) {
  sqlite3_stmt* raw = nullptr;
  check(sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), flags, &raw,
                           nullptr));
  return Prepared(raw);
}

void Sqlite::bind(sqlite3_stmt* prepared, const Statement& statement) {
  int number = 0;
  for (const auto& value : statement.values) {
    const int index = sqlite3_bind_parameter_index(prepared, fmt::format("${}", ++number).c_str());
    if (index == 0) continue;  // named in the text of the other database only
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      check(sqlite3_bind_int64(prepared, index, *integer));
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      check(sqlite3_bind_blob64(prepared, index, blob->bytes.data(), blob->bytes.size(),
                                SQLITE_STATIC));
    } else {
      const auto& text = std::get<std::string>(value);
      check(sqlite3_bind_text64(prepared, index, text.data(), text.size(), SQLITE_STATIC,
                                SQLITE_UTF8));
    }
  }
}

bool Sqlite::has_schema() {
  bool found = false;
  query({"SELECT 1 FROM sqlite_master WHERE type='table' AND name='meta'", {}}, [&](const Row&) {
    found = true;
    return false;
  });
  return found;
}

void Sqlite::script(const std::string& sql) {
  check(sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

std::uint64_t Sqlite::execute(const Statement& statement) {
  const auto prepared = prepare(statement.sql);
  bind(prepared.get(), statement);
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) code = sqlite3_step(prepared.get());
  if (code != SQLITE_DONE) fail(db_.get(), code, path_);
  return static_cast<std::uint64_t>(sqlite3_changes64(db_.get()));
}

void Sqlite::query(const Statement& statement, const RowVisitor& visit) {
  const auto prepared = prepare(statement.sql);
  bind(prepared.get(), statement);
  const SqliteRow row(prepared.get());
  int code = sqlite3_step(prepared.get());
  while (code == SQLITE_ROW) {
    if (!visit(row)) return;
    code = sqlite3_step(prepared.get());
  }
  if (code != SQLITE_DONE) fail(db_.get(), code, path_);
}

/// Everything that was created, by kind and name.
std::map<std::string, std::string> definitions(sqlite3* db, const std::string& path) {
  std::map<std::string, std::string> found;
  const auto add = [](void* to, int, char** values, char**) {
    (*static_cast<std::map<std::string, std::string>*>(to))[values[0]] = values[1];
    return 0;
  };
  const int code = sqlite3_exec(db,
                                "SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS "
                                "NOT NULL AND name NOT LIKE 'sqlite_%'",
                                add, &found, nullptr);
  if (code != SQLITE_OK) fail(db, code, path);
  return found;
}

Inspection Sqlite::inspect() {
  Inspection result;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open(":memory:", &raw);
  const Connection fresh(raw);
  if (code != SQLITE_OK || sqlite3_exec(raw, kSqliteTables, nullptr, nullptr, nullptr) != 0) {
    fail(raw, code, ":memory:");
  }
  const auto made = definitions(raw, path_);
  auto here = definitions(db_.get(), path_);
  for (const auto& [name, sql] : made) {
    const auto found = here.find(name);
    if (found == here.end()) {
      result.wrong.push_back(fmt::format("the {} is missing", name));
      continue;
    }
    if (found->second != sql) result.wrong.push_back(fmt::format("the {} was changed", name));
    here.erase(found);
  }
  for (const auto& [name, sql] : here) {
    result.wrong.push_back(fmt::format("there is a {} that rowtrail did not make", name));
  }
  query({"PRAGMA integrity_check(100)", {}}, [&](const Row& row) {
    if (row.text(0) != "ok") {
      result.wrong.push_back(fmt::format("integrity_check: {}", row.text(0)));
    }
    return true;
  });
  return result;
}

void Sqlite::rollback() noexcept {
  // Some errors (disk full) have rolled back already.
  if (sqlite3_get_autocommit(db_.get()) == 0) {
    sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Sqlite::begin(const RecordTable& table) {
  auto& prepared = inserts_[&table];
  if (!prepared) {
    std::string marks = "?";
    for (int i = 1; i < table.width; ++i) marks += ",?";
    prepared =
        prepare(fmt::format("INSERT INTO {} ({}) VALUES ({})", table.name, table.columns, marks),
                SQLITE_PREPARE_PERSISTENT);
  }
  insert_ = prepared.get();
}

void Sqlite::end_row() {
  const int code = sqlite3_step(insert_);
  if (code != SQLITE_DONE) {
    sqlite3_reset(insert_);
    fail(db_.get(), code, path_);
  }
  check(sqlite3_reset(insert_));
}

}  // namespace

std::unique_ptr<Database> open_sqlite(const Url& url, Access access) {
  return std::make_unique<Sqlite>(url, access);
}

}  // namespace rowtrail::store
