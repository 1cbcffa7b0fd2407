#include "binlog/gtid.h"

#include "binlog/cursor.h"

#include <random>
#include <set>

#include "stream.h"
#include <catch2/catch.hpp>

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace)
using namespace rowtrail::test;    // NOLINT(google-build-using-namespace)

namespace {

constexpr char kUuid[] = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

GtidSet parse(std::string_view text, Flavor flavor = Flavor::MySql) {
  auto set = GtidSet::parse(text, flavor);
  REQUIRE(set.has_value());
  return *set;
}

Gtid make(std::uint64_t number, std::string_view tag = "") {
  Gtid gtid;
  gtid.uuid.fill(0x11);
  gtid.number = number;
  gtid.tag_length = static_cast<std::uint8_t>(tag.size());
  std::copy(tag.begin(), tag.end(), gtid.tag_bytes.begin());
  return gtid;
}

}  // namespace

TEST_CASE("gtid set: text is canonical whatever the spelling") {
  const std::string uuid = kUuid;
  CHECK(parse("").text().empty());
  CHECK(parse(" 3E11FA47-71CA-11E1-9E33-C80AA9429562 : 1 - 5 : 7 ,\n").text() == uuid + ":1-5:7");
  CHECK(parse("3e11fa4771ca11e19e33c80aa9429562:5:1-4").text() == uuid + ":1-5");
  CHECK(parse(uuid + ":1-3:Ops:1:_t1:2-4:9").text() == uuid + ":1-3:_t1:2-4:9:ops:1");
  CHECK(parse("ffffffff-71ca-11e1-9e33-c80aa9429562:1," + uuid + ":1").text() ==
        uuid + ":1,ffffffff-71ca-11e1-9e33-c80aa9429562:1");
  CHECK(parse("1-7-9, 0-1-42", Flavor::MariaDb).text() == "0-1-42,1-7-9");
}

TEST_CASE("gtid set: what no server prints is refused") {
  const std::string uuid = kUuid;
  for (const auto& text :
       {std::string("x"), uuid, uuid + ":", uuid + ":0", uuid + ":5-3", uuid + ":tag", uuid + ":1x",
        uuid + ":1tag:5", uuid + ":1-", uuid + ":9223372036854775807", uuid.substr(1) + ":1",
        uuid + ":" + std::string(33, 'a') + ":1"}) {
    INFO(text);
    CHECK(GtidSet::parse(text, Flavor::MySql).has_error());
  }
  for (const auto* text : {"0-1", "0-1-", "a-1-2", "0-1-2-3", "4294967296-1-1"}) {
    CHECK(GtidSet::parse(text, Flavor::MariaDb).has_error());
  }
}

TEST_CASE("gtid set: encodes as the server does, classic and tagged") {
  CHECK(parse("").encode() == std::string(8, '\0'));
  const std::string uuid = bytes({0x3e, 0x11, 0xfa, 0x47, 0x71, 0xca, 0x11, 0xe1, 0x9e, 0x33, 0xc8,
                                  0x0a, 0xa9, 0x42, 0x95, 0x62});
  const auto u64 = [](int value) { return bytes({value & 255, value >> 8, 0, 0, 0, 0, 0, 0}); };
  CHECK(parse(std::string(kUuid) + ":1-4:9").encode() ==
        u64(1) + uuid + u64(2) + u64(1) + u64(5) + u64(9) + u64(10));
  CHECK(parse(std::string(kUuid) + ":1:my_tag:5:300").encode() ==
        bytes({1, 2, 0, 0, 0, 0, 0, 1}) + uuid + bytes({0}) + u64(1) + u64(1) + u64(2) + uuid +
            bytes({12}) + "my_tag" + u64(2) + u64(5) + u64(6) + u64(300) + u64(301));
}

TEST_CASE("gtid set: what the server encodes in its files decodes to its text") {
  // Previous_gtids of MySQL 9.7.4 whose @@gtid_executed was this text, tags included.
  const auto encoded = bytes(
      {1,    3,    0,    0,    0,    0,    0,    1,     // tagged, three uuid and tag pairs
       0x35, 0x24, 0x5a, 0xaf, 0xe7, 0xbc, 0x11, 0xf1,  //
       0x98, 0x77, 0x02, 0xfc, 0x00, 0x00, 0x00, 0x01, 0,    1,    0,    0,    0,    0,    0,
       0,    0,    1,    0,    0,    0,    0,    0,    0,    0,    5,    0,    0,    0,    0,
       0,    0,    0,    0x35, 0x24, 0x5a, 0xaf, 0xe7, 0xbc, 0x11, 0xf1,  //
       0x98, 0x77, 0x02, 0xfc, 0x00, 0x00, 0x00, 0x01, 6,    'o',  'p',  's',  1,    0,    0,
       0,    0,    0,    0,    0,    1,    0,    0,    0,    0,    0,    0,    0,    3,    0,
       0,    0,    0,    0,    0,    0,    0x3e, 0x11, 0xfa, 0x47, 0x71, 0xca, 0x11, 0xe1,  //
       0x9e, 0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62, 12,   'm',  'y',  '_',  't',  'a',  'g',
       2,    0,    0,    0,    0,    0,    0,    0,    5,    0,    0,    0,    0,    0,    0,
       0,    6,    0,    0,    0,    0,    0,    0,    0,    0x2c, 1,    0,    0,    0,    0,
       0,    0,    0x2d, 1,    0,    0,    0,    0,    0,    0});
  const auto set = GtidSet::decode(as_bytes(encoded));
  REQUIRE(set.has_value());
  CHECK(set->text() ==
        "35245aaf-e7bc-11f1-9877-02fc00000001:1-4:ops:1-2,"
        "3e11fa47-71ca-11e1-9e33-c80aa9429562:my_tag:5:300");
  CHECK(set->encode() == encoded);
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    CHECK(GtidSet::decode(as_bytes(encoded).first(size)).has_error());
  }
}

TEST_CASE("gtid set: MariaDB's list of the last of each domain decodes") {
  const auto encoded = bytes({2, 0, 0, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0,  //
                              1, 0, 0, 0,    7, 0, 0, 0, 9, 0, 0, 0, 0,  0, 0, 0});
  const auto set = GtidSet::decode(as_bytes(encoded), Flavor::MariaDb);
  REQUIRE(set.has_value());
  CHECK(set->text() == "0-1-42,1-7-9");
}

TEST_CASE("gtid set: added in any order, it equals the set of what was added") {
  std::mt19937 random(42);
  for (int round = 0; round < 200; ++round) {
    GtidSet set;
    std::set<std::pair<std::string, std::uint64_t>> model;
    for (int i = 0; i < 60; ++i) {
      const std::string tag = random() % 2 == 0 ? "" : "tag";
      const auto number = random() % 50 + 1;
      set.add(make(number, tag));
      model.emplace(tag, number);
    }
    for (std::uint64_t number = 1; number <= 51; ++number) {
      for (const auto* tag : {"", "tag"}) {
        CHECK(set.contains(make(number, tag)) == (model.count({tag, number}) > 0));
      }
    }
    const auto again = parse(set.text());
    CHECK(again.text() == set.text());
    CHECK(again.encode() == set.encode());
  }
}

TEST_CASE("gtid set: MariaDB keeps the last of each domain") {
  GtidSet set = parse("0-1-42,1-7-9", Flavor::MariaDb);
  Gtid gtid;
  gtid.flavor = Flavor::MariaDb;
  gtid.server = 2;
  gtid.number = 43;
  CHECK_FALSE(set.contains(gtid));
  set.add(gtid);
  CHECK(set.contains(gtid));
  CHECK(set.text() == "0-2-43,1-7-9");
  CHECK(gtid.text() == "0-2-43");
}

TEST_CASE("gtid: a tagged one prints its tag") {
  CHECK(make(7, "ops").text() == "11111111-1111-1111-1111-111111111111:ops:7");
  CHECK(make(7).text() == "11111111-1111-1111-1111-111111111111:7");
}
