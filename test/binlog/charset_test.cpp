// Every character of every character set of both servers, compared with what the server itself
// makes of it; and every collation id.
#include "binlog/charset.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "client_server.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace {

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace): a test
using testing::LiveServer;
using Values = LiveServer::Values;

constexpr std::uint32_t kCodePoints = 0x110000;
constexpr std::uint32_t kBlock = 256;

std::optional<std::string> converted(const Charset& charset, std::string_view text) {
  Arena arena;
  std::string_view out;
  if (!to_utf8(charset, as_bytes(text), arena, out)) return std::nullopt;
  return std::string(out);
}

std::string hex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    fmt::format_to(std::back_inserter(out), "{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string unhex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return out;
}

std::map<std::string, const Charset*> charsets_of(const LiveServer& server) {
  std::map<std::string, const Charset*> out;
  const std::string sql = server.flavor() == Flavor::MySql
                              ? "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS"
                              : "SELECT ID, CHARACTER_SET_NAME FROM "
                                "information_schema.COLLATION_CHARACTER_SET_APPLICABILITY";
  server.rows(sql, [&](const Values& row) {
    const std::string name(row[1].value());
    INFO("collation " << row[0].value() << " of " << name);
    const auto* const charset =
        charset_of(static_cast<std::uint16_t>(std::stoi(std::string(row[0].value()))));
    REQUIRE(charset != nullptr);
    REQUIRE(charset->name == name);
    out[name] = charset;
  });
  return out;
}

/// Asks the server about all sequences of bytes within `ranges` and compares. '?' as a trail byte
/// is left out: the server's answer to what it cannot convert could not be told from it.
class Comparison {
 public:
  Comparison(const LiveServer& server, const Charset& charset)
      : server_(server), charset_(charset) {}

  void run(const std::vector<std::pair<int, int>>& ranges) {
    std::string code;
    std::string from;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      code += fmt::format("{}LPAD(HEX(b{}), 2, '0')", i == 0 ? "" : ", ", i);
      from += fmt::format("{}(SELECT i b{} FROM n WHERE i BETWEEN {} AND {}{}) t{}",
                          i == 0 ? "" : " JOIN ", i, ranges[i].first, ranges[i].second,
                          i == 0 ? "" : " AND i <> 63", i);
    }
    server_.rows(
        fmt::format(
            "WITH RECURSIVE n AS (SELECT 0 i UNION ALL SELECT i + 1 FROM n WHERE i < 255) "
            "SELECT c, CAST(CONVERT(CAST(UNHEX(c) AS CHAR CHARACTER SET {}) USING utf8mb4) AS "
            "BINARY) FROM (SELECT CONCAT({}) c FROM {}) codes",
            charset_.name, code, from),
        [this](const Values& row) { compare(unhex(row[0].value()), row[1]); });
  }

  std::size_t defined = 0;
  std::set<std::string> wrong;

 private:
  void compare(std::string_view code, std::optional<std::string_view> theirs) {
    const auto questions = [](std::string_view text) {
      return static_cast<std::size_t>(std::ranges::count(text, '?'));
    };
    const auto is_defined = [&](std::string_view text) {
      if (text.empty() || questions(text) != questions(code)) return false;
      // tis620 has U+FFFD where it has nothing; MariaDB's UTF-8 takes surrogates.
      if (charset_.name == "tis620") return text.find("\xEF\xBF\xBD") == text.npos;
      return !(text[0] == '\xED' && text.size() == 3 &&
               static_cast<unsigned char>(text[1]) >= 0xA0);
    };
    if (theirs && !is_defined(*theirs)) theirs.reset();
    if (theirs) ++defined;
    const auto ours = converted(charset_, code);
    if (ours == theirs) return;
    wrong.insert(fmt::format("{}: ours {}, server's {}", hex(code), ours ? hex(*ours) : "none",
                             theirs ? hex(*theirs) : "none"));
  }

  const LiveServer& server_;
  const Charset& charset_;
};

void put_unit(std::string& to, std::uint32_t unit, unsigned bytes, bool big_endian) {
  for (unsigned i = 0; i < bytes; ++i) {
    to += static_cast<char>(unit >> 8 * (big_endian ? bytes - 1 - i : i));
  }
}

/// `code` in a Unicode encoding other than UTF-8; empty where it has none.
std::string encoded(const Charset& charset, std::uint32_t code) {
  std::string out;
  const bool big = charset.kind != CharsetKind::Utf16Le;
  if (charset.kind == CharsetKind::Utf32) {
    put_unit(out, code, 4, big);
  } else if (code < 0x10000) {
    put_unit(out, code, 2, big);
  } else if (charset.kind != CharsetKind::Ucs2) {
    put_unit(out, 0xD800 + ((code - 0x10000) >> 10), 2, big);
    put_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FF), 2, big);
  }
  return out;
}

void compare_unicode(const LiveServer& server, const Charset& charset) {
  std::size_t compared = 0;
  for (std::uint32_t first = 0; first < kCodePoints; first += kBlock) {
    std::string text;
    for (auto code = first; code < first + kBlock; ++code) {
      if (code >= 0xD800 && code < 0xE000) {  // alone it is no character
        if (converted(charset, encoded(charset, code))) FAIL("surrogate " << code << " is taken");
      } else {
        text += encoded(charset, code);
      }
    }
    if (text.empty()) continue;
    server.rows(fmt::format("SELECT CAST(CONVERT(CAST(x'{}' AS CHAR CHARACTER SET {}) USING "
                            "utf8mb4) AS BINARY)",
                            hex(text), charset.name),
                [&](const Values& row) {
                  if (converted(charset, text) != row[0]) FAIL("differs from U+" << first);
                  ++compared;
                });
  }
  CHECK(compared == (charset.kind == CharsetKind::Ucs2 ? 256 - 8 : kCodePoints / kBlock - 8));
  CHECK_FALSE(converted(charset, "abc"));
}

void compare_all(Flavor flavor, std::size_t charsets_min) {
  const LiveServer server(flavor);
  const auto charsets = charsets_of(server);
  CHECK(charsets.size() >= charsets_min);
  for (const auto& [name, charset] : charsets) {
    INFO(name);
    if (charset->kind == CharsetKind::Binary) continue;
    if (charset->bytes_max > 1 && !charset->ascii_alike) {
      compare_unicode(server, *charset);
      continue;
    }
    Comparison comparison(server, *charset);
    comparison.run({{0, 255}});
    if (charset->bytes_max > 1) comparison.run({{0x80, 0xFF}, {0, 0xFF}});
    if (charset->kind == CharsetKind::Utf8) {
      comparison.run({{0xE0, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}});
      if (charset->bytes_max > 3) {
        comparison.run({{0xF0, 0xF4}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}});
      }
    } else {
      if (charset->bytes_max == 3) comparison.run({{0x8F, 0x8F}, {0xA1, 0xFE}, {0xA1, 0xFE}});
      if (charset->bytes_max == 4) {
        comparison.run({{0x81, 0xFE}, {0x30, 0x39}, {0x81, 0xFE}, {0x30, 0x39}});
      }
    }
    CHECK(comparison.defined >= 128 - 1);  // swe7 has one hole
    std::string examples;
    for (const auto& one : comparison.wrong) {
      if (examples.size() < 500) examples.append(one).append("\n");
    }
    INFO(comparison.wrong.size() << " differ:\n" << examples);
    CHECK(comparison.wrong.empty());
  }
}

}  // namespace

TEST_CASE("charset: every character of MySQL's sets is what the server makes of it", "[live]") {
  compare_all(Flavor::MySql, 41);
}

TEST_CASE("charset: every character of MariaDB's sets is what the server makes of it", "[live]") {
  compare_all(Flavor::MariaDb, 40);
}

TEST_CASE("charset: text that ends inside a character is not valid") {
  const auto valid = [](std::uint16_t collation, std::string_view text) {
    return converted(*charset_of(collation), text).has_value();
  };
  CHECK(valid(13, "\x82\xA0"));  // sjis
  CHECK_FALSE(valid(13, "\x82\xA0\x82"));
  CHECK(valid(12, "\x8F\xB0\xA1"));  // ujis
  CHECK_FALSE(valid(12, "\x8F\xB0"));
  CHECK_FALSE(valid(12, "\x8F"));
  CHECK(valid(248, "\x81\x30\x84\x36"));  // gb18030
  CHECK_FALSE(valid(248, "\x81\x30\x84"));
  CHECK_FALSE(valid(248, "\x81\x30"));
  CHECK_FALSE(valid(248, "\xE3\x32\x9A\x36"));                  // past U+10FFFF
  CHECK_FALSE(valid(54, std::string_view("\xD8\x3D\xDE", 3)));  // utf16
  CHECK_FALSE(valid(54, std::string_view("\xD8\x3D\0a", 4)));
}
