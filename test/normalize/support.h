// What the tests of normalize/ share: table layouts as a server announces them, rows as it logs
// them, and a stream of events to push.
#pragma once

#include "normalize/normalize.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::normalize::test {

/// Little-endian bytes under construction.
struct Bytes {
  std::string data;

  Bytes& number(std::uint64_t value, int bytes);
  Bytes& text(std::string_view value) {
    data += value;
    return *this;
  }
  Bytes& counted(std::string_view value) { return number(value.size(), 1).text(value); }
  [[nodiscard]] std::span<const std::byte> span() const {
    return std::as_bytes(std::span(data.data(), data.size()));
  }
};

/// A raw event with its checksum.
[[nodiscard]] std::string raw_event(std::uint8_t type, std::string_view body,
                                    std::uint32_t pos = 0);

struct ColumnSpec {
  std::string name;
  std::uint8_t type = 3;  // LONG
  std::string metadata;   // as in TABLE_MAP
};
/// What the decoder makes of the TABLE_MAP of such a table: integers signed, text utf8mb4, all
/// nullable. `names` false: as with binlog_row_metadata=MINIMAL.
[[nodiscard]] binlog::TableSchemaPtr make_schema(std::string_view database, std::string_view table,
                                                 const std::vector<ColumnSpec>& columns,
                                                 const std::vector<std::uint32_t>& key,
                                                 bool names = true);
/// The body of that TABLE_MAP behind table id and flags.
[[nodiscard]] std::string table_map_body(std::string_view database, std::string_view table,
                                         const std::vector<ColumnSpec>& columns,
                                         const std::vector<std::uint32_t>& key, bool names = true);
/// stock(id int primary key, name varchar(20))
[[nodiscard]] binlog::TableSchemaPtr stock_schema(std::string_view table = "stock");
/// One image of a row of it; null without a name.
[[nodiscard]] std::string stock_row(std::int32_t id, const char* name);

/// Events at growing positions, pushed into a Normalizer.
class Feed {
 public:
  explicit Feed(Options options = {}) : normalizer(with_source(std::move(options))) {}

  core::Result<> push(binlog::EventBody body, std::uint8_t type = 0);
  core::Result<> gtid(std::uint64_t number, std::int64_t commit_us = 1'700'000'000'123'456);
  core::Result<> anonymous();
  core::Result<> query(std::string_view sql, std::uint32_t thread_id = 42,
                       std::string_view database = "shop");
  core::Result<> statement(std::string_view sql);  // ROWS_QUERY
  core::Result<> rows(binlog::RowsKind kind, const binlog::TableSchemaPtr& schema,
                      std::string bytes, bool ends_statement = true,
                      std::optional<std::uint8_t> columns = std::nullopt);
  core::Result<> insert(const binlog::TableSchemaPtr& schema, int first_id, int count = 1,
                        bool ends_statement = true);
  core::Result<> xid();
  /// The TABLE_MAP of stock_schema().
  core::Result<> stock_map(const binlog::TableSchemaPtr& schema);
  core::Result<> xa_prepare(std::string_view gtrid, bool one_phase = false);
  /// GTID, XA START, one inserted row, XA END, XA_PREPARE.
  core::Result<> prepared(std::uint64_t number, std::string_view gtrid,
                          const binlog::TableSchemaPtr& schema, bool one_phase = false);
  /// GTID, BEGIN, one inserted row, XID.
  core::Result<> small_transaction(std::uint64_t number, const binlog::TableSchemaPtr& schema);

  /// Everything finished so far.
  std::vector<std::unique_ptr<Transaction>> take_all();
  std::unique_ptr<Transaction> take() { return normalizer.take(); }

  Normalizer normalizer;
  std::string file = "binlog.000001";
  std::uint64_t pos = 4;
  std::uint32_t timestamp = 1'700'000'000;

 private:
  static Options with_source(Options options) {
    options.source = "pharmacy";
    return options;
  }
  std::deque<std::string> kept_;
  std::deque<binlog::TableSchemaPtr> schemas_;
};

/// Transactions with everything in them as canonical text, a record a line.
[[nodiscard]] std::string render(const Transaction& transaction);
[[nodiscard]] bool is_json(std::string_view text);
[[nodiscard]] std::string change_text(const Change& change);

/// Compares with golden/<name>; ROWTRAIL_UPDATE_GOLDEN=1 writes it.
void check_golden(const std::string& name, const std::string& text);

}  // namespace rowtrail::normalize::test
