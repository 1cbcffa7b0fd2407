// Which match gets the rows that several rules want.
#pragma once

#include "infer/matcher.h"

#include <functional>
#include <vector>

namespace rowtrail::infer {

/// Two rules of the same priority wanted the same rows; `winner` has them.
using NoteConflict = std::function<void(const Rule& winner, const Rule& loser)>;

/// Keeps of `matches`, all of one priority, those whose rows are their own: where they overlap, the
/// match over more rows wins, then the rule that stands first.
void settle(std::vector<Match>& matches, std::size_t rows, const NoteConflict& note_conflict);

}  // namespace rowtrail::infer
