#include "store/stored_tree.h"

#include "store/records.h"

#include <fmt/format.h>

namespace rowtrail::store {
namespace {

[[noreturn]] void fail_missing(const std::string& what) {
  throw core::Failure(core::Area::Store, false,
                      fmt::format("the log's tree lacks {}; restore the log from a backup", what));
}

}  // namespace

std::vector<Hash> parse_hashes(std::string_view bytes) {
  std::vector<Hash> hashes(bytes.size() / sizeof(Hash));
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const auto from = bytes.substr(i * sizeof(Hash), sizeof(Hash));
    std::copy(from.begin(), from.end(), hashes[i].begin());
  }
  return hashes;
}

std::string read_entries(Database& db, std::int64_t log_id, std::uint64_t first,
                         std::uint64_t size) {
  std::vector<Entry> entries(size - first);
  for (const auto& kind : kKindTables) {
    Statement select{fmt::format("SELECT seq, time_us, payload, salt FROM {} WHERE log_id = $1 AND "
                                 "seq >= $2 AND seq < $3",
                                 kind.table),
                     {log_id, as_signed(first), as_signed(size)}};
    db.query(select, [&](const Row& row) {
      auto& entry = entries[as_unsigned(row.integer(0)) - first];
      entry.kind = kind.kind;
      entry.time_us = row.integer(1);
      if (row.bytes(3).size() != sizeof(Salt)) return true;
      entry.payload_bytes = row.text(2).size();
      entry.digest = payload_digest(row.bytes(3), row.text(2));
      return true;
    });
  }
  std::string bytes;
  for (const auto& entry : entries) entry.append_to(bytes);
  return bytes;
}

std::vector<Hash> StoredTree::full_tile(int level, std::uint64_t index) {
  std::vector<Hash> hashes;
  db_.query({"SELECT hashes FROM tree_tile WHERE log_id = $1 AND level = $2 AND tile = $3",
             {log_id_, std::int64_t{level}, as_signed(index)}},
            [&](const Row& row) {
              hashes = parse_hashes(row.bytes(0));
              return true;
            });
  return hashes;
}

std::vector<Hash> StoredTree::edge_tile(int level, std::uint64_t index, std::uint64_t width) {
  std::vector<Hash> hashes;
  if (level > 0) {
    db_.query({"SELECT hashes FROM tree_edge_tile WHERE log_id = $1 AND level = $2",
               {log_id_, std::int64_t{level}}},
              [&](const Row& row) {
                hashes = parse_hashes(row.bytes(0));
                return true;
              });
    return hashes;
  }
  const auto first = index * kTileWidth;
  const auto bytes = read_entries(db_, log_id_, first, first + width);
  for (std::uint64_t i = 0; i < width; ++i) {
    hashes.push_back(
        leaf_hash(Entry::parse(std::string_view(bytes).substr(i * kEntryBytes, kEntryBytes)),
                  first + i, origin_));
  }
  return hashes;
}

std::vector<Hash> StoredTree::tile(int level, std::uint64_t index, std::uint64_t width) {
  auto hashes = full_tile(level, index);
  if (hashes.size() < width) {
    hashes = edge_tile(level, index, width);
    // The writer may have completed it between the two looks; what the edge held then is of the
    // next tile. Tile and edge change in one commit.
    if (auto full = full_tile(level, index); full.size() >= width) hashes = std::move(full);
  }
  if (hashes.size() < width) fail_missing(fmt::format("tile {} of level {}", index, level));
  hashes.resize(width);
  return hashes;
}

std::string StoredTree::full_bundle(std::uint64_t bundle) {
  std::string bytes;
  db_.query(
      {"SELECT entries FROM entry WHERE log_id = $1 AND bundle = $2", {log_id_, as_signed(bundle)}},
      [&](const Row& row) {
        bytes = row.bytes(0);
        return true;
      });
  return bytes;
}

std::string StoredTree::entries(std::uint64_t bundle, std::uint64_t width) {
  auto bytes = full_bundle(bundle);
  if (bytes.size() < width * kEntryBytes) {
    const auto first = bundle * kTileWidth;
    bytes = read_entries(db_, log_id_, first, first + width);
  }
  bytes.resize(width * kEntryBytes);
  return bytes;
}

std::string newest_head(Database& db, std::int64_t log_id) {
  std::string note;
  db.query({"SELECT note FROM tree_head WHERE log_id = $1 ORDER BY size DESC LIMIT 1", {log_id}},
           [&](const Row& row) {
             note = row.text(0);
             return false;
           });
  return note;
}

std::optional<RecordProof> prove_record(Database& db, std::int64_t log_id, std::uint64_t seq) {
  RecordProof proof;
  proof.index = seq;
  proof.signed_head = newest_head(db, log_id);
  if (proof.signed_head.empty()) return std::nullopt;
  const auto head = parse_checkpoint(proof.signed_head);
  if (!head) fail_missing("a readable tree head");
  if (head->size <= seq) return std::nullopt;
  const auto origin = sha256(head->origin);
  StoredTree tree(db, log_id, origin);
  const auto bundle = seq / kTileWidth;
  const auto width = std::min(kTileWidth, head->size - bundle * kTileWidth);
  const auto entries = tree.entries(bundle, width);
  const auto entry =
      Entry::parse(std::string_view(entries).substr(seq % kTileWidth * kEntryBytes, kEntryBytes));
  proof.leaf = leaf_bytes(entry, seq, origin);
  proof.hashes = inclusion_proof(tree, seq, head->size);
  for (const auto& kind : kKindTables) {
    if (kind.kind != entry.kind) continue;
    db.query(
        {fmt::format("SELECT payload, salt FROM {} WHERE log_id = $1 AND seq = $2", kind.table),
         {log_id, as_signed(seq)}},
        [&](const Row& row) {
          if (row.is_null(0) || row.is_null(1)) return true;
          proof.payload = row.text(0);
          proof.salt = row.bytes(1);
          return true;
        });
  }
  return proof;
}

}  // namespace rowtrail::store
