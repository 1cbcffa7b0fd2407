// Cells as canonical JSON (the table of DESIGN section 5, docs/format.md). Private to normalize/.
#pragma once

#include "binlog/binlog.h"
#include "normalize/json_writer.h"

#include <cstdint>

namespace rowtrail::normalize {

/// The value is null because plain JSON cannot say it, and a note in `cells` says what it is.
[[nodiscard]] bool cell_needs_note(const binlog::Cell& cell, const binlog::Column& column);

/// Writes the value; returns cell_needs_note().
bool write_cell(JsonWriter& to, const binlog::Cell& cell, const binlog::Column& column);

/// The object that stands in `cells`: {"json":"null"}, {"wire":…,"type":…}, {"bytes":…,"sha256":…}.
void write_cell_note(JsonWriter& to, const binlog::Cell& cell);

/// "2026-11-24T10:00:00.123456Z" without quotes, `fsp` digits of fraction.
void write_utc(JsonWriter& to, std::int64_t microseconds, unsigned fsp);

}  // namespace rowtrail::normalize
