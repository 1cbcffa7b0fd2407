#include "infer/settle.h"

#include <algorithm>

namespace rowtrail::infer {

void settle(std::vector<Match>& matches, std::size_t rows, const NoteConflict& note_conflict) {
  const bool one_rule = std::all_of(matches.begin(), matches.end(), [&](const Match& match) {
    return match.rule == matches.front().rule;
  });
  if (one_rule) return;  // a rule never binds a row twice
  std::vector<const Match*> order;
  order.reserve(matches.size());
  for (const Match& match : matches) order.push_back(&match);
  std::stable_sort(order.begin(), order.end(),
                   [](const Match* a, const Match* b) { return a->rows.size() > b->rows.size(); });
  std::vector<const Rule*> owner(rows, nullptr);
  std::vector<Match> kept;
  for (const Match* match : order) {
    const auto taken = std::find_if(match->rows.begin(), match->rows.end(),
                                    [&](std::uint32_t row) { return owner[row] != nullptr; });
    if (taken != match->rows.end()) {
      note_conflict(*owner[*taken], *match->rule);
      continue;
    }
    for (const auto row : match->rows) owner[row] = match->rule;
    kept.push_back(*match);
  }
  matches = std::move(kept);
}

}  // namespace rowtrail::infer
