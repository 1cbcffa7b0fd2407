// Cells as the tests of their texts make them.
#pragma once

#include "binlog/binlog.h"

#include <cstdint>
#include <string_view>

namespace rowtrail::normalize::test {

using binlog::Cell;
using binlog::CellKind;

inline Cell number(CellKind kind, std::int64_t value, std::uint8_t fsp = 0) {
  Cell cell;
  cell.kind = kind;
  cell.fsp = fsp;
  cell.i = value;
  return cell;
}
inline Cell real(CellKind kind, double value) {
  Cell cell;
  cell.kind = kind;
  cell.d = value;
  return cell;
}
inline Cell text(CellKind kind, std::string_view value) {
  Cell cell;
  cell.kind = kind;
  cell.size = static_cast<std::uint32_t>(value.size());
  cell.data = value.data();
  return cell;
}
inline std::int64_t datetime(binlog::DateTimeParts parts) {
  return static_cast<std::int64_t>(binlog::pack_datetime(parts));
}

}  // namespace rowtrail::normalize::test
