// Transactions beyond the limits come in parts that say together what the whole would have said.
#include "support.h"
#include <catch2/catch.hpp>

namespace rowtrail::normalize::test {
namespace {

/// Some statements over two tables, 200 rows in events of different sizes.
void feed_long_transaction(Feed& feed) {
  const auto stock = stock_schema();
  const auto log = stock_schema("log");
  REQUIRE(feed.gtid(9));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.statement("INSERT INTO stock SELECT …"));
  REQUIRE(feed.insert(stock, 1, 37, false));
  REQUIRE(feed.insert(stock, 38, 63));
  REQUIRE(feed.statement("INSERT INTO log"));
  REQUIRE(feed.insert(log, 1, 1));
  REQUIRE(feed.insert(stock, 101, 50));
  REQUIRE(feed.statement("INSERT INTO log, the last"));
  REQUIRE(feed.insert(log, 2, 49));
  REQUIRE(feed.xid());
}

std::string changes_text(const Transaction& transaction) {
  std::string out;
  for (Change change : transaction.changes) {
    change.sql = {};  // where it stands depends on the parts
    out += change_text(change) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("parts: together they say what the whole says") {
  Feed whole_feed;
  feed_long_transaction(whole_feed);
  const auto whole = whole_feed.take();
  REQUIRE(whole != nullptr);
  REQUIRE(whole->changes.size() == 200);
  for (const std::size_t rows_max : {1U, 2U, 3U, 37U, 38U, 100U, 199U, 200U, 201U}) {
    INFO(rows_max);
    Options options;
    options.rows_per_match_max = rows_max;
    Feed feed(options);
    feed_long_transaction(feed);
    const auto parts = feed.take_all();
    CHECK(parts.size() == (200 + rows_max - 1) / rows_max);
    std::string changes;
    std::vector<Statement> statements;
    std::size_t new_schemas = 0;
    for (const auto& part : parts) {
      CHECK(part->first_part == (part == parts.front()));
      CHECK(part->last_part == (part == parts.back()));
      CHECK(part->changes.size() <= rows_max);
      CHECK_FALSE(part->changes.empty());
      CHECK(part->id == whole->id);
      CHECK(part->gtid.number == whole->gtid.number);
      CHECK(part->file == whole->file);
      CHECK(part->start_pos == whole->start_pos);
      CHECK(part->committed_at_us == whole->committed_at_us);
      CHECK(part->committed_at_has_fraction == whole->committed_at_has_fraction);
      CHECK(part->event_time_us == whole->event_time_us);
      CHECK(part->server_id == whole->server_id);
      CHECK(part->thread_id == whole->thread_id);
      changes += changes_text(*part);
      statements.insert(statements.end(), part->statements.begin(), part->statements.end());
      for (const auto& schema : part->schemas) new_schemas += schema.is_new ? 1 : 0;
    }
    CHECK(changes == changes_text(*whole));
    CHECK(new_schemas == 2);
    CHECK(parts.back()->end_pos == whole->end_pos);
    REQUIRE(statements.size() == whole->statements.size());
    for (std::size_t i = 0; i < statements.size(); ++i) {
      CHECK(statements[i].ordinal == whole->statements[i].ordinal);
      CHECK(statements[i].sql == whole->statements[i].sql);
    }
  }
}

TEST_CASE("parts: a statement that begins in a later part stands on its first change") {
  Options options;
  options.rows_per_match_max = 90;
  Feed feed(options);
  feed_long_transaction(feed);
  const auto parts = feed.take_all();
  REQUIRE(parts.size() == 3);
  std::string first;
  append_transaction(first, *parts[0]);
  CHECK(first.find("SELECT …") != std::string::npos);
  CHECK(first.find("INTO log") == std::string::npos);
  const std::string log_row = change_text(parts[1]->changes[10]);
  CHECK(log_row.find(R"("schema_version":1,"query":"INSERT INTO log"})") != std::string::npos);
  // Joined with the transaction's record the line is that of the whole transaction.
  std::string joined;
  REQUIRE(append_joined_change(joined, 1, log_row, first, ""));
  Feed whole_feed;
  feed_long_transaction(whole_feed);
  const auto whole = whole_feed.take();
  std::string transaction;
  append_transaction(transaction, *whole);
  std::string expected;
  REQUIRE(append_joined_change(expected, 1, change_text(whole->changes[100]), transaction, ""));
  CHECK(joined == expected);
}

TEST_CASE("parts: the limit on bytes cuts too, always at the same rows") {
  Options options;
  options.match_bytes_max = 5'000;
  std::vector<std::size_t> sizes[2];
  for (auto& run : sizes) {
    Feed feed(options);
    feed_long_transaction(feed);
    for (auto& part : feed.take_all()) {
      run.push_back(part->changes.size());
      feed.normalizer.recycle(std::move(part));
    }
    CHECK(run.size() > 5);
  }
  CHECK(sizes[0] == sizes[1]);
}

}  // namespace rowtrail::normalize::test
