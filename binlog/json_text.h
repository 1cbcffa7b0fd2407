// Canonical JSON text written straight into an arena: no spaces, minimal escapes, doubles always
// told apart from integers. Grows by moving; finish() gives back what was reserved too much.
#pragma once

#include "binlog/arena.h"
#include "binlog/cursor.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace rowtrail::binlog {

class JsonText {
 public:
  /// `limit` bounds the text: the writer fails beyond it.
  JsonText(Arena& arena, std::size_t estimate, std::size_t limit);

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  void fail() noexcept { ok_ = false; }

  void put(char c) { *room(1) = c, ++at_; }
  void put(std::string_view raw) {
    if (raw.empty()) return;
    std::memcpy(room(raw.size()), raw.data(), raw.size());
    at_ += raw.size();
  }
  void put_int(std::int64_t value);
  void put_uint(std::uint64_t value);
  /// Shortest text that round-trips; "1.0", never "1".
  void put_double(double value);
  /// Shortest text that round-trips as the same type; "1", for arrays and geometries.
  void put_float(float value);
  void put_number(double value);
  /// With quotes.
  void put_string(std::string_view text);
  void put_base64(ByteView bytes);

  /// The text, final. Empty when failed.
  [[nodiscard]] std::string_view finish();

 private:
  /// Room for `bytes` more at at_; after a failure a scratch place that is overwritten for ever.
  char* room(std::size_t bytes) {
    if (static_cast<std::size_t>(end_ - at_) < bytes) [[unlikely]]
      grow(bytes);
    return at_;
  }
  void grow(std::size_t bytes);

  Arena& arena_;
  char* begin_;
  char* at_;
  char* end_;
  std::size_t limit_;
  bool ok_ = true;
};

}  // namespace rowtrail::binlog
