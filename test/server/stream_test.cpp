// /v1/stream: nothing missed, nothing twice, for the quick, the slow and the returning.
#include <atomic>
#include <thread>
#include <vector>

#include "running.h"
#include <catch2/catch.hpp>

using namespace rowtrail;
using namespace rowtrail::server;
using namespace rowtrail::server::testing;

namespace {

/// A server over a log that grows.
struct Growing {
  explicit Growing(std::uint64_t first, Options options = test_options())
      : count(first), site(with_log(std::move(options), first)) {}
  Options with_log(Options options, std::uint64_t first) {
    options.open_reader = [this, first] { return std::make_unique<MemoryReader>(first, count); };
    return options;
  }
  void grow(std::uint64_t by = 1) {
    count += by;
    site.server.publish();
  }
  std::atomic<std::uint64_t> count;
  Running site;
};

class Listener {
 public:
  explicit Listener(Growing& log, const std::string& query = "", const std::string& headers = "")
      : client_(log.site.server.port()) {
    client_.send(http("GET", "/v1/stream" + query, headers));
    const Answer head = client_.read_head();
    REQUIRE(head.status == 200);
    CHECK(head.header("Content-Type") == "text/event-stream");
    CHECK(client_.read_block() == "retry: 2000");
  }
  /// The seq of the next event beyond heartbeats.
  std::uint64_t next() {
    for (;;) {
      const std::string block = client_.read_block();
      REQUIRE_FALSE(block.empty());
      if (block.find("\ndata: ") != std::string::npos) {
        const std::string id = block.substr(4, block.find('\n') - 4);
        CHECK(block.find("\ndata: {\"seq\":" + id + ",") != std::string::npos);
        last = std::stoull(id);
        return last;
      }
      if (block.starts_with("id: ")) last = std::stoull(block.substr(4));
    }
  }
  /// Until the server has placed this listener in the log.
  void wait_for_heartbeat() {
    std::string block = ":";
    while (block.starts_with(':')) block = client_.read_block();
    REQUIRE(block.starts_with("id: "));
    CHECK(block.find('\n') == std::string::npos);
  }
  std::uint64_t last = 0;

 private:
  Client client_;
};

std::uint64_t event_seq(std::uint64_t number) {
  return 4 * number + 3;
}

/// With quick heartbeats a listener knows when the server has placed it at "now".
Options quick() {
  Options options = test_options();
  options.limits.heartbeat = std::chrono::milliseconds(20);
  return options;
}

}  // namespace

TEST_CASE("stream: it starts now and gives every event that comes") {
  Growing log(100, quick());
  Listener listener(log);
  listener.wait_for_heartbeat();
  for (std::uint64_t number = 100; number < 130; ++number) {
    log.grow();
    CHECK(listener.next() == event_seq(number));
  }
  log.grow(5000);  // more than the feed keeps
  for (std::uint64_t number = 130; number < 5130; ++number) {
    REQUIRE(listener.next() == event_seq(number));
  }
}

TEST_CASE("stream: events that nobody published are found all the same") {
  Options options = quick();
  options.limits.poll = std::chrono::milliseconds(10);
  Growing log(0, options);
  Listener listener(log);
  listener.wait_for_heartbeat();
  ++log.count;
  CHECK(listener.next() == event_seq(0));
}

TEST_CASE("stream: history first with Last-Event-ID, after or since, then live") {
  Growing log(6000);
  Listener by_id(log, "?after=7", "Last-Event-ID: 3\r\n");
  Listener by_after(log, "?after=3");
  Listener by_time(log, "?since=5999s");
  for (std::uint64_t number = 1; number < 6000; ++number) {
    REQUIRE(by_id.next() == event_seq(number));
    REQUIRE(by_after.next() == event_seq(number));
    REQUIRE(by_time.next() == event_seq(number));
  }
  log.grow();
  CHECK(by_id.next() == event_seq(6000));
  CHECK(by_after.next() == event_seq(6000));
  CHECK(by_time.next() == event_seq(6000));
}

TEST_CASE("stream: filters hold in history and live, whoever judges them") {
  Growing log(50);
  for (const std::string query : {"?actor=anna", "?not=actor:ben", "?object=product/0",
                                  "?actor=anna&q=Moved", "?actor=anna&integers=string"}) {
    INFO(query);
    const std::uint64_t step = query == "?object=product/0" ? 3 : 2;
    const std::uint64_t before = log.count;
    Listener listener(log, query + "&after=0");
    std::uint64_t number = 0;
    for (; number < before; number += step) CHECK(listener.next() == event_seq(number));
    log.grow(10);
    for (; number < before + 10; number += step) CHECK(listener.next() == event_seq(number));
  }
}

TEST_CASE("stream: reconnecting while the log grows neither misses nor repeats") {
  Growing log(10, quick());
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 3000; ++i) {
      log.grow();
      if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    done = true;
  });
  std::vector<std::uint64_t> got;
  std::uint64_t last = 0;
  while (got.size() < 3010) {
    Listener listener(log, "?after=0",
                      last == 0 ? "" : "Last-Event-ID: " + std::to_string(last) + "\r\n");
    for (int i = 0; i < 97 && got.size() < 3010; ++i) got.push_back(listener.next());
    last = listener.last;
  }
  writer.join();
  for (std::uint64_t number = 0; number < 3010; ++number) {
    REQUIRE(got[number] == event_seq(number));
  }
}

TEST_CASE("stream: a heartbeat moves on past what the filter left out") {
  Growing log(10, quick());
  Client client(log.site.server.port());
  client.send(http("GET", "/v1/stream?actor=nobody&after=0"));
  CHECK(client.read_head().status == 200);
  log.grow(3);
  std::string block;
  while (block != "id: " + std::to_string(event_seq(12))) {
    block = client.read_block();
    REQUIRE_FALSE(block.empty());
    CHECK(block.find("data:") == std::string::npos);
  }
}

TEST_CASE("stream: many listeners all get everything") {
  Growing log(10, quick());
  std::vector<std::unique_ptr<Listener>> listeners;
  for (int i = 0; i < 100; ++i) listeners.push_back(std::make_unique<Listener>(log, "?after=0"));
  log.grow(20);
  for (auto& listener : listeners) {
    for (std::uint64_t number = 0; number < 30; ++number)
      REQUIRE(listener->next() == event_seq(number));
  }
}

TEST_CASE("stream: a store that fails for a while only delays") {
  static std::atomic<bool> fails;
  static std::atomic<std::uint64_t> count;
  fails = true;
  count = 10;
  struct Flaky : MemoryReader {
    Flaky() : MemoryReader(10, count) {}
    void events(const store::Filter& filter, const store::Page& page,
                const store::Visitor<store::StoredEvent>& visit) override {
      broken = fails;
      MemoryReader::events(filter, page, visit);
    }
  };
  Options options = test_options();
  options.limits.poll = std::chrono::milliseconds(10);
  options.open_reader = [] { return std::make_unique<Flaky>(); };
  Running site(options);
  Client client(site.server.port());
  client.send(http("GET", "/v1/stream?after=0"));
  CHECK(client.read_head().status == 200);
  CHECK(client.read_block() == "retry: 2000");
  fails = false;
  for (std::uint64_t number = 0; number < 10; ++number) {
    CHECK(client.read_block().starts_with("id: " + std::to_string(event_seq(number)) + "\n"));
  }
  fails = true;
  ++count;
  fails = false;
  CHECK(client.read_block().starts_with("id: 43\n"));
}

TEST_CASE("stream: a client that leaves gives its connection back") {
  Options options = test_options();
  options.limits.connections_max = 1;
  Growing log(10, options);
  { Listener listener(log); }
  unsigned status = 503;
  while (status == 503) {  // until the server has noticed
    try {
      status = log.site.ask(http("GET", "/livez")).status;
    } catch (const std::exception&) {
    }
  }
  CHECK(status == 200);
}

TEST_CASE("stream: HEAD, wrong ids and stopping") {
  Growing log(10);
  Client client(log.site.server.port());
  client.send(http("HEAD", "/v1/stream") + http("GET", "/v1/stream", "Last-Event-ID: x\r\n") +
              http("GET", "/v1/stream", "Accept: application/json\r\n") +
              http("GET", "/v1/stream?limit=1"));
  CHECK(client.read(true).status == 200);
  CHECK(client.read().status == 400);
  CHECK(client.read().status == 406);
  CHECK(client.read().status == 400);
  Listener listener(log);
  log.site.server.stop();
}
