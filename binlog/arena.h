// A bump allocator for everything one transaction owns: the copied row bytes, converted text,
// cells. Pointers stay valid until reset() or destruction. reset() keeps the blocks, so a recycled
// arena allocates nothing in the steady state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace rowtrail::binlog {

class Arena {
 public:
  static constexpr std::size_t kBlockBytes = 64 * 1024;
  /// Blocks beyond this are given back by reset(), so one huge transaction does not stay resident.
  static constexpr std::size_t kKeptBytes = 1024 * 1024;

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  [[nodiscard]] std::byte* allocate(std::size_t bytes, std::size_t align = 8) {
    const std::size_t start = (used_ + align - 1) & ~(align - 1);
    if (current_ < blocks_.size() && start + bytes <= blocks_[current_].size) {
      used_ = start + bytes;
      return blocks_[current_].data.get() + start;
    }
    return allocate_slow(bytes);
  }

  /// An uninitialised array; T must not need construction beyond its bytes.
  template <class T>
  [[nodiscard]] std::span<T> make_span(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    auto* bytes = allocate(count * sizeof(T), alignof(T));
    return {reinterpret_cast<T*>(bytes), count};
  }

  [[nodiscard]] std::span<const std::byte> copy(std::span<const std::byte> from) {
    auto* to = allocate(from.size(), 1);
    if (!from.empty()) std::memcpy(to, from.data(), from.size());
    return {to, from.size()};
  }

  [[nodiscard]] std::string_view copy(std::string_view from) {
    auto* to = allocate(from.size(), 1);
    if (!from.empty()) std::memcpy(to, from.data(), from.size());
    return {reinterpret_cast<const char*>(to), from.size()};
  }

  /// Gives back the tail of the newest allocation: everything from `end` on.
  void trim(const std::byte* end) noexcept {
    if (current_ >= blocks_.size()) return;
    const auto* begin = blocks_[current_].data.get();
    if (end >= begin && end <= begin + used_) used_ = static_cast<std::size_t>(end - begin);
  }

  /// Forgets every allocation.
  void reset() noexcept;

  /// Bytes held from the system.
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  /// Bytes handed out since reset(), padding of left blocks included.
  [[nodiscard]] std::size_t used() const noexcept { return used_before_ + used_; }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> data;
    std::size_t size;
  };
  [[nodiscard]] std::byte* allocate_slow(std::size_t bytes);

  std::vector<Block> blocks_;
  std::size_t current_ = 0;
  std::size_t used_ = 0;
  std::size_t used_before_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace rowtrail::binlog
