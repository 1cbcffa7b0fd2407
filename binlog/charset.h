// Character sets of the servers and their conversion to UTF-8. A column's bytes are either proven
// to be UTF-8 already (then they are used where they stand) or converted into the arena, by tables
// that charset_tables.py asked of the servers themselves.
#pragma once

#include "binlog/arena.h"
#include "binlog/cursor.h"

#include <cstdint>
#include <string_view>

namespace rowtrail::binlog {

enum class CharsetKind : std::uint8_t {
  Binary,      // bytes, no text
  Utf8,        // utf8mb4, utf8mb3: validated, never converted
  Ascii,       // validated
  SingleByte,  // by a table of 256 code points
  MultiByte,   // by tables for one, two, three and four bytes
  Ucs2,        // big-endian, no surrogates
  Utf16,       // big-endian
  Utf16Le,
  Utf32,  // big-endian
};

/// Where the code points of two-byte codes stand: a row of trail bytes for each lead byte.
struct CharsetBlock {
  std::uint8_t lead_first = 1, lead_last = 0, trail_first = 1, trail_last = 0;
  std::uint32_t table = 0;
};

struct Charset {
  std::string_view name;
  CharsetKind kind = CharsetKind::Binary;
  std::uint8_t bytes_max = 1;  // of one character
  bool ascii_alike = false;    // text of bytes below 0x80 is ASCII
  std::uint32_t singles = 0;   // tables of MultiByte and SingleByte, as offsets; 0: undefined
  CharsetBlock pairs = {};
  CharsetBlock triples = {};                // after the byte 0x8F (ujis, eucjpms)
  std::uint32_t quads = 0, quads_size = 0;  // of gb18030, those below U+10000
};

inline constexpr std::uint16_t kBinaryCollation = 63;

/// The character set of a collation id as the servers number them; null when neither has it.
[[nodiscard]] const Charset* charset_of(std::uint16_t collation) noexcept;

[[nodiscard]] bool is_ascii(ByteView bytes) noexcept;
/// Well-formed by RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
[[nodiscard]] bool is_utf8(ByteView bytes) noexcept;

/// UTF-8 of `from`: the same bytes where that is what they are, else a copy in `arena`. False when
/// the bytes are not valid in the character set or it is no text.
[[nodiscard]] bool to_utf8(const Charset& charset, ByteView from, Arena& arena,
                           std::string_view& out);

}  // namespace rowtrail::binlog
