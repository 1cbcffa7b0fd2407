#include "store/proof.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <charconv>

#include <fmt/format.h>

namespace rowtrail::store {
namespace {

constexpr std::string_view kProofHeader = "c2sp.org/tlog-proof@v1\n";
/// A tree of 2^64 leaves needs no more.
constexpr std::size_t kProofHashesMax = 64;

core::Error malformed(std::string message) {
  return {core::Errc::Malformed, std::move(message)};
}

/// SUBPROOF of RFC 6962 section 2.1.2 over [begin, end), whose first `old` records the old tree
/// had.
void subproof(TileSource& tiles, std::uint64_t old, std::uint64_t begin, std::uint64_t end,
              bool whole, std::vector<Hash>& out) {
  const auto count = end - begin;
  if (old == count) {
    if (!whole) out.push_back(range_hash(tiles, begin, end));
    return;
  }
  const auto split = std::bit_floor(count - 1);
  if (old <= split) {
    subproof(tiles, old, begin, begin + split, whole, out);
    out.push_back(range_hash(tiles, begin + split, end));
  } else {
    subproof(tiles, old - split, begin + split, end, false, out);
    out.push_back(range_hash(tiles, begin, begin + split));
  }
}

/// Takes one line, or nothing when there is none.
bool take_line(std::string_view& text, std::string_view& line) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return true;
}

core::Result<> parse_extra(std::string_view text, RecordProof& proof) {
  const auto extra = from_base64(text);
  if (!extra || extra->size() < kLeafBytes)
    return malformed("the proof's extra line holds no leaf");
  std::copy_n(extra->begin(), kLeafBytes, proof.leaf.begin());
  const std::string_view rest = std::string_view(*extra).substr(kLeafBytes);
  if (rest.empty()) return {};
  if (rest.size() < sizeof(Salt)) return malformed("the proof's extra line is cut off");
  proof.salt = rest.substr(0, sizeof(Salt));
  proof.payload = rest.substr(sizeof(Salt));
  return {};
}

}  // namespace

Hash range_hash(TileSource& tiles, std::uint64_t begin, std::uint64_t end) {
  const auto count = end - begin;
  if (count == 0) return fold({});
  if (std::has_single_bit(count)) {
    // A complete subtree lies within one tile.
    const int bits = std::countr_zero(count);
    const int level = bits / 8;
    const auto first = begin >> (8 * level);
    const auto width = std::uint64_t{1} << (bits % 8);
    const auto hashes = tiles.tile(level, first / kTileWidth, first % kTileWidth + width);
    assert(hashes.size() >= first % kTileWidth + width);
    return fold(std::span(hashes).subspan(first % kTileWidth, width));
  }
  const auto split = std::bit_floor(count - 1);
  return node_hash(range_hash(tiles, begin, begin + split), range_hash(tiles, begin + split, end));
}

std::vector<Hash> inclusion_proof(TileSource& tiles, std::uint64_t index, std::uint64_t size) {
  std::vector<Hash> out;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const auto split = begin + std::bit_floor(end - begin - 1);
    if (index < split) {
      out.push_back(range_hash(tiles, split, end));
      end = split;
    } else {
      out.push_back(range_hash(tiles, begin, split));
      begin = split;
    }
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<Hash> consistency_proof(TileSource& tiles, std::uint64_t old_size, std::uint64_t size) {
  std::vector<Hash> out;
  if (old_size > 0 && old_size < size) subproof(tiles, old_size, 0, size, true, out);
  return out;
}

// RFC 9162 section 2.1.3.2.
bool verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                      std::span<const Hash> proof, const Hash& root) {
  if (index >= size) return false;
  auto fn = index;
  auto sn = size - 1;
  Hash hash = leaf;
  for (const auto& sibling : proof) {
    if (sn == 0) return false;
    if ((fn & 1) != 0 || fn == sn) {
      hash = node_hash(sibling, hash);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && hash == root;
}

// RFC 9162 section 2.1.4.2.
bool verify_consistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t size,
                        const Hash& root, std::span<const Hash> proof) {
  if (old_size > size) return false;
  if (old_size == size) return proof.empty() && old_root == root;
  if (old_size == 0) return proof.empty() && old_root == fold({});
  std::vector<Hash> path(proof.begin(), proof.end());
  if (std::has_single_bit(old_size)) path.insert(path.begin(), old_root);
  if (path.empty()) return false;
  auto fn = old_size - 1;
  auto sn = size - 1;
  while ((fn & 1) != 0) {
    fn >>= 1;
    sn >>= 1;
  }
  Hash old_hash = path[0];
  Hash hash = path[0];
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (sn == 0) return false;
    if ((fn & 1) != 0 || fn == sn) {
      old_hash = node_hash(path[i], old_hash);
      hash = node_hash(path[i], hash);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      hash = node_hash(hash, path[i]);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && old_hash == old_root && hash == root;
}

std::string proof_text(const RecordProof& proof) {
  std::string extra(proof.leaf.begin(), proof.leaf.end());
  extra += proof.salt + proof.payload;
  std::string out =
      fmt::format("{}extra {}\nindex {}\n", kProofHeader, to_base64(extra), proof.index);
  for (const auto& hash : proof.hashes) {
    out += to_base64({reinterpret_cast<const char*>(hash.data()), hash.size()}) + "\n";
  }
  return out + "\n" + proof.signed_head;
}

core::Result<RecordProof> parse_proof(std::string_view text) {
  if (!text.starts_with(kProofHeader)) return malformed("not a proof: its first line is another");
  text.remove_prefix(kProofHeader.size());
  RecordProof proof;
  std::string_view line;
  if (!take_line(text, line) || !line.starts_with("extra ")) {
    return malformed("the proof lacks its extra line");
  }
  if (const auto parsed = parse_extra(line.substr(6), proof); !parsed) return parsed.error();
  if (!take_line(text, line) || !line.starts_with("index ")) {
    return malformed("the proof lacks its index line");
  }
  line.remove_prefix(6);
  const auto* end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data(), end, proof.index);
  if (parsed.ec != std::errc() || parsed.ptr != end) return malformed("the index is not a number");
  while (take_line(text, line) && !line.empty()) {
    const auto hash = from_base64(line);
    if (!hash || hash->size() != sizeof(Hash) || proof.hashes.size() == kProofHashesMax) {
      return malformed("a line of the proof is not a hash");
    }
    std::copy(hash->begin(), hash->end(), proof.hashes.emplace_back().begin());
  }
  if (text.empty()) return malformed("the proof lacks its signed tree head");
  proof.signed_head = text;
  return proof;
}

core::Result<TreeHead> verify_proof(const RecordProof& proof, const VerifierKey& key) {
  const auto text = key.open(proof.signed_head);
  if (!text) return text.error();
  auto head = parse_checkpoint(*text);
  if (!head) return head.error();
  const auto origin = sha256(head->origin);
  const auto leaf = std::string(proof.leaf.begin(), proof.leaf.end());
  if (head->origin != key.name() || !std::equal(origin.begin(), origin.end(), &proof.leaf[26])) {
    return core::Error{core::Errc::Checksum, "the record is from another log than the tree head"};
  }
  std::uint64_t seq = 0;
  for (std::size_t i = 2; i < 10; ++i) seq = seq << 8 | proof.leaf[i];
  if (proof.leaf[0] != kLeafVersion || seq != proof.index) {
    return core::Error{core::Errc::Checksum, "the leaf is not that of the record proved"};
  }
  if (!proof.salt.empty()) {
    const auto digest = payload_digest(proof.salt, proof.payload);
    std::uint64_t size = 0;
    for (std::size_t i = 18; i < 26; ++i) size = size << 8 | proof.leaf[i];
    if (!std::equal(digest.begin(), digest.end(), &proof.leaf[58]) ||
        size != proof.payload.size()) {
      return core::Error{core::Errc::Checksum, "the payload is not the one in the tree"};
    }
  }
  const auto hash = sha256(std::string(1, '\0') + leaf);
  if (!verify_inclusion(hash, proof.index, head->size, proof.hashes, head->root)) {
    return core::Error{core::Errc::Checksum, "the record is not in the tree of the signed head"};
  }
  return head;
}

}  // namespace rowtrail::store
