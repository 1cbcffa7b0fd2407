// The sentences of a summary, each made of facts of the sheet and nothing else. Private to
// insight/.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "insight/summary.h"

namespace rowtrail::insight {

struct Section {
  const char* group;
  const char* title;
};
/// The tables of a summary, in order.
[[nodiscard]] std::span<const Section> sections();

[[nodiscard]] std::string headline(const FactSheet& sheet);
/// What the summary rests on: how far the record goes, what the usual is.
[[nodiscard]] std::vector<std::string> notes(const FactSheet& sheet);
[[nodiscard]] std::vector<std::string> standout_sentences(const FactSheet& sheet);
[[nodiscard]] std::vector<std::string> anomaly_sentences(const FactSheet& sheet);
[[nodiscard]] std::vector<std::string> new_sentences(const FactSheet& sheet);
[[nodiscard]] std::vector<std::string> sum_sentences(const FactSheet& sheet);
[[nodiscard]] std::vector<std::string> gap_sentences(const FactSheet& sheet);

/// "+12 (+30 %)"; "new" and "none" where a percentage says nothing; empty when as usual.
[[nodiscard]] std::string difference(const Fact& fact);
/// "#1040–1187", empty without records.
[[nodiscard]] std::string seqs(const Fact& fact);
/// Control characters of a hostile row value become spaces.
[[nodiscard]] std::string printable(std::string_view text);
[[nodiscard]] std::string markdown_escaped(std::string_view text);
[[nodiscard]] std::string html_escaped(std::string_view text);

}  // namespace rowtrail::insight
