#include "store/verify_part.h"

#include "store/records.h"
#include "store/stored_tree.h"

#include <algorithm>

#include <fmt/format.h>

namespace rowtrail::store {
namespace {

constexpr const char* kRestoreRecords =
    "compare with a backup from before the change (`rowtrail verify` on a copy of it), and ask who "
    "could write to the store since";
constexpr const char* kRestoreColumns =
    "the record itself is as signed: set the column to what the record says, and ask who could "
    "write to the store";
constexpr const char* kRestoreTree =
    "the records are as signed: restore this table from a backup, and ask who could write to the "
    "store";

}  // namespace

void PartVerifier::find(std::uint64_t begin, std::uint64_t end, std::string what,
                        std::string advice) {
  result_.findings.push_back({begin, end, std::move(what), std::move(advice)});
}

PartResult PartVerifier::run(std::uint64_t part) {
  begin_ = part * kPartRecords;
  end_ = std::min(begin_ + kPartRecords, tree_.size);
  result_ = {};
  slots_.assign(count(), {});
  spares_.clear();
  transactions_.clear();
  objects_.clear();
  try {
    read_transaction_before();
    for (const auto& kind : kind_columns()) read_kind(kind);
    read_objects();
    read_stored_entries();
    compare_leaves();
    result_.hash = fold(bundles_);
    if (count() < kPartRecords) result_.bundles = bundles_;
    read_heads();
    hash_ends();
  } catch (const core::Failure& failure) {
    if (failure.retryable()) throw;
    find(begin_, end_, fmt::format("these records cannot be read: {}", failure.what()),
         kRestoreRecords);
  }
  return std::move(result_);
}

/// The one that the part's first records may belong to.
void PartVerifier::read_transaction_before() {
  transactions_.emplace_back();
  db_.query({"SELECT seq, source FROM \"transaction\" WHERE log_id = $1 AND seq < $2 AND seq >= 0 "
             "ORDER BY seq DESC LIMIT 1",
             {tree_.log_id, as_signed(begin_)}},
            [&](const Row& row) {
              transactions_.back() = {as_unsigned(row.integer(0)), std::string(row.text(1)), true};
              return false;
            });
}

void PartVerifier::read_kind(const KindColumns& kind) {
  const Statement select{
      fmt::format("SELECT seq, time_us, payload, salt, {} FROM {} WHERE log_id = $1 AND seq >= $2 "
                  "AND seq < $3 ORDER BY seq",
                  kind.columns, kind.table),
      {tree_.log_id, as_signed(begin_), as_signed(end_)}};
  std::size_t at = 0;  // the transaction before the row
  db_.query(select, [&](const Row& row) {
    const auto seq = as_unsigned(row.integer(kSeqColumn));
    while (at + 1 < transactions_.size() && transactions_[at + 1].seq < seq) ++at;
    take(kind, row, seq, transactions_[at]);
    // Transactions are read first.
    if (kind.kind == Kind::Transaction) {
      transactions_.push_back({seq, std::string(row.text(kFirstColumn)), true});
    }
    return true;
  });
}

void PartVerifier::take(const KindColumns& kind, const Row& row, std::uint64_t seq,
                        const TransactionPlace& transaction) {
  done_.fetch_add(1, std::memory_order_relaxed);
  ++result_.kinds[static_cast<std::size_t>(kind.kind)];
  Slot made;
  made.seen = true;
  made.entry.kind = kind.kind;
  made.entry.time_us = row.integer(kTimeColumn);
  made.erased = row.is_null(kPayloadColumn) || row.bytes(kSaltColumn).size() != sizeof(Salt);
  if (!made.erased) {
    made.entry.payload_bytes = row.text(kPayloadColumn).size();
    made.entry.digest = payload_digest(row.bytes(kSaltColumn), row.text(kPayloadColumn));
    auto wrong = columns_.check(kind.kind, row, transaction);
    if (!wrong.empty()) {
      find(seq, seq + 1, fmt::format("{} {}: {}", kind_name(kind.kind), seq, wrong),
           kRestoreColumns);
    }
  } else {
    find(seq, seq + 1,
         fmt::format("{} {}: its payload or salt is gone, and rowtrail did not erase it",
                     kind_name(kind.kind), seq),
         kRestoreRecords);
  }
  if (kind.kind == Kind::Event && !made.erased) objects_.emplace_back(seq, columns_.objects());
  auto& slot = slots_[seq - begin_];
  if (slot.seen) {
    find(seq, seq + 1,
         fmt::format("there are two records {}, a {} and a {}", seq, kind_name(slot.entry.kind),
                     kind_name(kind.kind)),
         "a record was inserted behind rowtrail's back: the one that is not in the tree has to go");
    spares_.push_back({seq, made.entry});
    return;
  }
  slot = made;
}

/// event_object is not in the tree by itself: it must be what the events say.
void PartVerifier::read_objects() {
  std::size_t at = 0;
  std::uint64_t open = 0;
  bool any = false;
  Hash hash = ColumnCheck::no_objects();
  const auto wrong = [&](std::uint64_t seq) {
    find(seq, seq + 1,
         fmt::format("event {}: its rows in event_object are not the objects of the record", seq),
         kRestoreColumns);
  };
  const auto close = [&] {
    for (; at < objects_.size() && objects_[at].first < open; ++at) {
      if (objects_[at].second != ColumnCheck::no_objects()) wrong(objects_[at].first);
    }
    if (at == objects_.size() || objects_[at].first != open) {
      if (!slots_[open - begin_].erased) wrong(open);
      return;
    }
    if (objects_[at++].second != hash) wrong(open);
  };
  db_.query({"SELECT seq, ordinal, object_type, object_id, role FROM event_object WHERE log_id = "
             "$1 AND seq >= $2 AND seq < $3 ORDER BY seq, ordinal",
             {tree_.log_id, as_signed(begin_), as_signed(end_)}},
            [&](const Row& row) {
              const auto seq = as_unsigned(row.integer(0));
              if (any && seq != open) {
                close();
                hash = ColumnCheck::no_objects();
              }
              any = true;
              open = seq;
              ColumnCheck::add_object(hash, row.integer(1), row.text(2), row.text(3), row.text(4));
              return true;
            });
  if (any) close();
  for (; at < objects_.size(); ++at) {
    if (objects_[at].second != ColumnCheck::no_objects()) wrong(objects_[at].first);
  }
}

/// Bundles keep the header of every record: they stand in for what is missing, and tell which of
/// two records is the right one.
void PartVerifier::read_stored_entries() {
  const auto first = begin_ / kTileWidth;
  std::uint64_t next = first;
  const auto full = end_ / kTileWidth;
  const auto missing = [&](std::uint64_t until) {
    for (; next < until; ++next) {
      find(next * kTileWidth, (next + 1) * kTileWidth,
           fmt::format("the headers of these records are missing (table entry, bundle {})", next),
           kRestoreTree);
    }
  };
  db_.query({"SELECT bundle, entries FROM entry WHERE log_id = $1 AND bundle >= $2 AND bundle < $3 "
             "ORDER BY bundle",
             {tree_.log_id, as_signed(first), as_signed(full)}},
            [&](const Row& row) {
              const auto bundle = as_unsigned(row.integer(0));
              missing(bundle);
              ++next;
              const auto bytes = row.bytes(1);
              if (bytes.size() != kTileWidth * kEntryBytes) {
                find(bundle * kTileWidth, (bundle + 1) * kTileWidth,
                     fmt::format("the headers of these records have {} bytes (table entry, bundle "
                                 "{})",
                                 bytes.size(), bundle),
                     kRestoreTree);
                return true;
              }
              for (std::uint64_t i = 0; i < kTileWidth; ++i) {
                const auto seq = bundle * kTileWidth + i;
                const auto entry = Entry::parse(bytes.substr(i * kEntryBytes, kEntryBytes));
                auto& slot = slots_[seq - begin_];
                for (const auto& spare : spares_) {
                  if (spare.seq == seq && spare.entry == entry) slot.entry = entry;
                }
                if (!slot.seen || slot.erased) {
                  slot.entry = entry;
                } else if (!(slot.entry == entry)) {
                  find(seq, seq + 1,
                       fmt::format("{} {}: it is not the record that its header was made from",
                                   kind_name(slot.entry.kind), seq),
                       kRestoreRecords);
                }
              }
              return true;
            });
  missing(full);
  for (auto seq = begin_; seq < end_; ++seq) {
    if (slots_[seq - begin_].seen) continue;
    find(seq, seq + 1, fmt::format("record {} is missing", seq), kRestoreRecords);
    done_.fetch_add(1, std::memory_order_relaxed);
  }
}

std::map<std::uint64_t, std::vector<Hash>> PartVerifier::read_tiles() {
  std::map<std::uint64_t, std::vector<Hash>> tiles;
  db_.query({"SELECT tile, hashes FROM tree_tile WHERE log_id = $1 AND level = 0 AND tile >= $2 "
             "AND tile < $3",
             {tree_.log_id, as_signed(begin_ / kTileWidth), as_signed(end_ / kTileWidth)}},
            [&](const Row& row) {
              tiles[as_unsigned(row.integer(0))] = parse_hashes(row.bytes(1));
              return true;
            });
  return tiles;
}

/// The tile of level 1 over the part, as stored.
std::optional<std::vector<Hash>> PartVerifier::read_tile_above() {
  std::optional<std::vector<Hash>> tile;
  if (count() < kPartRecords) {
    const auto edge = tree_.edges.find(1);
    if (edge != tree_.edges.end()) tile = edge->second;
    return tile;
  }
  db_.query({"SELECT hashes FROM tree_tile WHERE log_id = $1 AND level = 1 AND tile = $2",
             {tree_.log_id, as_signed(begin_ / kPartRecords)}},
            [&](const Row& row) {
              tile = parse_hashes(row.bytes(0));
              return true;
            });
  return tile;
}

void PartVerifier::compare_leaves() {
  leaves_.resize(count());
  for (std::uint64_t i = 0; i < count(); ++i) {
    leaves_[i] = leaf_hash(slots_[i].entry, begin_ + i, tree_.origin);
  }
  bundles_.clear();
  for (std::uint64_t i = 0; i < count(); i += kTileWidth) {
    const auto width = std::min(kTileWidth, count() - i);
    bundles_.push_back(fold(std::span(leaves_).subspan(i, width)));
  }
  const auto tiles = read_tiles();
  const auto above = read_tile_above();
  const auto full = count() / kTileWidth;
  if (full > 0 && (!above || above->size() != full)) {
    find(begin_, end_,
         fmt::format("the tile of level 1 over these records is {}",
                     above ? "of another width" : "missing"),
         kRestoreTree);
  }
  for (std::uint64_t b = 0; b < full; ++b) {
    const auto stored = tiles.find(begin_ / kTileWidth + b);
    compare_bundle(b, stored == tiles.end() ? nullptr : &stored->second,
                   above && b < above->size() ? &*above : nullptr);
  }
}

void PartVerifier::compare_bundle(std::uint64_t bundle, const std::vector<Hash>* stored,
                                  const std::vector<Hash>* above) {
  const auto first = begin_ + bundle * kTileWidth;
  const bool as_above = above != nullptr && (*above)[bundle] == bundles_[bundle];
  if (stored == nullptr || stored->size() != kTileWidth) {
    find(first, first + kTileWidth,
         fmt::format("the tile {} of level 0 is {}", first / kTileWidth,
                     stored == nullptr ? "missing" : "of another width"),
         kRestoreTree);
  }
  std::vector<std::uint64_t> differ;
  for (std::uint64_t i = 0; stored != nullptr && i < std::min(kTileWidth, stored->size()); ++i) {
    if ((*stored)[i] != leaves_[bundle * kTileWidth + i]) differ.push_back(first + i);
  }
  if (!differ.empty() && as_above) {
    find(first, first + kTileWidth,
         fmt::format("the tile {} of level 0 was changed", first / kTileWidth), kRestoreTree);
    return;
  }
  for (const auto seq : differ) {
    find(seq, seq + 1,
         fmt::format("{} {} is not the record in the tree",
                     kind_name(slots_[seq - begin_].entry.kind), seq),
         kRestoreRecords);
  }
  if (differ.empty() && above != nullptr && !as_above) {
    find(first, first + kTileWidth,
         "these records do not give the hash that the tree has over them: one or more were changed "
         "together with their tile",
         kRestoreRecords);
  }
}

void PartVerifier::read_heads() {
  db_.query({"SELECT size, note FROM tree_head WHERE log_id = $1 AND size > $2 AND size <= $3 "
             "ORDER BY size",
             {tree_.log_id, as_signed(begin_), as_signed(end_)}},
            [&](const Row& row) {
              result_.heads.push_back({as_unsigned(row.integer(0)), std::string(row.text(1)), {}});
              return true;
            });
}

/// Hashes at the sizes of heads. They may lie close together, so nothing is hashed twice.
void PartVerifier::hash_ends() {
  std::vector<std::uint64_t> sizes;
  for (const auto& head : result_.heads) sizes.push_back(head.size - begin_);
  for (const auto size : wanted_) {
    if (size > begin_ && size <= end_) sizes.push_back(size - begin_);
  }
  std::sort(sizes.begin(), sizes.end());
  CompactRange bundles;
  CompactRange leaves;  // of the bundle that is not full at the size
  for (const auto size : sizes) {
    while (bundles.size() < size / kTileWidth) {
      bundles.add(bundles_[bundles.size()]);
      leaves = {};
    }
    while (leaves.size() < size % kTileWidth) {
      leaves.add(leaves_[bundles.size() * kTileWidth + leaves.size()]);
    }
    result_.ends[begin_ + size] =
        leaves.size() > 0 ? bundles.root_with(leaves.root()) : bundles.root();
  }
}

}  // namespace rowtrail::store
