// "did you mean …?" for misspelt options, fields and paths.
#pragma once

#include <span>
#include <string_view>

namespace rowtrail::core {

/// The candidate nearest to a misspelt word, or empty when none is near.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> candidates);

}  // namespace rowtrail::core
