#include "deploy/demo/sql_text.h"

#include <cstdlib>

#include <fmt/format.h>

namespace rowtrail::demo {
namespace {

// Percent-encoding of sqlcommenter, which leaves only RFC 3986's unreserved characters as they are.
std::string encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (unreserved) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace

std::int64_t integer(const std::optional<std::string>& cell) {
  return std::stoll(cell.value());
}

std::int64_t money(const std::optional<std::string>& cell) {
  std::string digits = cell.value();
  std::erase(digits, '.');
  return std::stoll(digits);
}

std::string money_text(std::int64_t amount) {
  const std::int64_t size = std::abs(amount);
  return fmt::format("{}{}.{:04}", amount < 0 ? "-" : "", size / kMoneyScale, size % kMoneyScale);
}

std::string sqlcomment(std::string_view actor, std::string_view route) {
  return fmt::format(" /*actor='{}',application='pharmacy',route='{}'*/", encode(actor),
                     encode(route));
}

}  // namespace rowtrail::demo
