// EWKT, as binlog/geometry.cpp prints it, back to WKB (OGC 06-103r4, little-endian). Private to
// normalize/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rowtrail::normalize {

struct Wkb {
  std::uint32_t srid = 0;
  std::string bytes;
};

/// Nothing when `ewkt` is not such a text.
[[nodiscard]] std::optional<Wkb> wkb_from_ewkt(std::string_view ewkt);

}  // namespace rowtrail::normalize
