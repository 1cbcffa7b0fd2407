#include "pipeline/channel.h"

#include <thread>

#include <catch2/catch.hpp>

using namespace rowtrail::pipeline;
using namespace std::chrono_literals;

namespace {

Item item_of(std::size_t bytes, std::uint64_t pos = 0) {
  Item item;
  item.bytes = bytes;
  item.pos = pos;
  return item;
}

}  // namespace

TEST_CASE("channel: items come out in order") {
  Channel channel(100);
  for (std::uint64_t pos = 1; pos <= 3; ++pos) {
    auto item = item_of(10, pos);
    REQUIRE(channel.push(item, 0, 0ms) == Channel::Push::Accepted);
  }
  Item out;
  for (std::uint64_t pos = 1; pos <= 3; ++pos) {
    REQUIRE(channel.pop(out, 0ms));
    CHECK(out.pos == pos);
  }
  CHECK_FALSE(channel.pop(out, 0ms));
  CHECK(channel.pops() == 3);
}

TEST_CASE("channel: a full queue refuses and leaves the item alone") {
  Channel channel(15);
  auto first = item_of(10, 1);
  auto second = item_of(10, 2);
  REQUIRE(channel.push(first, 0, 0ms) == Channel::Push::Accepted);
  CHECK(channel.push(second, 0, 0ms) == Channel::Push::TimedOut);
  CHECK(second.pos == 2);
  CHECK(channel.bytes() == 10);
}

TEST_CASE("channel: an item larger than the queue goes in when it is empty") {
  Channel channel(15);
  auto large = item_of(1000, 1);
  CHECK(channel.push(large, 0, 0ms) == Channel::Push::Accepted);
  Item out;
  REQUIRE(channel.pop(out, 0ms));
  auto next = item_of(1, 2);
  CHECK(channel.push(next, 0, 0ms) == Channel::Push::TimedOut);
  CHECK_FALSE(channel.pop(out, 0ms));
  CHECK(channel.push(next, 0, 0ms) == Channel::Push::Accepted);
}

TEST_CASE("channel: a producer waits for room and is woken") {
  Channel channel(10);
  auto first = item_of(10, 1);
  REQUIRE(channel.push(first, 0, 0ms) == Channel::Push::Accepted);
  Channel::Push outcome = Channel::Push::TimedOut;
  std::thread producer([&] {
    auto second = item_of(10, 2);
    outcome = channel.push(second, 0, 60s);
  });
  Item out;
  REQUIRE(channel.pop(out, 60s));
  CHECK(channel.bytes() == 10);  // the consumer still works on it
  REQUIRE(channel.pop(out, 60s));
  producer.join();
  CHECK(outcome == Channel::Push::Accepted);
  CHECK(out.pos == 2);
}

TEST_CASE("channel: reset forgets what is queued and sends producers of the old epoch away") {
  Channel channel(100);
  auto first = item_of(10, 1);
  REQUIRE(channel.push(first, 0, 0ms) == Channel::Push::Accepted);
  channel.reset();
  CHECK(channel.empty());
  CHECK(channel.bytes() == 0);
  auto stale = item_of(10, 2);
  CHECK(channel.push(stale, 0, 0ms) == Channel::Push::Reset);
  CHECK(channel.push(stale, channel.epoch(), 0ms) == Channel::Push::Accepted);
}

TEST_CASE("channel: close lets the consumer drain and wakes everybody") {
  Channel channel(100);
  auto first = item_of(10, 1);
  REQUIRE(channel.push(first, 0, 0ms) == Channel::Push::Accepted);
  channel.close();
  Item out;
  CHECK(channel.pop(out, 60s));
  CHECK_FALSE(channel.pop(out, 60s));
  auto late = item_of(1);
  CHECK(channel.push(late, 0, 60s) == Channel::Push::Closed);
}
