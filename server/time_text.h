// Times as people write them in a query: RFC 3339, a date, or a span back from now.
#pragma once

#include "server/problem.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::server {

/// Microseconds since 1970. `2026-11-24T10:00:00Z`, with fraction or offset; `2026-11-24` (midnight
/// UTC); `90s`, `15m`, `24h`, `7d`, `2w` before `now_us`; `now`.
[[nodiscard]] Outcome<std::int64_t> parse_time(std::string_view text, std::int64_t now_us);

/// RFC 3339 in UTC with six fraction digits.
[[nodiscard]] std::string format_time(std::int64_t time_us);

}  // namespace rowtrail::server
