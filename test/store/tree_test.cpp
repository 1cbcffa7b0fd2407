// The tree against RFC 6962's own definition, the standard Certificate Transparency vectors and a
// plain recursive model at every size.
#include "store/tree.h"

#include <string>

#include <catch2/catch.hpp>

namespace rowtrail::store {
namespace {

std::string hex(const Hash& hash) {
  std::string out;
  for (const auto byte : hash) {
    constexpr const char* kDigits = "0123456789abcdef";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

Hash from_leaf(std::string_view bytes) {
  return sha256(std::string(1, '\0') + std::string(bytes));
}

TEST_CASE("tree: the vectors of Certificate Transparency") {
  // From certificate-transparency's merkletree tests: eight leaves.
  const std::vector<std::string> leaves{
      "", std::string(1, '\0'), "\x10", " !", "01", "@ABC", "PQRSTUVW", "`abcdefghijklmno"};
  std::vector<Hash> hashes;
  for (const auto& leaf : leaves) hashes.push_back(from_leaf(leaf));
  CHECK(hex(fold({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(hashes[0]) == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  CHECK(hex(fold(hashes)) == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

Entry entry(std::uint64_t number) {
  Entry made;
  made.kind = static_cast<Kind>(number % 9 + 1);
  made.time_us = static_cast<std::int64_t>(number) * -7;
  made.payload_bytes = number * 3;
  made.digest = sha256(std::to_string(number));
  return made;
}

TEST_CASE("tree: an entry survives its bytes") {
  for (const std::uint64_t number : {0ULL, 1ULL, 77ULL, ~0ULL}) {
    std::string bytes;
    entry(number).append_to(bytes);
    REQUIRE(bytes.size() == kEntryBytes);
    CHECK(Entry::parse(bytes) == entry(number));
  }
}

TEST_CASE("tree: the leaf is laid out as the format says") {
  Entry made;
  made.kind = Kind::Change;
  made.time_us = -2;
  made.payload_bytes = 0x0102;
  made.digest.fill(0xDD);
  Hash origin;
  origin.fill(0xAA);
  const auto leaf = leaf_bytes(made, 0x0304, origin);
  std::string expected = {1, 2};
  expected +=
      std::string("\0\0\0\0\0\0\x03\x04", 8) + std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE", 8);
  expected +=
      std::string("\0\0\0\0\0\0\x01\x02", 8) + std::string(32, '\xAA') + std::string(32, '\xDD');
  CHECK(std::string(leaf.begin(), leaf.end()) == expected);
}

TEST_CASE("tree: root, tiles and restart agree with the plain definition at every size") {
  const std::uint64_t sizes = 66'000;  // past the first tile of level 2
  Tree tree("test/origin");
  std::vector<Hash> leaves;
  std::vector<Bundle> bundles;
  std::vector<Tile> tiles;
  for (std::uint64_t size = 0; size <= sizes; ++size) {
    const bool watched = size < 600 || size % 4093 == 0 || (size > 65'530 && size < 65'800);
    if (watched) {
      REQUIRE(tree.root() == fold(leaves));
      std::vector<std::vector<Hash>> edges;
      for (int level = 1; level < kTileLevels; ++level) edges.push_back(tree.edge(level));
      Tree again("test/origin");
      again.restore(size, edges, tree.edge_entries());
      REQUIRE(again.root() == tree.root());
      REQUIRE(again.size() == size);
    }
    leaves.push_back(leaf_hash(entry(size), size, tree.origin()));
    tree.add(entry(size), bundles, tiles);
  }
  REQUIRE(bundles.size() == sizes / kTileWidth);
  std::size_t level0 = 0, level1 = 0;
  for (const auto& tile : tiles) {
    REQUIRE(tile.hashes.size() == kTileWidth);
    if (tile.level == 0) {
      REQUIRE(tile.index == level0++);
      for (std::size_t i = 0; i < kTileWidth; ++i) {
        REQUIRE(tile.hashes[i] == leaves[tile.index * kTileWidth + i]);
      }
    } else {
      REQUIRE(tile.level == 1);
      REQUIRE(tile.index == level1++);
      REQUIRE(fold(tile.hashes) == fold(std::span(leaves).first(kTileWidth * kTileWidth)));
    }
  }
  CHECK(level0 == 257);
  CHECK(level1 == 1);
  for (std::size_t i = 0; i < bundles.size(); ++i) {
    REQUIRE(bundles[i].index == i);
    REQUIRE(bundles[i].entries.size() == kTileWidth * kEntryBytes);
    REQUIRE(Entry::parse(std::string_view(bundles[i].entries).substr(kEntryBytes, kEntryBytes)) ==
            entry(i * kTileWidth + 1));
  }
}

}  // namespace
}  // namespace rowtrail::store
