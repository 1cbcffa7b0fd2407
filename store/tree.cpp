// The low-level SHA-256 of OpenSSL: EVP costs as much per call as hashing a small record.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "store/tree.h"

#include <bit>
#include <cassert>

#include <openssl/sha.h>

namespace rowtrail::store {
namespace {

void put_u64(std::uint8_t* to, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
}
std::uint64_t get_u64(const char* from) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<std::uint8_t>(from[i]);
  return value;
}

class Sha256 {
 public:
  Sha256() { SHA256_Init(&context_); }
  Sha256& update(const void* data, std::size_t size) {
    SHA256_Update(&context_, data, size);
    return *this;
  }
  Hash finish() {
    Hash hash;
    SHA256_Final(hash.data(), &context_);
    return hash;
  }

 private:
  SHA256_CTX context_;
};

}  // namespace

Hash sha256(std::string_view text) {
  return Sha256().update(text.data(), text.size()).finish();
}

Hash payload_digest(std::string_view salt, std::string_view payload) {
  assert(salt.size() == sizeof(Salt));
  return Sha256().update(salt.data(), salt.size()).update(payload.data(), payload.size()).finish();
}

Hash node_hash(const Hash& left, const Hash& right) {
  std::array<std::uint8_t, 65> bytes;
  bytes[0] = 1;
  std::copy(left.begin(), left.end(), bytes.begin() + 1);
  std::copy(right.begin(), right.end(), bytes.begin() + 33);
  return Sha256().update(bytes.data(), bytes.size()).finish();
}

void Entry::append_to(std::string& out) const {
  std::array<std::uint8_t, kEntryBytes> bytes;
  bytes[0] = static_cast<std::uint8_t>(kind);
  put_u64(&bytes[1], std::bit_cast<std::uint64_t>(time_us));
  put_u64(&bytes[9], payload_bytes);
  std::copy(digest.begin(), digest.end(), bytes.begin() + 17);
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Entry Entry::parse(std::string_view bytes) {
  assert(bytes.size() == kEntryBytes);
  Entry entry;
  entry.kind = static_cast<Kind>(bytes[0]);
  entry.time_us = std::bit_cast<std::int64_t>(get_u64(&bytes[1]));
  entry.payload_bytes = get_u64(&bytes[9]);
  std::copy(bytes.begin() + 17, bytes.end(), entry.digest.begin());
  return entry;
}

std::array<std::uint8_t, kLeafBytes> leaf_bytes(const Entry& entry, std::uint64_t seq,
                                                const Hash& origin) {
  std::array<std::uint8_t, kLeafBytes> bytes;
  bytes[0] = kLeafVersion;
  bytes[1] = static_cast<std::uint8_t>(entry.kind);
  put_u64(&bytes[2], seq);
  put_u64(&bytes[10], std::bit_cast<std::uint64_t>(entry.time_us));
  put_u64(&bytes[18], entry.payload_bytes);
  std::copy(origin.begin(), origin.end(), bytes.begin() + 26);
  std::copy(entry.digest.begin(), entry.digest.end(), bytes.begin() + 58);
  return bytes;
}

Hash leaf_hash(const Entry& entry, std::uint64_t seq, const Hash& origin) {
  const auto leaf = leaf_bytes(entry, seq, origin);
  const std::uint8_t prefix = 0;
  return Sha256().update(&prefix, 1).update(leaf.data(), leaf.size()).finish();
}

Hash fold(std::span<const Hash> hashes) {
  if (hashes.empty()) return sha256("");
  if (hashes.size() == 1) return hashes[0];
  const auto split = std::bit_floor(hashes.size() - 1);
  return node_hash(fold(hashes.first(split)), fold(hashes.subspan(split)));
}

void Tree::add(const Entry& entry, std::vector<Bundle>& bundles, std::vector<Tile>& tiles) {
  entry.append_to(entries_);
  edge_[0].push_back(leaf_hash(entry, size_, origin_));
  ++size_;
  if (edge_[0].size() < kTileWidth) return;

  std::uint64_t index = size_ / kTileWidth - 1;
  bundles.push_back({index, std::move(entries_)});
  entries_.clear();
  for (int level = 0; edge_[static_cast<std::size_t>(level)].size() == kTileWidth; ++level) {
    auto& full = edge_[static_cast<std::size_t>(level)];
    edge_[static_cast<std::size_t>(level) + 1].push_back(fold(full));
    tiles.push_back({level, index, std::move(full)});
    full.clear();
    index /= kTileWidth;  // the tile above that this one ended, if it is full
  }
}

Hash Tree::root() const {
  std::vector<Hash> row = edge_[0];
  for (std::size_t level = 0;; ++level) {
    // What is left of a row is the last, smaller subtree of the row above.
    const bool top = level + 1 == edge_.size();
    if (!row.empty()) row = {fold(row)};
    if (top) break;
    std::vector<Hash> above = edge_[level + 1];
    above.insert(above.end(), row.begin(), row.end());
    row = std::move(above);
  }
  return row.empty() ? fold({}) : row[0];
}

void Tree::restore(std::uint64_t size, std::vector<std::vector<Hash>> edges,
                   std::string_view edge_entries) {
  size_ = size;
  entries_ = edge_entries;
  for (auto& hashes : edge_) hashes.clear();
  for (std::size_t level = 0; level < edges.size() && level + 1 < edge_.size(); ++level) {
    edge_[level + 1] = std::move(edges[level]);
  }
  std::uint64_t seq = size / kTileWidth * kTileWidth;
  for (std::size_t at = 0; at + kEntryBytes <= entries_.size(); at += kEntryBytes) {
    edge_[0].push_back(
        leaf_hash(Entry::parse(edge_entries.substr(at, kEntryBytes)), seq++, origin_));
  }
}

}  // namespace rowtrail::store
