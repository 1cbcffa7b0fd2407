// Proofs over the tree (RFC 6962 section 2.1) and the C2SP .tlog-proof file. Pure: what is asked of
// the store comes through a TileSource.
#pragma once

#include "core/core.h"
#include "store/note.h"
#include "store/tree.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::store {

/// Tiles of a log, full or as full as they are.
class TileSource {
 public:
  virtual ~TileSource() = default;
  /// At least the first `width` hashes of a tile; throws core::Failure when the store lacks them.
  virtual std::vector<Hash> tile(int level, std::uint64_t index, std::uint64_t width) = 0;
};

/// MTH of the records [begin, end), `begin` at a multiple of the subtree's size as RFC 6962 splits.
[[nodiscard]] Hash range_hash(TileSource& tiles, std::uint64_t begin, std::uint64_t end);

/// Siblings from the leaf up.
[[nodiscard]] std::vector<Hash> inclusion_proof(TileSource& tiles, std::uint64_t index,
                                                std::uint64_t size);
[[nodiscard]] std::vector<Hash> consistency_proof(TileSource& tiles, std::uint64_t old_size,
                                                  std::uint64_t size);

[[nodiscard]] bool verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                                    std::span<const Hash> proof, const Hash& root);
[[nodiscard]] bool verify_consistency(std::uint64_t old_size, const Hash& old_root,
                                      std::uint64_t size, const Hash& root,
                                      std::span<const Hash> proof);

/// One record and why to believe it. The leaf, salt and payload travel in the file's `extra` line:
/// a tool that knows only tlog-proof hashes the first 90 bytes of it as the entry.
struct RecordProof {
  std::array<std::uint8_t, kLeafBytes> leaf{};
  std::string salt, payload;  // both empty when the payload was erased
  std::uint64_t index = 0;
  std::vector<Hash> hashes;
  std::string signed_head;  // the note, verbatim
};
[[nodiscard]] std::string proof_text(const RecordProof& proof);
[[nodiscard]] core::Result<RecordProof> parse_proof(std::string_view text);

/// Offline: good when the head is signed by the key, the leaf is in its tree and the payload is the
/// leaf's. The error says which of them failed.
[[nodiscard]] core::Result<TreeHead> verify_proof(const RecordProof& proof, const VerifierKey& key);

}  // namespace rowtrail::store
