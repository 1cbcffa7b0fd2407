// Cells by 64-bit key in one block of memory, a bounded number of them: when it is full the half
// that was touched longest ago goes. Cells are plain bytes, so they are saved and loaded as they
// are. The same calls give the same contents. Private to insight/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace rowtrail::insight {

/// Takes the next T off `bytes`; false when they end.
template <class T>
[[nodiscard]] bool take(std::string_view& bytes, T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes.size() < sizeof(T)) return false;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return true;
}
template <class T>
void put(std::string& out, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

/// `Cell` has a member `touched`, a count that only grows; 0 in a new cell.
template <class Cell>
class FlatMap {
 public:
  explicit FlatMap(std::size_t cells_max) : cells_max_(cells_max), slots_(kSlotsMin) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Cell* find(std::uint64_t key) {
    auto& slot = slots_[index(key)];
    return slot.key == 0 ? nullptr : &slot.cell;
  }
  /// The cell of `key`, made when there is none. Valid until the next call.
  Cell& at(std::uint64_t key, std::uint32_t now) {
    auto* slot = &slots_[index(key)];
    if (slot->key == 0) {
      if (size_ >= cells_max_) drop_older_half();
      if (4 * (size_ + 1) > 3 * slots_.size()) rebuild(2 * slots_.size());
      slot = &slots_[index(key)];
      slot->key = nonzero(key);
      slot->cell = Cell{};
      ++size_;
    }
    slot->cell.touched = now;
    return slot->cell;
  }
  template <class Visit>
  void each(const Visit& visit) {
    for (auto& slot : slots_) {
      if (slot.key != 0) visit(slot.key, slot.cell);
    }
  }

  void save(std::string& out) const {
    put(out, static_cast<std::uint64_t>(size_));
    for (const auto& slot : slots_) {
      if (slot.key == 0) continue;
      put(out, slot.key);
      put(out, slot.cell);
    }
  }
  [[nodiscard]] bool load(std::string_view& bytes) {
    std::uint64_t count = 0;
    if (!take(bytes, count) || bytes.size() / (sizeof(std::uint64_t) + sizeof(Cell)) < count) {
      return false;
    }
    size_ = 0;
    slots_.assign(kSlotsMin, {});
    for (; count > 0; --count) {
      std::uint64_t key = 0;
      Cell cell{};
      if (!take(bytes, key) || !take(bytes, cell)) return false;
      at(key, cell.touched) = cell;
    }
    return true;
  }

 private:
  static constexpr std::size_t kSlotsMin = 64;
  struct Slot {
    std::uint64_t key = 0;  // 0: free
    Cell cell{};
  };
  static std::uint64_t nonzero(std::uint64_t key) { return key == 0 ? 1 : key; }
  [[nodiscard]] std::size_t index(std::uint64_t key) const {
    const auto wanted = nonzero(key);
    std::size_t at = wanted & (slots_.size() - 1);
    while (slots_[at].key != 0 && slots_[at].key != wanted) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void rebuild(std::size_t slots, std::uint32_t newer_than = 0, bool all = true) {
    std::vector<Slot> old(slots);
    old.swap(slots_);
    size_ = 0;
    for (const auto& slot : old) {
      if (slot.key == 0 || (!all && slot.cell.touched <= newer_than)) continue;
      slots_[index(slot.key)] = slot;
      ++size_;
    }
  }
  void drop_older_half() {
    std::vector<std::uint32_t> touched;
    touched.reserve(size_);
    for (const auto& slot : slots_) {
      if (slot.key != 0) touched.push_back(slot.cell.touched);
    }
    const auto middle = touched.begin() + static_cast<std::ptrdiff_t>(touched.size() / 2);
    std::nth_element(touched.begin(), middle, touched.end());
    rebuild(slots_.size(), *middle, false);
  }

  std::size_t cells_max_;
  std::size_t size_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace rowtrail::insight
