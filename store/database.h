// What the log needs of a database, and all that differs between SQLite and Postgres: one
// connection, statements with $1… parameters, transactions, and bulk insertion of a Batch. Writer
// and Reader are written once on top. Failures are core::Failure (Area::Store) with what to do in
// the message.
#pragma once

#include "store/batch.h"
#include "store/records.h"
#include "store/url.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rowtrail::store {

struct Blob {
  std::string bytes;
};
using Value = std::variant<std::int64_t, std::string, Blob>;

/// SQL that both databases understand, with its parameters.
struct Statement {
  std::string sql;
  std::vector<Value> values;

  /// Adds a parameter and returns its name, "$3".
  std::string bind(Value value) {
    values.push_back(std::move(value));
    return "$" + std::to_string(values.size());
  }
};

/// The current row of a query; text is valid until the visitor returns.
class Row {
 public:
  virtual ~Row() = default;
  [[nodiscard]] virtual bool is_null(int column) const = 0;
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  [[nodiscard]] virtual std::string_view text(int column) const = 0;
  [[nodiscard]] virtual std::string_view bytes(int column) const = 0;
};
/// Return false to stop.
using RowVisitor = std::function<bool(const Row&)>;

/// What a database says of its own tables, for people.
struct Inspection {
  std::vector<std::string> wrong;
  std::vector<std::string> skipped;  // what it could not look at, and why
};

class Database {
 public:
  virtual ~Database() = default;

  [[nodiscard]] virtual Engine engine() const noexcept = 0;
  /// True when the tables of rowtrail are there.
  virtual bool has_schema() = 0;
  /// Several statements without parameters.
  virtual void script(const std::string& sql) = 0;
  /// One statement; returns the rows it touched.
  virtual std::uint64_t execute(const Statement& statement) = 0;
  /// Rows one by one as they come, however many there are.
  virtual void query(const Statement& statement, const RowVisitor& visit) = 0;

  virtual void begin() = 0;
  /// When the connection is lost inside it, the outcome is unknown: the Failure says so.
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;

  /// Inside a transaction: nobody else changes the schema until it ends.
  virtual void lock_schema() = 0;
  /// For the life of the connection: nobody else writes this log.
  virtual void lock_log(std::int64_t log_id) = 0;
  /// The records of a batch; `table_ids` numbers Batch::tables.
  virtual void insert(std::int64_t log_id, const Batch& batch, const Salts& salts,
                      std::span<const std::int32_t> table_ids) = 0;
  /// Full bundles and tiles.
  virtual void insert_tree(std::int64_t log_id, std::span<const Bundle> bundles,
                           std::span<const Tile> tiles) = 0;

  /// Are the indexes those of the tables, and is everything defined as rowtrail made it? Reads the
  /// whole store.
  virtual Inspection inspect() = 0;
};

enum class Access : std::uint8_t { Read, Write };

[[nodiscard]] std::unique_ptr<Database> open_sqlite(const Url& url, Access access);
[[nodiscard]] std::unique_ptr<Database> open_postgres(const Url& url, Access access);
[[nodiscard]] std::unique_ptr<Database> open_database(const Url& url, Access access);

}  // namespace rowtrail::store
