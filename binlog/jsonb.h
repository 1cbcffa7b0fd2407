// MySQL's binary JSON (sql-common/json_binary.h) → canonical JSON text.
//
//   value      ┌ type 1 ┬ data ┐      scalars: the bytes; strings: varint length, then the bytes
//   container  ┌ count 2|4 ┬ size 2|4 ┬ key entries ┬ value entries ┬ keys, values … ┐
//   key entry    offset 2|4, length 2       value entry   type 1, offset or the inlined value 2|4
//
// Offsets count from the container's start. They are followed, never assumed contiguous: in-place
// updates since 8.0.16 leave holes.
#pragma once

#include "binlog/arena.h"
#include "binlog/cursor.h"
#include "core/core.h"

#include <string_view>

namespace rowtrail::binlog {

/// The server's own limit is 100 (JSON_DOCUMENT_MAX_DEPTH).
inline constexpr unsigned kJsonDepthMax = 128;

/// The document's text in `arena`; "null" for zero bytes, which the server writes for a JSON null
/// that an IGNORE conversion made. Numbers are exact, keys stand in stored order.
core::Result<std::string_view> jsonb_to_text(ByteView document, Arena& arena);

}  // namespace rowtrail::binlog
