#include "binlog/jsonb.h"

#include "stream.h"
#include <catch2/catch.hpp>

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace)
using rowtrail::test::bytes;

namespace {

std::string text(const std::string& document) {
  Arena arena;
  const auto result = jsonb_to_text(as_bytes(document), arena);
  return result ? std::string(*result) : "error: " + result.error().message;
}

/// A small array whose values all stand at offset `at`.
std::string array_of(int count, int type, int at) {
  std::string out = bytes({2, count, 0, 0, 0});
  for (int i = 0; i < count; ++i) out += bytes({type, at & 255, at >> 8});
  const auto size = out.size() - 1;
  out[3] = static_cast<char>(size & 255U);
  out[4] = static_cast<char>(size >> 8U);
  return out;
}

}  // namespace

TEST_CASE("jsonb: zero bytes are null") {
  CHECK(text("") == "null");
}

TEST_CASE("jsonb: scalars at the top") {
  CHECK(text(bytes({4, 0})) == "null");
  CHECK(text(bytes({5, 0xFF, 0x7F})) == "32767");
  CHECK(text(bytes({5, 0xFF, 0xFF})) == "-1");
  CHECK(text(bytes({6, 0xFF, 0xFF})) == "65535");
  CHECK(text(bytes({12, 3}) + "a\"b") == "\"a\\\"b\"");
}

TEST_CASE("jsonb: every control character is escaped, nothing else is") {
  CHECK(text(bytes({12, 8, 0, 8, 9, 10, 12, 13, 31, 127})) ==
        std::string("\"\\u0000\\b\\t\\n\\f\\r\\u001f\x7F\""));
  CHECK(text(bytes({12, 24}) + "plain text \\ with/slash!!") == "\"plain text \\\\ with/slash!\"");
}

TEST_CASE("jsonb: nesting beyond the limit is an error") {
  std::string document = bytes({4, 1});
  document = bytes({2, 0, 0, 4, 0});
  for (int i = 0; i < 140; ++i) {
    const auto inner = document.substr(1);
    const auto size = inner.size() + 7;
    document =
        bytes({2, 1, 0, static_cast<int>(size & 255U), static_cast<int>(size >> 8U), 2, 7, 0}) +
        inner;
  }
  CHECK(text(document) == "error: JSON: nested deeper than 128 levels");
}

TEST_CASE("jsonb: values that overlap cannot blow the text up") {
  // Arrays of 200 entries, each entry the next array: 200^8 values if followed for ever.
  std::string document;
  const int levels = 8;
  const int bytes_each = 4 + 200 * 3;
  for (int level = 0; level < levels; ++level) {
    // Offsets are relative to the array itself, and its size covers all that follows.
    auto array = array_of(200, level + 1 == levels ? 4 : 2, level + 1 == levels ? 0 : bytes_each);
    const auto size = bytes_each * (levels - level);
    array[3] = static_cast<char>(size & 255);
    array[4] = static_cast<char>(size >> 8);
    document += level == 0 ? array : array.substr(1);
  }
  CHECK(text(document) == "error: JSON: values overlap");
}

TEST_CASE("jsonb: offsets and sizes beyond the bytes are errors") {
  CHECK(text(bytes({2, 1, 0, 100, 0, 4, 0, 0})) == "error: JSON: a container's size is wrong");
  CHECK(text(bytes({2, 255, 255, 7, 0, 4, 0, 0})) == "error: JSON: a container's size is wrong");
  CHECK(text(bytes({2, 1, 0, 7, 0, 12, 50, 0})) ==
        "error: JSON: a value lies outside its container");
  CHECK(text(bytes({0, 1, 0, 11, 0, 90, 0, 1, 0, 4, 0, 0})) ==
        "error: JSON: a key lies outside its object");
  CHECK(text(bytes({12, 0x80, 0x80, 0x80, 0x80, 0x80, 1})) == "error: JSON: a value is cut short");
  CHECK(text(bytes({12, 2, 0xC3, 0x28})) == "error: JSON: a string is not UTF-8");
  CHECK(text(bytes({14})) == "error: JSON: an unknown value type");
  CHECK(text(bytes({4, 9})) == "error: JSON: an unknown literal");
  CHECK(text(bytes({15, 246, 3, 70, 2, 0})) == "error: JSON: a decimal's shape is wrong");
  CHECK(text(bytes({11, 0, 0, 0, 0, 0, 0, 0xF0, 0x7F})) == "error: JSON: values overlap");
}
