#include "binlog/charset.h"

#include <array>
#include <cstring>

namespace rowtrail::binlog {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080U;

/// MySQL's latin1 is cp1252 with its five holes mapped to C1 controls (checked on 9.7.4:
/// CONVERT(_latin1 x'818D8F909D' USING utf8mb4) is U+0081 …).
constexpr auto kLatin1 = [] {
  std::array<char16_t, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<char16_t>(i);
  constexpr char16_t kWindows[32] = {
      0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};
  for (std::size_t i = 0; i < 32; ++i) table[0x80 + i] = kWindows[i];
  return table;
}();

constexpr Charset kBinary{"binary", CharsetKind::Binary, 1, nullptr};
constexpr Charset kUtf8mb4{"utf8mb4", CharsetKind::Utf8, 4, nullptr};
constexpr Charset kUtf8mb3{"utf8mb3", CharsetKind::Utf8, 3, nullptr};
constexpr Charset kAscii{"ascii", CharsetKind::Ascii, 1, nullptr};
constexpr Charset kLatin1Set{"latin1", CharsetKind::SingleByte, 1, kLatin1.data()};

/// Length of the well-formed sequence at `at`, or 0.
std::size_t sequence_length(const unsigned char* at, std::size_t left) noexcept {
  const auto tail = [at](std::size_t n) { return (at[n] & 0xC0U) == 0x80U; };
  const unsigned first = at[0];
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return left >= 2 && tail(1) ? 2 : 0;
  if (first < 0xF0) {
    if (left < 3 || !tail(1) || !tail(2)) return 0;
    if (first == 0xE0 && at[1] < 0xA0) return 0;  // overlong
    if (first == 0xED && at[1] > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (first > 0xF4 || left < 4 || !tail(1) || !tail(2) || !tail(3)) return 0;
  if (first == 0xF0 && at[1] < 0x90) return 0;
  if (first == 0xF4 && at[1] > 0x8F) return 0;
  return 4;
}

std::byte* put_utf8(std::byte* to, char16_t code) noexcept {
  const auto put = [&to](unsigned value) { *to++ = static_cast<std::byte>(value); };
  const unsigned c = code;
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0U | (c >> 6));
    put(0x80U | (c & 0x3FU));
  } else {
    put(0xE0U | (c >> 12));
    put(0x80U | ((c >> 6) & 0x3FU));
    put(0x80U | (c & 0x3FU));
  }
  return to;
}

bool single_byte_to_utf8(const Charset& charset, ByteView from, Arena& arena,
                         std::string_view& out) {
  auto* const begin = arena.allocate(from.size() * 3, 1);
  auto* to = begin;
  for (const auto raw : from) {
    const auto code = charset.code_points[std::to_integer<std::size_t>(raw)];
    if (code == 0 && raw != std::byte{0}) {
      arena.trim(begin);
      return false;
    }
    to = put_utf8(to, code);
  }
  arena.trim(to);
  out = {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(to - begin)};
  return true;
}

}  // namespace

bool is_ascii(ByteView bytes) noexcept {
  const auto* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    if ((load_le<8>(at) & kHighBits) != 0) return false;
  }
  std::uint64_t rest = 0;
  if (left > 0) std::memcpy(&rest, at, left);
  return (rest & kHighBits) == 0;
}

bool is_utf8(ByteView bytes) noexcept {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = at + bytes.size();
  while (at < end) {
    if (end - at >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, sizeof word);
      if ((word & kHighBits) == 0) {
        at += 8;
        continue;
      }
    }
    const auto length = sequence_length(at, static_cast<std::size_t>(end - at));
    if (length == 0) return false;
    at += length;
  }
  return true;
}

const Charset* charset_of(std::uint16_t collation) noexcept {
  switch (collation) {
    case 63:
      return &kBinary;
    case 11:
    case 65:
      return &kAscii;
    case 5:
    case 8:
    case 15:
    case 31:
    case 47:
    case 48:
    case 49:
    case 94:
      return &kLatin1Set;
    case 33:
    case 76:
    case 83:
    case 223:
      return &kUtf8mb3;
    case 45:
    case 46:
      return &kUtf8mb4;
    default:
      break;
  }
  if (collation >= 192 && collation <= 215) return &kUtf8mb3;
  if ((collation >= 224 && collation <= 247) || (collation >= 255 && collation <= 323)) {
    return &kUtf8mb4;
  }
  return nullptr;
}

bool to_utf8(const Charset& charset, ByteView from, Arena& arena, std::string_view& out) {
  switch (charset.kind) {
    case CharsetKind::Utf8:
      out = as_text(from);
      return is_utf8(from);
    case CharsetKind::Ascii:
      out = as_text(from);
      return is_ascii(from);
    case CharsetKind::SingleByte:
      out = as_text(from);
      return is_ascii(from) || single_byte_to_utf8(charset, from, arena, out);
    case CharsetKind::Binary:
    case CharsetKind::Unknown:
      break;
  }
  return false;
}

}  // namespace rowtrail::binlog
