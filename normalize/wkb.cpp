#include "normalize/wkb.h"

#include <array>
#include <bit>
#include <charconv>

namespace rowtrail::normalize {
namespace {

constexpr unsigned kDepthMax = 128;  // as the decoder's
enum WkbType : std::uint32_t { Point = 1, LineString, Polygon, MultiPoint, Collection = 7 };
constexpr std::array<std::string_view, 7> kNames = {
    "POINT",           "LINESTRING",   "POLYGON",           "MULTIPOINT",
    "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"};

/// Reads from `in_` what it writes to `out_`; the first thing out of place fails it.
class Writer {
 public:
  explicit Writer(std::string_view ewkt) : in_(ewkt) {}

  std::optional<Wkb> read() {
    Wkb wkb;
    if (take("SRID=")) {
      number(wkb.srid);
      expect(";");
    }
    geometry(0);
    if (failed_ || !in_.empty()) return std::nullopt;
    wkb.bytes = std::move(out_);
    return wkb;
  }

 private:
  bool take(std::string_view text) {
    if (!in_.starts_with(text)) return false;
    in_.remove_prefix(text.size());
    return true;
  }
  void expect(std::string_view text) {
    if (!take(text)) failed_ = true;
  }
  template <class Number>
  void number(Number& value) {
    const auto read = std::from_chars(in_.data(), in_.data() + in_.size(), value);
    if (read.ec != std::errc{}) failed_ = true;
    in_.remove_prefix(static_cast<std::size_t>(read.ptr - in_.data()));
  }
  void put(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) out_ += static_cast<char>(value >> (8 * i) & 0xFF);
  }

  void geometry(unsigned depth) {
    const std::string_view word = in_.substr(0, in_.find_first_of("( "));
    std::uint32_t type = 0;
    while (type < kNames.size() && kNames.at(type) != word) ++type;
    if (type == kNames.size() || depth > kDepthMax) {
      failed_ = true;
      return;
    }
    in_.remove_prefix(word.size());
    member(type + 1, depth);
  }

  void member(std::uint32_t type, unsigned depth) {
    put(1, 1);  // little-endian
    put(type, 4);
    switch (type) {
      case Point:
        expect("(");
        coordinates();
        return expect(")");
      case LineString:
        return points();
      case Polygon:
        return list([this] { points(); });
      case Collection:
        return list([&] { geometry(depth + 1); });
      default:
        return list([&] { member(type - MultiPoint + Point, depth + 1); });
    }
  }

  void coordinates() {
    double x = 0, y = 0;
    number(x);
    expect(" ");
    number(y);
    put(std::bit_cast<std::uint64_t>(x), 8);
    put(std::bit_cast<std::uint64_t>(y), 8);
  }
  void points() {
    list([this] { coordinates(); });
  }

  template <class Item>
  void list(Item item) {
    const std::size_t place = out_.size();
    put(0, 4);
    if (take(" EMPTY")) return;
    expect("(");
    std::uint32_t count = 0;
    do {
      item();
      ++count;
    } while (!failed_ && take(","));
    expect(")");
    for (unsigned i = 0; i < 4; ++i) out_[place + i] = static_cast<char>(count >> (8 * i) & 0xFF);
  }

  std::string_view in_;
  std::string out_;
  bool failed_ = false;
};

}  // namespace

std::optional<Wkb> wkb_from_ewkt(std::string_view ewkt) {
  return Writer(ewkt).read();
}

}  // namespace rowtrail::normalize
