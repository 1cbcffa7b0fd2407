// Groups Events into Transactions. Pure and clockless: the same events give the same transactions.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/core.h"
#include "normalize/transaction.h"

namespace rowtrail::normalize {

struct Options {
  std::string source;  // name in the config
  std::size_t rows_per_match_max = 100'000;
  std::size_t match_bytes_max = 24 * 1024 * 1024;
};

/// A layout the store already knows: where version numbers go on after a restart.
struct KnownSchema {
  std::string database;
  std::string table;
  std::uint64_t layout_hash = 0;
  std::uint32_t version = 0;
};

class Normalizer {
 public:
  explicit Normalizer(Options options);

  /// Continues version numbers and event time from the store. Call before the first push().
  void resume(const std::vector<KnownSchema>& schemas, std::int64_t event_time_us);

  /// Takes one event. `file` is the decoder's current file. An error means that going on would make
  /// later records wrong; its message says what to do.
  core::Result<> push(const binlog::Event& event, const std::string& file);

  /// The next finished transaction (or part of one), or null.
  std::unique_ptr<Transaction> take();

  /// Gives a consumed transaction back so that its memory is used again.
  void recycle(std::unique_ptr<Transaction> transaction);

  /// True between a transaction's first event and its commit.
  [[nodiscard]] bool in_transaction() const noexcept { return open_ != nullptr; }

 private:
  struct TableState {
    std::uint64_t layout_hash = 0;
    std::uint32_t version = 0;
  };

  core::Result<> on_gtid(const binlog::Event& event, const binlog::GtidEvent& gtid,
                         const std::string& file);
  core::Result<> on_query(const binlog::Event& event, const binlog::Query& query,
                          const std::string& file);
  core::Result<> on_table_map(const binlog::TableMap& map);
  core::Result<> on_rows(const binlog::RowsEvent& rows);
  void begin(const binlog::Event& event, const std::string& file);
  void commit(std::uint64_t end_pos);
  void finish_part(bool last);

  Options options_;
  std::unique_ptr<Transaction> open_;
  std::deque<std::unique_ptr<Transaction>> done_;
  std::vector<std::unique_ptr<Transaction>> free_;
  std::unordered_map<std::string, TableState> tables_;  // "database\0table"
  std::int64_t event_time_us_ = 0;
  std::uint32_t next_ordinal_ = 0;
  std::uint32_t statement_ordinal_ = 0;
  bool statement_open_ = false;
  std::string pending_sql_;
};

}  // namespace rowtrail::normalize
