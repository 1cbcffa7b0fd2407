// Raw events for tests: read from goldens, or made by hand without checksums.
#pragma once

#include "binlog/binlog.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::test {

using Raw = std::vector<std::byte>;

/// Every event of a binlog file, checksums included.
std::vector<Raw> read_events(const std::string& path);
std::vector<Raw> read_golden(std::string_view name);

/// The event without its checksum, its size set accordingly.
Raw without_checksum(const Raw& event);
/// The first `size` bytes of an event, its header set to that size.
Raw prefix(const Raw& event, std::size_t size);
/// An event made by hand: header and body, no checksum.
Raw make_event(std::uint8_t type, std::string_view body, std::uint16_t flags = 0,
               std::uint32_t log_pos = 0);
/// A format description of MySQL 9.7 that turns checksums on or off, itself summed.
Raw format_description(bool checksums);
/// Sets the last four bytes to the CRC32 of those before.
void set_checksum(Raw& event);

std::string bytes(std::initializer_list<int> values);

}  // namespace rowtrail::test
