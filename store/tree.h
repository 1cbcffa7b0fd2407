// The Merkle tree over a log (RFC 6962, laid out as C2SP tlog-tiles) and its leaves. Pure: a Tree
// holds the right edge only; what is complete leaves it as bundles and tiles, to be stored in the
// same commit.
//
//   leaf  ┌ version 1 ┬ kind 1 ┬ seq 8 ┬ time µs 8 ┬ payload length 8 ┬ SHA-256(origin) 32 ┬
//         └ SHA-256(salt 32 ‖ payload) 32 ┘        90 bytes, integers big-endian
//   entry ┌ kind 1 ┬ time µs 8 ┬ payload length 8 ┬ SHA-256(salt ‖ payload) 32 ┘   49 bytes, as
//   stored:
//         what of a leaf is not told by its place
//   hash  leaf SHA-256(0x00 ‖ leaf), node SHA-256(0x01 ‖ left ‖ right)
#pragma once

#include "store/batch.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::store {

using Hash = std::array<std::uint8_t, 32>;
using Salt = std::array<std::uint8_t, 32>;

inline constexpr std::uint8_t kLeafVersion = 1;
inline constexpr std::size_t kLeafBytes = 90;
inline constexpr std::size_t kEntryBytes = 49;
/// Width of bundles and tiles, fixed by tlog-tiles.
inline constexpr std::uint64_t kTileWidth = 256;
/// 256^8 records are more than seq can count.
inline constexpr int kTileLevels = 8;

[[nodiscard]] Hash sha256(std::string_view text);
/// SHA-256(salt ‖ payload): the only trace of a payload in the tree.
[[nodiscard]] Hash payload_digest(std::string_view salt, std::string_view payload);
[[nodiscard]] Hash node_hash(const Hash& left, const Hash& right);

/// What the tree says of one record.
struct Entry {
  Kind kind = Kind::Transaction;
  std::int64_t time_us = 0;
  std::uint64_t payload_bytes = 0;
  Hash digest{};

  void append_to(std::string& out) const;
  /// `bytes` holds kEntryBytes.
  static Entry parse(std::string_view bytes);
  bool operator==(const Entry&) const = default;
};
[[nodiscard]] std::array<std::uint8_t, kLeafBytes> leaf_bytes(const Entry& entry, std::uint64_t seq,
                                                              const Hash& origin);
[[nodiscard]] Hash leaf_hash(const Entry& entry, std::uint64_t seq, const Hash& origin);

/// MTH of RFC 6962 over hashes of complete subtrees of one size (the last may be of a smaller one).
/// Of none: SHA-256 of nothing.
[[nodiscard]] Hash fold(std::span<const Hash> hashes);

struct Tile {
  int level = 0;  // of the tree of tiles: a hash at level n covers 256^n records
  std::uint64_t index = 0;
  std::vector<Hash> hashes;
};
struct Bundle {
  std::uint64_t index = 0;
  std::string entries;  // kTileWidth times kEntryBytes
};

class Tree {
 public:
  explicit Tree(std::string_view origin) : origin_(sha256(origin)) {}

  /// Adds the next record. What it completes is appended to `bundles` and `tiles`.
  void add(const Entry& entry, std::vector<Bundle>& bundles, std::vector<Tile>& tiles);

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] Hash root() const;
  [[nodiscard]] const Hash& origin() const noexcept { return origin_; }
  /// The incomplete tile of a level (of level 0: its leaf hashes), and the entries beneath level 0.
  [[nodiscard]] const std::vector<Hash>& edge(int level) const {
    return edge_[static_cast<std::size_t>(level)];
  }
  [[nodiscard]] const std::string& edge_entries() const noexcept { return entries_; }

  /// Puts a tree back as it was: `edges[n]` for level n + 1 as edge(n + 1) gave them, and the
  /// entries of the incomplete bundle. The caller compares root() with what it kept.
  void restore(std::uint64_t size, std::vector<std::vector<Hash>> edges,
               std::string_view edge_entries);

 private:
  Hash origin_;
  std::uint64_t size_ = 0;
  std::string entries_;
  std::array<std::vector<Hash>, kTileLevels> edge_;
};

}  // namespace rowtrail::store
