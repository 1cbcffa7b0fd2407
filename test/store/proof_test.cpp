// Proofs against the tree at every pair of small sizes, notes against the specification's own
// example, and every kind of lie.
#include "store/proof.h"

#include <map>

#include <catch2/catch.hpp>

namespace rowtrail::store {
namespace {

/// A whole tree in memory.
class Model : public TileSource {
 public:
  void add(std::uint64_t count) {
    std::vector<Bundle> bundles;
    std::vector<Tile> full;
    for (; count > 0; --count) {
      Entry entry;
      entry.time_us = static_cast<std::int64_t>(tree.size());
      leaves.push_back(leaf_hash(entry, tree.size(), tree.origin()));
      tree.add(entry, bundles, full);
    }
    for (auto& tile : full) tiles_[{tile.level, tile.index}] = std::move(tile.hashes);
  }
  std::vector<Hash> tile(int level, std::uint64_t index, std::uint64_t width) override {
    const auto found = tiles_.find({level, index});
    const auto& hashes = found == tiles_.end() ? tree.edge(level) : found->second;
    REQUIRE(hashes.size() >= width);
    return {hashes.begin(), hashes.begin() + static_cast<std::ptrdiff_t>(width)};
  }
  [[nodiscard]] Hash root(std::uint64_t size) const { return fold(std::span(leaves).first(size)); }

  Tree tree{"model"};
  std::vector<Hash> leaves;

 private:
  std::map<std::pair<int, std::uint64_t>, std::vector<Hash>> tiles_;
};

TEST_CASE("proof: inclusion and consistency hold at every pair of small sizes") {
  Model model;
  model.add(70);
  for (std::uint64_t size = 1; size <= 70; ++size) {
    const auto root = model.root(size);
    for (std::uint64_t index = 0; index < size; ++index) {
      auto proof = inclusion_proof(model, index, size);
      REQUIRE(verify_inclusion(model.leaves[index], index, size, proof, root));
      REQUIRE_FALSE(verify_inclusion(model.leaves[index], index + 1, size, proof, root));
      REQUIRE_FALSE(verify_inclusion(model.leaves[(index + 1) % 70], index, size, proof, root));
      proof.push_back(root);
      REQUIRE_FALSE(verify_inclusion(model.leaves[index], index, size, proof, root));
    }
    for (std::uint64_t old = 0; old <= size; ++old) {
      auto proof = consistency_proof(model, old, size);
      REQUIRE(verify_consistency(old, model.root(old), size, root, proof));
      if (old == 0 || old == size) continue;
      REQUIRE_FALSE(verify_consistency(old, root, size, root, proof));
      REQUIRE_FALSE(verify_consistency(old, model.root(old), size, model.root(old), proof));
      proof.pop_back();
      REQUIRE_FALSE(verify_consistency(old, model.root(old), size, root, proof));
    }
  }
}

TEST_CASE("proof: they hold across tiles of every level") {
  Model model;
  model.add(70'000);
  for (const std::uint64_t size :
       {255UL, 256UL, 257UL, 511UL, 65'535UL, 65'536UL, 65'537UL, 65'793UL, 70'000UL}) {
    const auto root = model.root(size);
    REQUIRE(range_hash(model, 0, size) == root);
    for (const std::uint64_t index :
         {0UL, 1UL, 255UL, 256UL, 40'000UL, 65'535UL, 65'536UL, size - 1}) {
      if (index >= size) continue;
      REQUIRE(verify_inclusion(model.leaves[index], index, size,
                               inclusion_proof(model, index, size), root));
    }
    for (const std::uint64_t old : {1UL, 255UL, 256UL, 300UL, 65'536UL, size - 1}) {
      if (old > size) continue;
      REQUIRE(verify_consistency(old, model.root(old), size, root,
                                 consistency_proof(model, old, size)));
    }
  }
}

TEST_CASE("note: the example of the specification verifies, and no other text") {
  // c2sp.org/signed-note, also Go's sumdb/note.
  const auto key =
      VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  REQUIRE(key.has_value());
  const std::string text =
      "If you think cryptography is the answer to your problem,\n"
      "then you don't know what your problem is.\n";
  const std::string note =
      text +
      "\n\u2014 PeterNeumann "
      "x08go/ZJkuBS9UG/"
      "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
  const auto opened = key->open(note);
  REQUIRE(opened.has_value());
  CHECK(*opened == text);
  auto wrong = note;
  wrong[3] = 'X';
  CHECK(key->open(wrong).error().code == core::Errc::Checksum);
  CHECK(key->open(text + "\n\u2014 Someone x08go/ZJkuBS9UG/SffcvIAQxVBtiFup\n").error().code ==
        core::Errc::NotFound);
  CHECK_FALSE(key->open(text).has_value());
  for (std::size_t cut = 0; cut < note.size(); ++cut)
    CHECK_FALSE(key->open(note.substr(0, cut)).has_value());
}

TEST_CASE("note: what we sign, we verify; keys survive their text") {
  const auto key = SigningKey::generate("pharmacy/0198c0de");
  const auto again = SigningKey::parse(key.private_text() + "\n");
  REQUIRE(again.has_value());
  CHECK(again->vkey() == key.vkey());
  const auto verifier = VerifierKey::parse(key.vkey());
  REQUIRE(verifier.has_value());
  const TreeHead head{"pharmacy/0198c0de", 20852163, sha256("root")};
  const auto note = again->sign(checkpoint_text(head));
  const auto text = verifier->open(note);
  REQUIRE(text.has_value());
  CHECK(*parse_checkpoint(*text) == head);
  const auto other = VerifierKey::parse(SigningKey::generate("pharmacy/0198c0de").vkey());
  CHECK_FALSE(other->open(note).has_value());
  CHECK_FALSE(SigningKey::parse(key.vkey()).has_value());
  CHECK_FALSE(VerifierKey::parse(key.vkey().substr(1)).has_value());
  auto vkey = key.vkey();
  vkey[vkey.size() - 3] = vkey[vkey.size() - 3] == 'A' ? 'B' : 'A';
  CHECK_FALSE(VerifierKey::parse(vkey).has_value());
}

TEST_CASE("note: tree heads are read strictly") {
  const auto root = to_base64(std::string(32, 'x'));
  CHECK(parse_checkpoint("o\n12\n" + root + "\n").has_value());
  CHECK(parse_checkpoint("o\n0\n" + root + "\nextension\n").has_value());
  for (const std::string& bad :
       {std::string("o\n012\n") + root + "\n", "o\n-1\n" + root + "\n", "\n1\n" + root + "\n",
        "o\n1\n" + root, std::string("o\n1\nabcd\n"), "o\n18446744073709551616\n" + root + "\n"}) {
    CHECK_FALSE(parse_checkpoint(bad).has_value());
  }
}

RecordProof prove(Model& model, const SigningKey& key, const Entry& entry, std::uint64_t index) {
  RecordProof proof;
  proof.leaf = leaf_bytes(entry, index, model.tree.origin());
  proof.index = index;
  proof.hashes = inclusion_proof(model, index, model.tree.size());
  proof.signed_head = key.sign(checkpoint_text({"model", model.tree.size(), model.tree.root()}));
  return proof;
}

TEST_CASE("proof: a .tlog-proof file verifies offline, and every change of it is found") {
  Model model;
  model.add(300);
  const std::string salt(32, 's');
  const std::string payload = R"({"ordinal":0})";
  Entry entry;
  entry.kind = Kind::Change;
  entry.payload_bytes = payload.size();
  entry.digest = payload_digest(salt, payload);
  std::vector<Bundle> bundles;
  std::vector<Tile> tiles;
  model.tree.add(entry, bundles, tiles);
  const auto key = SigningKey::generate("model");
  const auto verifier = *VerifierKey::parse(key.vkey());
  auto proof = prove(model, key, entry, 300);
  proof.salt = salt;
  proof.payload = payload;

  const auto text = proof_text(proof);
  CHECK(text.starts_with("c2sp.org/tlog-proof@v1\nextra "));
  const auto parsed = parse_proof(text);
  REQUIRE(parsed.has_value());
  const auto head = verify_proof(*parsed, verifier);
  REQUIRE(head.has_value());
  CHECK(head->size == 301);
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    const auto shorter = parse_proof(text.substr(0, cut));
    CHECK_FALSE((shorter && verify_proof(*shorter, verifier).has_value()));
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const auto other = parse_proof(changed);
    CHECK_FALSE((other && verify_proof(*other, verifier).has_value()));
  }
  // Erased: header and proof stay.
  proof.salt.clear();
  proof.payload.clear();
  CHECK(verify_proof(*parse_proof(proof_text(proof)), verifier).has_value());
}

}  // namespace
}  // namespace rowtrail::store
