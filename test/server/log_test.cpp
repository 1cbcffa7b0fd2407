// The log as tlog-tiles serves it: addresses of tiles are read strictly.
#include "fixture.h"
#include <catch2/catch.hpp>

using namespace rowtrail::server;
using namespace rowtrail::server::testing;

TEST_CASE("log: tiles by the addresses of tlog-tiles") {
  Site site;
  const auto body = [&](const char* tile) {
    return site.ask("/log/tile/" + std::string(tile)).body;
  };
  CHECK(body("0/000") == "tile 0 0 256");
  CHECK(body("0/001") == "tile 0 1 256");
  CHECK(body("0/002.p/88") == "tile 0 2 88");
  CHECK(body("1/000.p/2") == "tile 1 0 2");
  CHECK(body("entries/001") == "entries 1 256");
  CHECK(body("entries/002.p/7") == "entries 2 7");
  const auto tile = site.ask("/log/tile/0/000");
  CHECK(tile.content_type == "application/octet-stream");
  CHECK_FALSE(tile.header("ETag").empty());
  for (const char* wrong : {"0/002",
                            "0/002.p/89",
                            "0/x001/000",
                            "0/x001/x234/067",
                            "2/000.p/1",
                            "entries/003.p/1",
                            "0/0",
                            "0/00",
                            "0/0000",
                            "00/000",
                            "0/x000/000",
                            "0/000.p/0",
                            "0/000.p/256",
                            "0/000.p/01",
                            "0/000.p/",
                            "0/000.p",
                            "0/000/",
                            "0/000/1",
                            "0",
                            "entries",
                            "x/000",
                            "-1/000",
                            "64/000",
                            "999/000",
                            "0/x1/000",
                            "0/x001",
                            "0/999999999999999999999999"}) {
    INFO(wrong);
    CHECK(site.ask("/log/tile/" + std::string(wrong)).status == 404);
  }
}

TEST_CASE("log: the tree head, and a proof as text and as JSON") {
  Site site;
  CHECK(site.ask("/log/checkpoint").body.starts_with("main/0\n600\n"));
  CHECK(site.ask("/log/proof/3").body.starts_with("c2sp.org/tlog-proof@v1\n"));
  CHECK(site.ask("/log/proof/600").status == 404);
  const auto proof = json(site.ask("/v1/events/3/proof"));
  CHECK(text(proof, "seq") == "3");
  CHECK(text(proof, "extra") == "AAAA");
  REQUIRE(proof["hashes"].Size() == 2);
  CHECK(std::string(proof["hashes"][1].GetString()) == "CCCC");
  CHECK(text(proof, "checkpoint").starts_with("main/0\n600\n"));
  CHECK(problem_of(site.ask("/v1/events/4/proof")) == "/problems/no-such-record");
}
