// Days, weeks and months in UTC, and the earlier spans one of them is compared with.
#pragma once

#include "core/core.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::insight {

enum class SpanKind : std::uint8_t { Day, Week, Month };

struct Span {
  SpanKind kind = SpanKind::Day;
  std::int64_t since_us = 0, until_us = 0;  // since <= time < until
  std::string title;                        // "2026-11-24", "2026-W48", "2026-11"
  std::string usual;                        // what the reference spans are called: "Tuesdays"
};

/// The day, the ISO week or the month that holds `date` (YYYY-MM-DD).
[[nodiscard]] core::Result<Span> span_of(SpanKind kind, std::string_view date);
/// The spans before it that make up the usual, newest first: the same weekday of the 8 weeks
/// before, the 4 weeks before, the 3 months before.
[[nodiscard]] std::vector<Span> reference_spans(const Span& span);
/// YYYY-MM-DD of a time.
[[nodiscard]] std::string date_text(std::int64_t time_us);

}  // namespace rowtrail::insight
