// Every event of every golden, cut at every length: an error or a clean end, never a crash (the
// asan build proves it).
#include "stream.h"
#include <catch2/catch.hpp>

using namespace rowtrail;        // NOLINT(google-build-using-namespace)
using namespace rowtrail::test;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::size_t kEventBytesMax = 8192;  // the cost grows with the square

bool is_type(const Raw& event, std::uint8_t type) {
  return event[4] == std::byte{type};
}

void read_rows(const binlog::Event& event) {
  const auto* rows = std::get_if<binlog::RowsEvent>(&event.body);
  if (rows == nullptr) return;
  binlog::Arena arena;
  binlog::RowsReader reader(*rows, arena);
  binlog::Row row;
  while (reader.next(row)) {
  }
}

/// Decodes the last of `events` completely; the others give it its context.
void decode_all(const std::vector<Raw>& events) {
  binlog::Decoder decoder;
  for (const auto& raw : events) {
    auto event = decoder.decode(raw);
    while (event) {
      if (&raw == &events.back()) read_rows(*event);
      if (!decoder.has_inner()) break;
      event = decoder.next_inner();
    }
    if (!event) {
      CHECK_FALSE(event.error().message.empty());
      return;
    }
  }
}

void cut_every_event(std::string_view golden) {
  std::vector<Raw> context = {format_description(false)};
  for (const auto& whole : read_golden(golden)) {
    const auto event = without_checksum(whole);
    const bool is_table_map = is_type(event, 19);
    if (event.size() <= kEventBytesMax) {
      for (std::size_t size = 0; size < event.size(); ++size) {
        context.push_back(prefix(event, size));
        decode_all(context);
        context.pop_back();
      }
    }
    if (is_table_map) context.push_back(event);
    if (is_type(event, 16)) context.resize(1);
  }
}

}  // namespace

TEST_CASE("decoder: an event cut at any byte is an error or a clean end", "[prefix]") {
  cut_every_event(GENERATE("integers", "decimals", "temporals", "strings", "labels", "json",
                           "spatial", "tables", "payload", "partial_json", "gtids", "xa"));
}

TEST_CASE("decoder: a bit flipped anywhere in a checksummed event is caught", "[prefix]") {
  const auto events = read_golden("tables");
  for (const std::size_t which : {std::size_t{0}, std::size_t{6}, std::size_t{8}}) {
    for (std::size_t bit = 0; bit < events[which].size() * 8; ++bit) {
      binlog::Decoder decoder;
      if (which > 0) REQUIRE(decoder.decode(events[0]).has_value());
      auto damaged = events[which];
      damaged[bit / 8] ^= std::byte{static_cast<unsigned char>(1U << (bit % 8))};
      const auto decoded = decoder.decode(damaged);
      // The in-use flag of a format description is outside its checksum, by the servers' design.
      const bool is_in_use_flag = which == 0 && bit == 17 * 8;
      CHECK(decoded.has_error() != is_in_use_flag);
    }
  }
}
