// VECTOR → JSON array. Stored: a blob of 32-bit little-endian floats (sql/field.h, Field_vector).
#include "binlog/column_types.h"
#include "binlog/json_text.h"

#include <bit>

namespace rowtrail::binlog {

void decode_vector(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  const auto raw = in.take(in.le(column.metadata));
  if (!in.ok() || set_digest_if_large(out, raw, context)) return;
  Cursor floats(raw);
  JsonText text(context.arena, raw.size() * 4, 64 + raw.size() * 16);
  text.put('[');
  while (floats.remaining() >= sizeof(float)) {
    if (floats.remaining() != raw.size()) text.put(',');
    text.put_float(std::bit_cast<float>(floats.u32()));
  }
  text.put(']');
  if (!floats.at_end()) text.fail();
  const bool ok = text.ok();
  const auto array = text.finish();
  if (!ok) return set_wire(out, column, raw, context);
  set_text(out, CellKind::Vector, array);
}

}  // namespace rowtrail::binlog
