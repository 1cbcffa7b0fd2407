#include "binlog/decoder.h"

#include <cstring>

#include "stream.h"
#include <catch2/catch.hpp>

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace)
using namespace rowtrail::test;    // NOLINT(google-build-using-namespace)
using rowtrail::core::Errc;

namespace {

constexpr std::uint8_t kRotate = 4, kRowsQuery = 29, kHeartbeat = 27, kHeartbeatV2 = 41;

std::string rotate_body(std::uint64_t pos, std::string_view name) {
  std::string body(sizeof pos, '\0');
  std::memcpy(body.data(), &pos, sizeof pos);
  return body.append(name);
}

void start(Decoder& decoder, std::uint64_t pos = 4, bool checksums = false) {
  decoder.set_position("binlog.000007", pos);
  REQUIRE(decoder.decode(format_description(checksums)).has_value());
}

}  // namespace

TEST_CASE("decoder: an unknown event without the ignorable flag stops the stream") {
  Decoder decoder;
  start(decoder);
  const auto event = decoder.decode(make_event(200, "?"));
  REQUIRE(event.has_error());
  CHECK(event.error().code == Errc::Unsupported);
  CHECK_THAT(event.error().message, Catch::StartsWith("binlog.000007:127: Unknown(200): "));
}

TEST_CASE(
    "decoder: an unknown event with the ignorable flag is ignored and counted in the position") {
  Decoder decoder;
  start(decoder);
  const auto event = decoder.decode(make_event(200, "?", EventHeader::kFlagIgnorable));
  REQUIRE(event.has_value());
  CHECK(std::holds_alternative<Ignored>(event->body));
  CHECK(event->start == 127);
  CHECK(event->end == 147);
}

TEST_CASE("decoder: nothing but a rotate may come before the format description") {
  Decoder decoder;
  auto early = make_event(kRowsQuery, bytes({0, 'x', 0, 0, 0, 0}));
  set_checksum(early);
  const auto event = decoder.decode(early);
  REQUIRE(event.has_error());
  CHECK_THAT(event.error().message, Catch::Contains("before the format description"));
}

TEST_CASE("decoder: a server's made-up rotate names the file, with a checksum or without") {
  auto rotate =
      make_event(kRotate, rotate_body(4711, "binlog.000009"), EventHeader::kFlagArtificial);
  if (GENERATE(true, false)) {
    rotate.resize(rotate.size() + 4);
    rotate = prefix(rotate, rotate.size());
    set_checksum(rotate);
  }
  Decoder decoder;
  const auto event = decoder.decode(rotate);
  REQUIRE(event.has_value());
  CHECK(std::get<Rotate>(event->body).file == "binlog.000009");
  CHECK(decoder.file() == "binlog.000009");
  CHECK(decoder.position() == 4711);
  CHECK(event->end == 0);
}

TEST_CASE("decoder: a made-up rotate with a damaged checksum is refused") {
  auto rotate = make_event(kRotate, rotate_body(4, "binlog.000009").append(4, '\0'),
                           EventHeader::kFlagArtificial);
  set_checksum(rotate);
  rotate.back() ^= std::byte{1};
  Decoder decoder;
  const auto event = decoder.decode(rotate);
  REQUIRE(event.has_error());
  CHECK(event.error().code == Errc::Checksum);
}

TEST_CASE(
    "decoder: a format description sent from the middle of a file does not move the position") {
  Decoder decoder;
  REQUIRE(decoder
              .decode(make_event(kRotate, rotate_body(5000, "binlog.000001"),
                                 EventHeader::kFlagArtificial))
              .has_value());
  auto format = format_description(false);
  std::memset(format.data() + 13, 0, 4);
  set_checksum(format);
  REQUIRE(decoder.decode(format).has_value());
  CHECK(decoder.position() == 5000);
}

TEST_CASE("decoder: positions go on past 4 GB where the header's 32 bits wrap") {
  Decoder decoder;
  start(decoder);
  decoder.set_position("binlog.000007", 0xFFFFFFF0);
  const auto event = decoder.decode(make_event(kRowsQuery, bytes({0, 'x'}), 0, 5));
  REQUIRE(event.has_value());
  CHECK(event->start == 0xFFFFFFF0);
  CHECK(event->end == 0x100000005);
  CHECK(decoder.position() == 0x100000005);
}

TEST_CASE("decoder: a zero end position, as MariaDB writes, is counted") {
  Decoder decoder;
  start(decoder);
  const auto event = decoder.decode(make_event(kRowsQuery, bytes({0, 'x'}), 0, 0));
  REQUIRE(event.has_value());
  CHECK(event->end == 127 + 21);
}

TEST_CASE("decoder: a server that skips transactions moves the position forward") {
  Decoder decoder;
  start(decoder);
  const auto event = decoder.decode(make_event(kRowsQuery, bytes({0, 'x'}), 0, 1000));
  REQUIRE(event.has_value());
  CHECK(event->start == 1000 - 21);
  CHECK(event->end == 1000);
}

TEST_CASE("decoder: heartbeats tell how far the server is and are not part of the file") {
  Decoder decoder;
  start(decoder);
  const auto old_raw = make_event(kHeartbeat, "binlog.000007", 0, 900);  // what views point into
  const auto old = decoder.decode(old_raw);
  REQUIRE(old.has_value());
  CHECK(std::get<Heartbeat>(old->body).pos == 900);
  CHECK(decoder.position() == 900);

  // 1: file name; 2: position as a length-encoded integer of 9 bytes; 0: end.
  std::string body =
      bytes({1, 13}) + "binlog.000007" + bytes({2, 9, 254, 0, 0, 0, 0, 1, 0, 0, 0, 0});
  const auto now_raw = make_event(kHeartbeatV2, body);
  const auto now = decoder.decode(now_raw);
  REQUIRE(now.has_value());
  CHECK(std::get<Heartbeat>(now->body).file == "binlog.000007");
  CHECK(decoder.position() == 0x100000000);
  CHECK(now->end == 0);
}

TEST_CASE("decoder: rows without their table map say where to start") {
  const auto events = read_golden("tables");
  Decoder decoder;
  REQUIRE(decoder.decode(events[0]).has_value());
  for (const auto& raw : events) {
    if (raw[4] != std::byte{30}) continue;
    const auto event = decoder.decode(raw);
    REQUIRE(event.has_error());
    CHECK_THAT(event.error().message,
               Catch::Contains("no table map") && Catch::Contains("transaction"));
    break;
  }
}

TEST_CASE("decoder: a statement's table maps do not outlive it") {
  Decoder decoder;
  Raw rows;
  for (const auto& raw : read_golden("tables")) {
    REQUIRE(decoder.decode(raw).has_value());
    if (raw[4] == std::byte{30}) {
      rows = raw;
      break;
    }
  }
  CHECK(decoder.decode(rows).has_error());
}

TEST_CASE("decoder: an unchanged table map shares the schema it made before") {
  Decoder decoder;
  TableSchemaPtr first;
  std::size_t count = 0;
  for (const auto& raw : read_golden("integers")) {
    const auto event = decoder.decode(raw);
    REQUIRE(event.has_value());
    const auto* map = std::get_if<TableMap>(&event->body);
    if (map == nullptr) continue;
    if (count++ == 0) first = *map->schema;
    CHECK(*map->schema == first);
  }
  CHECK(count == 3);
}

TEST_CASE("decoder: a header that promises another size is refused") {
  Decoder decoder;
  start(decoder);
  auto event = make_event(kRowsQuery, "xx");
  event.push_back(std::byte{0});
  CHECK(decoder.decode(event).error().code == Errc::Malformed);
  event.resize(event.size() - 2);
  CHECK(decoder.decode(event).error().code == Errc::Truncated);
}

TEST_CASE("decoder: a file encrypted by MariaDB is refused with advice") {
  Decoder decoder;
  start(decoder);
  const auto event = decoder.decode(make_event(164, std::string(21, 'x')));
  REQUIRE(event.has_error());
  CHECK_THAT(event.error().message, Catch::Contains("encrypted") && Catch::Contains("server"));
}
