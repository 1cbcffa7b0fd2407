// Events grouped into transactions: what is one, when it committed, and what stops the reading.
#include "normalize/normalizer.h"

#include "support.h"
#include <catch2/catch.hpp>

namespace rowtrail::normalize::test {
namespace {

using binlog::RowsKind;

const std::string kUuid = "11111111-1111-1111-1111-111111111111";

/// The message of a refused event.
std::string message(const core::Result<>& result) {
  return result ? std::string("accepted") : result.error().message;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A change that stands alone in its transaction.
Change only_change(Feed& feed, std::unique_ptr<Transaction>& owner) {
  owner = feed.take();
  REQUIRE(owner != nullptr);
  REQUIRE(owner->changes.size() == 1);
  return owner->changes[0];
}

}  // namespace

TEST_CASE("normalizer: GTID, BEGIN, rows, XID make one transaction") {
  Feed feed;
  const auto stock = stock_schema();
  REQUIRE(feed.gtid(77));
  CHECK(feed.normalizer.in_transaction());
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.statement("INSERT INTO stock VALUES (1,'item'),(2,'item')"));
  REQUIRE(feed.insert(stock, 1, 2));
  REQUIRE(feed.statement("UPDATE stock SET name='x'"));
  REQUIRE(feed.rows(RowsKind::Update, stock, stock_row(1, "item") + stock_row(1, "x")));
  REQUIRE(feed.rows(RowsKind::Delete, stock, stock_row(2, nullptr)));
  REQUIRE(feed.xid());
  CHECK_FALSE(feed.normalizer.in_transaction());

  const auto transaction = feed.take();
  REQUIRE(transaction != nullptr);
  CHECK(feed.take() == nullptr);
  CHECK(transaction->source == "pharmacy");
  CHECK(transaction->id == kUuid + ":77");
  CHECK(transaction->gtid.number == 77);
  CHECK(transaction->file == "binlog.000001");
  CHECK(transaction->start_pos == 4);
  CHECK(transaction->end_pos == 4 + 8 * 50);
  CHECK(transaction->committed_at_us == 1'700'000'000'123'456);
  CHECK(transaction->committed_at_has_fraction);
  CHECK(transaction->event_time_us == transaction->committed_at_us);
  CHECK(transaction->server_id == 1);
  CHECK(transaction->thread_id == 42);
  CHECK(transaction->first_part);
  CHECK(transaction->last_part);
  CHECK(transaction->wire_bytes == 8 * 50);
  REQUIRE(transaction->schemas.size() == 1);
  CHECK(transaction->schemas[0].is_new);
  CHECK(transaction->schemas[0].version == 1);
  check_golden("transaction.txt", render(*transaction));
}

TEST_CASE("normalizer: without GTIDs the transaction is named by its place") {
  Feed feed;
  feed.pos = 777;
  REQUIRE(feed.anonymous());
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.insert(stock_schema(), 1));
  REQUIRE(feed.query("COMMIT"));
  const auto transaction = feed.take();
  REQUIRE(transaction != nullptr);
  CHECK(transaction->id == "binlog.000001:777");
  CHECK(transaction->gtid.empty());
  CHECK(transaction->committed_at_us == 1'700'000'000'000'000);
  CHECK_FALSE(transaction->committed_at_has_fraction);
}

TEST_CASE("normalizer: a BEGIN alone begins a transaction, as servers before GTIDs wrote it") {
  Feed feed;
  feed.pos = 900;
  REQUIRE(feed.query("BEGIN", 7));
  REQUIRE(feed.insert(stock_schema(), 1));
  REQUIRE(feed.xid());
  const auto transaction = feed.take();
  REQUIRE(transaction != nullptr);
  CHECK(transaction->id == "binlog.000001:900");
  CHECK(transaction->thread_id == 7);
}

TEST_CASE("normalizer: MariaDB's GTID begins the group, or a statement that stands alone") {
  Feed feed;
  binlog::GtidEvent gtid;
  gtid.gtid.flavor = binlog::Flavor::MariaDb;
  gtid.gtid.domain = 0;
  gtid.gtid.server = 1;
  gtid.gtid.number = 42;
  gtid.thread_id = 9;
  REQUIRE(feed.push(gtid, 162));
  REQUIRE(feed.query("CREATE TABLE t (id INT)"));  // CREATE TABLE … SELECT
  REQUIRE(feed.insert(stock_schema(), 1));
  REQUIRE(feed.xid());
  gtid.gtid.number = 43;
  gtid.is_ddl_or_standalone = true;
  REQUIRE(feed.push(gtid, 162));
  REQUIRE(feed.query("DROP TABLE t"));
  const auto all = feed.take_all();
  REQUIRE(all.size() == 2);
  CHECK(all[0]->id == "0-1-42");
  CHECK(all[0]->thread_id == 9);
  REQUIRE(all[0]->changes.size() == 2);
  CHECK(all[0]->changes[0].op == Op::Ddl);
  CHECK(all[0]->changes[1].op == Op::Insert);
  CHECK(all[1]->id == "0-1-43");
  CHECK(all[1]->changes.size() == 1);
}

TEST_CASE("normalizer: atomic CREATE TABLE … SELECT is a ddl and its rows") {
  Feed feed;
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.query("CREATE TABLE `t` (\n  `id` int\n) START TRANSACTION"));
  REQUIRE(feed.insert(stock_schema("t"), 1, 2));
  REQUIRE(feed.xid());
  const auto transaction = feed.take();
  REQUIRE(transaction != nullptr);
  REQUIRE(transaction->changes.size() == 3);
  CHECK(transaction->changes[0].op == Op::Ddl);
  CHECK(transaction->changes[0].table == "t");
  CHECK(transaction->changes[1].ordinal == 1);
  CHECK(transaction->changes[1].statement == 1);
  CHECK(transaction->changes[2].statement == 1);
}

TEST_CASE("normalizer: a DDL statement is a transaction of one change") {
  Feed feed;
  REQUIRE(feed.gtid(5));
  REQUIRE(feed.query("ALTER TABLE `other`.`stock` ADD COLUMN x INT", 12));
  CHECK_FALSE(feed.normalizer.in_transaction());
  std::unique_ptr<Transaction> owner;
  const Change change = only_change(feed, owner);
  CHECK(change.op == Op::Ddl);
  CHECK(change.database == "other");
  CHECK(change.table == "stock");
  CHECK(change.sql == "ALTER TABLE `other`.`stock` ADD COLUMN x INT");
  CHECK(change.schema == nullptr);
  CHECK(owner->thread_id == 12);
  CHECK(owner->id == kUuid + ":5");

  REQUIRE(feed.query("TRUNCATE stock"));  // without a GTID
  const Change truncate = only_change(feed, owner);
  CHECK(truncate.op == Op::Truncate);
  CHECK(truncate.database == "shop");
  CHECK(truncate.table == "stock");

  REQUIRE(feed.gtid(6));
  REQUIRE(feed.query("CREATE USER 'anna'@'%' IDENTIFIED BY 'secret'"));
  CHECK(only_change(feed, owner).sql == "CREATE USER 'anna'@'%' IDENTIFIED BY '<redacted>'");
}

TEST_CASE("normalizer: a transaction that changed nothing still uses up its GTID") {
  Feed feed;
  REQUIRE(feed.gtid(5));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.query("COMMIT"));
  const auto transaction = feed.take();
  REQUIRE(transaction != nullptr);
  CHECK(transaction->gtid.number == 5);
  CHECK(transaction->changes.empty());
}

TEST_CASE("normalizer: events without consequence may stand anywhere") {
  Feed feed;
  REQUIRE(feed.push(binlog::PreviousGtids{}, 35));
  REQUIRE(feed.push(binlog::Heartbeat{}, 27));
  REQUIRE(feed.push(binlog::Rotate{"binlog.000002", 4}, 4));
  REQUIRE(feed.push(binlog::FormatDescription{}, 15));
  REQUIRE(feed.push(binlog::Stop{}, 3));
  REQUIRE(feed.query("# Dummy event replacing event type 160 that slave cannot handle."));
  CHECK_FALSE(feed.normalizer.in_transaction());
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.push(binlog::Heartbeat{}, 27));
  REQUIRE(feed.query("SAVEPOINT `a`"));
  REQUIRE(feed.push(binlog::Ignored{}, 5));
  REQUIRE(feed.push(binlog::TableMap{}, 19));
  REQUIRE(feed.insert(stock_schema(), 1));
  REQUIRE(feed.push(binlog::Heartbeat{}, 27));
  REQUIRE(feed.query("RELEASE SAVEPOINT `a`"));
  REQUIRE(feed.xid());
  CHECK(feed.take_all().size() == 1);
}

TEST_CASE("normalizer: event time is the running maximum of commit times, also across a restart") {
  Feed feed;
  const auto stock = stock_schema();
  REQUIRE(feed.normalizer.resume({}, 1'700'000'000'500'000));
  const auto commit_at = [&](std::uint64_t number, std::int64_t microseconds) {
    REQUIRE(feed.gtid(number, microseconds));
    REQUIRE(feed.query("BEGIN"));
    REQUIRE(feed.insert(stock, 1));
    REQUIRE(feed.xid());
    return feed.take()->event_time_us;
  };
  CHECK(commit_at(1, 1'700'000'000'400'000) == 1'700'000'000'500'000);
  CHECK(commit_at(2, 1'700'000'000'600'000) == 1'700'000'000'600'000);
  CHECK(commit_at(3, 1'600'000'000'000'000) == 1'700'000'000'600'000);
}

TEST_CASE("normalizer: a statement's rows name the change that began it") {
  Feed feed;
  const auto stock = stock_schema();
  const auto log = stock_schema("log");
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.insert(stock, 1, 2, false));  // a trigger writes to another table
  REQUIRE(feed.insert(log, 1, 1, true));
  REQUIRE(feed.insert(stock, 3, 2));  // the next statement
  REQUIRE(feed.statement("INSERT /* changed nothing */"));
  REQUIRE(feed.statement("INSERT INTO log"));
  REQUIRE(feed.insert(log, 2, 2));
  REQUIRE(feed.insert(log, 4, 1));  // its statement was not logged
  REQUIRE(feed.xid());
  const auto transaction = feed.take();
  std::vector<std::uint32_t> statements;
  for (const Change& change : transaction->changes) statements.push_back(change.statement);
  CHECK(statements == std::vector<std::uint32_t>{0, 0, 0, 3, 3, 5, 5, 7});
  REQUIRE(transaction->statements.size() == 1);
  CHECK(transaction->statements[0].ordinal == 5);
  CHECK(transaction->statements[0].sql == "INSERT INTO log");
}

TEST_CASE("normalizer: a layout gets the table's next version when it differs") {
  Feed feed;
  const auto first = stock_schema();
  const auto again = stock_schema();  // another object, the same layout
  const auto wider =
      make_schema("shop", "stock", {{"id", 3, ""}, {"n", 15, std::string("\x50\0", 2)}}, {0});
  REQUIRE(feed.small_transaction(1, first));
  REQUIRE(feed.small_transaction(2, again));
  REQUIRE(feed.small_transaction(3, wider));
  REQUIRE(feed.small_transaction(4, first));  // back to the old layout: a new version all the same
  REQUIRE(feed.small_transaction(5, stock_schema("other")));
  std::vector<std::pair<std::uint32_t, bool>> versions;
  for (const auto& transaction : feed.take_all()) {
    REQUIRE(transaction->schemas.size() == 1);
    versions.emplace_back(transaction->schemas[0].version, transaction->schemas[0].is_new);
    CHECK(transaction->changes[0].schema_version == transaction->schemas[0].version);
    CHECK(transaction->changes[0].text == transaction->schemas[0].text.get());
  }
  CHECK(versions == std::vector<std::pair<std::uint32_t, bool>>{
                        {1, true}, {1, false}, {2, true}, {3, true}, {1, true}});
}

TEST_CASE("normalizer: versions go on after a restart") {
  Feed feed;
  const auto stock = stock_schema();
  REQUIRE(feed.normalizer.resume(
      {{"shop", "stock", stock->layout_hash, 4}, {"shop", "stock", 99, 3}, {"shop", "log", 99, 7}},
      0));
  REQUIRE(feed.small_transaction(1, stock));
  REQUIRE(feed.small_transaction(2, stock_schema("log")));
  const auto all = feed.take_all();
  CHECK(all[0]->schemas[0].version == 4);
  CHECK_FALSE(all[0]->schemas[0].is_new);
  CHECK(all[1]->schemas[0].version == 8);
  CHECK(all[1]->schemas[0].is_new);
}

TEST_CASE("normalizer: every layout of a transaction is listed once") {
  Feed feed;
  const auto stock = stock_schema();
  const auto same = stock_schema();
  const auto log = stock_schema("log");
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("BEGIN"));
  for (int i = 0; i < 3; ++i) {
    REQUIRE(feed.insert(stock, i));
    REQUIRE(feed.insert(log, i));
    REQUIRE(feed.insert(same, i));
  }
  REQUIRE(feed.xid());
  CHECK(feed.take()->schemas.size() == 2);
}

TEST_CASE("normalizer: ROLLBACK keeps the rows and says that they cannot be trusted") {
  Feed feed;
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.insert(stock_schema(), 1, 2));
  REQUIRE(feed.query("ROLLBACK"));
  const auto transaction = feed.take();
  REQUIRE(transaction != nullptr);
  CHECK(transaction->changes.size() == 2);
  REQUIRE(transaction->gaps.size() == 1);
  CHECK(transaction->gaps[0].kind == GapKind::RolledBack);
  check_golden("rolled_back.txt", render(*transaction));

  REQUIRE(feed.gtid(2));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.query("ROLLBACK"));  // nothing was logged: nothing to say
  CHECK(feed.take()->gaps.empty());

  REQUIRE(feed.gtid(3));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.insert(stock_schema(), 1));
  REQUIRE(feed.query("ROLLBACK TO `a`"));
  REQUIRE(feed.xid());
  CHECK(feed.take()->gaps.size() == 1);
}

TEST_CASE("normalizer: what cannot be read stops with its place and advice") {
  Feed feed;
  SECTION("incident") {
    const auto text = message(feed.push(binlog::Incident{1, "LOST_EVENTS"}, 26));
    CHECK(contains(text, "pharmacy: binlog.000001:4: "));
    CHECK(contains(text, "LOST_EVENTS"));
    CHECK(contains(text, "start: binlog.000001:54"));
  }
  SECTION("rows outside a transaction") {
    CHECK(contains(message(feed.insert(stock_schema(), 1)), "rows outside a transaction"));
  }
  SECTION("a commit outside a transaction") {
    CHECK(contains(message(feed.xid()), "outside a transaction"));
    CHECK(contains(message(feed.query("COMMIT")), "outside a transaction"));
    CHECK(contains(message(feed.query("ROLLBACK")), "outside a transaction"));
    CHECK(contains(message(feed.statement("UPDATE")), "outside a transaction"));
  }
  SECTION("a second GTID") {
    REQUIRE(feed.gtid(1));
    CHECK(contains(message(feed.gtid(2)), kUuid + ":1: it has no end"));
  }
  SECTION("a second BEGIN") {
    REQUIRE(feed.gtid(1));
    REQUIRE(feed.query("BEGIN"));
    CHECK(contains(message(feed.query("BEGIN")), "BEGIN inside a transaction"));
  }
  SECTION("rows before BEGIN") {
    REQUIRE(feed.gtid(1));
    CHECK(contains(message(feed.insert(stock_schema(), 1)), "outside"));
  }
  SECTION("XA") {
    CHECK(contains(message(feed.xa_prepare("a1")), "outside a transaction"));
    REQUIRE(feed.gtid(1));
    REQUIRE(feed.query("XA START 'a'"));
    CHECK(contains(message(feed.insert(stock_schema(), 1)), "not announced"));
    REQUIRE(feed.stock_map(stock_schema()));
    CHECK(contains(message(feed.xa_prepare("b")), "ends as X'62'"));
  }
  SECTION("a row that is cut off") {
    REQUIRE(feed.gtid(1));
    REQUIRE(feed.query("BEGIN"));
    const auto text =
        message(feed.rows(RowsKind::Insert, stock_schema(), std::string("\xFC\x01", 2)));
    CHECK(contains(text, "shop.stock"));
    CHECK(contains(text, "binlog.000001:104"));
  }
}

TEST_CASE("normalizer: a file that ends inside a transaction is an error") {
  Feed feed;
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.insert(stock_schema(), 1));
  SECTION("STOP") {
    CHECK(contains(message(feed.push(binlog::Stop{}, 3)), "it has no end"));
  }
  SECTION("ROTATE") {
    CHECK(contains(message(feed.push(binlog::Rotate{"binlog.000002", 4}, 4)), "it has no end"));
  }
  SECTION("the next file of the same server run") {
    CHECK(contains(message(feed.push(binlog::FormatDescription{}, 15)), "it has no end"));
  }
}

TEST_CASE("normalizer: a transaction the server died in never committed, which a gap tells") {
  core::configure_log({core::Level::Error, false});
  Feed feed;
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.insert(stock_schema(), 1));
  binlog::FormatDescription format;
  format.created = 1'700'000'100;
  REQUIRE(feed.push(format, 15));
  CHECK_FALSE(feed.normalizer.in_transaction());
  CHECK(feed.take() == nullptr);
  REQUIRE(feed.small_transaction(2, stock_schema()));
  const auto transaction = feed.take();
  REQUIRE(transaction != nullptr);
  CHECK(transaction->changes.size() == 1);
  CHECK(transaction->changes[0].ordinal == 0);
  check_golden("unfinished.txt", render(*transaction));
  core::configure_log({});
}

TEST_CASE("normalizer: consumed transactions are used again") {
  Feed feed;
  const auto stock = stock_schema();
  REQUIRE(feed.small_transaction(1, stock));
  auto first = feed.take();
  const Transaction* const address = first.get();
  const std::string text = render(*first);
  feed.normalizer.recycle(std::move(first));
  feed.normalizer.recycle(nullptr);
  REQUIRE(feed.small_transaction(2, stock));
  auto second = feed.take();
  CHECK(second.get() == address);
  CHECK(second->id == kUuid + ":2");
  CHECK(second->changes.size() == 1);
  CHECK(second->schemas.size() == 1);
  CHECK_FALSE(second->schemas[0].is_new);
  CHECK(second->gaps.empty());
  CHECK(second->memory_bytes() > 0);
}

TEST_CASE("normalizer: transactions stay readable while the next ones are made") {
  Feed feed;
  std::vector<std::unique_ptr<Transaction>> kept;
  std::vector<std::string> texts;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    const auto schema =
        stock_schema(std::string(1, static_cast<char>('a' + i % 7)));  // gone after this round
    REQUIRE(feed.small_transaction(i, schema));
    auto transaction = feed.take();
    texts.push_back(render(*transaction));
    if (i % 3 == 0) {
      feed.normalizer.recycle(std::move(transaction));
      texts.pop_back();
    } else {
      kept.push_back(std::move(transaction));
    }
  }
  for (std::size_t i = 0; i < kept.size(); ++i) CHECK(render(*kept[i]) == texts[i]);
}

TEST_CASE("gaps: a statement that was logged as text") {
  Feed feed;
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.push(binlog::Ignored{}, 5));  // INTVAR
  REQUIRE(feed.query("UPDATE `stock` SET `password` = 'secret', name = 'x'"));
  REQUIRE(feed.insert(stock_schema(), 1));
  REQUIRE(feed.push(binlog::Query{42, 1062, "shop", "INSERT INTO log SELECT * FROM stock"}, 2));
  REQUIRE(feed.xid());
  const auto transaction = feed.take();
  REQUIRE(transaction != nullptr);
  CHECK(transaction->changes.size() == 1);
  CHECK(transaction->changes[0].ordinal == 0);
  REQUIRE(transaction->gaps.size() == 2);
  check_golden("statement_dml.txt", render(*transaction));

  REQUIRE(feed.gtid(2));
  REQUIRE(feed.query("DELETE FROM stock"));  // in no group
  CHECK_FALSE(feed.normalizer.in_transaction());
  CHECK(feed.take()->gaps.size() == 1);
  REQUIRE(feed.query("DELETE FROM stock"));
  CHECK(feed.take()->gaps.size() == 1);
}

TEST_CASE("gaps: statements logged as text fill parts too") {
  Options options;
  options.match_bytes_max = 1'000;
  Feed feed(options);
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("BEGIN"));
  for (int i = 0; i < 10; ++i) REQUIRE(feed.query("DELETE FROM stock"));
  REQUIRE(feed.xid());
  const auto parts = feed.take_all();
  CHECK(parts.size() > 2);
  std::size_t gaps = 0;
  for (const auto& part : parts) gaps += part->gaps.size();
  CHECK(gaps == 10);
}

TEST_CASE("gaps: partial images are told once for each layout, also across a restart") {
  const auto stock = stock_schema();
  const auto key_only = [](int id) {
    return Bytes().number(0xFE, 1).number(static_cast<std::uint64_t>(id), 4).data;
  };
  const auto delete_one = [&](Feed& feed, std::uint64_t number) {
    REQUIRE(feed.gtid(number));
    REQUIRE(feed.query("BEGIN"));
    REQUIRE(feed.rows(RowsKind::Delete, stock, key_only(7), true, 0xFD));
    REQUIRE(feed.rows(RowsKind::Delete, stock, key_only(8), true, 0xFD));
    REQUIRE(feed.xid());
    return feed.take();
  };
  Feed feed;
  REQUIRE(feed.small_transaction(1, stock));
  CHECK(feed.take()->gaps.empty());
  const auto first = delete_one(feed, 2);
  REQUIRE(first->gaps.size() == 1);
  CHECK(first->gaps[0].kind == GapKind::PartialImage);
  CHECK(change_text(first->changes[0]).find(R"("old":{"id":7},"new":null)") != std::string::npos);
  check_golden("partial_image.txt", render(*first));
  CHECK(delete_one(feed, 3)->gaps.empty());

  Feed after_restart;
  REQUIRE(after_restart.normalizer.resume({{"shop", "stock", stock->layout_hash, 1, true}}, 0));
  CHECK(delete_one(after_restart, 4)->gaps.empty());
  Feed not_told;
  REQUIRE(not_told.normalizer.resume({{"shop", "stock", stock->layout_hash, 1, false}}, 0));
  CHECK(delete_one(not_told, 4)->gaps.size() == 1);
}

TEST_CASE("gaps: names that were not logged are told with the layout") {
  const auto unnamed = make_schema(
      "shop", "stock", {{"id", 3, ""}, {"name", 15, std::string("\x50\0", 2)}}, {}, false);
  Feed feed;
  REQUIRE(feed.small_transaction(1, unnamed));
  REQUIRE(feed.small_transaction(2, unnamed));
  const auto all = feed.take_all();
  REQUIRE(all[0]->gaps.size() == 1);
  CHECK(all[0]->gaps[0].kind == GapKind::UnknownNames);
  CHECK(all[1]->gaps.empty());
  check_golden("unknown_names.txt", render(*all[0]));
}

TEST_CASE("normalizer: what an unfinished transaction was first to use is new again") {
  core::configure_log({core::Level::Error, false});
  Feed feed;
  const auto stock = stock_schema();
  const auto wider =
      make_schema("shop", "stock", {{"id", 3, ""}, {"n", 15, std::string("\x50\0", 2)}}, {0});
  REQUIRE(feed.small_transaction(1, stock));
  feed.take_all();
  REQUIRE(feed.gtid(2));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.insert(wider, 1));
  REQUIRE(feed.insert(stock, 1));
  binlog::FormatDescription format;
  format.created = 1'700'000'100;
  REQUIRE(feed.push(format, 15));
  REQUIRE(feed.small_transaction(3, stock));
  REQUIRE(feed.small_transaction(4, wider));
  const auto all = feed.take_all();
  CHECK(all[0]->schemas[0].version == 1);
  CHECK_FALSE(all[0]->schemas[0].is_new);
  CHECK(all[1]->schemas[0].version == 2);
  CHECK(all[1]->schemas[0].is_new);
  core::configure_log({});
}

TEST_CASE("normalizer: an unfinished transaction whose parts were handed over stops") {
  Options options;
  options.rows_per_match_max = 2;
  Feed feed(options);
  REQUIRE(feed.gtid(2));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.insert(stock_schema(), 1, 3));
  binlog::FormatDescription format;
  format.created = 1'700'000'100;
  CHECK(contains(message(feed.push(format, 15)), "start: binlog.000001:4"));
}

}  // namespace rowtrail::normalize::test
