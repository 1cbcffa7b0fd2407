// A row at a time, on both stores: keys that move, keys that come again.
#include "test/store/support.h"

#include <catch2/catch.hpp>

namespace rowtrail::store::test {
namespace {

/// Transaction `number`: an update of the stock's row from one key to another.
Made moved(const binlog::TableSchemaPtr& stock, std::uint64_t number, std::int64_t from,
           std::int64_t to) {
  Made made(number);
  made.insert(stock, to, "moved");
  auto& change = made.transaction->changes.back();
  change.op = normalize::Op::Update;
  const auto before = made.transaction->arena.make_span<binlog::Cell>(2);
  before[0] = change.after[0];
  before[1] = change.after[1];
  before[0].i = from;
  change.before = before;
  return made;
}

void commit(Writer& writer, const Made& made, std::uint64_t number) {
  Batch batch;
  batch.reset(writer.next_seq());
  made.into(batch);
  writer.append(batch);
  writer.commit("pharmacy", position_after(number), made.transaction->event_time_us);
}

TEST_CASE("row: a key that moved away is gone, the new one has the row") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    const auto stock = table();
    Made first(1);
    first.insert(stock, 7, "first");
    first.transaction->schemas.back().is_new = true;
    commit(*writer, first, 1);
    commit(*writer, moved(stock, 2, 7, 8), 2);
    const auto reader = open_reader(place.url());
    const auto old = find_row(*reader, "", "pharmacy", "stock", "7");
    REQUIRE(old.has_value());
    CHECK(old->keys == std::vector<std::string>{R"({"id":7})"});
    CHECK(row_at(*reader, *old, std::nullopt).basis == RowBasis::Gone);
    std::vector<std::uint64_t> history;
    row_changes(*reader, *old, std::nullopt, {}, [&](const StoredChange& change) {
      history.push_back(change.seq);
      return true;
    });
    CHECK(history.size() == 2);
    CHECK(history.front() > history.back());
    const auto fresh = find_row(*reader, "", "pharmacy", "stock", "8");
    REQUIRE(fresh.has_value());
    CHECK(row_at(*reader, *fresh, std::nullopt).row == R"({"id":8,"name":"moved"})");
    CHECK_FALSE(find_row(*reader, "", "pharmacy", "stock", "9").has_value());
    CHECK_FALSE(find_row(*reader, "", "pharmacy", "nothing", "7").has_value());
  });
}

}  // namespace
}  // namespace rowtrail::store::test
