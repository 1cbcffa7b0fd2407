// Small things: cursor, arena, character sets, UTC text.
#include "binlog/arena.h"
#include "binlog/cell.h"
#include "binlog/charset.h"
#include "binlog/cursor.h"

#include <cstring>

#include "stream.h"
#include <catch2/catch.hpp>

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace)
using rowtrail::test::bytes;

TEST_CASE("cursor: a short read gives zero and fails everything after it") {
  const auto data = bytes({1, 2, 3});
  Cursor in(as_bytes(data));
  CHECK(in.u16() == 0x0201);
  CHECK(in.u16() == 0);
  CHECK_FALSE(in.ok());
  CHECK(in.at_end());
  CHECK(in.take(0).empty());
  CHECK_FALSE(Cursor(as_bytes(data)).sub(4).ok());
}

TEST_CASE("cursor: length-encoded integers of every width") {
  const auto read = [](const std::string& data) {
    Cursor in(as_bytes(data));
    const auto value = in.lenenc();
    return in.ok() && in.at_end() ? value : ~std::uint64_t{0};
  };
  CHECK(read(bytes({250})) == 250);
  CHECK(read(bytes({252, 1, 2})) == 0x0201);
  CHECK(read(bytes({253, 1, 2, 3})) == 0x030201);
  CHECK(read(bytes({254, 1, 0, 0, 0, 0, 0, 0, 1})) == 0x0100000000000001);
  CHECK(read(bytes({251})) == ~std::uint64_t{0});
  CHECK(read(bytes({255})) == ~std::uint64_t{0});
  CHECK(read(bytes({252, 1})) == ~std::uint64_t{0});
}

TEST_CASE("cursor: a huge length from the wire is checked against what is there") {
  const auto data = bytes({1});
  Cursor in(as_bytes(data));
  CHECK(in.take(~std::uint64_t{0}).empty());
  CHECK_FALSE(in.ok());
}

TEST_CASE("arena: what was handed out stays until reset, also when large") {
  Arena arena;
  const auto small = arena.copy(std::string_view("small"));
  const auto large = arena.copy(std::string(Arena::kBlockBytes * 3, 'x'));
  const auto again = arena.copy(std::string_view("again"));
  CHECK(small == "small");
  CHECK(large == std::string(Arena::kBlockBytes * 3, 'x'));
  CHECK(again == "again");
  CHECK(arena.used() >= large.size() + 10);
  arena.reset();
  CHECK(arena.used() == 0);
  CHECK(arena.capacity() <= Arena::kKeptBytes);
}

TEST_CASE("arena: trim gives back the end of the newest allocation") {
  Arena arena;
  auto* const first = arena.allocate(100, 1);
  arena.trim(first + 10);
  CHECK(arena.allocate(1, 1) == first + 10);
}

TEST_CASE("arena: a recycled arena takes no more memory") {
  Arena arena;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 2000; ++i) std::memset(arena.allocate(333), 1, 333);
    if (round == 0) CHECK(arena.capacity() > 600'000);
    arena.reset();
  }
  CHECK(arena.capacity() < 800'000);
}

TEST_CASE("charset: UTF-8 is RFC 3629's") {
  const auto valid = [](const std::string& text) { return is_utf8(as_bytes(text)); };
  CHECK(valid("plain ascii, long enough for a word"));
  CHECK(valid("grüße 😀 \xEF\xBF\xBD"));
  CHECK(valid("\xF4\x8F\xBF\xBF"));
  CHECK_FALSE(valid("\xC0\x80"));
  CHECK_FALSE(valid("\xED\xA0\x80"));
  CHECK_FALSE(valid("\xF4\x90\x80\x80"));
  CHECK_FALSE(valid("\xE2\x82"));
  CHECK_FALSE(valid("1234567\x80"));
  CHECK_FALSE(valid("\xF0\x8F\xBF\xBF"));
}

TEST_CASE("charset: latin1 is the servers' cp1252") {
  Arena arena;
  std::string_view out;
  const auto* latin1 = charset_of(8);
  REQUIRE(latin1 != nullptr);
  const auto text = bytes({'a', 0x80, 0x81, 0xE4, 0xFF});
  REQUIRE(to_utf8(*latin1, as_bytes(text), arena, out));
  CHECK(out == "a€\xC2\x81äÿ");
  const std::string plain = "plain";
  REQUIRE(to_utf8(*latin1, as_bytes(plain), arena, out));
  CHECK(out.data() == plain.data());
}

TEST_CASE("utc: microseconds print as RFC 3339 with the digits asked for") {
  CHECK(format_utc(0, 0) == "1970-01-01T00:00:00Z");
  CHECK(format_utc(1'795'514'400'123'456) == "2026-11-24T10:00:00.123456Z");
  CHECK(format_utc(1'795'514'400'123'456, 3) == "2026-11-24T10:00:00.123Z");
  CHECK(format_utc(-1, 6) == "1969-12-31T23:59:59.999999Z");
}
