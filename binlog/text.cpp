// Strings of every kind: CHAR, BINARY, VARCHAR, TEXT and BLOB. Lengths are in bytes.
#include "binlog/charset.h"
#include "binlog/column_types.h"
#include "binlog/decoder.h"
#include "binlog/inflate.h"

#include <array>

#include <openssl/sha.h>

namespace rowtrail::binlog {
namespace {

void set_characters(Cell& out, const Column& column, ByteView raw, CellContext& context) {
  if (raw.size() > kCellBytesMax) return set_bytes(out, CellKind::Text, raw, context);
  const Charset* const charset = column.charset;
  if (charset == nullptr) return set_wire(out, column, raw, context);
  if (charset->kind == CharsetKind::Binary) return set_bytes(out, CellKind::Bytes, raw, context);
  std::string_view text;
  if (!to_utf8(*charset, raw, context.arena, text)) return set_wire(out, column, raw, context);
  const bool in_place = text.data() == as_text(raw).data();
  if (context.copy && in_place) text = context.arena.copy(text);
  set_text(out, CellKind::Text, text);
}

/// MariaDB's COMPRESSED columns (sql/field_comp.cc): a zero byte and the value, or a compressed
/// one.
void set_compressed(Cursor& in, Cell& out, const Column& column, ByteView raw,
                    CellContext& context) {
  if (raw.empty()) return set_characters(out, column, raw, context);
  if (raw.front() == std::byte{0}) {
    return set_characters(out, column, raw.subspan(1), context);
  }
  Cursor packed(raw);
  const auto value = read_compressed(packed);
  if (!packed.ok() || value.size > Decoder::kEventBytesMax) return in.fail();
  if (value.size > kCellBytesMax) {  // only its digest stays
    std::vector<std::byte> large(value.size);
    if (!inflate(value, large.data())) return in.fail();
    return set_characters(out, column, large, context);
  }
  const auto text = context.arena.make_span<std::byte>(value.size);
  if (!inflate(value, text.data())) return in.fail();
  CellContext in_place{context.arena, false};
  set_characters(out, column, text, in_place);
}

}  // namespace

void set_text(Cell& out, CellKind kind, std::string_view text) {
  out.kind = kind;
  out.size = static_cast<std::uint32_t>(text.size());
  out.data = text.data();
}

bool set_digest_if_large(Cell& out, ByteView raw, CellContext& context) {
  if (raw.size() <= kCellBytesMax) return false;
  std::array<unsigned char, SHA256_DIGEST_LENGTH + 8> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(raw.data()), raw.size(), digest.data());
  const std::uint64_t size = raw.size();
  std::memcpy(digest.data() + SHA256_DIGEST_LENGTH, &size, sizeof size);
  set_text(out, CellKind::Digest,
           context.arena.copy({reinterpret_cast<const char*>(digest.data()), digest.size()}));
  return true;
}

void set_bytes(Cell& out, CellKind kind, ByteView raw, CellContext& context) {
  if (set_digest_if_large(out, raw, context)) return;
  set_text(out, kind, as_text(context.copy ? context.arena.copy(raw) : raw));
}

void set_wire(Cell& out, const Column& column, ByteView raw, CellContext& context) {
  set_bytes(out, CellKind::Wire, raw, context);
  out.wire_type = column.wire_type;
}

void decode_varchar(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  const auto raw = in.take(column.metadata > 255 ? in.u16() : in.u8());
  set_characters(out, column, raw, context);
}

void decode_string(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  const std::size_t width = column.metadata;
  const auto raw = in.take(width > 255 ? in.u16() : in.u8());
  const bool is_binary = column.charset != nullptr && column.charset->kind == CharsetKind::Binary;
  if (!is_binary || raw.size() >= width) return set_characters(out, column, raw, context);
  // BINARY(n) is logged without its trailing zeros (Field_string::pack); the value has them.
  const auto padded = context.arena.make_span<char>(width);
  if (!raw.empty()) std::memcpy(padded.data(), raw.data(), raw.size());
  std::memset(padded.data() + raw.size(), 0, width - raw.size());
  set_text(out, CellKind::Bytes, {padded.data(), width});
}

void decode_blob(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  set_characters(out, column, in.take(in.le(column.metadata)), context);
}

void decode_varchar_compressed(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  const auto size = column.metadata > 255 ? in.u16() : in.u8();
  set_compressed(in, out, column, in.take(size), context);
}

void decode_blob_compressed(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  set_compressed(in, out, column, in.take(in.le(column.metadata)), context);
}

}  // namespace rowtrail::binlog
