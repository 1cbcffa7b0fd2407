// The most frequent kinds of transaction that no rule knows, written as rules for a person to name.
// Included by insight/insight.h.
#pragma once

#include "infer/infer.h"
#include "store/store.h"

#include <cstdint>
#include <string>
#include <vector>

namespace rowtrail::insight {

struct LearnedRules {
  std::string yaml;  // rules with comments and tests; they load and pass
  std::size_t rules = 0;
  std::uint64_t covered = 0;     // transactions of the signatures that are written
  std::uint64_t discovered = 0;  // all that no rule matched
};
/// Looks at the discovered events that `filter` lets through, at most `rules` signatures.
[[nodiscard]] LearnedRules learn(store::Reader& reader, const store::Filter& filter,
                                 std::size_t rules);

}  // namespace rowtrail::insight
