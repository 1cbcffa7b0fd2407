#include "binlog/charset.h"

#include "binlog/charset_tables.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include <libdeflate.h>
#include <openssl/evp.h>

namespace rowtrail::binlog {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080U;

/// Not a code point: what cannot be converted.
constexpr std::uint32_t kUndefined = 0xFFFFFFFF;

std::vector<char16_t> unpack_tables() {
  const auto source = kCharsetTables;
  std::vector<unsigned char> packed(source.size());
  [[maybe_unused]] const int decoded =
      EVP_DecodeBlock(packed.data(), reinterpret_cast<const unsigned char*>(source.data()),
                      static_cast<int>(source.size()));
  assert(decoded > 0);
  const std::size_t units = kCharsetUnits;
  std::vector<unsigned char> deltas(units * 2);
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  if (inflater == nullptr) throw std::bad_alloc();
  std::size_t used = 0;
  [[maybe_unused]] const auto result = libdeflate_deflate_decompress_ex(
      inflater.get(), packed.data(), packed.size(), deltas.data(), deltas.size(), &used, nullptr);
  assert(result == LIBDEFLATE_SUCCESS);
  std::vector<char16_t> tables(units);
  unsigned unit = 0;
  for (std::size_t i = 0; i < units; ++i) {
    unit += deltas[i] | static_cast<unsigned>(deltas[units + i]) << 8;
    tables[i] = static_cast<char16_t>(unit);
  }
  return tables;
}

/// Half a megabyte, unpacked when the first text needs it.
const char16_t* tables() {
  static const auto unpacked = unpack_tables();
  return unpacked.data();
}

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

std::byte* put_utf8(std::byte* to, std::uint32_t code) noexcept {
  const auto put = [&to](std::uint32_t value) { *to++ = static_cast<std::byte>(value); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6);
    put(0x80U | (code & 0x3FU));
  } else {
    if (code < 0x10000) {
      put(0xE0U | code >> 12);
    } else {
      put(0xF0U | code >> 18);
      put(0x80U | (code >> 12 & 0x3FU));
    }
    put(0x80U | (code >> 6 & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
  return to;
}

constexpr bool is_surrogate(std::uint32_t code) noexcept {
  return code >= 0xD800 && code < 0xE000;
}

/// Reads one character of a charset with tables.
class TableReader {
 public:
  explicit TableReader(const Charset& charset) : charset_(charset), tables_(tables()) {}

  std::uint32_t operator()(const unsigned char*& at, const unsigned char* end) const noexcept {
    const unsigned first = *at;
    if (const std::uint32_t code = tables_[charset_.singles + first]; code != 0 || first == 0) {
      ++at;
      return code;
    }
    if (end - at < 2) return kUndefined;
    if (const auto code = in_block(charset_.pairs, at); code != 0) {
      at += 2;
      return code;
    }
    if (first == 0x8F && end - at >= 3) {
      const auto code = in_block(charset_.triples, at + 1);
      at += 3;
      return code == 0 ? kUndefined : code;
    }
    return charset_.quads_size == 0 ? kUndefined : quad(at, end);
  }

 private:
  [[nodiscard]] std::uint32_t in_block(const CharsetBlock& block,
                                       const unsigned char* at) const noexcept {
    const unsigned lead = at[0];
    const unsigned trail = at[1];
    if (lead < block.lead_first || lead > block.lead_last || trail < block.trail_first ||
        trail > block.trail_last) {
      return 0;
    }
    const unsigned trails = block.trail_last - block.trail_first + 1U;
    return tables_[block.table + (lead - block.lead_first) * trails + trail - block.trail_first];
  }

  /// gb18030: four-byte codes count on from 81 30 81 30, by a table to U+FFFF, then from 90 30 81
  /// 30 along with the code points.
  std::uint32_t quad(const unsigned char*& at, const unsigned char* end) const noexcept {
    constexpr unsigned kSupplementary = (0x90U - 0x81U) * 12'600;
    if (end - at < 4) return kUndefined;
    const auto digit = [at](std::size_t n, unsigned low, unsigned high) {
      return at[n] >= low && at[n] <= high ? at[n] - low : kUndefined;
    };
    const auto a = digit(0, 0x81, 0xFE), b = digit(1, 0x30, 0x39);
    const auto c = digit(2, 0x81, 0xFE), d = digit(3, 0x30, 0x39);
    if (a == kUndefined || b == kUndefined || c == kUndefined || d == kUndefined) return kUndefined;
    at += 4;
    const auto index = ((a * 10 + b) * 126 + c) * 10 + d;
    if (index < charset_.quads_size) {
      const std::uint32_t code = tables_[charset_.quads + index];
      return code == 0 ? kUndefined : code;
    }
    const auto code = index - kSupplementary + 0x10000;
    return index >= kSupplementary && code <= 0x10FFFF ? code : kUndefined;
  }

  const Charset& charset_;
  const char16_t* tables_;
};

template <bool kBigEndian, bool kSurrogates>
std::uint32_t read_utf16(const unsigned char*& at, const unsigned char* end) noexcept {
  const auto unit = [&at] {
    const unsigned high = kBigEndian ? at[0] : at[1];
    const unsigned low = kBigEndian ? at[1] : at[0];
    at += 2;
    return std::uint32_t{high << 8 | low};
  };
  if (end - at < 2) return kUndefined;
  const auto first = unit();
  if (!is_surrogate(first)) return first;
  if (!kSurrogates || first >= 0xDC00 || end - at < 2) return kUndefined;
  const auto second = unit();
  if (second < 0xDC00 || second > 0xDFFF) return kUndefined;
  return 0x10000 + ((first - 0xD800) << 10 | (second - 0xDC00));
}

std::uint32_t read_utf32(const unsigned char*& at, const unsigned char* end) noexcept {
  if (end - at < 4) return kUndefined;
  std::uint32_t code = 0;
  for (unsigned i = 0; i < 4; ++i) code = code << 8 | at[i];
  at += 4;
  return code > 0x10FFFF || is_surrogate(code) ? kUndefined : code;
}

/// UTF-8 takes at most three bytes for one of any other set here.
template <class Read>
bool convert(ByteView from, Arena& arena, std::string_view& out, Read read) {
  auto* const begin = arena.allocate(from.size() * 3, 1);
  auto* to = begin;
  const auto* at = reinterpret_cast<const unsigned char*>(from.data());
  const auto* const end = at + from.size();
  while (at < end) {
    const std::uint32_t code = read(at, end);
    if (code == kUndefined) {
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
  const auto runs = collation_runs();
  const auto run =
      std::ranges::lower_bound(runs, collation, {}, [](const CollationRun& r) { return r.last; });
  if (run == runs.end() || collation < run->first) return nullptr;
  return &charsets()[run->charset];
}

bool to_utf8(const Charset& charset, ByteView from, Arena& arena, std::string_view& out) {
  out = as_text(from);
  if (charset.kind == CharsetKind::Utf8) return is_utf8(from);
  if (charset.ascii_alike && is_ascii(from)) return true;
  switch (charset.kind) {
    case CharsetKind::SingleByte:
    case CharsetKind::MultiByte:
      return convert(from, arena, out, TableReader(charset));
    case CharsetKind::Ucs2:
      return convert(from, arena, out, read_utf16<true, false>);
    case CharsetKind::Utf16:
      return convert(from, arena, out, read_utf16<true, true>);
    case CharsetKind::Utf16Le:
      return convert(from, arena, out, read_utf16<false, true>);
    case CharsetKind::Utf32:
      return convert(from, arena, out, read_utf32);
    case CharsetKind::Utf8:
    case CharsetKind::Ascii:
    case CharsetKind::Binary:
      break;
  }
  return false;
}

}  // namespace rowtrail::binlog
