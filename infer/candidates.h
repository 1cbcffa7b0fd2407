// The rows that can be bound to one clause, in ordinal order, found by a hash of their join keys.
// Rows that a match has claimed for good drop out of their chain when they are next passed, so many
// matches in one transaction stay linear.
#pragma once

#include <cstdint>
#include <vector>

namespace rowtrail::infer {

class Candidates {
 public:
  static constexpr std::uint32_t kEnd = 0xffffffff;
  /// Fewer rows are walked faster than they are hashed.
  static constexpr std::size_t kIndexedMin = 8;

  void clear() {
    rows_.clear();
    next_.clear();
    indexed_ = false;
    all_ = kEnd;
  }
  void push(std::uint32_t row) {
    rows_.push_back(row);
    next_.push_back(kEnd);
    if (rows_.size() == 1) {
      all_ = 0;
    } else {
      next_[rows_.size() - 2] = static_cast<std::uint32_t>(rows_.size() - 1);
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] const std::vector<std::uint32_t>& rows() const noexcept { return rows_; }
  [[nodiscard]] bool indexed() const noexcept { return indexed_; }

  /// Chains the rows by `hash_of(row, hash)`; rows for which it is false are in no chain.
  template <class HashOf>
  void index(HashOf hash_of) {
    indexed_ = true;
    std::size_t size = 16;
    while (size < rows_.size() * 2) size *= 2;
    buckets_.assign(size, {0, kEnd});
    for (std::size_t n = rows_.size(); n-- > 0;) {  // backwards: a chain begins with its lowest row
      std::uint64_t hash = 0;
      if (!hash_of(rows_[n], hash)) continue;
      Bucket& bucket = find(hash);
      next_[n] = bucket.head;
      bucket = {hash, static_cast<std::uint32_t>(n)};
    }
  }

  /// Calls `visit(row)` along the chain of `hash` (or of all rows) until it is true. Skips rows for
  /// which `claimed` is true, for good.
  template <class Claimed, class Visit>
  bool walk(std::uint64_t hash, Claimed claimed, Visit visit) {
    std::uint32_t* link = indexed_ ? &find(hash).head : &all_;
    while (*link != kEnd) {
      const std::uint32_t at = *link;
      if (claimed(rows_[at])) {
        *link = next_[at];
        continue;
      }
      if (visit(rows_[at])) return true;
      link = &next_[at];
    }
    return false;
  }

 private:
  struct Bucket {
    std::uint64_t hash;
    std::uint32_t head;
  };
  Bucket& find(std::uint64_t hash) {
    const std::size_t mask = buckets_.size() - 1;
    // A bucket whose chain ran empty still marks its hash.
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      Bucket& bucket = buckets_[at];
      if (bucket.hash == hash || (bucket.head == kEnd && bucket.hash == 0)) return bucket;
    }
  }

  std::vector<std::uint32_t> rows_;
  std::vector<std::uint32_t> next_;
  std::vector<Bucket> buckets_;
  std::uint32_t all_ = kEnd;
  bool indexed_ = false;
};

}  // namespace rowtrail::infer
