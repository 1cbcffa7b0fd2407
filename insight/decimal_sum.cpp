#include "insight/decimal_sum.h"

#include <algorithm>

namespace rowtrail::insight {

bool DecimalSum::add(std::string_view text) {
  constexpr std::size_t kDigitsMax = 28;  // a thousand million of them stay below 2^127
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto fraction =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  const auto digits = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || !digits(whole) || !digits(fraction)) return false;
  if (point != std::string_view::npos && fraction.empty()) return false;
  if (fraction.size() > kScale || whole.size() + kScale > kDigitsMax) return false;
  Wide value = 0;
  for (const char c : whole) value = value * 10 + (c - '0');
  for (const char c : fraction) value = value * 10 + (c - '0');
  for (auto i = fraction.size(); i < kScale; ++i) value *= 10;
  sum_ += negative ? -value : value;
  scale_ = std::max(scale_, static_cast<int>(fraction.size()));
  return true;
}

std::string DecimalSum::text() const {
  Wide rest = sum_ < 0 ? -sum_ : sum_;
  for (int i = scale_; i < kScale; ++i) rest /= 10;
  std::string reversed;
  for (int place = 0; rest > 0 || place <= scale_; ++place) {
    if (place == scale_ && scale_ > 0) reversed += '.';
    reversed += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (sum_ < 0) reversed += '-';
  return {reversed.rbegin(), reversed.rend()};
}

}  // namespace rowtrail::insight
