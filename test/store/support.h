// What the tests of store/ share: transactions and events made by hand, and a store of each kind to
// run the one contract on. A Postgres that is not there fails the test and says how to get one.
#pragma once

#include "store/store.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::store::test {

/// Runs `sql` on the store behind rowtrail's back, as its owner; returns the first column.
using RunSql = std::function<std::vector<std::string>(const std::string& sql)>;

/// A fresh, empty log; what it needed is removed with it.
class Place {
 public:
  virtual ~Place() = default;
  [[nodiscard]] virtual std::string url() const = 0;
  virtual std::vector<std::string> sql(const std::string& text) = 0;
};
[[nodiscard]] std::unique_ptr<Place> sqlite_place();
[[nodiscard]] std::unique_ptr<Place> postgres_place();

/// Another log in the same Postgres database.
[[nodiscard]] std::string with_log(const std::string& url, const std::string& log);

/// pharmacy.stock (id int primary key, name varchar)
[[nodiscard]] binlog::TableSchemaPtr table(const std::string& database = "pharmacy",
                                           const std::string& name = "stock");

/// One transaction being made: rows with text and integer cells, and its events.
class Made {
 public:
  explicit Made(std::uint64_t number, std::int64_t time_us = 0);
  Made& insert(const binlog::TableSchemaPtr& schema, std::int64_t id, std::string_view name);
  Made& event(const std::string& type, const std::string& actor = "",
              std::vector<infer::ObjectRef> objects = {});
  /// In one piece.
  void into(Batch& batch) const;

  std::unique_ptr<normalize::Transaction> transaction;
  std::vector<infer::BusinessEvent> events;
};

/// Transaction `number` of a plain history: one to three Changes and an event, all told by the
/// number.
[[nodiscard]] Made plain(std::uint64_t number);
[[nodiscard]] binlog::Position position_after(std::uint64_t number);

/// Appends and commits transactions first..last, one commit each.
void write(Writer& writer, std::uint64_t first, std::uint64_t last);

[[nodiscard]] std::vector<StoredEvent> events(Reader& reader, const Filter& filter = {},
                                              const Page& page = {});
[[nodiscard]] std::vector<StoredChange> changes(Reader& reader, const Filter& filter = {},
                                                const Page& page = {});
/// Everything a log holds, a record a line: equal text, equal logs.
[[nodiscard]] std::string dump(Reader& reader);

/// Runs `test` on a fresh store of both kinds, as two sections.
void on_both(const std::function<void(Place&)>& test);

}  // namespace rowtrail::store::test
