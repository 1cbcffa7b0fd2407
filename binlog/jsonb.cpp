#include "binlog/jsonb.h"

#include "binlog/charset.h"
#include "binlog/column_types.h"
#include "binlog/decimal.h"
#include "binlog/json_text.h"
#include "binlog/temporal.h"

#include <array>
#include <bit>
#include <cstdlib>

namespace rowtrail::binlog {
namespace {

enum class JsonType : std::uint8_t {
  SmallObject = 0,
  LargeObject = 1,
  SmallArray = 2,
  LargeArray = 3,
  Literal = 4,
  Int16 = 5,
  UInt16 = 6,
  Int32 = 7,
  UInt32 = 8,
  Int64 = 9,
  UInt64 = 10,
  Double = 11,
  String = 12,
  Opaque = 15,
};

class Reader {
 public:
  Reader(Arena& arena, std::size_t size)
      : out_(arena, size * 2, kTextBytesMin + size * kTextPerByteMax) {}

  void value(std::uint8_t type, ByteView data, unsigned depth);
  [[nodiscard]] core::Result<std::string_view> finish();

 private:
  // A control character in a string becomes six bytes; nothing a server writes grows more, so a
  // longer text comes from values that overlap.
  static constexpr std::size_t kTextPerByteMax = 8;
  static constexpr std::size_t kTextBytesMin = 256;

  template <std::size_t W>
  void container(ByteView data, bool is_object, unsigned depth);
  template <std::size_t W>
  void entry(ByteView data, std::size_t at, unsigned depth);
  void literal(std::uint8_t code);
  void opaque(Cursor in);
  void opaque_decimal(ByteView data);
  void opaque_temporal(ColumnType type, ByteView data);
  ByteView variable_length(Cursor& in);
  void malformed(const char* what) {
    if (error_ == nullptr) error_ = what;
    out_.fail();
  }

  JsonText out_;
  const char* error_ = nullptr;
};

template <std::size_t W>
void Reader::container(ByteView data, bool is_object, unsigned depth) {
  Cursor in(data);
  const auto count = in.le<W>();
  const auto size = in.le<W>();
  const std::size_t key_bytes = is_object ? W + 2 : 0;
  const std::size_t value_bytes = 1 + W;
  const auto header = 2 * W + count * (key_bytes + value_bytes);
  if (!in.ok() || size > data.size() || header > size)
    return malformed("a container's size is wrong");
  if (depth >= kJsonDepthMax) return malformed("nested deeper than 128 levels");
  data = data.first(size);
  const auto* key = data.data() + 2 * W;
  auto value_at = 2 * W + count * key_bytes;
  out_.put(is_object ? '{' : '[');
  for (std::uint64_t i = 0; i < count && out_.ok(); ++i, value_at += value_bytes) {
    if (i > 0) out_.put(',');
    if (is_object) {
      const auto offset = load_le<W>(key);
      const auto length = load_le<2>(key + W);
      key += key_bytes;
      if (offset > size || length > size - offset)
        return malformed("a key lies outside its object");
      out_.put_string(as_text(data.subspan(offset, length)));
      out_.put(':');
    }
    entry<W>(data, value_at, depth);
  }
  out_.put(is_object ? '}' : ']');
}

template <std::size_t W>
void Reader::entry(ByteView data, std::size_t at, unsigned depth) {
  const auto type = std::to_integer<std::uint8_t>(data[at]);
  const auto* const field = data.data() + at + 1;
  switch (static_cast<JsonType>(type)) {
    case JsonType::Literal:
      return literal(static_cast<std::uint8_t>(load_le<1>(field)));
    case JsonType::Int16:
      return out_.put_int(static_cast<std::int16_t>(load_le<2>(field)));
    case JsonType::UInt16:
      return out_.put_uint(load_le<2>(field));
    default:
      break;
  }
  if constexpr (W == 4) {
    if (type == static_cast<std::uint8_t>(JsonType::Int32)) {
      return out_.put_int(static_cast<std::int32_t>(load_le<4>(field)));
    }
    if (type == static_cast<std::uint8_t>(JsonType::UInt32))
      return out_.put_uint(load_le<4>(field));
  }
  const auto offset = load_le<W>(field);
  if (offset >= data.size()) return malformed("a value lies outside its container");
  value(type, data.subspan(offset), depth + 1);
}

void Reader::literal(std::uint8_t code) {
  switch (code) {
    case 0:
      return out_.put("null");
    case 1:
      return out_.put("true");
    case 2:
      return out_.put("false");
    default:
      return malformed("an unknown literal");
  }
}

ByteView Reader::variable_length(Cursor& in) {
  std::uint64_t length = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const auto byte = in.u8();
    length |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80U) == 0) return in.take(length);
  }
  in.fail();
  return {};
}

void Reader::value(std::uint8_t type, ByteView data, unsigned depth) {
  Cursor in(data);
  switch (static_cast<JsonType>(type)) {
    case JsonType::SmallObject:
      return container<2>(data, true, depth);
    case JsonType::LargeObject:
      return container<4>(data, true, depth);
    case JsonType::SmallArray:
      return container<2>(data, false, depth);
    case JsonType::LargeArray:
      return container<4>(data, false, depth);
    case JsonType::Literal:
      literal(in.u8());
      break;
    case JsonType::Int16:
      out_.put_int(static_cast<std::int16_t>(in.u16()));
      break;
    case JsonType::UInt16:
      out_.put_uint(in.u16());
      break;
    case JsonType::Int32:
      out_.put_int(static_cast<std::int32_t>(in.u32()));
      break;
    case JsonType::UInt32:
      out_.put_uint(in.u32());
      break;
    case JsonType::Int64:
      out_.put_int(static_cast<std::int64_t>(in.u64()));
      break;
    case JsonType::UInt64:
      out_.put_uint(in.u64());
      break;
    case JsonType::Double:
      out_.put_double(std::bit_cast<double>(in.u64()));
      break;
    case JsonType::String:
      out_.put_string(as_text(variable_length(in)));
      break;
    case JsonType::Opaque:
      return opaque(in);
    default:
      return malformed("an unknown value type");
  }
  if (!in.ok()) malformed("a value is cut short");
}

void Reader::opaque(Cursor in) {
  const auto type = static_cast<ColumnType>(in.u8());
  const auto data = variable_length(in);
  if (!in.ok()) return malformed("an opaque value is cut short");
  switch (type) {
    case ColumnType::NewDecimal:
      return opaque_decimal(data);
    case ColumnType::Date:
    case ColumnType::Time:
    case ColumnType::DateTime:
    case ColumnType::Timestamp:
      return opaque_temporal(type, data);
    default:
      break;
  }
  out_.put("\"base64:type");
  out_.put_uint(static_cast<std::uint8_t>(type));
  out_.put(':');
  out_.put_base64(data);
  out_.put('"');
}

void Reader::opaque_decimal(ByteView data) {
  Cursor in(data);
  const unsigned precision = in.u8();
  const unsigned scale = in.u8();
  if (!in.ok() || !is_decimal_shape(precision, scale))
    return malformed("a decimal's shape is wrong");
  std::array<char, kDecimalTextMax> text{};
  char* const end = read_decimal(in, precision, scale, text.data());
  if (!in.ok()) return malformed("a decimal is cut short");
  out_.put({text.data(), static_cast<std::size_t>(end - text.data())});
}

void Reader::opaque_temporal(ColumnType type, ByteView data) {
  Cursor in(data);
  const auto packed = static_cast<std::int64_t>(in.u64());
  if (!in.ok()) return malformed("a date or time is cut short");
  std::array<char, kTemporalTextMax> text{};
  char* to = text.data();
  *to++ = '"';
  if (type == ColumnType::Time) {
    const auto microseconds = time_from_packed(packed);
    const auto magnitude = static_cast<std::uint64_t>(std::abs(microseconds));
    const auto seconds = static_cast<std::uint32_t>(magnitude / kMicroseconds);
    if (microseconds < 0) *to++ = '-';
    to = put_clock(to, seconds / 3600, seconds / 60 % 60, seconds % 60,
                   static_cast<std::uint32_t>(magnitude % kMicroseconds), 6);
  } else {
    const auto parts = datetime_from_packed(static_cast<std::uint64_t>(packed));
    if (packed < 0 || parts.year > 9999) return malformed("a date is out of range");
    to = put_date(to, parts);
    if (type != ColumnType::Date) {
      *to++ = ' ';
      to = put_clock(to, parts.hour, parts.minute, parts.second, parts.microsecond % 1000000, 6);
    }
  }
  *to++ = '"';
  out_.put({text.data(), static_cast<std::size_t>(to - text.data())});
}

core::Result<std::string_view> Reader::finish() {
  const bool ok = out_.ok();
  const auto text = out_.finish();
  if (!ok) {
    return core::Error{core::Errc::Malformed,
                       std::string("JSON: ") + (error_ == nullptr ? "values overlap" : error_)};
  }
  if (!is_utf8(as_bytes(text))) {
    return core::Error{core::Errc::Malformed, "JSON: a string is not UTF-8"};
  }
  return text;
}

}  // namespace

core::Result<std::string_view> jsonb_to_text(ByteView document, Arena& arena) {
  if (document.empty()) return std::string_view("null");
  Reader reader(arena, document.size());
  reader.value(std::to_integer<std::uint8_t>(document[0]), document.subspan(1), 0);
  return reader.finish();
}

void decode_json(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  const auto raw = in.take(in.le(column.metadata));
  if (!in.ok() || set_digest_if_large(out, raw, context)) return;
  const auto text = jsonb_to_text(raw, context.arena);
  if (!text) return set_wire(out, column, raw, context);
  set_text(out, CellKind::Json, *text);
}

}  // namespace rowtrail::binlog
