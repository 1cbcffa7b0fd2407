// What holds for every route: parameters, methods, tokens, hosts, headers, the documents made of
// them.
#include "server/route.h"
#include "server/target.h"

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

/// The route's path with the examples of its path parameters.
std::string example_target(const Route& route) {
  std::string target;
  std::size_t next = 0;
  for (const auto part : pattern_segments(route.pattern)) {
    target += '/';
    target += part.starts_with('{') ? percent_encode(route.path_parameters.at(next++).example)
                                    : std::string(part);
  }
  CHECK(next == route.path_parameters.size());
  return target;
}

Request request_to(const Route& route, const std::string& target) {
  Request request = get(target);
  request.method = std::string(route.method);
  return request;
}

}  // namespace

TEST_CASE("routes: every one answers, lists its parameters truly and refuses others") {
  Site site;
  for (const Route& route : routes()) {
    const std::string target = example_target(route);
    INFO(route.method << " " << target);
    const auto ask = [&](const std::string& query) {
      return site.ask(request_to(route, target + query)).status;
    };
    const bool by_code = route.operation == "loginByCode";  // the example code is not valid
    const bool with_body = route.operation == "postMcp";    // this request has none
    const auto answers = [&](unsigned status) {
      return status == 200 || status == 404 || (by_code && status == 401) ||
             (with_body && status == 415);
    };
    CHECK(answers(ask("")));
    CHECK(problem_of(site.ask(request_to(route, target + "?nonsense=1"))) ==
          "/problems/unknown-parameter");
    for (const auto name : route.parameters) {
      const Parameter& parameter = query_parameter(name);
      if (parameter.example.empty()) continue;
      const std::string value(name == "format" ? format_kind(route.formats.front()).name
                                               : parameter.example);
      const std::string query = fmt::format("?{}={}", name, percent_encode(value));
      INFO(query);
      CHECK(answers(ask(query)));
      CHECK(ask(query + "&" + query.substr(1)) == 400);
      CHECK(ask(fmt::format("?{}=", name)) == 400);
    }
  }
}

TEST_CASE("routes: every format of every route is what it says") {
  Site site;
  for (const Route& route : routes()) {
    for (const Format format : route.formats) {
      const FormatKind& kind = format_kind(format);
      const std::string type(kind.media_type.substr(0, kind.media_type.find(';')));
      Request request = request_to(route, example_target(route));
      request.headers.push_back({"Accept", type});
      INFO(request.target << " " << type);
      const Response response = site.ask(request);
      if (response.status == 200) CHECK(response.content_type == kind.media_type);
    }
  }
}

TEST_CASE("routes: no wrong value of a parameter passes") {
  Site site;
  for (const char* query :
       {"limit=-1",        "limit=1001",        "limit=x",         "limit=1e2",
        "since=yesterday", "until=2026-02-30",  "object=product",  "object=/7",
        "object=product/", "object=product/~!", "severity=urgent", "not=sale.completed",
        "not=typ:x",       "not=type:",         "not=type:%25zz",  "not=type:%25FF",
        "order=up",        "after=x",           "before=-1",       "integers=maybe",
        "format=xml",      "format=md",         "cursor=x",        "cursor=AQ"}) {
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
    Request request = request_to(route, example_target(route));
    INFO(route.method << " " << request.target);
    request.headers.pop_back();
    const Response response = site.ask(request);
    if (route.scope == ScopeNone) {
      CHECK((response.status == 200 || route.operation == "loginByCode"));
      continue;
    }
    CHECK(response.status == 401);
    CHECK(response.header("WWW-Authenticate").starts_with("Bearer"));
    CHECK(response.body.find("transfer") == std::string::npos);
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
    if (secret == "mcp") return Principal{"agent", ScopeMcp};
    if (secret == "read") return Principal{"auditor", ScopeRead};
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
    const auto& operation =
        document["paths"][pattern.c_str()][route.method == "GET" ? "get" : "post"];
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
