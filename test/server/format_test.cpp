// Representations: fewer fields, CSV, CloudEvents, gzip; and sessions, metrics.
#include "server/encoding.h"
#include "server/json_text.h"
#include "server/metrics.h"
#include "server/row_text.h"
#include "server/token.h"

#include <algorithm>

#include "fixture.h"
#include <catch2/catch.hpp>
#include <libdeflate.h>

using namespace rowtrail;
using namespace rowtrail::server;
using namespace rowtrail::server::testing;

namespace {

Call call_for(Format format, const std::string& fields = "") {
  Call call;
  call.format = format;
  if (!fields.empty()) call.query.emplace_back("fields", fields);
  return call;
}

std::string convert(const RowText& style, std::string row) {
  style.convert(row, 0);
  return row;
}

std::string gunzip(const std::string& packed) {
  std::string out(1 << 22, '\0');
  std::size_t size = 0;
  auto* decompressor = libdeflate_alloc_decompressor();
  const auto result = libdeflate_gzip_decompress(decompressor, packed.data(), packed.size(),
                                                 out.data(), out.size(), &size);
  libdeflate_free_decompressor(decompressor);
  REQUIRE(result == LIBDEFLATE_SUCCESS);
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("fields: only the members asked for, in the record's order") {
  const std::string row = R"({"seq":1,"a":{"b":[1,"}\"]"]},"c":"x,\"y","d":null})";
  CHECK(convert({call_for(Format::Json, "c,seq"), RowKind::Event, ""}, row) ==
        R"({"seq":1,"c":"x,\"y"})");
  CHECK(convert({call_for(Format::Json, "a"), RowKind::Event, ""}, row) ==
        R"({"a":{"b":[1,"}\"]"]}})");
  CHECK(convert({call_for(Format::Json, "nothing"), RowKind::Event, ""}, row) == "{}");
  Site site;
  CHECK(site.ask("/v1/events?limit=1&fields=seq").body.starts_with("{\"events\":[{\"seq\":999}],"));
  CHECK(site.ask("/v1/events/3?fields=type,seq").body ==
        "{\"seq\":3,\"type\":\"inventory.transfer\"}\n");
}

TEST_CASE("csv: quoted where needed, formulas disarmed, nulls empty") {
  const RowText style(call_for(Format::Csv, "seq,summary,actor,objects,rule"), RowKind::Event, "");
  CHECK(style.begin() == "seq,summary,actor,objects,rule\r\n");
  CHECK(convert(
            style,
            R"({"seq":5,"summary":"a \"b\", c","actor":null,"objects":[{"type":"p","id":"7"}]})") ==
        R"(5,"a ""b"", c",,"[{""type"":""p"",""id"":""7""}]",)");
  CHECK(convert(style, R"-({"seq":-5,"summary":"=HYPERLINK(1)","actor":{"id":"+anna"}})-") ==
        "-5,'=HYPERLINK(1),'+anna,,");
  CHECK(convert(style, R"({"seq":5,"summary":"a\nb\u00e4","actor":{"via":"column"}})") ==
        "5,\"a\nbä\",,,");
  Site site;
  const Response page = site.ask("/v1/events?limit=2&format=csv");
  CHECK(page.content_type == "text/csv");
  CHECK(page.body.starts_with("seq,time,source,type,severity,summary,actor,"));
  CHECK(std::count(page.body.begin(), page.body.end(), '\n') == 3);
  CHECK_FALSE(page.header("Link").empty());
  const Response stream = site.ask("/v1/changes?limit=0&format=csv&fields=seq,op,new");
  std::string body;
  while (stream.stream(site.reader, body) == Pull::More) {
  }
  CHECK(body.starts_with("seq,op,new\r\n1,update,\"{\"\"id\"\":0,"));
}

TEST_CASE("cloudevents: one event and a batch carry the required attributes") {
  Site site;
  const Response one = site.ask("/v1/events/43", {{"Accept", "application/cloudevents+json"}});
  CHECK(one.content_type == "application/cloudevents+json");
  const auto document = json(one);
  CHECK(text(document, "specversion") == "1.0");
  CHECK(text(document, "id") == "43");
  CHECK(text(document, "type") == "inventory.transfer");
  CHECK(text(document, "source") == "//test/0/pharmacy");
  CHECK(text(document, "subject") == "product/1");
  CHECK(text(document, "sequence") == "00000000000000000043");
  CHECK(text(document, "authid") == "anna");
  CHECK(text(document["data"], "seq") == "43");
  const Response batch =
      site.ask("/v1/events?limit=3", {{"Accept", "application/cloudevents-batch+json"}});
  const auto events = json(batch);
  REQUIRE(events.IsArray());
  CHECK(events.Size() == 3);
  CHECK_FALSE(batch.header("Link").empty());
}

TEST_CASE("gzip: what is long and welcome is packed, with an ETag of its own") {
  Site site;
  const Response plain = site.ask("/v1/events");
  const Response packed = site.ask("/v1/events", {{"Accept-Encoding", "br, gzip;q=0.8"}});
  CHECK(packed.header("Content-Encoding") == "gzip");
  CHECK(packed.header("Vary") == "Accept-Encoding");
  CHECK(plain.header("Vary") == "Accept-Encoding");
  CHECK(gunzip(packed.body) == plain.body);
  const Response small = site.ask("/v1/events/3", {{"Accept-Encoding", "gzip"}});
  CHECK(small.header("Content-Encoding").empty());
  const Header accept{"Accept-Encoding", "gzip"};
  const std::string tag(site.ask("/openapi.json", {accept}).header("ETag"));
  CHECK(tag.ends_with("-gzip\""));
  CHECK(tag != site.ask("/openapi.json").header("ETag"));
  CHECK(site.ask("/openapi.json", {accept, {"If-None-Match", tag}}).status == 304);
  CHECK(site.ask("/openapi.json", {{"If-None-Match", tag}}).status == 200);
  for (const char* header : {"", "identity", "gzip;q=0", "gzip; q=0.0", "xgzip", "br"}) {
    CHECK_FALSE(accepts_gzip(header));
  }
}

TEST_CASE("login: a code opens one session, once, for a while") {
  std::int64_t now = kNow;
  Options options = test_options();
  options.now_us = [&now] { return now; };
  Site site(options);
  const std::string path = site.app.login_path();
  Request request = get(path);
  request.headers.pop_back();
  const Response opened = site.ask(request);
  CHECK(opened.status == 303);
  CHECK(opened.header("Location") == "/");
  const std::string cookie(opened.header("Set-Cookie"));
  CHECK(cookie.find("HttpOnly; SameSite=Strict") != std::string::npos);
  CHECK(site.ask(request).status == 401);

  request.target = "/v1/events";
  request.headers.push_back({"Cookie", "a=b; " + cookie.substr(0, cookie.find(';'))});
  CHECK(site.ask(request).status == 200);
  request.headers.push_back({"Sec-Fetch-Site", "cross-site"});
  CHECK(site.ask(request).status == 401);
  request.headers.pop_back();
  now += kSessionSeconds * 1'000'000;
  CHECK(site.ask(request).status == 401);

  request = get(site.app.login_path());
  now += kLoginCodeSeconds * 1'000'000;
  CHECK(site.ask(request).status == 401);
}

TEST_CASE("login: a token opens a session too, and logging out ends it") {
  Site site;
  Request request = get("/login");
  request.method = "POST";
  const Response opened = site.ask(request);
  REQUIRE(opened.status == 200);
  const std::string cookie(opened.header("Set-Cookie"));
  Request with_cookie = get("/v1/events");
  with_cookie.headers.back() = {"Cookie", cookie.substr(0, cookie.find(';'))};
  CHECK(site.ask(with_cookie).status == 200);
  with_cookie.target = "/logout";
  with_cookie.method = "POST";
  CHECK(site.ask(with_cookie).status == 200);
  with_cookie.target = "/v1/events";
  with_cookie.method = "GET";
  CHECK(site.ask(with_cookie).status == 401);
  request.headers.pop_back();
  CHECK(site.ask(request).status == 401);
}

TEST_CASE("metrics: one head per name, histograms that add up, more from outside") {
  Options options = test_options();
  options.metrics = [] {
    return std::vector<Metric>{
        {"rowtrail_events_total", "Events.", Metric::Type::Counter, 7, "source=\"a\""},
        {"rowtrail_events_total", "Events.", Metric::Type::Counter, 8, "source=\"b\""}};
  };
  Site site(options);
  site.app.metrics().count_request(&routes()[0], 200, std::chrono::microseconds(700));
  site.app.metrics().count_request(&routes()[0], 400, std::chrono::seconds(20));
  site.app.metrics().count_request(nullptr, 404, std::chrono::microseconds(1));
  const Response response = site.ask("/metrics");
  CHECK(response.content_type == "text/plain; version=0.0.4");
  const auto has = [&](const std::string& line) {
    INFO(line);
    CHECK(response.body.find(line + "\n") != std::string::npos);
  };
  has("# TYPE rowtrail_events_total counter\nrowtrail_events_total{source=\"a\"} 7\n"
      "rowtrail_events_total{source=\"b\"} 8");
  has("rowtrail_source_connected 1");
  has("rowtrail_http_requests_total{route=\"/v1/events\",status=\"400\"} 1");
  has("rowtrail_http_request_duration_seconds_bucket{route=\"/v1/events\",le=\"0.0005\"} 0");
  has("rowtrail_http_request_duration_seconds_bucket{route=\"/v1/events\",le=\"0.001\"} 1");
  has("rowtrail_http_request_duration_seconds_bucket{route=\"/v1/events\",le=\"+Inf\"} 2");
  has("rowtrail_http_request_duration_seconds_count{route=\"none\"} 1");
}
