// Character sets of the servers and their conversion to UTF-8. A column's bytes are either proven
// to be UTF-8 already (then they are used where they stand) or converted into the arena.
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
  Unknown,     // no table: the text stays as wire bytes
};

struct Charset {
  std::string_view name;
  CharsetKind kind = CharsetKind::Unknown;
  std::uint8_t bytes_max = 1;             // of one character
  const char16_t* code_points = nullptr;  // SingleByte; 0 beyond byte 0: undefined
};

inline constexpr std::uint16_t kBinaryCollation = 63;

/// The character set of a collation id as the servers number them; null when neither has it.
[[nodiscard]] const Charset* charset_of(std::uint16_t collation) noexcept;

[[nodiscard]] bool is_ascii(ByteView bytes) noexcept;
/// Well-formed by RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
[[nodiscard]] bool is_utf8(ByteView bytes) noexcept;

/// UTF-8 of `from`: the same bytes where that is what they are, else a copy in `arena`. False when
/// the bytes are not valid in the character set or the set has no conversion.
[[nodiscard]] bool to_utf8(const Charset& charset, ByteView from, Arena& arena,
                           std::string_view& out);

}  // namespace rowtrail::binlog
