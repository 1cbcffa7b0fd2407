// "did you mean …?" for names that were not found.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rowtrail::infer {

/// The candidate nearest to `word` by edits, or "" when none is near.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> candidates);
/// "; did you mean 'from'?" or "".
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> candidates);

}  // namespace rowtrail::infer
