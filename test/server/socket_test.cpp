// The server on a real socket: ordinary clients, slow ones, hostile ones, many at once.
#include "server/server.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "client.h"
#include "fixture.h"
#include <catch2/catch.hpp>

using namespace rowtrail;
using namespace rowtrail::server;
using namespace rowtrail::server::testing;

namespace {

struct Running {
  explicit Running(Options options = test_options(), std::uint64_t count = 250)
      : server(with_reader(std::move(options), count)) {
    server.start();
  }
  static Options with_reader(Options options, std::uint64_t count) {
    if (!options.open_reader) {
      options.open_reader = [count] { return std::make_unique<MemoryReader>(count); };
    }
    return options;
  }
  /// One request on a connection of its own.
  Answer ask(std::string_view bytes) {
    Client client(server.port());
    client.send(bytes);
    return client.read();
  }
  bool alive() { return ask(http("GET", "/v1/events?limit=1")).status == 200; }
  Server server;
};

long lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

}  // namespace

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
  Answer interim;
  client.send("{}");
  CHECK(client.read(true).status == 100);
  CHECK(client.read().status == 405);
}

TEST_CASE("hostile: requests that two servers could read differently are refused and end it") {
  Running site;
  const std::string smuggled = "0\r\n\r\n" + http("GET", "/v1/events");
  for (const char* headers :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n", "Content-Length: +5\r\n", "Content-Length: 0x5\r\n",
        "Content-Length: -1\r\n", "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \x0b"
        "chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Content-Length : 5\r\n",
        "Transfer-Encoding\r\n", "X: a\rb\r\n", "X: a\nY: b\r\n", "X\0Y: a\r\n"}) {
    INFO(headers);
    Client client(site.server.port());
    client.send(http("POST", "/v1/events", headers) + smuggled);
    const Answer answer = client.read();
    CHECK((answer.status == 400 || answer.status == 413 || answer.status == 501));
    CHECK(client.ended());
  }
  CHECK(site.alive());
}

TEST_CASE("hostile: what is not HTTP gets a 400 or silence") {
  Running site;
  const std::string all[] = {std::string("\r\n\r\n\r\n"),
                             std::string("GET\r\n\r\n"),
                             std::string("GET / HTTP/9.9\r\n\r\n"),
                             std::string("GET /\r\n\r\n"),
                             std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9),
                             std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                             std::string("GET / HTTP/1.1 \r\n\r\n"),
                             std::string("GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                             std::string(100, '\0')};
  for (const std::string& bytes : all) {
    INFO(bytes);
    Client client(site.server.port());
    client.send(bytes);
    client.finish();
    const Answer answer = client.read();
    CHECK((answer.status == 400 || answer.status == 0));
  }
  CHECK(site.ask("GET /livez HTTP/1.1\r\n\r\n").status == 400);
  CHECK(site.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: x\r\n\r\n").status == 400);
  CHECK(site.ask(http("GET", "/%zz")).status == 400);
  CHECK(site.ask(http("GET", "/../../etc/passwd")).status == 404);
  CHECK(site.ask(http("GET", "/%2e%2e/%2e%2e/etc/passwd")).status == 404);
  CHECK(site.ask(http("CONNECT", "localhost:80")).status == 400);
  CHECK(site.alive());
}

TEST_CASE("hostile: headers and bodies have limits") {
  Running site;
  const std::string big(20'000, 'a');
  CHECK(site.ask(http("GET", "/livez", "X: " + big + "\r\n")).status == 431);
  CHECK(site.ask(http("GET", "/" + big)).status == 431);
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "A: b\r\n";
  CHECK(site.ask(http("GET", "/livez", many)).status == 431);
  CHECK(site.ask(http("POST", "/livez", "Content-Length: 1048577\r\n")).status == 413);
  const std::string megabytes(2'000'000, 'x');
  Client client(site.server.port());
  client.send(http("POST", "/livez", "Transfer-Encoding: chunked\r\n") + "1e8480\r\n" + megabytes);
  CHECK(client.read().status == 413);
  CHECK(site.ask(http("POST", "/livez", "Content-Length: 1000000\r\n") +
                 megabytes.substr(0, 1'000'000))
            .status == 405);
  CHECK(site.alive());
}

TEST_CASE("hostile: every prefix of a request, then the end") {
  Running site;
  const std::string whole = http("POST", "/v1/events?limit=1", "Content-Length: 3\r\n") + "abc";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Client client(site.server.port());
    client.send(std::string_view(whole).substr(0, size));
    client.finish();
    CHECK(client.read().status == 0);
  }
  CHECK(site.alive());
}

TEST_CASE("hostile: mutated requests never hurt the server") {
  Running site;
  std::mt19937 random(20261124);  // NOLINT(cert-msc51-cpp): the same every time
  const std::string whole = http("POST", "/v1/events?limit=1&actor=anna", "Content-Length: 3\r\n") +
                            "abc" + http("GET", "/v1/objects/product/1");
  for (int round = 0; round < 300; ++round) {
    std::string bytes = whole;
    for (unsigned edits = random() % 8 + 1; edits > 0; --edits) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, random() % 4 + 1);
          break;
        default:
          bytes.insert(at, 1, static_cast<char>(random()));
          break;
      }
    }
    Client client(site.server.port());
    client.send(bytes);
    client.finish();
    while (client.read().status != 0) {
    }
  }
  CHECK(site.alive());
}

TEST_CASE("hostile: who sends slowly or nothing is let go") {
  Options options = test_options();
  options.limits.header_timeout = std::chrono::milliseconds(80);
  options.limits.body_timeout = std::chrono::milliseconds(80);
  options.limits.idle_timeout = std::chrono::milliseconds(80);
  Running site(options);
  const std::string request = http("POST", "/livez", "Content-Length: 3\r\n");
  for (const std::string& start : {std::string(), request.substr(0, 20), request + "a"}) {
    Client client(site.server.port());
    client.send(start);
    CHECK(client.ended());
  }
  Client dripping(site.server.port());
  std::atomic<bool> done{false};
  std::thread drip([&] {
    while (!done) {
      dripping.send("A");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  CHECK(dripping.ended());  // although bytes keep coming
  done = true;
  drip.join();
  CHECK(site.alive());
}

TEST_CASE("hostile: who does not read its answer is cut off, and only the part sent was read") {
  Options options = test_options();
  options.limits.write_timeout = std::chrono::milliseconds(100);
  static std::atomic<int> reads;
  reads = 0;
  struct Counting : MemoryReader {
    using MemoryReader::MemoryReader;
    void events(const store::Filter& filter, const store::Page& page,
                const store::Visitor<store::StoredEvent>& visit) override {
      ++reads;
      MemoryReader::events(filter, page, visit);
    }
  };
  options.open_reader = [] { return std::make_unique<Counting>(200'000); };
  Running site(options);
  Client client(site.server.port());
  client.send(http("GET", "/v1/events?limit=0&format=ndjson"));
  int before = -1;
  while (before != reads || before == 0) {  // until the server has stopped reading
    before = reads;
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
  }
  const Answer answer = client.read();
  CHECK(answer.status == 200);
  CHECK_FALSE(answer.whole);
  CHECK(lines(answer.body) < 200'000);
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
