// Opaque page cursors. A cursor fixes where a list goes on, which way, and the times that relative
// filters (24h) meant on the first page; it is bound to the filters by a digest.
#pragma once

#include "server/problem.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rowtrail::server {

struct Cursor {
  std::uint64_t seq = 0;  // of the last record given (or an offset, where a list counts otherwise)
  bool ascending = false;
  std::optional<std::int64_t> since_us, until_us;
};

/// `binding` names the list and its filters; the cursor opens only with the same one.
[[nodiscard]] std::string seal_cursor(const Cursor& cursor, std::string_view binding);
[[nodiscard]] Outcome<Cursor> open_cursor(std::string_view text, std::string_view binding);

}  // namespace rowtrail::server
