// The server on a real socket: ordinary clients, and many at once.
#include <algorithm>
#include <atomic>
#include <thread>

#include "running.h"
#include <catch2/catch.hpp>

using namespace rowtrail;
using namespace rowtrail::server;
using namespace rowtrail::server::testing;

TEST_CASE("socket: a connection serves one request after another") {
  Running site;
  Client client(site.server.port());
  for (int i = 0; i < 5; ++i) {
    client.send(http("GET", "/v1/events?limit=2"));
    const Answer answer = client.read();
    CHECK(answer.status == 200);
    CHECK(answer.whole);
    CHECK(answer.header("Content-Type") == "application/json");
    CHECK_FALSE(answer.header("Date").empty());
  }
  client.send(http("GET", "/livez", "Connection: close\r\n"));
  CHECK(client.read().status == 200);
  CHECK(client.ended());
}

TEST_CASE("socket: pipelined requests are answered in order") {
  Running site;
  Client client(site.server.port());
  std::string bytes;
  for (int seq = 3; seq < 200; seq += 4) bytes += http("GET", "/v1/events/" + std::to_string(seq));
  client.send(bytes + http("GET", "/livez") + http("HEAD", "/livez") + http("GET", "/nowhere"));
  for (int seq = 3; seq < 200; seq += 4) {
    const Answer answer = client.read();
    REQUIRE(answer.status == 200);
    CHECK(answer.body.starts_with("{\"seq\":" + std::to_string(seq) + ","));
  }
  CHECK(client.read().body == "{\"status\":\"ok\"}\n");
  CHECK(client.read(true).header("Content-Length") == "16");
  CHECK(client.read().status == 404);
}

TEST_CASE("socket: HEAD has the headers of GET and no body") {
  Running site;
  Client client(site.server.port());
  client.send(http("GET", "/v1/events"));
  const Answer answer = client.read();
  client.send(http("HEAD", "/v1/events") + http("HEAD", "/v1/events?limit=0&format=ndjson") +
              http("HEAD", "/nowhere") + http("GET", "/livez"));
  const Answer head = client.read(true);
  CHECK(head.header("Content-Length") == answer.header("Content-Length"));
  CHECK(head.header("Link") == answer.header("Link"));
  CHECK(client.read(true).status == 200);
  CHECK(client.read(true).status == 404);
  CHECK(client.read().body == "{\"status\":\"ok\"}\n");
}

TEST_CASE("socket: a request that comes byte by byte is a request") {
  Running site;
  Client client(site.server.port());
  for (const char byte : http("GET", "/v1/events/3")) client.send({&byte, 1});
  CHECK(client.read().status == 200);
}

TEST_CASE("socket: limit=0 streams everything in chunks, and the connection goes on") {
  Running site(test_options(), 20'000);
  Client client(site.server.port());
  client.send(http("GET", "/v1/events?limit=0&format=ndjson") +
              http("GET", "/v1/changes?limit=0&order=desc&since=1970-01-01",
                   "Accept: application/x-ndjson\r\n"));
  const Answer events = client.read();
  CHECK(events.whole);
  CHECK(lines(events.body) == 20'000);
  const Answer changes = client.read();
  CHECK(changes.whole);
  CHECK(lines(changes.body) == 40'000);
  client.send(http("GET", "/livez"));
  CHECK(client.read().status == 200);
}

TEST_CASE("socket: HTTP/1.0 gets a plain body and the end of the connection") {
  Running site;
  const std::string head = "Host: localhost\r\nAuthorization: Bearer rt_test\r\n\r\n";
  const Answer page = site.ask("GET /v1/events HTTP/1.0\r\n" + head);
  CHECK(page.status == 200);
  const Answer stream = site.ask("GET /v1/events?limit=0&format=ndjson HTTP/1.0\r\n" + head);
  CHECK(stream.header("Transfer-Encoding").empty());
  CHECK(lines(stream.body) == 250);
}

TEST_CASE("socket: a body is read and its end found, so the next request is one") {
  Running site;
  Client client(site.server.port());
  client.send(http("POST", "/v1/events", "Content-Length: 5\r\n") + "GET /" +
              http("POST", "/v1/events", "Transfer-Encoding: chunked\r\n") +
              "5\r\nhello\r\n0\r\n\r\n" + http("GET", "/livez"));
  CHECK(client.read().status == 405);
  CHECK(client.read().status == 405);
  CHECK(client.read().status == 200);
  client.send(http("POST", "/v1/events", "Content-Length: 2\r\nExpect: 100-continue\r\n"));
  CHECK(client.read().status == 405);  // before it is sent
  Client caller(site.server.port());
  caller.send(http("POST", "/mcp", "Content-Length: 2\r\nExpect: 100-continue\r\n"));
  CHECK(caller.read(true).status == 100);
  caller.send("{}");
  CHECK(caller.read().status == 415);
}

TEST_CASE("socket: beyond the cap a connection is told 503") {
  Options options = test_options();
  options.limits.connections_max = 2;
  Running site(options);
  Client first(site.server.port());
  Client second(site.server.port());
  first.send(http("GET", "/livez"));
  second.send(http("GET", "/livez"));
  CHECK(first.read().status == 200);
  CHECK(second.read().status == 200);
  Client third(site.server.port());
  const Answer refused = third.read();
  CHECK(refused.status == 503);
  CHECK(refused.header("Retry-After") == "1");
  first.send(http("GET", "/livez"));
  CHECK(first.read().status == 200);
}

TEST_CASE("socket: a failing store is a 503, and a new reader is opened when it is back") {
  static std::atomic<int> state;  // 0 works, 1 reads fail, 2 cannot be opened
  state = 1;
  struct Flaky : MemoryReader {
    using MemoryReader::MemoryReader;
    std::optional<store::StoredEvent> event(std::uint64_t seq) override {
      broken = state == 1;
      return MemoryReader::event(seq);
    }
  };
  Options options = test_options();
  options.open_reader = []() -> std::unique_ptr<store::Reader> {
    if (state == 2) throw core::Failure(core::Area::Store, true, "no such file");
    return std::make_unique<Flaky>(10);
  };
  Running site(options);
  Client client(site.server.port());
  for (const int now : {1, 2, 1, 0, 0, 2}) {
    state = now;
    client.send(http("GET", "/v1/events/3"));
    const Answer answer = client.read();
    const bool opened = answer.status == 200;  // a thread may still hold a working reader
    CHECK((opened || answer.status == 503));
    if (now == 0) CHECK(opened);
    if (now == 1) CHECK_FALSE(opened);
    CHECK(answer.body.find("no such file") == std::string::npos);
  }
}

TEST_CASE("socket: many clients at once get their own answers") {
  Running site;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&site, &wrong, thread] {
      Client client(site.server.port());
      for (int i = 0; i < 100; ++i) {
        const int seq = 4 * ((thread * 31 + i * 7) % 250) + 3;
        client.send(http("GET", "/v1/events/" + std::to_string(seq)));
        const Answer answer = client.read();
        if (!answer.body.starts_with("{\"seq\":" + std::to_string(seq) + ",")) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("server: a port in use and a bad address are clear failures") {
  Running site;
  Options options = test_options();
  options.listen = "127.0.0.1:" + std::to_string(site.server.port());
  Server second(options);
  try {
    second.start();
    FAIL("the port was taken");
  } catch (const core::Failure& failure) {
    CHECK(failure.area() == core::Area::Usage);
    CHECK(std::string(failure.what()).find(std::to_string(site.server.port())) !=
          std::string::npos);
    CHECK(std::string(failure.what()).find("--listen") != std::string::npos);
  }
  for (const char* listen : {"", "nonsense", "127.0.0.1:", "127.0.0.1:x", "203.0.113.1:80"}) {
    options.listen = listen;
    CHECK_THROWS_AS(Server(options).start(), core::Failure);
  }
}

TEST_CASE("server: stopping ends idle connections and cuts endless ones") {
  Options options = test_options();
  options.limits.stop_timeout = std::chrono::milliseconds(100);
  Running site(options, 200'000);
  Client idle(site.server.port());
  idle.send(http("GET", "/livez"));
  CHECK(idle.read().status == 200);
  Client stuck(site.server.port());  // never reads
  stuck.send(http("GET", "/v1/events?limit=0&format=ndjson"));
  site.server.stop();
  CHECK(idle.ended());
  CHECK_THROWS(Client(site.server.port()));
  site.server.stop();
}
