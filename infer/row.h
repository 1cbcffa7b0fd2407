// Cells of a Change as Values of an expression.
#pragma once

#include "infer/value.h"

#include <string_view>

namespace rowtrail::infer {

/// The cell as a Value: integers are int (a BIGINT UNSIGNED above its range: decimal), dates and
/// times are timestamps, TIME a duration, SET and JSON lists and maps. Zero dates are their text.
[[nodiscard]] Value cell_value(const binlog::Cell& cell, const binlog::Column& column,
                               binlog::Arena& arena);

/// JSON text as a Value: whole numbers int, others decimal, and double where an exponent or the
/// size demands it.
[[nodiscard]] Value json_value(std::string_view json, binlog::Arena& arena);

/// What an expression sees of masked columns: what the record has, or, in conditions, the raw
/// values as long as they are in memory.
enum class Sight : std::uint8_t { Recorded, Raw };

/// The image's cell of a column, or an error: no image, no such column (index -1), not logged.
[[nodiscard]] Value column_value(const normalize::Change& change, Side side, int column,
                                 binlog::Arena& arena, Sight sight = Sight::Recorded);
/// after − before; the missing image of an insert or delete counts as 0. Null when either is null.
[[nodiscard]] Value column_delta(const normalize::Change& change, int column, binlog::Arena& arena,
                                 Sight sight = Sight::Recorded);
[[nodiscard]] Value column_changed(const normalize::Change& change, int column,
                                   Sight sight = Sight::Recorded);

inline const binlog::Cell* cell_of(const normalize::Change& change, Side side, int column,
                                   Sight sight = Sight::Recorded) {
  auto image = side == Side::Before ? change.before : change.after;
  const auto raw = side == Side::Before ? change.raw_before : change.raw_after;
  if (sight == Sight::Raw && !raw.empty()) image = raw;
  const auto index = static_cast<std::size_t>(column);
  return index < image.size() ? &image[index] : nullptr;
}

}  // namespace rowtrail::infer
