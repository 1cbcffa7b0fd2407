// JSON diffs of PARTIAL_UPDATE_ROWS (binlog_row_value_options=PARTIAL_JSON), applied to the
// document before the update. Semantics: apply_json_diffs in MySQL's sql/json_diff.cc (exact paths,
// no wrapping of scalars into arrays).
//
//   ┌ operation 1 ┬ path length, path ┬ [value length, value as JSONB] ┐ …   operation: replace 0,
//   insert 1, remove 2; a path is $ and legs: .name  ."quoted"  [n]  [last]  [last-n]
#pragma once

#include "binlog/arena.h"
#include "binlog/cursor.h"
#include "core/core.h"

#include <string_view>

namespace rowtrail::binlog {

/// Canonical text of the document after the update; `document` is canonical text too.
core::Result<std::string_view> apply_json_diff(std::string_view document, ByteView diff,
                                               Arena& arena);

}  // namespace rowtrail::binlog
