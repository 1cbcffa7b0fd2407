#include "server/json_text.h"

#include <algorithm>

namespace rowtrail::server {
namespace {

constexpr std::string_view kSafeMax = "9007199254740991";

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// Digits without sign; JSON allows no leading zeros, so length decides before value does.
bool is_large(std::string_view digits) noexcept {
  return digits.size() > kSafeMax.size() || (digits.size() == kSafeMax.size() && digits > kSafeMax);
}

/// Index after the string that starts at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

std::size_t number_end(std::string_view text, std::size_t at) {
  const std::size_t end = text.find_first_not_of("+-.eE0123456789", at);
  return end == std::string_view::npos ? text.size() : end;
}

}  // namespace

void quote_large_integers(std::string& text, std::size_t start) {
  std::string quoted;  // stays empty while nothing had to change
  std::size_t copied = start;
  for (std::size_t at = start; at < text.size();) {
    if (text[at] == '"') {
      at = skip_string(text, at);
      continue;
    }
    if (text[at] != '-' && !is_digit(text[at])) {
      ++at;
      continue;
    }
    const std::size_t end = number_end(text, at);
    const std::string_view number = std::string_view(text).substr(at, end - at);
    const std::string_view digits = number.substr(number.front() == '-' ? 1 : 0);
    if (std::all_of(digits.begin(), digits.end(), is_digit) && is_large(digits)) {
      quoted.append(text, copied, at - copied).append("\"").append(number).append("\"");
      copied = end;
    }
    at = end;
  }
  if (quoted.empty()) return;
  quoted.append(text, copied);
  text.replace(start, std::string::npos, quoted);
}

std::size_t json_value_end(std::string_view text, std::size_t at) {
  if (at >= text.size()) return text.size();
  if (text[at] == '"') return skip_string(text, at);
  if (text[at] != '{' && text[at] != '[') {
    return std::min(text.find_first_of(",]}", at), text.size());
  }
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return at;
}

}  // namespace rowtrail::server
