// The tree as a store holds it, read back: full tiles and bundles from their tables, the right edge
// from the working tables and the newest records.
#pragma once

#include "store/database.h"
#include "store/proof.h"

#include <cstdint>
#include <string>
#include <vector>

namespace rowtrail::store {

[[nodiscard]] std::vector<Hash> parse_hashes(std::string_view bytes);

/// Entries of records [first, size), at most one bundle of them, made again from the records. A
/// record that is not there, or has lost its payload, gives an entry of zeros: the root tells.
[[nodiscard]] std::string read_entries(Database& db, std::int64_t log_id, std::uint64_t first,
                                       std::uint64_t size);

class StoredTree final : public TileSource {
 public:
  StoredTree(Database& db, std::int64_t log_id, const Hash& origin)
      : db_(db), log_id_(log_id), origin_(origin) {}

  std::vector<Hash> tile(int level, std::uint64_t index, std::uint64_t width) override;
  /// The first `width` entries of a bundle.
  std::string entries(std::uint64_t bundle, std::uint64_t width);

 private:
  std::vector<Hash> full_tile(int level, std::uint64_t index);
  std::vector<Hash> edge_tile(int level, std::uint64_t index, std::uint64_t width);
  std::string full_bundle(std::uint64_t bundle);

  Database& db_;
  std::int64_t log_id_;
  Hash origin_;
};

/// The tree head that was published last, as its note; empty when there is none.
[[nodiscard]] std::string newest_head(Database& db, std::int64_t log_id);

/// A record with its proof against the newest tree head that has it; nothing when no such record
/// is under a head yet.
[[nodiscard]] std::optional<RecordProof> prove_record(Database& db, std::int64_t log_id,
                                                      std::uint64_t seq);

}  // namespace rowtrail::store
