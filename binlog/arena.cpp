#include "binlog/arena.h"

#include <algorithm>
#include <utility>

namespace rowtrail::binlog {

std::byte* Arena::allocate_slow(std::size_t bytes) {
  used_before_ += used_;
  std::size_t next = blocks_.empty() ? 0 : current_ + 1;
  const auto fits =
      std::find_if(blocks_.begin() + static_cast<std::ptrdiff_t>(std::min(next, blocks_.size())),
                   blocks_.end(), [bytes](const Block& block) { return block.size >= bytes; });
  if (fits != blocks_.end()) {
    std::swap(blocks_[next], *fits);
  } else {
    const auto size = std::max(bytes, kBlockBytes);
    // new[] without value-initialisation: every byte handed out is written by its user.
    Block block{std::unique_ptr<std::byte[]>(new std::byte[size]), size};
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(next), std::move(block));
    capacity_ += size;
  }
  current_ = next;
  used_ = bytes;
  return blocks_[current_].data.get();
}

void Arena::reset() noexcept {
  std::size_t kept = 0;
  std::erase_if(blocks_, [&kept](const Block& block) {
    if (kept + block.size > kKeptBytes) return true;
    kept += block.size;
    return false;
  });
  capacity_ = kept;
  current_ = 0;
  used_ = 0;
  used_before_ = 0;
}

}  // namespace rowtrail::binlog
