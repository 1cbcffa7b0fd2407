// Answers cut to what an agent can read: updates without the columns they left alone, long texts
// shortened. All on JSON texts, so that numbers stay as they are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rowtrail::server::mcp {

/// Every update in `"changes":[…]` of a JSON object with only the changed columns in `old` and
/// `new`; everything else as it is.
[[nodiscard]] std::string without_unchanged(std::string_view object);

/// Every string longer than `bytes_max` ends in "… [N bytes more]". Escapes and UTF-8 stay whole.
[[nodiscard]] std::string with_short_strings(std::string_view json, std::size_t bytes_max);

/// The object with only so many elements of its member `list`, from the first on, that it is about
/// `bytes_max` long.
[[nodiscard]] std::string with_fewer(std::string_view object, std::string_view list,
                                     std::size_t bytes_max);

/// The text of a member of a JSON object, or empty.
[[nodiscard]] std::string_view member_text(std::string_view object, std::string_view name);

}  // namespace rowtrail::server::mcp
