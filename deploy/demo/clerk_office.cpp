#include <array>
#include <iterator>

#include "deploy/demo/clerk.h"
#include "deploy/demo/sql_text.h"
#include <fmt/format.h>

namespace rowtrail::demo {
namespace {

constexpr std::array<std::string_view, 5> kNames{"Thymian-Hustenbonbons 🍬", "Arnika Gel",
                                                 "Sérum physiologique", "Zinksalbe", "葛根湯"};

}  // namespace

// One product, or now and then several in one campaign: then each is an event of its own.
Outcome Clerk::change_prices(Random& random, std::uint64_t) {
  const std::string& actor = user(random, {8, 9}).login;
  Outcome outcome;
  for (const std::int64_t product_id :
       some_products(random, random.chance(0.8) ? 1 : random.between(2, 4))) {
    const std::vector<Row> old = db_.query(fmt::format(
        "SELECT id, amount FROM price WHERE product_id = {} AND valid_to IS NULL FOR UPDATE",
        product_id));
    if (old.empty()) continue;
    // At least a cent more or less, in whole cents, never down to nothing.
    const std::int64_t step = 100 * random.between(1, 120);
    const std::int64_t before = money(old[0][1]);
    const std::int64_t after =
        random.chance(0.5) || before <= step + 100 ? before + step : before - step;
    db_.execute(
        fmt::format("UPDATE price SET valid_to = NOW(6) WHERE id = {}", integer(old[0][0])));
    db_.execute(
        fmt::format("INSERT INTO price (product_id, amount, valid_from, created_by) VALUES ({}, "
                    "{}, NOW(6), {})",
                    product_id, money_text(after), db_.quote(actor)));
    outcome.deeds.push_back({"price.changed", {object("product", product_id)}, actor});
  }
  return outcome;
}

Outcome Clerk::grant_role(Random& random, std::uint64_t number) {
  if (own_users_.empty()) return sign_in(random, number);
  const std::string& actor = user(random, {0, 11}).login;
  const Catalogue::User& grantee = random.pick(own_users_);
  const std::pair grant{grantee.id, random.pick(catalogue_.roles)};
  if (own_grants_.contains(grant)) return sign_in(random, number);
  db_.execute(fmt::format(
      "INSERT INTO user_role (user_id, role_id, valid_until, granted_by) VALUES ({}, {}, {}, {})",
      grant.first, grant.second, random.chance(0.3) ? "CURRENT_DATE + INTERVAL 90 DAY" : "NULL",
      db_.quote(actor)));
  return {{{"role.granted", {object("user", grant.first), object("role", grant.second)}, actor}},
          [this, grant] { own_grants_.insert(grant); }};
}

Outcome Clerk::revoke_role(Random& random, std::uint64_t number) {
  if (own_grants_.empty()) return sign_in(random, number);
  const std::string& actor = user(random, {0, 11}).login;
  const std::pair grant = *std::next(own_grants_.begin(),
                                     static_cast<std::ptrdiff_t>(random.below(own_grants_.size())));
  db_.execute(fmt::format("DELETE FROM user_role WHERE user_id = {} AND role_id = {}{}",
                          grant.first, grant.second,
                          sqlcomment(actor, fmt::format("/users/{}/roles", grant.first))));
  return {{{"role.revoked", {object("user", grant.first), object("role", grant.second)}, actor}},
          [this, grant] { own_grants_.erase(grant); }};
}

Outcome Clerk::sign_in(Random& random, std::uint64_t) {
  const Catalogue::User& who = random.pick(catalogue_.users);
  const std::string settings = random.chance(0.2)
                                   ? fmt::format(
                                         ", settings = JSON_SET(COALESCE(settings, '{{}}'), "
                                         "'$.register', {}, '$.zoom', {}.5)",
                                         random.between(1, 4), random.between(1, 3))
                                   : "";
  db_.execute(
      fmt::format("UPDATE user SET last_seen_at = NOW(6){} WHERE id = {}", settings, who.id));
  return {{{"user.signed_in", {object("user", who.id)}, who.login}}};
}

Outcome Clerk::add_product(Random& random, std::uint64_t number) {
  const std::string& actor = user(random, {8, 9, 11}).login;
  db_.execute(fmt::format(
      "INSERT INTO product (sku, name, form, flags, strength_mg, attributes, created_by) "
      "VALUES ('N{}-{}', {}, 'other', 'otc', {}, {}, {})",
      catalogue_.run, number, db_.quote(random.pick(kNames)),
      random.chance(0.5) ? "12.345" : "NULL",
      random.chance(0.5) ? R"('{"new": true, "margin": 0.35}')" : "NULL", db_.quote(actor)));
  const auto product_id = static_cast<std::int64_t>(db_.last_insert_id());
  db_.execute(fmt::format(
      "INSERT INTO price (product_id, amount, valid_from, created_by) VALUES ({}, {}, NOW(6), {})",
      product_id, money_text(100 * random.between(99, 4999)), db_.quote(actor)));
  db_.execute(fmt::format(
      "INSERT INTO stock (product_id, location_id) SELECT {}, id FROM location ORDER BY id",
      product_id));
  Deed deed{"product.added", {object("product", product_id)}, actor};
  for (const std::int64_t location_id : catalogue_.locations)
    deed.objects.push_back(object("location", location_id));
  return {{deed}};
}

Outcome Clerk::edit_product(Random& random, std::uint64_t number) {
  const std::string& actor = user(random, {8, 9}).login;
  const std::int64_t product_id = random.pick(catalogue_.products);
  db_.execute(
      fmt::format("UPDATE product SET description = {}, attributes = JSON_SET(COALESCE(attributes, "
                  "'{{}}'), '$.edition', {}), "
                  "updated_by = {} WHERE id = {}",
                  db_.quote(fmt::format(
                      "Überarbeitet, Ausgabe {} 📋\nSiehe \"Packungsbeilage\" \\ §7.", number)),
                  number, db_.quote(actor), product_id));
  return {{{"product.edited", {object("product", product_id)}, actor}}};
}

void Clerk::make_noise(Random& random) {
  switch (random.below(3)) {
    case 0:
      db_.execute(fmt::format("UPDATE stock SET min_quantity = {} WHERE location_id = {}",
                              random.between(1, 60), random.pick(catalogue_.locations)));
      break;
    case 1:
      db_.execute(fmt::format("UPDATE location SET phone = '+49 711 {}' WHERE id = {}",
                              random.between(100000, 999999), random.pick(catalogue_.locations)));
      break;
    default:
      db_.execute(fmt::format(
          "UPDATE payment SET receipt = NULL WHERE receipt IS NOT NULL ORDER BY id LIMIT {}",
          random.between(1, 20)));
  }
}

}  // namespace rowtrail::demo
