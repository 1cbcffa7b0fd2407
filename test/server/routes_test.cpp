// Routes as functions: Request → Response over a log in memory.
#include "server/route.h"
#include "server/target.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "fixture.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace rowtrail;
using namespace rowtrail::server;
using namespace rowtrail::server::testing;

namespace {

struct Site {
  explicit Site(Options options = test_options(), std::uint64_t count = 250)
      : app(std::move(options)), reader(count) {}
  Response ask(Request request) { return app.respond(std::move(request), &reader); }
  Response ask(const std::string& target, std::vector<Header> headers = {}) {
    return ask(get(target, std::move(headers)));
  }
  App app;
  MemoryReader reader;
};

std::string problem_of(const Response& response) {
  CHECK(response.content_type == "application/problem+json");
  const auto document = json(response);
  CHECK(text(document, "status") == std::to_string(response.status));
  CHECK_FALSE(text(document, "title").empty());
  return text(document, "type");
}

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

TEST_CASE("routes: every one answers, lists its parameters truly and refuses others") {
  Site site;
  for (const Route& route : routes()) {
    std::string target;
    std::size_t next = 0;
    for (const auto part : pattern_segments(route.pattern)) {
      target += '/';
      target += part.starts_with('{') ? percent_encode(route.path_parameters.at(next++).example)
                                      : std::string(part);
    }
    INFO(target);
    CHECK(next == route.path_parameters.size());
    const unsigned status = site.ask(target).status;
    CHECK((status == 200 || status == 404));
    CHECK(problem_of(site.ask(target + "?nonsense=1")) == "/problems/unknown-parameter");
    for (const auto name : route.parameters) {
      const Parameter& parameter = query_parameter(name);
      if (parameter.example.empty()) continue;
      const std::string value = name == "format" ? "json" : std::string(parameter.example);
      const std::string query = fmt::format("?{}={}", name, percent_encode(value));
      INFO(query);
      const unsigned with = site.ask(target + query).status;
      CHECK((with == 200 || with == 404));
      CHECK(site.ask(target + query + "&" + query.substr(1)).status == 400);
      CHECK(site.ask(fmt::format("{}?{}=", target, name)).status == 400);
    }
  }
}

TEST_CASE("routes: no wrong value of a parameter passes") {
  Site site;
  for (const char* query :
       {"limit=-1", "limit=1001", "limit=x", "limit=1e2", "since=yesterday", "until=2026-02-30",
        "object=product", "object=/7", "object=product/", "object=product/~!", "severity=urgent",
        "order=up", "after=x", "before=-1", "integers=maybe", "format=xml", "format=md", "cursor=x",
        "cursor=AQ"}) {
    INFO(query);
    const Response response = site.ask("/v1/events?" + std::string(query));
    CHECK(response.status == 400);
    const auto document = json(response);
    CHECK_FALSE(text(document, "hint").empty());
    CHECK(text(document, "parameter") ==
          std::string(query).substr(0, std::string(query).find('=')));
  }
  CHECK(site.ask("/v1/changes?pk=7").status == 400);
  CHECK(site.ask("/v1/changes?pk=%7B%22id%22%3A7%7D").status == 200);
}

TEST_CASE("routes: a misspelt parameter or path gets a suggestion") {
  Site site;
  CHECK(text(json(site.ask("/v1/events?acter=anna")), "hint") == "Did you mean `actor`?");
  CHECK(text(json(site.ask("/v1/event")), "hint") == "Did you mean /v1/events?");
}

TEST_CASE("methods: HEAD as GET, OPTIONS tells, others are 405 with Allow") {
  Site site;
  Request request = get("/v1/events");
  request.method = "HEAD";
  CHECK(site.ask(request).status == 200);
  request.method = "OPTIONS";
  const Response options = site.ask(request);
  CHECK(options.status == 204);
  CHECK(options.header("Allow") == "GET, HEAD, OPTIONS");
  CHECK(options.header("Access-Control-Allow-Origin").empty());
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "TRACE", "get", "PROPFIND", "X"}) {
    request.method = method;
    const Response response = site.ask(request);
    CHECK(problem_of(response) == "/problems/method-not-allowed");
    CHECK(response.header("Allow") == "GET, HEAD, OPTIONS");
  }
}

TEST_CASE("auth: data needs the token, health does not") {
  Site site;
  for (const Route& route : routes()) {
    INFO(route.pattern);
    Request request =
        get(std::string(route.pattern) == "/problems/{name}" ? "/problems/internal"
                                                             : std::string(route.pattern));
    if (route.pattern.find('{') != std::string_view::npos && route.scope == kScopeRead) {
      request.target = "/v1/events/1";
    }
    request.headers.pop_back();
    const Response response = site.ask(request);
    CHECK(response.status == (route.scope == kScopeNone ? 200U : 401U));
    if (route.scope == kScopeRead) {
      CHECK(response.header("WWW-Authenticate").starts_with("Bearer"));
      CHECK(response.body.find("transfer") == std::string::npos);
    }
  }
}

TEST_CASE("auth: nothing but the exact token opens") {
  Site site;
  for (const char* value : {"", "Bearer", "Bearer ", "Bearer x", "Bearer rt_tes", "Bearer rt_testx",
                            "Bearer  rt_test", "Basic rt_test", "rt_test", "Bearer RT_TEST"}) {
    Request request = get("/v1/events");
    request.headers.back().value = value;
    INFO(value);
    CHECK(site.ask(request).status == 401);
  }
  Request request = get("/v1/events");
  request.headers.back().value = "bearer rt_test";
  CHECK(site.ask(request).status == 200);
  request.headers.push_back({"Authorization", "Bearer rt_test"});
  CHECK(site.ask(request).status == 401);
}

TEST_CASE("auth: a checked token needs the scope; --no-auth opens reads") {
  Options options = test_options();
  options.token_check = [](std::string_view secret) -> std::optional<Principal> {
    if (secret == "mcp") return Principal{"agent", kScopeMcp};
    if (secret == "read") return Principal{"auditor", kScopeRead};
    return std::nullopt;
  };
  Site site(options);
  Request request = get("/v1/events");
  request.headers.back().value = "Bearer read";
  CHECK(site.ask(request).status == 200);
  request.headers.back().value = "Bearer mcp";
  CHECK(problem_of(site.ask(request)) == "/problems/forbidden");
  options.no_auth = true;
  Site open(options);
  request.headers.pop_back();
  CHECK(open.ask(request).status == 200);
}

TEST_CASE("host: a loopback server answers to its own names only") {
  Options options = test_options();
  options.hosts = {"audit.internal"};
  Site site(options);
  for (const char* host :
       {"localhost", "LOCALHOST:8765", "127.0.0.1", "[::1]:1", "audit.internal:80"}) {
    Request request = get("/livez");
    request.headers.front().value = host;
    CHECK(site.ask(request).status == 200);
  }
  for (const char* host :
       {"", "evil.example", "127.0.0.1.evil.example", "localhost.evil", "[::2]", ":80"}) {
    Request request = get("/livez");
    request.headers.front().value = host;
    INFO(host);
    CHECK(problem_of(site.ask(request)) == "/problems/wrong-host");
  }
  CHECK(site.ask("http://evil.example/livez").status == 421);
  CHECK(site.ask("/livez", {{"Host", "localhost"}}).status == 400);
}

TEST_CASE("health: ready only when everything is") {
  Options options = test_options();
  Health health;
  options.health = [&health] { return health; };
  Site site(options);
  CHECK(site.ask("/readyz").status == 200);
  health.lag_s = 301;
  CHECK(site.ask("/readyz").status == 503);
  health = {};
  health.store_writable = false;
  CHECK(site.ask("/readyz").status == 503);
  health = {};
  health.source_connected = false;
  health.detail = "Access denied";
  const Response response = site.ask("/readyz");
  CHECK(response.status == 503);
  CHECK(text(json(response), "detail") == "Access denied");
  CHECK(site.ask("/livez").status == 200);
}

TEST_CASE("answers: every one carries the security headers and a request id") {
  Site site;
  std::set<std::string> ids;
  for (const std::string target : {"/v1/events", "/nowhere", "/v1/events?x=1", "/livez", "/%"}) {
    const Response response = site.ask(target);
    CHECK(response.header("X-Content-Type-Options") == "nosniff");
    CHECK(response.header("Cache-Control") == "no-store");
    CHECK_FALSE(response.header("Content-Security-Policy").empty());
    ids.insert(std::string(response.header("X-Request-Id")));
  }
  CHECK(ids.size() == 5);
  CHECK(site.ask("/livez", {{"X-Request-Id", "abc-1"}}).header("X-Request-Id") == "abc-1");
  CHECK(site.ask("/livez", {{"X-Request-Id", "a\"b"}}).header("X-Request-Id") != "a\"b");
}

TEST_CASE("openapi: the document holds every route, parameter and schema it refers to") {
  Site site;
  const auto document = json(site.ask("/openapi.json"));
  CHECK(text(document, "openapi") == "3.1.0");
  std::set<std::string> operations;
  for (const Route& route : routes()) {
    const std::string pattern(route.pattern);
    REQUIRE(document["paths"].HasMember(pattern.c_str()));
    const auto& operation = document["paths"][pattern.c_str()]["get"];
    operations.insert(text(operation, "operationId"));
    const std::size_t count = route.parameters.size() + route.path_parameters.size();
    CHECK((operation.HasMember("parameters") ? operation["parameters"].Size() : 0) == count);
  }
  CHECK(operations.size() == routes().size());
  const std::string body = openapi_json();
  const std::string prefix = "#/components/schemas/";
  for (std::size_t at = body.find(prefix); at != std::string::npos;
       at = body.find(prefix, at + 1)) {
    const std::size_t start = at + prefix.size();
    const std::string name = body.substr(start, body.find('"', start) - start);
    INFO(name);
    CHECK(document["components"]["schemas"].HasMember(name.c_str()));
  }
}

TEST_CASE("problems: every type has its page") {
  Site site;
  for (const ProblemKind& kind : problem_kinds()) {
    const Response response = site.ask("/problems/" + std::string(kind.name));
    CHECK(response.status == 200);
    CHECK(text(json(response), "title") == kind.title);
  }
  CHECK(site.ask("/problems/nothing").status == 404);
}

TEST_CASE("docs: the reference in docs/api.md is what the table of routes says") {
  const std::string path = std::string(ROWTRAIL_SOURCE) + "/docs/api.md";
  const auto read = [&path] {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string before = read();
  const std::size_t mark = before.find("<!-- From here on generated");
  REQUIRE(mark != std::string::npos);
  const std::size_t start = before.find('\n', mark) + 1;
  const std::string wanted = before.substr(0, start) + "\n" + api_markdown();
  if (std::getenv("ROWTRAIL_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << wanted;
    return;
  }
  CHECK(before == wanted);
}
