// One part of a log under verification: 65,536 records, a tile of tiles. Private to verify.
#pragma once

#include "store/columns.h"
#include "store/database.h"
#include "store/proof.h"
#include "store/verify.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace rowtrail::store {

inline constexpr std::uint64_t kPartRecords = kTileWidth * kTileWidth;

/// The roots of the complete subtrees that a growing tree consists of.
class CompactRange {
 public:
  void add(const Hash& leaf) {
    Hash hash = leaf;
    for (auto rest = size_; (rest & 1) != 0; rest >>= 1) {
      hash = node_hash(peaks_.back(), hash);
      peaks_.pop_back();
    }
    peaks_.push_back(hash);
    ++size_;
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] Hash root() const { return peaks_.empty() ? fold({}) : with(nullptr); }
  /// MTH with one more subtree, which may be incomplete, behind them.
  [[nodiscard]] Hash root_with(const Hash& rest) const { return with(&rest); }

 private:
  [[nodiscard]] Hash with(const Hash* rest) const {
    auto peak = peaks_.rbegin();
    Hash hash = rest != nullptr ? *rest : *peak++;
    for (; peak != peaks_.rend(); ++peak) hash = node_hash(*peak, hash);
    return hash;
  }
  std::vector<Hash> peaks_;
  std::uint64_t size_ = 0;
};

/// What the store says of its tree, read in one statement.
struct TreeState {
  std::int64_t log_id = 0;
  std::string origin_name;
  Hash origin{};
  std::string vkey;
  std::uint64_t size = 0;
  Hash root{};
  std::array<std::uint64_t, 4> counters{};  // transactions, changes, events, gaps
  std::map<int, std::vector<Hash>> edges;   // incomplete tiles by level, from 1
};

struct StoredHead {
  std::uint64_t size = 0;
  std::string note;
  std::string wrong;  // why its signature or text is not to be trusted
};

struct PartResult {
  Hash hash{};                         // over the part's records
  std::vector<Hash> bundles;           // of the last part: over each 256 records
  std::map<std::uint64_t, Hash> ends;  // hash over the part's records before a wanted size
  std::vector<StoredHead> heads;       // published inside the part
  std::array<std::uint64_t, 10> kinds{};
  std::vector<Finding> findings;
};

/// Reads and checks parts with a connection of its own.
class PartVerifier {
 public:
  PartVerifier(Database& db, const TreeState& tree,
               const std::unordered_map<std::int64_t, NumberedTable>& tables,
               const std::vector<std::uint64_t>& wanted, std::atomic<std::uint64_t>& done)
      : db_(db), tree_(tree), wanted_(wanted), done_(done), columns_(tables) {}

  PartResult run(std::uint64_t part);

 private:
  struct Slot {
    Entry entry;
    bool seen = false, erased = false;
  };
  struct Spare {  // a second record with a seq that is taken
    std::uint64_t seq;
    Entry entry;
  };

  void read_transaction_before();
  void read_kind(const KindColumns& kind);
  void take(const KindColumns& kind, const Row& row, std::uint64_t seq,
            const TransactionPlace& transaction);
  void read_objects();
  void read_stored_entries();
  void compare_leaves();
  void compare_bundle(std::uint64_t bundle, const std::vector<Hash>* stored,
                      const std::vector<Hash>* above);
  std::map<std::uint64_t, std::vector<Hash>> read_tiles();
  std::optional<std::vector<Hash>> read_tile_above();
  void read_heads();
  void hash_ends();
  void find(std::uint64_t begin, std::uint64_t end, std::string what, std::string advice);
  [[nodiscard]] std::uint64_t count() const { return end_ - begin_; }

  Database& db_;
  const TreeState& tree_;
  const std::vector<std::uint64_t>& wanted_;
  std::atomic<std::uint64_t>& done_;
  ColumnCheck columns_;

  // Of the part at hand.
  std::uint64_t begin_ = 0, end_ = 0;
  PartResult result_;
  std::vector<Slot> slots_;
  std::vector<Spare> spares_;
  std::vector<TransactionPlace> transactions_;
  std::vector<std::pair<std::uint64_t, Hash>> objects_;  // per event, by seq
  std::vector<Hash> leaves_;
  std::vector<Hash> bundles_;
};

}  // namespace rowtrail::store
