#include "binlog/json_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace rowtrail::binlog {
namespace {

constexpr std::size_t kNumberMax = 32;  // the longest shortest double has 24 characters

constexpr std::uint64_t repeat(std::uint8_t byte) {
  return 0x0101010101010101U * byte;
}

/// True when none of eight bytes is a control character, a quote or a backslash.
bool needs_no_escape(std::uint64_t word) noexcept {
  const auto has_zero = [](std::uint64_t w) { return (w - repeat(1)) & ~w & repeat(0x80); };
  const auto below_space = (word - repeat(0x20)) & ~word & repeat(0x80);
  return (below_space | has_zero(word ^ repeat('"')) | has_zero(word ^ repeat('\\'))) == 0;
}

}  // namespace

JsonText::JsonText(Arena& arena, std::size_t estimate, std::size_t limit)
    : arena_(arena), limit_(limit) {
  const auto size = std::max<std::size_t>(estimate, 64);
  begin_ = reinterpret_cast<char*>(arena.allocate(size, 1));
  at_ = begin_;
  end_ = begin_ + size;
}

void JsonText::grow(std::size_t bytes) {
  const auto used = static_cast<std::size_t>(at_ - begin_);
  if (used + bytes > limit_) {
    ok_ = false;
    // Writing goes on over what is already lost, so that callers need not check at every step.
    at_ = begin_;
    if (static_cast<std::size_t>(end_ - begin_) >= bytes) return;
  }
  const auto kept = static_cast<std::size_t>(at_ - begin_);
  const auto size = std::max(kept + bytes, static_cast<std::size_t>(end_ - begin_) * 2);
  arena_.trim(reinterpret_cast<std::byte*>(at_));
  auto* const moved = reinterpret_cast<char*>(arena_.allocate(size, 1));
  std::memcpy(moved, begin_, kept);
  begin_ = moved;
  at_ = moved + kept;
  end_ = moved + size;
}

void JsonText::put_int(std::int64_t value) {
  char* const to = room(kNumberMax);
  at_ = std::to_chars(to, to + kNumberMax, value).ptr;
}

void JsonText::put_uint(std::uint64_t value) {
  char* const to = room(kNumberMax);
  at_ = std::to_chars(to, to + kNumberMax, value).ptr;
}

void JsonText::put_double(double value) {
  if (!std::isfinite(value)) return fail();
  char* const to = room(kNumberMax);
  at_ = std::to_chars(to, to + kNumberMax, value).ptr;
  const std::string_view text(to, static_cast<std::size_t>(at_ - to));
  if (text.find_first_of(".e") == std::string_view::npos) put(".0");
}

void JsonText::put_float(float value) {
  if (!std::isfinite(value)) return fail();
  char* const to = room(kNumberMax);
  at_ = std::to_chars(to, to + kNumberMax, value).ptr;
}

void JsonText::put_number(double value) {
  if (!std::isfinite(value)) return fail();
  char* const to = room(kNumberMax);
  at_ = std::to_chars(to, to + kNumberMax, value).ptr;
}

namespace {

/// The escape of a character that may not stand bare in a JSON string; at most six bytes.
char* put_escape(char* to, char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  static constexpr std::string_view kPlain = "\"\\\b\f\n\r\t", kLetter = "\"\\bfnrt";
  *to++ = '\\';
  if (const auto at = kPlain.find(c); at != std::string_view::npos) {
    *to++ = kLetter[at];
    return to;
  }
  to = std::copy_n("u00", 3, to);
  *to++ = kHex[static_cast<unsigned char>(c) >> 4U];
  *to++ = kHex[static_cast<unsigned char>(c) & 15U];
  return to;
}

}  // namespace

void JsonText::put_string(std::string_view text) {
  // Six bytes is the longest escape. Room for the worst case is reserved a slice at a time, so that
  // the loop need not check.
  static constexpr std::size_t kSlice = 256;
  put('"');
  while (!text.empty()) {
    auto slice = text.substr(0, kSlice);
    text.remove_prefix(slice.size());
    char* to = room(slice.size() * 6);
    while (!slice.empty()) {
      if (slice.size() >= 8) {
        const auto word = load_le<8>(reinterpret_cast<const std::byte*>(slice.data()));
        if (needs_no_escape(word)) {
          std::memcpy(to, slice.data(), 8);
          to += 8;
          slice.remove_prefix(8);
          continue;
        }
      }
      const char c = slice.front();
      slice.remove_prefix(1);
      if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') {
        *to++ = c;
        continue;
      }
      to = put_escape(to, c);
    }
    at_ = to;
  }
  put('"');
}

void JsonText::put_base64(ByteView bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto left = bytes.size() - i;
    const auto byte = [&](std::size_t n) {
      return n < left ? std::to_integer<std::uint32_t>(bytes[i + n]) : 0U;
    };
    const auto group = byte(0) << 16 | byte(1) << 8 | byte(2);
    char* const to = room(4);
    to[0] = kDigits[group >> 18];
    to[1] = kDigits[(group >> 12) & 63U];
    to[2] = left > 1 ? kDigits[(group >> 6) & 63U] : '=';
    to[3] = left > 2 ? kDigits[group & 63U] : '=';
    at_ += 4;
  }
}

std::string_view JsonText::finish() {
  if (!ok_) at_ = begin_;
  arena_.trim(reinterpret_cast<std::byte*>(at_));
  return {begin_, static_cast<std::size_t>(at_ - begin_)};
}

}  // namespace rowtrail::binlog
