// The small parts: targets, keys, cursors, times, negotiation, tokens.
#include "server/cursor.h"
#include "server/json_text.h"
#include "server/negotiate.h"
#include "server/target.h"
#include "server/time_text.h"
#include "server/token.h"

#include <cstdio>
#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace rowtrail::server;

namespace {

template <class T>
bool ok(const Outcome<T>& outcome) {
  return outcome.has_value();
}

}  // namespace

TEST_CASE("target: path segments and query values are decoded once") {
  const auto target = parse_target("/v1/objects/order/a%2Fb%2525?q=x+y%26z&type=a");
  REQUIRE(ok(target));
  CHECK(target->segments == std::vector<std::string>{"v1", "objects", "order", "a/b%25"});
  CHECK(target->query ==
        std::vector<std::pair<std::string, std::string>>{{"q", "x y&z"}, {"type", "a"}});
}

TEST_CASE("target: dot segments and doubled slashes stay what they are") {
  const auto target = parse_target("/v1/../etc//passwd");
  REQUIRE(ok(target));
  CHECK(target->segments == std::vector<std::string>{"v1", "..", "etc", "", "passwd"});
}

TEST_CASE("target: what is not a target is a problem, never a guess") {
  const std::string bad[] = {"",         "v1/events",   "/%",        "/%zz", "/%f",
                             "/a b",     "/%00",        "/%0d%0a",   "/%ff", "/%c0%af",
                             "/a?q=%80", "/a\x7f",      "ftp://x/",  "//\\", "/a?q=<",
                             "/\"",      "http://[::1", "/%ed%a0%80"};
  for (const std::string& text : bad) {
    INFO(text);
    CHECK_FALSE(ok(parse_target(text)));
  }
  CHECK_FALSE(ok(parse_target(std::string(41, '/'))));
}

TEST_CASE("target: absolute form gives its authority") {
  const auto target = parse_target("http://evil.example:80/livez");
  REQUIRE(ok(target));
  CHECK(target->authority == "evil.example:80");
  CHECK(target->segments == std::vector<std::string>{"livez"});
}

TEST_CASE("key: an id survives its way into a URL and back") {
  for (const std::string id : {"7", "a/b", "~x", "~", ".", "..", "ä b", "100%", "[1,\"a\"]"}) {
    INFO(id);
    const auto target = parse_target(fmt::format("/{}", encode_key(id)));
    REQUIRE(ok(target));
    REQUIRE(target->segments.size() == 1);
    const auto decoded = decode_key(target->segments[0]);
    REQUIRE(ok(decoded));
    CHECK(*decoded == id);
  }
}

TEST_CASE("key: a composite key is the text of its JSON array") {
  const std::string json = "[1,\"a\"]";
  const auto key = decode_key(fmt::format("~{}", base64url_encode(json)));
  REQUIRE(ok(key));
  CHECK(*key == json);
  CHECK(*decode_key("~WzE4NDQ2NzQ0MDczNzA5NTUxNjE1XQ") == "18446744073709551615");
}

TEST_CASE("key: what follows ~ must be base64url of a JSON array") {
  for (const std::string text : {"~", "~!", "~e30", "~W10", "~W1", "~WzFd=", "~WzFe"}) {
    INFO(text);
    CHECK_FALSE(ok(decode_key(text)));
  }
}

TEST_CASE("base64url: every length comes back, other spellings do not") {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    const auto decoded = base64url_decode(base64url_encode(bytes));
    REQUIRE(ok(decoded));
    CHECK(*decoded == bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
  for (const std::string text : {"A", "AB", "AA==", "A A", "AA\n", "A+", "====", "AAAAA"}) {
    INFO(text);
    CHECK_FALSE(ok(base64url_decode(text)));
  }
}

TEST_CASE("cursor: it opens with its own list and filters only") {
  Cursor cursor;
  cursor.seq = 1042;
  cursor.ascending = true;
  cursor.since_us = -5;
  const std::string text = seal_cursor(cursor, "/v1/events\ntype=a");
  const auto opened = open_cursor(text, "/v1/events\ntype=a");
  REQUIRE(ok(opened));
  CHECK(opened->seq == 1042);
  CHECK(opened->ascending);
  CHECK(opened->since_us == -5);
  CHECK_FALSE(opened->until_us);
  CHECK_FALSE(ok(open_cursor(text, "/v1/events\ntype=b")));
}

TEST_CASE("cursor: no damaged text opens") {
  const std::string text = seal_cursor({}, "b");
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(ok(open_cursor(damaged, "b")));
    CHECK_FALSE(ok(open_cursor(text.substr(0, i), "b")));
  }
  CHECK_FALSE(ok(open_cursor(std::string(1000, 'A'), "b")));
}

TEST_CASE("time: RFC 3339, dates and spans") {
  const std::int64_t now = 1'000'000'000'000'000;
  const std::pair<std::string, std::int64_t> good[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-02", 86'400'000'000},
      {"1970-01-01T00:00:01.5Z", 1'500'000},
      {"1970-01-01T00:00:00.123456789Z", 123'456},
      {"1970-01-01T02:00:00+02:00", 0},
      {"1970-01-01T02:00:00 02:00", 0},
      {"1969-12-31T23:00:00-01:00", 0},
      {"2024-02-29t12:00:00z", 1'709'208'000'000'000},
      {"now", now},
      {"90s", now - 90'000'000},
      {"24h", now - 86'400'000'000},
      {"2w", now - 14 * 86'400'000'000}};
  for (const auto& [text, value] : good) {
    INFO(text);
    const auto time = parse_time(text, now);
    REQUIRE(ok(time));
    CHECK(*time == value);
  }
  for (const std::string text :
       {"", "h", "24", "-1h", "24x", "2026-13-01", "2026-02-30", "2026-11-24T25:00:00Z",
        "yesterday", "2026-11-24T10:00", "2026-11-24T10:00:00", "2026-11-24T10:00:00.Z",
        "2026-11-24T10:00:00Zx", "99999999999h", "1e3h", "2026-11-24T10:00:00+25:00"}) {
    INFO(text);
    CHECK_FALSE(ok(parse_time(text, now)));
  }
  CHECK(format_time(-1) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("negotiate: the best offer wins") {
  const Format offered[] = {Format::Json, Format::Ndjson};
  const std::pair<std::string, Format> cases[] = {
      {"", Format::Json},
      {"*/*", Format::Json},
      {"application/x-ndjson", Format::Ndjson},
      {"application/*", Format::Json},
      {"application/json;q=0.5, application/x-ndjson", Format::Ndjson},
      {"text/html, */*;q=0.1", Format::Json},
      {"application/json;q=0, */*", Format::Ndjson},
      {"APPLICATION/X-NDJSON", Format::Ndjson},
      {"application/x-ndjson ; charset=utf-8 ; q=0.9", Format::Ndjson}};
  for (const auto& [accept, format] : cases) {
    INFO(accept);
    const auto chosen = negotiate(accept, offered);
    REQUIRE(ok(chosen));
    CHECK(*chosen == format);
  }
  CHECK_FALSE(ok(negotiate("text/html", offered)));
  CHECK_FALSE(ok(negotiate("*/*;q=0", offered)));
  CHECK_FALSE(ok(negotiate(",;,=", offered)));
}

TEST_CASE("json: only integers that JavaScript rounds become strings") {
  const std::string same[] = {"{}", "[9007199254740991,-9007199254740991]",
                              R"({"a":"18446744073709551615 \" 9999999999999999999"})",
                              "[1.8446744073709551615,1e300]"};
  for (std::string text : same) {
    const std::string before = text;
    quote_large_integers(text, 0);
    CHECK(text == before);
  }
  std::string text = R"(123 {"a":18446744073709551615,"b":[-9007199254740992,1],"c":"\\"})";
  quote_large_integers(text, 4);
  CHECK(text == R"(123 {"a":"18446744073709551615","b":["-9007199254740992",1],"c":"\\"})");
}

TEST_CASE("token: a made token is well formed, a mistyped one is not") {
  const std::string token = make_token();
  CHECK(token != make_token());
  CHECK(is_well_formed_token(token));
  for (std::size_t i = 0; i < token.size(); ++i) {
    CHECK_FALSE(is_well_formed_token(token.substr(0, i)));
  }
  CHECK_FALSE(is_well_formed_token("rt_"));
}

TEST_CASE("token: its file is made once, for its owner alone") {
  char folder[] = "/tmp/rowtrail-token-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::string path = std::string(folder) + "/token";
  const std::string secret = token_from_file(path);
  CHECK(is_well_formed_token(secret));
  CHECK(token_from_file(path) == secret);
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK_THROWS_AS(token_from_file(path), rowtrail::core::Failure);
  ::unlink(path.c_str());
  ::rmdir(folder);
  CHECK_THROWS_AS(token_from_file(path), rowtrail::core::Failure);
}
