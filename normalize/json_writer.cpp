#include "normalize/json_writer.h"

#include <algorithm>
#include <bit>
#include <charconv>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace rowtrail::normalize {
namespace {

constexpr std::size_t kFirstRoom = 512;

/// Bytes that a string cannot be copied over without a look: '"', '\\', controls, and everything
/// beyond ASCII, whose validity is checked.
constexpr bool is_special(unsigned char c) {
  return c < 0x20 || c == '"' || c == '\\' || c > 0x7e;
}
constexpr std::array<bool, 256> kSpecial = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 256; ++c) table.at(c) = is_special(static_cast<unsigned char>(c));
  return table;
}();

#if defined(__SSE2__)
/// Bit n: byte n of the 16 is special. 0x7f needs no escape, but is rare and may take the slow way.
inline unsigned special_mask(__m128i bytes) {
  // Signed comparison: bytes from 0x80 are negative, so "less than 0x20" finds them too.
  const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, slash))));
}
#endif

/// Copies the longest plain prefix of up to 16 bytes at `from`; returns its length. The 16 bytes
/// are readable, and writable at `to`.
inline std::size_t copy_plain16(char* to, const char* from) {
#if defined(__SSE2__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  return static_cast<std::size_t>(std::countr_zero(special_mask(bytes) | 0x10000U));
#else
  std::size_t n = 0;
  while (n < 16 && !kSpecial[static_cast<unsigned char>(from[n])]) {
    to[n] = from[n];
    ++n;
  }
  return n;
#endif
}

/// Are the eight bytes at `from` plain? Bits that a borrow sets wrongly only send plain text the
/// slow way (Bit Twiddling Hacks, "Determine if a word has a zero byte").
inline bool are_plain8(const char* from) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  std::uint64_t eight = 0;
  std::memcpy(&eight, from, sizeof(eight));
  const auto below = [eight](std::uint64_t mask, std::uint64_t limit) {
    const std::uint64_t masked = eight ^ mask * kOnes;
    return (masked - limit * kOnes) & ~masked;
  };
  const std::uint64_t special = eight | below(0, 0x20) | below('"', 1) | below('\\', 1);
  return (special & kOnes << 7) == 0;
}

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Twelve bits to two characters.
constexpr std::array<std::array<char, 2>, 4096> kBase64Pairs = [] {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t i = 0; i < 4096; ++i) pairs.at(i) = {kBase64[i >> 6], kBase64[i & 63]};
  return pairs;
}();

constexpr std::array<std::uint64_t, 20> kPowersOfTen = [] {
  std::array<std::uint64_t, 20> powers{};
  std::uint64_t power = 1;
  for (auto& p : powers) {
    p = power;
    power *= 10;
  }
  return powers;
}();

inline std::size_t decimal_digits(std::uint64_t value) {
  // log10(2) is about 1233 / 4096; one too few where value has reached the next power of ten.
  const auto guess = static_cast<std::size_t>(std::bit_width(value | 1) * 1233) >> 12;
  return guess + (guess < kPowersOfTen.size() && value >= kPowersOfTen[guess] ? 1 : 0);
}

}  // namespace

void JsonWriter::grow(std::size_t bytes) {
  const auto used = static_cast<std::size_t>(p_ - out_.data());
  out_.resize(used + std::max(bytes, kFirstRoom));
  p_ = out_.data() + used;
  end_ = out_.data() + out_.size();
}

void JsonWriter::uint(std::uint64_t value) {
  if (value < 10) {
    *p_++ = static_cast<char>('0' + value);
    return;
  }
  const std::size_t digits = decimal_digits(value);
  char* at = p_ + digits;
  p_ = at;
  while (value >= 100) {
    at -= 2;
    std::memcpy(at, &kDigitPairs[2 * (value % 100)], 2);
    value /= 100;
  }
  if (value >= 10) {
    std::memcpy(at - 2, &kDigitPairs[2 * value], 2);
  } else {
    at[-1] = static_cast<char>('0' + value);
  }
}

void JsonWriter::integer(std::int64_t value) {
  auto magnitude = static_cast<std::uint64_t>(value);
  if (value < 0) {
    *p_++ = '-';
    magnitude = 0 - magnitude;
  }
  uint(magnitude);
}

// std::to_chars without a format gives the shortest text that reads back as the same value: the
// standard fixes the digits, so they are the same with every compiler.
void JsonWriter::number(double value) {
  p_ = std::to_chars(p_, end_, value).ptr;
}
void JsonWriter::number(float value) {
  p_ = std::to_chars(p_, end_, value).ptr;
}

void JsonWriter::string(std::string_view text) {
  need(text.size() + kPadding + 2);
  *p_++ = '"';
  escaped(text.data(), text.size());
  *p_++ = '"';
}

/// Keeps room for the rest of the text, kPadding and a closing quote at all times.
void JsonWriter::escaped(const char* text, std::size_t size) {
  const char* const end = text + size;
  while (end - text >= 16) {
    const std::size_t plain = copy_plain16(p_, text);
    p_ += plain;
    text += plain;
    if (plain < 16) text = escape_one(text, end);
  }
  if (end - text >= 8 && are_plain8(text)) {
    std::memcpy(p_, text, 8);
    p_ += 8;
    text += 8;
  }
  while (text != end) {
    if (kSpecial[static_cast<unsigned char>(*text)]) {
      text = escape_one(text, end);
    } else {
      *p_++ = *text++;
    }
  }
}

/// Writes the character at `text`, which is special; returns what follows it.
const char* JsonWriter::escape_one(const char* text, const char* end) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  static constexpr std::array<char, 6> kShort = {'b', 't', 'n', 0, 'f', 'r'};  // 0x08 … 0x0d
  const auto c = static_cast<unsigned char>(*text);
  need(6 + static_cast<std::size_t>(end - text) + kPadding + 2);
  if (c >= 0x80) {
    const std::size_t length = utf8_length(text, end);
    if (length == 0) {
      put("\xEF\xBF\xBD");
      return text + 1;
    }
    std::memcpy(p_, text, length);
    p_ += length;
    return text + length;
  }
  if (c == 0x7f) {
    *p_++ = '\x7f';
  } else if (c == '"' || c == '\\') {
    *p_++ = '\\';
    *p_++ = static_cast<char>(c);
  } else if (c >= 0x08 && c <= 0x0d && c != 0x0b) {
    *p_++ = '\\';
    *p_++ = kShort[static_cast<std::size_t>(c - 0x08)];
  } else {
    put("\\u00");
    *p_++ = kHex[c >> 4];
    *p_++ = kHex[c & 15];
  }
  return text + 1;
}

void JsonWriter::base64(std::string_view bytes) {
  need((bytes.size() + 2) / 3 * 4);
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 3; left -= 3, from += 3) {
    const std::uint32_t three =
        std::uint32_t{from[0]} << 16 | std::uint32_t{from[1]} << 8 | from[2];
    std::memcpy(p_, kBase64Pairs[three >> 12].data(), 2);
    std::memcpy(p_ + 2, kBase64Pairs[three & 0xfff].data(), 2);
    p_ += 4;
  }
  if (left == 0) return;
  const std::uint32_t three =
      std::uint32_t{from[0]} << 16 | (left == 2 ? std::uint32_t{from[1]} << 8 : 0);
  std::memcpy(p_, kBase64Pairs[three >> 12].data(), 2);
  p_[2] = left == 2 ? kBase64Pairs[three & 0xfff][0] : '=';
  p_[3] = '=';
  p_ += 4;
}

void JsonWriter::hex(std::string_view bytes) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  need(2 * bytes.size());
  for (const char byte : bytes) {
    *p_++ = kHex[static_cast<unsigned char>(byte) >> 4];
    *p_++ = kHex[static_cast<unsigned char>(byte) & 15];
  }
}

std::size_t utf8_length(const char* text, const char* end) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [byte](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const auto left = static_cast<std::size_t>(end - text);
  const unsigned char c = byte(0);
  if (c < 0x80) return 1;
  if (c < 0xC2 || c > 0xF4) return 0;
  if (c < 0xE0) return left >= 2 && tail(1) ? 2 : 0;
  if (c < 0xF0) {
    if (left < 3 || !tail(1) || !tail(2)) return 0;
    const bool overlong = c == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = c == 0xED && byte(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (left < 4 || !tail(1) || !tail(2) || !tail(3)) return 0;
  const bool overlong = c == 0xF0 && byte(1) < 0x90;
  const bool beyond = c == 0xF4 && byte(1) > 0x8F;
  return overlong || beyond ? 0 : 4;
}

bool is_utf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (end - at >= 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, at, 8);
      if ((eight & 0x8080808080808080U) == 0) {
        at += 8;
        continue;
      }
    }
    const std::size_t length = utf8_length(at, end);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace rowtrail::normalize
