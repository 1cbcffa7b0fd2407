// Rows of prepared XA transactions in the store: kept by the commit that moves the position,
// sealed, gone when their fate is known.
#include "store/seal.h"
#include "test/store/support.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace rowtrail::store::test {
namespace {

TEST_CASE("xa: what is kept commits with the position, and is there for the next writer") {
  on_both([](Place& place) {
    {
      const auto writer = open_writer(place.url());
      write(*writer, 1, 1);
      writer->keep_xa("pharmacy", "x", 1, "lost");
      writer->rollback();
      CHECK_FALSE(writer->kept_xa("pharmacy", "x", 1));
      writer->keep_xa("pharmacy", "x", 1, std::string("rows\0one", 8));
      writer->keep_xa("pharmacy", "x", 2, "rows two");
      CHECK(writer->kept_xa("pharmacy", "x", 2) == "rows two");  // before the commit too
      writer->keep_xa("pharmacy", "x", 0, "tables");
      writer->keep_xa("other", "x", 0, "not ours");
      writer->commit("pharmacy", position_after(2), 0);
      writer->keep_xa("pharmacy", "y", 0, "never committed");
    }
    const auto writer = open_writer(place.url());
    const auto state = writer->source_state("pharmacy");
    REQUIRE(state.xa_tables.size() == 1);
    CHECK(state.xa_tables.at("x") == "tables");
    CHECK(writer->kept_xa("pharmacy", "x", 1) == std::string("rows\0one", 8));
    CHECK(writer->kept_xa("pharmacy", "x", 2) == "rows two");
    CHECK_FALSE(writer->kept_xa("pharmacy", "x", 3));
    CHECK(open_reader(place.url())->status().sources.at(0).xa_prepared == 1);
    CHECK(writer->drop_xa("pharmacy", "x", true));
    CHECK_FALSE(writer->drop_xa("pharmacy", "x", true));
    CHECK_FALSE(writer->kept_xa("pharmacy", "x", 1));
    CHECK(writer->kept_xa("other", "x", 0) == "not ours");
    writer->commit("pharmacy", position_after(3), 0);
    const auto status = open_reader(place.url())->status().sources.at(0);
    CHECK(status.xa_prepared == 0);
    CHECK(status.xa_rolled_back == 1);
    CHECK(writer->source_state("pharmacy").xa_rolled_back == 1);
  });
}

TEST_CASE("xa: what lies in the store is sealed, and cannot be moved or changed") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    const std::string secret = "planted secret";
    writer->keep_xa("pharmacy", "x", 1, secret);
    writer->keep_xa("pharmacy", "x", 2, secret);
    writer->commit("pharmacy", position_after(1), 0);
    const bool postgres = place.url().starts_with("postgres");
    const auto found = place.sql(
        postgres ? "SELECT upper(encode(sealed, 'hex')) FROM rowtrail.xa_pending WHERE part > 0"
                 : "SELECT hex(sealed) FROM xa_pending WHERE part > 0");
    REQUIRE(found.size() == 2);
    std::string hex;
    for (const char c : secret) hex += fmt::format("{:02X}", c);
    for (const auto& sealed : found) CHECK(sealed.find(hex) == std::string::npos);
    const std::string table = postgres ? "rowtrail.xa_pending" : "xa_pending";
    place.sql("UPDATE " + table + " SET sealed = (SELECT sealed FROM " + table +
              " WHERE part = 2) WHERE part = 1");
    CHECK(writer->kept_xa("pharmacy", "x", 2) == secret);
    CHECK_THROWS_AS(writer->kept_xa("pharmacy", "x", 1), core::Failure);
  });
}

TEST_CASE("seal: opens with its key, under its name, unchanged") {
  const auto key = derive_key("secret", "one purpose");
  CHECK(key != derive_key("secret", "another purpose"));
  CHECK(key != derive_key("another secret", "one purpose"));
  for (const std::string& bytes : {std::string(), std::string("a"), std::string(100'000, 'b')}) {
    const auto sealed = seal(key, bytes, "name");
    CHECK(sealed != seal(key, bytes, "name"));  // a nonce of its own
    CHECK(unseal(key, sealed, "name").value() == bytes);
    CHECK_FALSE(unseal(key, sealed, "other").has_value());
    CHECK_FALSE(unseal(derive_key("x", "y"), sealed, "name").has_value());
    CHECK_FALSE(unseal(key, std::string_view(sealed).substr(1), "name").has_value());
    auto flipped = sealed;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    CHECK_FALSE(unseal(key, flipped, "name").has_value());
  }
  CHECK_FALSE(unseal(key, "", "name").has_value());
}

}  // namespace
}  // namespace rowtrail::store::test
