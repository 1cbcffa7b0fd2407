// Lists, single records and timelines as functions: Request → Response over a log in memory.
#include "server/target.h"

#include <algorithm>

#include "fixture.h"
#include <catch2/catch.hpp>

using namespace rowtrail;
using namespace rowtrail::server;
using namespace rowtrail::server::testing;

namespace {

std::string next_of(const Response& response) {
  const auto document = json(response);
  REQUIRE(document.HasMember("next"));
  return document["next"].IsNull() ? "" : document["next"].GetString();
}

/// The target that the Link header leads to.
std::string link_of(const Response& response) {
  const std::string link(response.header("Link"));
  const std::string suffix = ">; rel=\"next\"";
  if (link.empty()) return {};
  REQUIRE(link.front() == '<');
  REQUIRE(link.ends_with(suffix));
  return link.substr(1, link.size() - 1 - suffix.size());
}

/// Follows Link to the end.
std::vector<std::uint64_t> walk(Site& site, std::string target, const char* member) {
  std::vector<std::uint64_t> all;
  for (int pages = 0; !target.empty(); ++pages) {
    REQUIRE(pages < 1000);
    const Response response = site.ask(target);
    INFO(target << "\n" << response.body);
    REQUIRE(response.status == 200);
    const auto page = seqs(response, member);
    all.insert(all.end(), page.begin(), page.end());
    target = link_of(response);
  }
  return all;
}

}  // namespace

TEST_CASE("events: the newest page comes first and Link leads through all of them") {
  Site site;
  const auto all = walk(site, "/v1/events?limit=7", "events");
  REQUIRE(all.size() == 250);
  CHECK(all.front() == 999);
  CHECK(all.back() == 3);
  CHECK(std::is_sorted(all.rbegin(), all.rend()));
}

TEST_CASE("events: oldest first on demand, between two seqs") {
  Site site;
  CHECK(walk(site, "/v1/events?order=asc&after=3&before=20&limit=2", "events") ==
        std::vector<std::uint64_t>{7, 11, 15, 19});
}

TEST_CASE("events: a page that ends with the list has no next") {
  Site site(test_options(), 10);
  CHECK(next_of(site.ask("/v1/events?limit=10")).empty());
  CHECK_FALSE(next_of(site.ask("/v1/events?limit=9")).empty());
  Site empty(test_options(), 0);
  CHECK(empty.ask("/v1/events").body == "{\"events\":[],\"next\":null}\n");
}

TEST_CASE("events: filters narrow and stay with the cursor") {
  Site site;
  const auto all = walk(site, "/v1/events?actor=anna&object=product/0&limit=5", "events");
  CHECK(all.size() == 42);
  for (const auto seq : all) CHECK((seq / 4) % 6 == 0);
  const std::string next = next_of(site.ask("/v1/events?actor=anna&limit=5"));
  CHECK(problem_of(site.ask("/v1/events?actor=ben&limit=5&cursor=" + next)) ==
        "/problems/invalid-cursor");
  CHECK(problem_of(site.ask("/v1/changes?cursor=" + next)) == "/problems/invalid-cursor");
}

TEST_CASE("events: a relative time means on every page what it meant on the first") {
  std::int64_t now = kNow;
  Options options = test_options();
  options.now_us = [&now] { return now; };
  Site site(std::move(options));
  std::vector<std::uint64_t> all;
  std::string target = "/v1/events?since=100s&limit=30";
  while (!target.empty()) {
    const Response response = site.ask(target);
    const auto page = seqs(response, "events");
    all.insert(all.end(), page.begin(), page.end());
    target = link_of(response);
    now += 20'000'000;
  }
  CHECK(all.size() == 100);
}

TEST_CASE("events: ndjson holds a line per event and the cursor in Link") {
  Site site;
  const Response response = site.ask("/v1/events?limit=3", {{"Accept", "application/x-ndjson"}});
  CHECK(response.content_type == "application/x-ndjson");
  CHECK(std::count(response.body.begin(), response.body.end(), '\n') == 3);
  CHECK_FALSE(link_of(response).empty());
  CHECK(site.ask("/v1/events?limit=3&format=ndjson").body == response.body);
}

TEST_CASE("events: limit=0 streams the whole list piece by piece, oldest first") {
  Site site(test_options(), 3000);
  const Response response = site.ask("/v1/events?limit=0&format=ndjson");
  REQUIRE(response.stream);
  std::string body, piece;
  int pieces = 0;
  for (Pull pull = Pull::More; pull == Pull::More; ++pieces) {
    piece.clear();
    pull = response.stream(site.reader, piece);
    CHECK(piece.size() < 256 * 1024);
    body += piece;
  }
  CHECK(pieces > 3);
  CHECK(std::count(body.begin(), body.end(), '\n') == 3000);
  CHECK(body.starts_with("{\"seq\":3,"));
  CHECK(problem_of(site.ask("/v1/events?limit=0")) == "/problems/invalid-parameter");
}

TEST_CASE("events: one event, its evidence and its ETag") {
  Site site;
  const Response event = site.ask("/v1/events/43");
  REQUIRE(event.status == 200);
  CHECK(text(json(event), "seq") == "43");
  CHECK(text(json(event), "transaction") == "gtid:10");
  const std::string etag(event.header("ETag"));
  REQUIRE_FALSE(etag.empty());
  const Response again = site.ask("/v1/events/43", {{"If-None-Match", "\"x\", " + etag}});
  CHECK(again.status == 304);
  CHECK(again.body.empty());

  CHECK(walk(site, "/v1/events/43/evidence?limit=1", "changes") ==
        std::vector<std::uint64_t>{41, 42});
  const Response evidence = site.ask("/v1/events/43/evidence");
  CHECK(text(json(evidence)["changes"][0]["actor"], "id") == "anna");
}

TEST_CASE("events: a seq that is no event is a 404, one that is no number a 400") {
  Site site;
  CHECK(problem_of(site.ask("/v1/events/44")) == "/problems/no-such-record");
  CHECK(problem_of(site.ask("/v1/events/44/evidence")) == "/problems/no-such-record");
  CHECK(problem_of(site.ask("/v1/events/9223372036854775807")) == "/problems/no-such-record");
  for (const char* seq : {"-1", "x", "1.0", "99999999999999999999", "0x10", "%201"}) {
    CHECK(problem_of(site.ask("/v1/events/" + std::string(seq))) == "/problems/invalid-parameter");
  }
}

TEST_CASE("events: large integers become strings on demand") {
  Site site;
  const std::string exact = "\"big\":18446744073709551615";
  const std::string quoted = "\"big\":\"18446744073709551615\"";
  for (const std::string target :
       {"/v1/events?limit=2", "/v1/events/43", "/v1/transactions/pharmacy/gtid:1"}) {
    const std::string more = target.find('?') == std::string::npos ? "?" : "&";
    CHECK(site.ask(target).body.find(exact) != std::string::npos);
    const Response response = site.ask(target + more + "integers=string");
    CHECK(response.body.find(exact) == std::string::npos);
    CHECK(response.body.find(quoted) != std::string::npos);
  }
}

TEST_CASE("changes: joined with their transaction, in pages") {
  Site site(test_options(), 20);
  const auto all = walk(site, "/v1/changes?limit=7", "changes");
  REQUIRE(all.size() == 40);
  CHECK(all.front() == 78);
  CHECK(all.back() == 1);
  const auto page = json(site.ask("/v1/changes?limit=1"));
  const auto& change = page["changes"][0];
  for (const char* member : {"source", "transaction", "committed_at", "database", "table", "op"}) {
    CHECK_FALSE(text(change, member).empty());
  }
}

TEST_CASE("objects: the timeline of one object, under any spelling of its id") {
  Site site;
  CHECK(walk(site, "/v1/objects/product/1?limit=20", "events").size() == 83);
  const auto timeline = json(site.ask("/v1/objects/product/~" + base64url_encode("[\"1\"]")));
  CHECK(text(timeline["object"], "type") == "product");
  CHECK(text(timeline["object"], "id") == "1");
  CHECK(walk(site, "/v1/objects/product/1?since=1s&limit=20", "events").size() <= 1);
  CHECK(problem_of(site.ask("/v1/objects/product/99")) == "/problems/no-such-record");
  CHECK(problem_of(site.ask("/v1/objects/product/~x")) == "/problems/invalid-parameter");
  CHECK(problem_of(site.ask("/v1/objects/product/")) == "/problems/no-such-route");
}

TEST_CASE("transactions: the transaction, its events and its changes") {
  Site site;
  const Response response = site.ask("/v1/transactions/pharmacy/gtid%3A7");
  REQUIRE(response.status == 200);
  const auto document = json(response);
  CHECK(text(document["transaction"], "seq") == "28");
  CHECK(text(document["transaction"], "transaction") == "gtid:7");
  CHECK(document["events"].Size() == 1);
  CHECK(seqs(response, "changes") == std::vector<std::uint64_t>{29, 30});
  CHECK(walk(site, "/v1/transactions/pharmacy/gtid:7?limit=1", "changes") ==
        std::vector<std::uint64_t>{29, 30});
  CHECK(problem_of(site.ask("/v1/transactions/pharmacy/gtid:9999")) == "/problems/no-such-record");
  CHECK(problem_of(site.ask("/v1/transactions/other/gtid:7")) == "/problems/no-such-record");
}

TEST_CASE("stats: facets and histogram add up to the filtered set") {
  Site site;
  const auto all = json(site.ask("/v1/stats"));
  CHECK(text(all, "events") == "250");
  CHECK(text(all["types"]["values"][0], "count") == "250");
  CHECK(text(all["actors"], "distinct") == "2");
  CHECK(text(all["object_types"]["values"][0], "value") == "product");
  const auto some = json(site.ask("/v1/stats?actor=ben&since=100s"));
  CHECK(text(some, "events") == "50");
  CHECK(text(some["actors"]["values"][0], "value") == "ben");
  CHECK(text(some["histogram"], "bucket_s") == "1");
  std::uint64_t sum = 0;
  for (const auto& bucket : some["histogram"]["buckets"].GetArray()) {
    sum += std::stoull(bucket["info"].GetString());
  }
  CHECK(sum == 50);
  Site empty(test_options(), 0);
  CHECK(text(json(empty.ask("/v1/stats")), "events") == "0");
}

TEST_CASE("gaps: pages, filters and the columns of CSV") {
  Site site;
  const auto all = walk(site, "/v1/gaps?limit=10", "gaps");
  REQUIRE(all.size() == 25);
  CHECK(all.front() == 960);
  CHECK(all.back() == 0);
  const auto page = json(site.ask("/v1/gaps?limit=1"));
  CHECK(text(page["gaps"][0], "kind") == "partial_image");
  CHECK(text(page["gaps"][0]["position"], "file") == "binlog.000003");
  CHECK(json(site.ask("/v1/gaps?table=sale"))["gaps"].Empty());
  CHECK(problem_of(site.ask("/v1/gaps?actor=anna")) == "/problems/unknown-parameter");
  const auto csv = site.ask("/v1/gaps?limit=1&format=csv");
  CHECK(csv.body ==
        "seq,kind,committed_at,source,transaction,file,pos,database,table,reason,advice,sql\r\n"
        "960,partial_image,2026-11-25T09:00:00Z,pharmacy,gtid:0,binlog.000003,1000,pharmacy,stock,"
        "columns are missing,log all,\r\n");
}

TEST_CASE("status: the log's size and health") {
  Site site;
  const auto status = json(site.ask("/v1/status"));
  CHECK(text(status, "size") == "1000");
  CHECK(text(status, "origin") == "test/0");
  CHECK(text(status["gaps_by_kind"], "partial_image") == "25");
}

TEST_CASE("anomalies: pages, the seqs of the evidence, one of them, and the columns of CSV") {
  Site site;
  const auto all = walk(site, "/v1/anomalies?limit=10", "anomalies");
  CHECK_FALSE(all.empty());
  const auto page = json(site.ask("/v1/anomalies?limit=1"));
  CHECK(text(page["anomalies"][0], "detector") == "actor-rate");
  CHECK(page["anomalies"][0]["evidence"].Size() == 2);
  CHECK(json(site.ask("/v1/anomalies?type=silence"))["anomalies"].Empty());
  CHECK(problem_of(site.ask("/v1/anomalies?table=sale")) == "/problems/unknown-parameter");
  CHECK(text(json(site.ask("/v1/anomalies/40")), "seq") == "40");
  const auto explained = json(site.ask("/v1/anomalies/40"));
  CHECK(text(explained, "catches") == "more events of one type by one person in a day");
  CHECK(explained["acknowledgements"].Size() == 1);
  CHECK(json(site.ask("/v1/anomalies/80"))["acknowledgements"].Empty());
  CHECK(site.ask("/v1/anomalies/41").status == 404);
  const auto csv = site.ask("/v1/anomalies?limit=1&format=csv");
  CHECK(csv.body.starts_with("seq,time,source,detector,severity,summary,actor,surprise"));
}
