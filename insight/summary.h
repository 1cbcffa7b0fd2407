// What happened in a span of time, as a fact sheet: every fact has an id, its exact value, what is
// usual, the seqs of its first and last record and, where SQL can compute it, the query that does.
// The renderers say nothing that is not a fact of the sheet.
#pragma once

#include "store/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "insight/calendar.h"

namespace rowtrail::insight {

/// The same count in the reference spans. Halves are possible: "12.5".
struct Usual {
  std::string median, min, max;
  std::string difference;  // value − median, with its sign
  std::string percent;     // of the median, with its sign; empty when that is 0
  double surprise = 0;     // difference in standard deviations of a count (Anscombe)
};

struct Fact {
  std::string id;     // "type/sale.completed"
  std::string group;  // total, type, actor, object, table, slice, sum, new, gap,
                      // anomaly, detector
  std::string title;  // who or what: "sale.completed"
  std::string value;
  std::string unit;  // "events"
  std::optional<Usual> usual;
  std::vector<std::uint64_t> seqs;  // first and last record counted; one when they are the same
  std::string query;                // SQL that gives the value; empty for exact decimal sums
};

struct FactSheet {
  Span span;
  std::string origin;                 // of the log
  std::string recorded_until;         // time of the newest event, RFC 3339; empty: no event
  std::vector<Span> reference;        // those the log covers from beginning to end
  std::vector<Fact> facts;            // by group, then by value
  std::vector<std::string> standout;  // ids of what differs most, most surprising first

  [[nodiscard]] const Fact* find(std::string_view id) const;
  [[nodiscard]] std::vector<const Fact*> of(std::string_view group) const;
};

[[nodiscard]] FactSheet make_fact_sheet(store::Reader& reader, const Span& span);

enum class SummaryFormat : std::uint8_t { Text, Markdown, Html, Json };
[[nodiscard]] core::Result<SummaryFormat> parse_summary_format(std::string_view name);
[[nodiscard]] std::string render(const FactSheet& sheet, SummaryFormat format);

// One per format; render() chooses.
[[nodiscard]] std::string render_json(const FactSheet& sheet);
[[nodiscard]] std::string render_text(const FactSheet& sheet);
[[nodiscard]] std::string render_markdown(const FactSheet& sheet);
[[nodiscard]] std::string render_html(const FactSheet& sheet);

}  // namespace rowtrail::insight
