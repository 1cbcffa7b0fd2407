// Signed tree heads of real stores: what is published verifies, every record proves, and a store
// that fell behind its last head is not signed until an operator says so.
#include "store/keys.h"
#include "store/proof.h"
#include "test/store/support.h"

#include <filesystem>

#include <catch2/catch.hpp>
#include <unistd.h>

namespace rowtrail::store::test {
namespace {

namespace fs = std::filesystem;

/// A keys folder that goes with the test.
struct Folder {
  Folder()
      : path((fs::temp_directory_path() / ("rowtrail-keys-" + std::to_string(::getpid())))
                 .string()) {
    fs::remove_all(path);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path;
};

VerifierKey key_of(const Folder& folder, Reader& reader) {
  const auto vkey = LogKeys(folder.path, reader.status().origin).vkey();
  const auto key = VerifierKey::parse(vkey);
  REQUIRE(key.has_value());
  return *key;
}

TEST_CASE("head: it is signed after the commit, and every record proves against it") {
  on_both([](Place& place) {
    const Folder folder;
    WriterOptions options;
    options.keys = folder.path;
    std::string announced;
    options.on_head = [&](const std::string& note) { announced = note; };
    {
      auto writer = open_writer(place.url(), options);
      write(*writer, 1, 200);
      writer->publish_head(true);
    }
    auto reader = open_reader(place.url());
    const auto size = reader->status().size;
    REQUIRE(size > 600);  // more than two bundles
    CHECK(reader->tree_head() == announced);
    const auto key = key_of(folder, *reader);
    for (std::uint64_t seq = 0; seq < size; ++seq) {
      const auto text = reader->proof(seq);
      REQUIRE(text.has_value());
      const auto proof = parse_proof(*text);
      REQUIRE(proof.has_value());
      const auto head = verify_proof(*proof, key);
      REQUIRE(head.has_value());
      REQUIRE(head->size == size);
      REQUIRE_FALSE(proof->payload.empty());
    }
    CHECK_FALSE(reader->proof(size).has_value());
    CHECK(reader->tile(0, 0, 256)->size() == 256 * 32);
    CHECK_FALSE(reader->tile(0, size / 256, 256).has_value());
    CHECK(reader->entries(0, 256)->size() == 256 * 92);
  });
}

TEST_CASE("head: a store that fell behind it is refused until an operator records why") {
  on_both([](Place& place) {
    const Folder folder;
    WriterOptions options;
    options.keys = folder.path;
    { write(*open_writer(place.url(), options), 1, 3); }
    auto reader = open_reader(place.url());
    LogKeys keys(folder.path, reader->status().origin);
    const auto key = keys.find();
    REQUIRE(key.has_value());
    keys.set_last_head(key->sign(
        checkpoint_text({reader->status().origin, reader->status().size + 5, sha256("x")})));
    CHECK_THROWS_WITH(open_writer(place.url(), options), Catch::Contains("older backup"));
    // The right size under another root is no better.
    keys.set_last_head(key->sign(checkpoint_text({reader->status().origin, 2, sha256("x")})));
    CHECK_THROWS_WITH(open_writer(place.url(), options), Catch::Contains("store accept"));
    const auto before = reader->status().size;
    options.accept = "restored from the backup of Monday";
    { open_writer(place.url(), options)->publish_head(true); }
    CHECK(reader->status().size == before + 1);
    CHECK(
        place.sql("SELECT count(*) FROM admin_action WHERE payload LIKE '%backup of Monday%'")[0] !=
        "0");
    options.accept.clear();
    CHECK_NOTHROW(open_writer(place.url(), options));
  });
}

TEST_CASE("head: a log whose key is gone is not signed with a new one in silence") {
  on_both([](Place& place) {
    const Folder folder;
    WriterOptions options;
    options.keys = folder.path;
    { write(*open_writer(place.url(), options), 1, 3); }
    fs::remove_all(folder.path);
    CHECK_THROWS_WITH(open_writer(place.url(), options), Catch::Contains("is not in"));
    options.accept = "the disk with the key died";
    CHECK_NOTHROW(open_writer(place.url(), options));
  });
}

}  // namespace
}  // namespace rowtrail::store::test
