// The one thing that touches wire pointers: a bounds-checked reader with a sticky error. A short
// read returns zero and fails the cursor; a decoder reads everything it wants and checks ok() once.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace rowtrail::binlog {

static_assert(std::endian::native == std::endian::little,
              "loads below assume a little-endian host");

using ByteView = std::span<const std::byte>;

[[nodiscard]] inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Little-endian unsigned integer of N bytes at `from`, which must hold them.
template <std::size_t N>
[[nodiscard]] inline std::uint64_t load_le(const std::byte* from) noexcept {
  static_assert(N >= 1 && N <= 8);
  std::uint64_t value = 0;
  std::memcpy(&value, from, N);
  return value;
}

class Cursor {
 public:
  explicit Cursor(ByteView bytes) noexcept : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t remaining() const noexcept {
    return static_cast<std::size_t>(end_ - at_);
  }
  [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }
  /// What is left, without consuming it.
  [[nodiscard]] ByteView rest() const noexcept { return {at_, remaining()}; }

  /// Little-endian unsigned integer of N bytes.
  template <std::size_t N>
  std::uint64_t le() noexcept {
    if (remaining() < N) [[unlikely]] {
      fail();
      return 0;
    }
    const auto value = load_le<N>(at_);
    at_ += N;
    return value;
  }
  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(le<1>()); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(le<2>()); }
  std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(le<4>()); }
  std::uint64_t u64() noexcept { return le<8>(); }

  /// Little-endian or big-endian unsigned integer of `size` bytes, 1 to 8.
  std::uint64_t le(std::size_t size) noexcept {
    std::uint64_t value = 0;
    if (remaining() < size || size > sizeof value) [[unlikely]] {
      fail();
      return 0;
    }
    std::memcpy(&value, at_, size);
    at_ += size;
    return value;
  }
  std::uint64_t be(std::size_t size) noexcept {
    if (size == 0) return 0;
    const auto value = le(size);
    return __builtin_bswap64(value) >> (64 - 8 * size);
  }

  /// MySQL's length-encoded integer (net_store_length): 1, 3, 4 or 9 bytes.
  std::uint64_t lenenc() noexcept {
    const auto first = u8();
    if (first < 251) [[likely]]
      return first;
    switch (first) {
      case 252:
        return le<2>();
      case 253:
        return le<3>();
      case 254:
        return le<8>();
      default:
        fail();
        return 0;  // 251 is NULL in result rows, 255 an error packet
    }
  }

  ByteView take(std::uint64_t size) noexcept {
    if (remaining() < size) [[unlikely]] {
      fail();
      return {};
    }
    const ByteView taken(at_, static_cast<std::size_t>(size));
    at_ += size;
    return taken;
  }
  std::string_view text(std::uint64_t size) noexcept { return as_text(take(size)); }
  void skip(std::uint64_t size) noexcept { static_cast<void>(take(size)); }

  /// A cursor over the next `size` bytes, already failed when they are not there.
  Cursor sub(std::uint64_t size) noexcept {
    Cursor inner(take(size));
    if (!ok_) inner.fail();
    return inner;
  }

  void fail() noexcept {
    ok_ = false;
    at_ = end_;
  }

 private:
  const std::byte* at_;
  const std::byte* end_;
  bool ok_ = true;
};

/// Bit n of a bitmap that the caller has checked to be long enough.
[[nodiscard]] inline bool bit(ByteView bitmap, std::size_t n) noexcept {
  return ((std::to_integer<unsigned>(bitmap[n / 8]) >> (n % 8)) & 1U) != 0;
}

}  // namespace rowtrail::binlog
