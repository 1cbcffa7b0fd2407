#include "binlog/json_diff.h"

#include "stream.h"
#include <catch2/catch.hpp>

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace)
using rowtrail::test::bytes;

namespace {

constexpr int kReplace = 0, kInsert = 1, kRemove = 2;

/// One operation; the value is a JSONB int16.
std::string operation(int kind, std::string_view path, int value = 7) {
  std::string out = bytes({kind, static_cast<int>(path.size())}).append(path);
  if (kind != kRemove) out += bytes({3, 5, value, 0});
  return out;
}

std::string changed(std::string_view document, const std::string& diff) {
  Arena arena;
  const auto text = apply_json_diff(document, as_bytes(diff), arena);
  return text ? std::string(*text) : "error: " + text.error().message;
}

const char* const kNoFit = "error: a JSON diff does not fit the document it changes";
const char* const kBadPath = "error: a JSON diff has a malformed path";

}  // namespace

TEST_CASE("json diff: arrays count from the front and from the end") {
  const auto* const array = "[1,2,3]";
  CHECK(changed(array, operation(kReplace, "$[0]")) == "[7,2,3]");
  CHECK(changed(array, operation(kReplace, "$[last]")) == "[1,2,7]");
  CHECK(changed(array, operation(kReplace, "$[last-2]")) == "[7,2,3]");
  CHECK(changed(array, operation(kInsert, "$[1]")) == "[1,7,2,3]");
  CHECK(changed(array, operation(kInsert, "$[3]")) == "[1,2,3,7]");
  CHECK(changed(array, operation(kInsert, "$[99]")) == "[1,2,3,7]");
  CHECK(changed(array, operation(kInsert, "$[last]")) == "[1,2,7,3]");
  CHECK(changed(array, operation(kInsert, "$[last-9]")) == "[7,1,2,3]");
  CHECK(changed(array, operation(kRemove, "$[last]")) == "[1,2]");
  CHECK(changed("[]", operation(kInsert, "$[last]")) == "[7]");
}

TEST_CASE("json diff: members keep MySQL's order, shorter keys first") {
  const auto* const object = R"({"b":1,"aa":2})";
  CHECK(changed(object, operation(kInsert, "$.a")) == R"({"a":7,"b":1,"aa":2})");
  CHECK(changed(object, operation(kInsert, "$.c")) == R"({"b":1,"c":7,"aa":2})");
  CHECK(changed(object, operation(kInsert, "$.\"ab\"")) == R"({"b":1,"aa":2,"ab":7})");
  CHECK(changed(object, operation(kInsert, "$.\"\"")) == R"({"":7,"b":1,"aa":2})");
  CHECK(changed(object, operation(kRemove, "$.b")) == R"({"aa":2})");
  CHECK(changed(object, operation(kReplace, "$.aa")) == R"({"b":1,"aa":7})");
}

TEST_CASE("json diff: keys compare by what they stand for, however they are quoted") {
  CHECK(changed(R"({"a\"b":1})", operation(kReplace, R"($."a\"b")")) == R"({"a\"b":7})");
  CHECK(changed(R"({"ü":1})", operation(kReplace, "$.\"\\u00fc\"")) == R"({"ü":7})");
  CHECK(changed(R"({"ü":1})", operation(kReplace, "$.ü")) == R"({"ü":7})");
  CHECK(changed(R"({"😀":1})", operation(kReplace, "$.\"\\ud83d\\ude00\"")) == R"({"😀":7})");
  CHECK(changed(R"({"\n":1})", operation(kReplace, "$.\"\\n\"")) == R"({"\n":7})");
}

TEST_CASE("json diff: several operations apply in order, deep inside the document") {
  CHECK(changed(R"({"a":[{"b":[1,"x,]}"]}],"c":1.0})",
                operation(kReplace, "$.a[0].b[1]") + operation(kInsert, "$.a[0].c", 8) +
                    operation(kRemove, "$.c")) == R"({"a":[{"b":[1,7],"c":8}]})");
}

TEST_CASE("json diff: what does not fit the document is an error, as on the server") {
  CHECK(changed("[1]", operation(kReplace, "$[1]")) == kNoFit);
  CHECK(changed("[1]", operation(kRemove, "$[1]")) == kNoFit);
  CHECK(changed("[1]", operation(kReplace, "$.a")) == kNoFit);
  CHECK(changed("1", operation(kReplace, "$[0]")) == kNoFit);
  CHECK(changed("1", operation(kInsert, "$[0]")) == kNoFit);
  CHECK(changed("{}", operation(kReplace, "$.a")) == kNoFit);
  CHECK(changed("{}", operation(kRemove, "$.a")) == kNoFit);
  CHECK(changed(R"({"a":1})", operation(kInsert, "$.a")) == kNoFit);
  CHECK(changed("{}", operation(kInsert, "$.a.b")) == kNoFit);
  CHECK(changed("{}", operation(kInsert, "$[0]")) == kNoFit);
}

TEST_CASE("json diff: malformed paths and operations are errors") {
  for (const auto* path : {"", "$", "a", "$.", "$[", "$[]", "$[x]", "$[last+1]", "$[last-]",
                           "$.\"a", "$a", "$[99999999999999999999]", "$.\xff"}) {
    INFO(path);
    CHECK(changed("[1]", operation(kReplace, path)) == kBadPath);
  }
  CHECK(changed("[1]", operation(3, "$[0]")) == "error: a JSON diff has an unknown operation");
  const auto whole = operation(kReplace, "$[0]");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    CHECK(changed("[1]", whole.substr(0, size)).substr(0, 6) == "error:");
  }
}
