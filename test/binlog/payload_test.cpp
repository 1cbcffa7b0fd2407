#include "binlog/payload.h"

#include "binlog/decoder.h"

#include <cstring>

#include "stream.h"
#include <catch2/catch.hpp>
#include <zstd.h>

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace)
using namespace rowtrail::test;    // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint8_t kXid = 16, kRowsQuery = 29, kPayload = 40;
constexpr int kZstd = 0, kNone = 255;

std::string as_string(const Raw& raw) {
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

std::string lenenc(std::uint64_t value) {
  std::string out(9, '\xFE');
  std::memcpy(out.data() + 1, &value, sizeof value);
  return out;
}

std::string field(int type, std::uint64_t value) {
  return bytes({type, 9}) + lenenc(value);
}

std::string compressed(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string body(int compression, const std::string& payload, std::uint64_t uncompressed) {
  return field(2, static_cast<std::uint64_t>(compression)) + field(3, uncompressed) +
         field(1, payload.size()) + bytes({0}) + payload;
}

std::string two_events(std::size_t sql_bytes) {
  return as_string(make_event(kRowsQuery, std::string(sql_bytes + 1, 'q'))) +
         as_string(make_event(kXid, std::string(8, '\1')));
}

void start(Decoder& decoder) {
  decoder.set_position("binlog.000001", 4);
  REQUIRE(decoder.decode(format_description(false)).has_value());
}

std::string error_of(const std::string& payload_body) {
  Decoder decoder;
  start(decoder);
  auto event = decoder.decode(make_event(kPayload, payload_body));
  while (event && decoder.has_inner()) event = decoder.next_inner();
  return event ? "" : event.error().message;
}

}  // namespace

TEST_CASE("payload: its events come one by one and all end where it ends") {
  const auto events =
      two_events(GENERATE(std::size_t{10}, std::size_t{300'000}, std::size_t{1'000'000}));
  const auto raw =
      GENERATE_COPY(make_event(kPayload, body(kZstd, compressed(events), events.size())),
                    make_event(kPayload, body(kNone, events, events.size())));
  Decoder decoder;
  start(decoder);
  const auto first = decoder.decode(raw);
  REQUIRE(first.has_value());
  CHECK(std::holds_alternative<RowsQuery>(first->body));
  CHECK(decoder.has_inner());
  CHECK(decoder.position() == 127);
  const auto second = decoder.next_inner();
  REQUIRE(second.has_value());
  CHECK(std::holds_alternative<Xid>(second->body));
  CHECK_FALSE(decoder.has_inner());
  for (const auto& event : {*first, *second}) {
    CHECK(event.start == 127);
    CHECK(event.end == 127 + raw.size());
  }
  CHECK(decoder.position() == 127 + raw.size());
}

TEST_CASE("payload: the next raw event is refused while events are left") {
  const auto events = two_events(10);
  Decoder decoder;
  start(decoder);
  const auto raw = make_event(kPayload, body(kNone, events, events.size()));
  REQUIRE(decoder.decode(raw).has_value());
  CHECK(decoder.decode(make_event(kXid, std::string(8, '\1'))).has_error());
}

TEST_CASE("payload: sizes that do not agree are errors") {
  const auto events = two_events(10);
  const auto packed = compressed(events);
  CHECK(error_of(body(kZstd, packed, events.size())).empty());
  CHECK_THAT(error_of(body(kZstd, packed, events.size() + 1)),
             Catch::Contains("ends inside an event"));
  CHECK_THAT(error_of(body(kZstd, packed, events.size() - 1)), Catch::Contains("impossible size"));
  CHECK_THAT(error_of(body(kZstd, packed, make_event(kRowsQuery, std::string(11, 'q')).size())),
             Catch::Contains("longer than its header"));
  CHECK_THAT(error_of(body(kZstd, packed, 0)), Catch::Contains("uncompressed size"));
  CHECK_THAT(error_of(body(7, packed, events.size())), Catch::Contains("unknown compression"));
  CHECK_THAT(error_of(body(kZstd, "not zstd at all", 100)), Catch::Contains("decompressed"));
  const auto whole = body(kZstd, packed, events.size());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto error = error_of(whole.substr(0, size));
    CHECK((size == 0 || !error.empty()));
  }
}

TEST_CASE("payload: what belongs to the stream cannot stand inside") {
  const auto inner = as_string(make_event(kPayload, ""));
  CHECK_THAT(error_of(body(kNone, inner, inner.size())), Catch::Contains("inside a transaction"));
}
