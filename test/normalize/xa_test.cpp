// XA: rows appear at their XA COMMIT, those of an XA ROLLBACK never, whatever happens in between.
#include "normalize/xa.h"

#include "support.h"
#include <catch2/catch.hpp>

namespace rowtrail::normalize::test {
namespace {

const std::string kA1 = "X'6131',X'',1";

std::unique_ptr<Transaction> taken(Feed& feed) {
  auto transaction = feed.take();
  REQUIRE(transaction != nullptr);
  CHECK(feed.take() == nullptr);
  return transaction;
}

/// All parts of a committed XA transaction, its kept events handed in pieces of `piece` bytes.
std::vector<std::unique_ptr<Transaction>> released(std::unique_ptr<Transaction> commit,
                                                   const std::string& events,
                                                   std::size_t piece = 1000, Options options = {}) {
  std::vector<std::unique_ptr<Transaction>> parts;
  options.source = "pharmacy";
  XaRelease release(options, std::move(commit));
  for (std::size_t at = 0; at < events.size(); at += piece) {
    REQUIRE(release.push(std::string_view(events).substr(at, piece)));
    while (auto part = release.take()) parts.push_back(std::move(part));
  }
  REQUIRE(release.finish());
  while (auto part = release.take()) parts.push_back(std::move(part));
  return parts;
}

}  // namespace

TEST_CASE("xa: prepared rows appear at the commit, with its name and time") {
  Feed feed;
  const auto stock = stock_schema();
  REQUIRE(feed.prepared(1, "a1", stock));
  const auto prepared = taken(feed);
  CHECK(prepared->xa == XaPhase::Prepared);
  CHECK(prepared->xid == kA1);
  CHECK(prepared->gtid.number == 1);
  CHECK(prepared->changes.empty());
  CHECK(prepared->schemas.empty());
  CHECK_FALSE(prepared->xa_events.empty());
  CHECK_FALSE(prepared->xa_tables.empty());

  REQUIRE(feed.small_transaction(2, stock));  // others go on in between
  CHECK(taken(feed)->changes.size() == 1);

  REQUIRE(feed.gtid(3, 1'700'000'009'000'000));
  REQUIRE(feed.query("XA COMMIT " + kA1, 99));
  auto commit = taken(feed);
  CHECK(commit->xa == XaPhase::Committed);
  CHECK(commit->gtid.number == 3);
  const auto parts = released(std::move(commit), prepared->xa_events, 1);
  REQUIRE(parts.size() == 1);
  CHECK(parts[0]->xa == XaPhase::None);
  CHECK(parts[0]->committed_at_us == 1'700'000'009'000'000);
  CHECK(parts[0]->thread_id == 7);  // of the connection that made the changes
  CHECK(parts[0]->gaps.empty());
  check_golden("xa.txt", render(*parts[0]));
}

TEST_CASE("xa: what was kept gives the same rows after a restart") {
  Feed feed;
  const auto stock = stock_schema();
  REQUIRE(feed.prepared(1, "a1", stock));
  const auto prepared = taken(feed);
  REQUIRE(feed.gtid(2));
  REQUIRE(feed.query("XA COMMIT " + kA1));
  const auto expected = released(taken(feed), prepared->xa_events);

  Feed after;
  after.pos = feed.pos - 2 * 50;
  REQUIRE(after.normalizer.resume({}, 0, {{prepared->xid, prepared->xa_tables}}));
  REQUIRE(after.gtid(2));
  REQUIRE(after.query("XA COMMIT 'a1'"));
  const auto again = released(taken(after), prepared->xa_events);
  CHECK(render(*again.at(0)) == render(*expected.at(0)));
}

TEST_CASE("xa: rolled back rows never appear") {
  Feed feed;
  const auto stock = stock_schema();
  REQUIRE(feed.prepared(1, "a1", stock));
  taken(feed);
  REQUIRE(feed.gtid(2));
  REQUIRE(feed.query("XA ROLLBACK " + kA1));
  const auto rolled_back = taken(feed);
  CHECK(rolled_back->xa == XaPhase::RolledBack);
  CHECK(rolled_back->xid == kA1);
  CHECK(rolled_back->changes.empty());
  CHECK(rolled_back->gaps.empty());
  REQUIRE(feed.gtid(3));
  REQUIRE(feed.query("XA COMMIT " + kA1));  // nothing is left of it
  CHECK(taken(feed)->gaps.size() == 1);
}

TEST_CASE("xa: one phase commits at once") {
  Feed feed;
  REQUIRE(feed.prepared(1, "a1", stock_schema(), true));
  auto all = feed.take_all();
  REQUIRE(all.size() == 2);
  CHECK(all[0]->xa == XaPhase::Prepared);
  CHECK_FALSE(all[0]->last_part);
  CHECK(all[0]->xa_tables.empty());
  CHECK(all[1]->xa == XaPhase::Committed);
  CHECK(all[1]->last_part);
  const auto parts = released(std::move(all[1]), all[0]->xa_events);
  REQUIRE(parts.size() == 1);
  CHECK(parts[0]->first_part);
  CHECK(parts[0]->changes.size() == 2);
  CHECK(parts[0]->statements.size() == 1);
}

TEST_CASE("xa: a commit of rows that were never seen is a gap") {
  Feed feed;
  REQUIRE(feed.gtid(3));
  REQUIRE(feed.query("XA COMMIT " + kA1));
  const auto transaction = taken(feed);
  CHECK(transaction->xa == XaPhase::None);
  REQUIRE(transaction->gaps.size() == 1);
  CHECK(transaction->gaps[0].kind == GapKind::XaUnknown);
  check_golden("xa_unknown.txt", render(*transaction));
}

TEST_CASE("xa: many rows leave in pieces and come back in parts") {
  Options options;
  options.rows_per_match_max = 7;
  Feed feed(options);
  const auto stock = stock_schema();
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("XA START 'big'"));
  REQUIRE(feed.stock_map(stock));
  for (int i = 0; i < 10; ++i) {
    REQUIRE(feed.statement(std::string(Normalizer::kXaPieceBytes / 3, 'x')));
    REQUIRE(feed.insert(stock, i * 2, 2));
  }
  REQUIRE(feed.query("XA END 'big'"));
  REQUIRE(feed.xa_prepare("big"));
  std::string events;
  std::size_t pieces = 0;
  for (const auto& piece : feed.take_all()) {
    CHECK(piece->xa == XaPhase::Prepared);
    CHECK(piece->xid == xid_text({1, "big", ""}));
    CHECK(piece->xa_events.size() < 2 * Normalizer::kXaPieceBytes);
    CHECK(piece->first_part == (pieces == 0));
    CHECK(piece->last_part == !piece->xa_tables.empty());
    events += piece->xa_events;
    ++pieces;
  }
  CHECK(pieces == 4);
  REQUIRE(feed.gtid(2));
  REQUIRE(feed.query("XA COMMIT 'big'"));
  const auto parts = released(taken(feed), events, 100'000, options);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0]->changes.size() == 7);
  CHECK(parts[2]->changes.back().ordinal == 19);
  CHECK(parts[2]->id == "11111111-1111-1111-1111-111111111111:2");
  CHECK(parts[0]->schemas[0].is_new);
  CHECK_FALSE(parts[1]->schemas[0].is_new);
}

TEST_CASE("xa: layouts get their versions, and gaps are told, at the commit") {
  Feed feed;
  const auto stock = stock_schema();
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("XA START 'a1'"));
  REQUIRE(feed.stock_map(stock));
  REQUIRE(feed.rows(binlog::RowsKind::Delete, stock, std::string("\xFE\x01\0\0\0", 5), true, 1));
  REQUIRE(feed.query("XA END 'a1'"));
  REQUIRE(feed.xa_prepare("a1"));
  const auto prepared = taken(feed);
  REQUIRE(feed.gtid(2));
  REQUIRE(feed.query("XA COMMIT 'a1'"));
  const auto parts = released(taken(feed), prepared->xa_events);
  REQUIRE(parts.at(0)->gaps.size() == 1);
  CHECK(parts[0]->gaps[0].kind == GapKind::PartialImage);
  CHECK(parts[0]->schemas.at(0).version == 1);
  REQUIRE(feed.small_transaction(3, stock));
  CHECK_FALSE(taken(feed)->schemas.at(0).is_new);
}

TEST_CASE("xa: rows that are rolled back before they are prepared are told") {
  Feed feed;
  const auto stock = stock_schema();
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("XA START 'a1'"));
  REQUIRE(feed.stock_map(stock));
  REQUIRE(feed.insert(stock, 1));
  REQUIRE(feed.query("XA ROLLBACK 'a1'"));
  const auto transaction = taken(feed);
  CHECK(transaction->xa == XaPhase::RolledBack);
  REQUIRE(transaction->gaps.size() == 1);
  CHECK(transaction->gaps[0].kind == GapKind::RolledBack);
}

TEST_CASE("xa: MariaDB's GTID event begins it and ends it") {
  Feed feed;
  const auto stock = stock_schema();
  binlog::GtidEvent gtid;
  gtid.gtid.flavor = binlog::Flavor::MariaDb;
  gtid.gtid.server = 1;
  gtid.gtid.number = 42;
  gtid.is_xa_prepared_or_completed = true;
  gtid.xa = {1, "a1", ""};
  REQUIRE(feed.push(gtid, 162));
  REQUIRE(feed.stock_map(stock));
  REQUIRE(feed.insert(stock, 1));
  REQUIRE(feed.query("XA END " + kA1));
  REQUIRE(feed.xa_prepare("a1"));
  gtid.gtid.number = 43;
  REQUIRE(feed.push(gtid, 162));
  REQUIRE(feed.query("XA COMMIT " + kA1));
  auto all = feed.take_all();
  REQUIRE(all.size() == 2);
  CHECK(all[0]->xa == XaPhase::Prepared);
  const auto parts = released(std::move(all[1]), all[0]->xa_events);
  CHECK(parts.at(0)->id == "0-1-43");
  CHECK(parts[0]->changes.size() == 1);
}

TEST_CASE("xa: statements in every form the servers and people write") {
  CHECK(parse_xa_statement("XA COMMIT X'6131',X'62',3").xid == "X'6131',X'62',3");
  CHECK(parse_xa_statement("xa rollback 'a1' , 'b'").xid == "X'6131',X'62',1");
  CHECK(parse_xa_statement("XA COMMIT 0x6131").xid == kA1);
  CHECK(parse_xa_statement("xa start x'6131'").verb == "START");
  for (const char* damaged :
       {"XA", "XA COMMIT", "XA COMMIT X", "XA COMMIT X'6", "XA COMMIT X'6131',", "XA COMMIT ,,"}) {
    CHECK(parse_xa_statement(damaged).xid.starts_with("X'"));
  }
}

TEST_CASE("xa: what was kept is checked when it is read back") {
  Feed feed;
  REQUIRE(feed.prepared(1, "a1", stock_schema()));
  const auto prepared = taken(feed);
  const auto& tables = prepared->xa_tables;
  const auto changes_of = [&](std::string_view events) -> int {
    Feed after;
    REQUIRE(after.normalizer.resume({}, 0, {{kA1, tables}}));
    REQUIRE(after.gtid(2));
    REQUIRE(after.query("XA COMMIT 'a1'"));
    XaRelease release({}, taken(after));
    if (!release.push(events) || !release.finish()) return -1;
    return static_cast<int>(release.take()->changes.size());
  };
  CHECK(changes_of(prepared->xa_events) == 2);
  for (std::size_t size = 1; size < prepared->xa_events.size(); ++size) {
    CHECK(changes_of(prepared->xa_events.substr(0, size)) <= 0);  // 0: between two events
  }
  for (std::size_t i = 0; i < prepared->xa_events.size(); ++i) {
    std::string flipped = prepared->xa_events;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x81);
    CHECK(changes_of(flipped) <= 2);
  }
  for (std::size_t size = 1; size < tables.size(); ++size) {
    if (size == 6) continue;  // no tables: whole, but of another transaction
    CHECK_FALSE(XaTables::parse(tables.substr(0, size)).has_value());
  }
}

}  // namespace rowtrail::normalize::test
