#include "deploy/demo/misdeeds.h"

#include <array>

#include "deploy/demo/sql_text.h"
#include <fmt/format.h>

namespace rowtrail::demo {
namespace {

constexpr std::int64_t kHour = 3600;

std::int64_t some_time(Scene& scene) {
  return scene.random.between(9 * kHour, 17 * kHour);
}

const std::string& user(Scene& scene, std::initializer_list<std::size_t> indexes) {
  const auto index = indexes.begin()[scene.random.below(indexes.size())];
  return scene.catalogue.users[index % scene.catalogue.users.size()].login;
}

std::string one(Scene& scene, const std::string& sql) {
  const auto rows = scene.db.query(sql);
  return rows.empty() || !rows[0][0] ? std::string() : *rows[0][0];
}

std::string correction(Scene& scene, std::int64_t product, std::int64_t location,
                       std::int64_t delta, const std::string& actor, bool document,
                       std::int64_t second) {
  const auto stock = one(scene, fmt::format("SELECT id FROM stock WHERE product_id = {} AND "
                                            "location_id = {}",
                                            product, location));
  std::vector<std::string> statements{
      fmt::format("UPDATE stock SET quantity = quantity + {}{} WHERE id = {}", delta,
                  document ? ", last_counted_at = NOW(6)" : "", stock)};
  if (document) {
    statements.push_back(fmt::format(
        "INSERT INTO stock_adjustment (stock_id, kind, delta, counted, reason, created_by) SELECT "
        "id, 'correction', {}, GREATEST(quantity, 0), 'double scan', {} FROM stock WHERE id = {}",
        delta, scene.db.quote(actor), stock));
  }
  scene.transaction(second, statements);
  return actor;
}

// Controlled drugs are counted down again and again.
std::string correct_controlled_drugs(Scene& scene) {
  const auto actor = user(scene, {4, 5, 7});
  auto second = some_time(scene);
  for (auto left = scene.random.between(8, 12); left > 0; --left) {
    correction(scene, scene.random.between(21, 23), scene.random.pick(scene.catalogue.shops), -1,
               actor, true, second);
    second += scene.random.between(60, 900);
  }
  return actor;
}

std::int64_t sell_one(Scene& scene, const std::string& actor, std::int64_t second,
                      const std::string& discount) {
  const auto comment = sqlcomment(actor, "/sales");
  const auto location = scene.random.pick(scene.catalogue.shops);
  const auto product = scene.random.pick(scene.catalogue.products);
  const auto price = one(
      scene,
      fmt::format("SELECT amount FROM price WHERE product_id = {} AND valid_to IS NULL", product));
  if (price.empty()) return 0;
  scene.transaction(
      second,
      {fmt::format("INSERT INTO sale (location_id, register_no, total, sold_at) VALUES ({}, 2, "
                   "{} - {}, NOW(6)){}",
                   location, price, discount, comment),
       fmt::format("INSERT INTO sale_item (sale_id, line_no, product_id, quantity, unit_price, "
                   "discount) VALUES (LAST_INSERT_ID(), 1, {}, 1, {}, {}){}",
                   product, price, discount, comment),
       fmt::format("UPDATE stock SET quantity = quantity - 1 WHERE product_id = {} AND "
                   "location_id = {}{}",
                   product, location, comment),
       fmt::format("INSERT INTO payment (sale_id, method, amount) SELECT MAX(id), 'cash', {} - {} "
                   "FROM sale{}",
                   price, discount, comment)});
  return integer(one(scene, "SELECT MAX(id) FROM sale"));
}

void refund_one(Scene& scene, std::int64_t sale, const std::string& actor, std::int64_t second) {
  const auto comment = sqlcomment(actor, fmt::format("/sales/{}/refund", sale));
  scene.transaction(
      second,
      {fmt::format("UPDATE sale SET status = 'refunded', refunded_at = NOW(6) WHERE id = {}{}",
                   sale, comment),
       fmt::format("INSERT INTO payment (sale_id, method, amount) SELECT id, 'cash', -total FROM "
                   "sale WHERE id = {}{}",
                   sale, comment)});
}

// Sold to nobody and paid back into the own pocket.
std::string refund_own_sales(Scene& scene) {
  const auto actor = user(scene, {0, 1, 2, 3});
  auto second = some_time(scene);
  for (auto left = scene.random.between(6, 9); left > 0; --left) {
    const auto sale = sell_one(scene, actor, second, "0");
    second += scene.random.between(60, 400);
    if (sale != 0) refund_one(scene, sale, actor, second);
    second += scene.random.between(60, 900);
  }
  return actor;
}

std::string set_absurd_price(Scene& scene) {
  const auto actor = user(scene, {8, 9});
  const auto product = scene.random.pick(scene.catalogue.products);
  const char* factor = scene.random.chance(0.5) ? "/ 10" : "* 10";
  const auto open = one(
      scene,
      fmt::format("SELECT amount FROM price WHERE product_id = {} AND valid_to IS NULL", product));
  if (open.empty()) return "-";
  scene.transaction(
      some_time(scene),
      {fmt::format("UPDATE price SET valid_to = NOW(6) WHERE product_id = {} AND valid_to IS NULL",
                   product),
       fmt::format("INSERT INTO price (product_id, amount, valid_from, created_by) VALUES ({}, {} "
                   "{}, NOW(6), {})",
                   product, open, factor, scene.db.quote(actor))});
  // Noticed and put right in the evening, by the same desk.
  const auto second = 18 * kHour;
  scene.transaction(
      second,
      {fmt::format("UPDATE price SET valid_to = NOW(6) WHERE product_id = {} AND valid_to IS NULL",
                   product),
       fmt::format("INSERT INTO price (product_id, amount, valid_from, created_by) VALUES ({}, {}, "
                   "NOW(6), {})",
                   product, open, scene.db.quote(actor))});
  return actor;
}

std::string give_large_discount(Scene& scene) {
  const auto actor = user(scene, {0, 1, 2, 3, 6});
  const auto sale =
      sell_one(scene, actor, some_time(scene), std::to_string(scene.random.between(25, 60)));
  return sale == 0 ? "-" : actor;
}

std::string work_at_night(Scene& scene) {
  const auto actor = user(scene, {0, 1, 2, 3});
  const auto second = scene.random.between(kHour, 4 * kHour);
  return sell_one(scene, actor, second, "0") == 0 ? "-" : actor;
}

std::string change_many_rows(Scene& scene) {
  const auto actor = user(scene, {4, 5, 7});
  scene.transaction(some_time(scene),
                    {fmt::format("UPDATE stock SET min_quantity = min_quantity + 1, quantity = "
                                 "quantity + 1 WHERE location_id IN (1, 2, 3){}",
                                 sqlcomment(actor, "/stock/import"))});
  return actor;
}

// A role for an hour, given by somebody who never gives roles.
std::string grant_and_revoke(Scene& scene) {
  const auto actor = user(scene, {2, 3, 8, 9});
  const auto second = some_time(scene);
  const auto row = scene.db.query(
      "SELECT u.id, r.id FROM user u JOIN role r LEFT JOIN user_role x ON x.user_id = u.id AND "
      "x.role_id = r.id WHERE x.user_id IS NULL ORDER BY u.id, r.id LIMIT 1");
  if (row.empty()) return "-";
  const auto grantee = *row[0][0];
  const auto role = *row[0][1];
  scene.transaction(
      second, {fmt::format("INSERT INTO user_role (user_id, role_id, granted_by) VALUES ({}, {}, "
                           "{})",
                           grantee, role, scene.db.quote(actor))});
  scene.transaction(second + scene.random.between(120, 900),
                    {fmt::format("DELETE FROM user_role WHERE user_id = {} AND role_id = {}{}",
                                 grantee, role, sqlcomment(actor, "/users/roles"))});
  return actor;
}

// Past the application, from a database client.
std::string write_directly(Scene& scene) {
  correction(scene, scene.random.pick(scene.catalogue.products),
             scene.random.pick(scene.catalogue.shops), -scene.random.between(10, 25), "", false,
             some_time(scene));
  return "";
}

std::string delete_a_sale_line(Scene& scene) {
  const auto actor = user(scene, {0, 1, 2, 3, 6});
  const auto line = one(scene, "SELECT MAX(id) FROM sale_item WHERE line_no > 1");
  if (line.empty()) return "-";
  scene.transaction(some_time(scene), {fmt::format("DELETE FROM sale_item WHERE id = {}{}", line,
                                                   sqlcomment(actor, "/sales/edit"))});
  return actor;
}

std::string backdate_a_prescription(Scene& scene) {
  const auto actor = user(scene, {0, 1, 2, 3, 6});
  scene.transaction(
      some_time(scene),
      {fmt::format("INSERT INTO prescription (number, patient_name, prescriber, product_id, "
                   "quantity, issued_on, created_by) VALUES ('RX-B{}', 'Renée Dubois', 'Dr. "
                   "Çelik', {}, 1, CURRENT_DATE - INTERVAL {} DAY, {})",
                   scene.number, scene.random.pick(scene.catalogue.products),
                   scene.random.between(30, 200), scene.db.quote(actor))});
  return actor;
}

std::string pay_back_without_a_sale(Scene& scene) {
  const auto actor = user(scene, {0, 1, 2, 3, 6});
  scene.transaction(some_time(scene),
                    {fmt::format("INSERT INTO payment (sale_id, method, amount) VALUES ({}, "
                                 "'cash', -{}){}",
                                 900'000'000 + scene.number, scene.random.between(20, 90),
                                 sqlcomment(actor, "/refunds"))});
  return actor;
}

// Less arrives than was sent.
std::string lose_on_the_way(Scene& scene) {
  const auto actor = user(scene, {4, 5, 7, 10});
  const auto product = scene.random.pick(scene.catalogue.products);
  const auto to = scene.random.pick(scene.catalogue.shops);
  const auto sent = scene.random.between(15, 40);
  scene.transaction(
      some_time(scene),
      {fmt::format("UPDATE stock SET quantity = quantity - {} WHERE product_id = {} AND "
                   "location_id = {}",
                   sent, product, scene.catalogue.warehouse),
       fmt::format("UPDATE stock SET quantity = quantity + {} WHERE product_id = {} AND "
                   "location_id = {}",
                   sent - scene.random.between(3, 10), product, to),
       fmt::format("INSERT INTO transfer (product_id, from_location_id, to_location_id, quantity, "
                   "created_by) VALUES ({}, {}, {}, {}, {})",
                   product, scene.catalogue.warehouse, to, sent, scene.db.quote(actor))});
  return actor;
}

std::string change_the_schema(Scene& scene) {
  scene.transaction(
      some_time(scene),
      {scene.number % 2 == 0 ? std::string("ALTER TABLE payment COMMENT = 'archived'")
                             : std::string("ALTER TABLE sale_item COMMENT = 'archived'")});
  return "";
}

std::string act_as_somebody_new(Scene& scene) {
  const auto actor = fmt::format("temp{:02}", scene.number % 100);
  return sell_one(scene, actor, some_time(scene), "0") == 0 ? "-" : actor;
}

std::string reopen_a_filled_prescription(Scene& scene) {
  const auto actor = user(scene, {0, 1, 2});
  const auto id = one(scene, "SELECT MAX(id) FROM prescription WHERE status = 'filled'");
  if (id.empty()) return "-";
  scene.transaction(some_time(scene),
                    {fmt::format("UPDATE prescription SET status = 'open', quantity = quantity + "
                                 "1, updated_by = {} WHERE id = {}",
                                 scene.db.quote(actor), id)});
  return actor;
}

std::string change_many_prices(Scene& scene) {
  const auto actor = user(scene, {0, 1, 2, 3});
  auto second = some_time(scene);
  for (auto left = scene.random.between(3, 5); left > 0; --left) {
    const auto product = scene.random.pick(scene.catalogue.products);
    scene.transaction(
        second,
        {fmt::format("UPDATE price SET valid_to = NOW(6) WHERE product_id = {} AND valid_to IS "
                     "NULL",
                     product),
         fmt::format("INSERT INTO price (product_id, amount, valid_from, created_by) SELECT "
                     "product_id, ROUND(amount * 0.97, 2), NOW(6), {} FROM price WHERE product_id "
                     "= {} ORDER BY id DESC LIMIT 1",
                     scene.db.quote(actor), product)});
    second += scene.random.between(30, 600);
  }
  return actor;
}

constexpr std::array kMisdeeds{
    Misdeed{"controlled-corrections", correct_controlled_drugs},
    Misdeed{"own-refunds", refund_own_sales},
    Misdeed{"absurd-price", set_absurd_price},
    Misdeed{"large-discount", give_large_discount},
    Misdeed{"at-night", work_at_night},
    Misdeed{"many-rows", change_many_rows},
    Misdeed{"grant-and-revoke", grant_and_revoke},
    Misdeed{"direct-sql", write_directly},
    Misdeed{"deleted-line", delete_a_sale_line},
    Misdeed{"backdated", backdate_a_prescription},
    Misdeed{"refund-without-sale", pay_back_without_a_sale},
    Misdeed{"lost-in-transfer", lose_on_the_way},
    Misdeed{"schema-change", change_the_schema},
    Misdeed{"new-person", act_as_somebody_new},
    Misdeed{"reopened", reopen_a_filled_prescription},
    Misdeed{"foreign-duty", change_many_prices},
};

}  // namespace

std::span<const Misdeed> misdeeds() {
  return kMisdeeds;
}

}  // namespace rowtrail::demo
