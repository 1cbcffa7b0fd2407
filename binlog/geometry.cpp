// GEOMETRY → EWKT. Stored: SRID u32, then WKB (OGC 06-103r4), always little-endian. Coordinates are
// printed as stored, x before y, whatever the axis order of the reference system; SRID 0, the
// default, is left out as PostGIS does.
#include "binlog/column_types.h"
#include "binlog/json_text.h"

#include <array>
#include <bit>

namespace rowtrail::binlog {
namespace {

constexpr unsigned kGeometryDepthMax = 128;
enum WkbType : std::uint32_t {
  WkbPoint = 1,
  WkbLineString,
  WkbPolygon,
  WkbMultiPoint,
  WkbMultiLineString,
  WkbMultiPolygon,
  WkbCollection,
};
constexpr std::array<std::string_view, 8> kNames = {
    "",           "POINT",           "LINESTRING",   "POLYGON",
    "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"};

class Ewkt {
 public:
  Ewkt(Cursor& in, JsonText& out) : in_(in), out_(out) {}

  void geometry(unsigned depth) {
    const auto type = header();
    if (!in_.ok() || depth > kGeometryDepthMax) return in_.fail();
    out_.put(kNames[type]);
    body(type, depth);
  }

 private:
  std::uint32_t header() {
    const auto order = in_.u8();
    const auto type = in_.u32();
    if (order != 1 || type < WkbPoint || type > WkbCollection) in_.fail();
    return type;
  }

  void coordinates() {
    out_.put_number(std::bit_cast<double>(in_.u64()));
    out_.put(' ');
    out_.put_number(std::bit_cast<double>(in_.u64()));
  }

  /// A counted list in parentheses; the count is checked by reading, never reserved for.
  template <class Item>
  void list(Item item) {
    const auto count = in_.u32();
    if (count == 0 && in_.ok()) return out_.put(" EMPTY");
    for (std::uint32_t i = 0; i < count && in_.ok() && out_.ok(); ++i) {
      out_.put(i == 0 ? '(' : ',');
      item();
    }
    out_.put(')');
  }
  void points() {
    list([this] { coordinates(); });
  }
  void rings() {
    list([this] { points(); });
  }
  /// A member of a homogeneous collection: its own header is there but not printed.
  void member(std::uint32_t type, unsigned depth) {
    if (header() != type) return in_.fail();
    body(type, depth + 1);
  }

  void body(std::uint32_t type, unsigned depth) {
    switch (type) {
      case WkbPoint:
        out_.put('(');
        coordinates();
        return out_.put(')');
      case WkbLineString:
        return points();
      case WkbPolygon:
        return rings();
      case WkbMultiPoint:
      case WkbMultiLineString:
      case WkbMultiPolygon:
        return list([&] { member(type - 3, depth); });
      default:
        return list([&] { geometry(depth + 1); });
    }
  }

  Cursor& in_;
  JsonText& out_;
};

}  // namespace

void decode_geometry(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  const auto raw = in.take(in.le(column.metadata));
  if (!in.ok() || set_digest_if_large(out, raw, context)) return;
  Cursor wkb(raw);
  JsonText text(context.arena, raw.size() * 2, 256 + raw.size() * 16);
  if (const auto srid = wkb.u32(); srid != 0) {
    text.put("SRID=");
    text.put_uint(srid);
    text.put(';');
  }
  Ewkt(wkb, text).geometry(0);
  if (!wkb.ok() || !wkb.at_end()) text.fail();
  const bool ok = text.ok();
  const auto ewkt = text.finish();
  if (!ok) return set_wire(out, column, raw, context);
  set_text(out, CellKind::Geometry, ewkt);
}

}  // namespace rowtrail::binlog
