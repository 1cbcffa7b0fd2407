// The server on a real socket, before slow, broken and hostile clients.
#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "running.h"
#include <catch2/catch.hpp>

using namespace rowtrail;
using namespace rowtrail::server;
using namespace rowtrail::server::testing;

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
        "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: \013chunked\r\n",
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
  client.send(http("POST", "/mcp", "Transfer-Encoding: chunked\r\n") + "1e8480\r\n" + megabytes);
  CHECK(client.read().status == 413);
  CHECK(
      site.ask(http("POST", "/livez", "Transfer-Encoding: chunked\r\n") + "1e8480\r\n" + megabytes)
          .status == 405);  // and nothing of it was kept
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

TEST_CASE(
    "hostile: a folded header, and a body nobody may send, are refused before they are read") {
  Running site;
  CHECK(site.ask(http("GET", "/livez", "X: a\r\n b\r\n")).status == 400);
  CHECK(site.ask(http("POST", "/mcp", "Transfer-Encoding:\r\n\tchunked\r\n")).status == 400);
  for (const char* body : {"Content-Length: 1000000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    Client stranger(site.server.port());
    stranger.send(std::string("POST /mcp HTTP/1.1\r\nHost: localhost\r\n") + body +
                  "Expect: 100-continue\r\n\r\n");
    CHECK(stranger.read().status == 401);  // and no 100
    stranger.finish();
    CHECK(stranger.ended());
  }
  CHECK(site.alive());
}

TEST_CASE("hostile: one address does not take every connection") {
  Options options = test_options();
  options.limits.connections_per_address_max = 3;
  Running site(options);
  {
    std::vector<std::unique_ptr<Client>> open;
    for (int i = 0; i < 3; ++i) {
      open.push_back(std::make_unique<Client>(site.server.port()));
      open.back()->send(http("GET", "/livez"));
      CHECK(open.back()->read().status == 200);
    }
    Client fourth(site.server.port());
    CHECK(fourth.read().status == 503);
  }
  while (!site.alive()) {  // until the server has seen them go
  }
}
