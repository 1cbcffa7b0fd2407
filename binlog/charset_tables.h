// What charset_tables.py asked the servers: character sets, their collations and, packed, the code
// points of those that need a table. Private to charset.cpp.
#pragma once

#include "binlog/charset.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rowtrail::binlog {

struct CollationRun {
  std::uint16_t first, last;
  std::uint8_t charset;  // index into charsets()
};

[[nodiscard]] std::span<const Charset> charsets() noexcept;
/// In ascending order.
[[nodiscard]] std::span<const CollationRun> collation_runs() noexcept;

extern const std::size_t kCharsetUnits;
extern const std::string_view kCharsetTables;

}  // namespace rowtrail::binlog
