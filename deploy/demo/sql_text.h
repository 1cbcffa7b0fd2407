// Between SQL's text and what the simulator reckons with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rowtrail::demo {

constexpr std::int64_t kMoneyScale =
    10'000;  // of DECIMAL(12,4): money is counted in ten-thousandths

// A cell as a number; NULL throws std::bad_optional_access.
std::int64_t integer(const std::optional<std::string>& cell);
// "12.4900" as 124900; prices have four digits after the point.
std::int64_t money(const std::optional<std::string>& cell);
std::string money_text(std::int64_t amount);

// A sqlcommenter comment, to be put at a statement's end; starts with a space.
std::string sqlcomment(std::string_view actor, std::string_view route);

}  // namespace rowtrail::demo
