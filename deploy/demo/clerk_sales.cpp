#include <algorithm>
#include <array>
#include <map>

#include "deploy/demo/clerk.h"
#include "deploy/demo/sql_text.h"
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace rowtrail::demo {
namespace {

constexpr std::array<std::string_view, 10> kPatients{
    "Łucja Wiśniewska", "Karl-Heinz Öztürk", "Björk Guðmundsdóttir", "O'Brien, Siobhán",
    "李 小龍",          "Renée Dubois",      "Mohammed al-Fārābī",   "Ольга Иванова",
    "José Peña",        "Ann \"Nan\" Lee"};
constexpr std::array<std::string_view, 4> kPrescribers{"Dr. med. Weiß", "Dr. Çelik", "Praxis Süd",
                                                       "Dr. Núñez-Ríos"};
constexpr std::array<std::string_view, 5> kDosages{
    R"({"morning": 1, "noon": 0, "evening": 0.5, "note": "nach dem Essen 🍽️"})",
    R"({"every_h": 8, "max_per_day": 3})",
    R"([{"day": 1, "mg": 40}, {"day": 2, "mg": 20.25}, {"day": 3, "mg": 1e-3}])",
    R"({"batch": 9007199254740993, "as_needed": true, "until": null})", R"("unverändert")"};

std::string random_bytes(Random& random) {
  std::string hex = "X'";
  for (std::uint64_t i = random.below(24); i > 0; --i)
    hex += fmt::format("{:02X}", random.below(256));
  return hex + "'";
}

template <typename T>
void remember(std::deque<T>& memory, T item) {
  memory.push_back(std::move(item));
  if (memory.size() > kRememberedMax) memory.pop_front();
}

}  // namespace

std::int64_t Clerk::insert_sale(Random& random, const std::vector<Item>& items,
                                std::int64_t location_id, const std::string& prescription_id,
                                const std::string& method, const std::string& comment) {
  OutOfStock short_of{location_id, {}};
  std::vector<std::int64_t> products;
  for (const Item& item : items) {
    products.push_back(item.shelf.product_id);
    if (item.shelf.quantity < item.quantity) short_of.product_ids.push_back(item.shelf.product_id);
  }
  if (!short_of.product_ids.empty()) throw short_of;

  std::map<std::int64_t, std::int64_t> prices;
  for (const Row& row : db_.query(fmt::format(
           "SELECT product_id, amount FROM price WHERE product_id IN ({}) AND valid_to IS NULL",
           fmt::join(products, ", ")))) {
    prices[integer(row[0])] = money(row[1]);
  }
  std::int64_t total = 0;
  std::vector<std::string> lines;
  for (const Item& item : items) {
    const std::int64_t price = prices[item.shelf.product_id];
    const std::int64_t discount = random.chance(0.1) ? std::min(price, std::int64_t{5000}) : 0;
    total += item.quantity * price - discount;
    lines.push_back(fmt::format("({}, {}, {}, {}, {})", lines.size() + 1, item.shelf.product_id,
                                item.quantity, money_text(price), money_text(discount)));
  }
  db_.execute(
      fmt::format("INSERT INTO sale (location_id, register_no, total, prescription_id, sold_at) "
                  "VALUES ({}, {}, {}, {}, NOW(6)){}",
                  location_id, random.between(1, 4), money_text(total), prescription_id, comment));
  const auto sale_id = static_cast<std::int64_t>(db_.last_insert_id());
  for (std::string& line : lines) line.insert(1, fmt::format("{}, ", sale_id));
  db_.execute(
      fmt::format("INSERT INTO sale_item (sale_id, line_no, product_id, quantity, unit_price, "
                  "discount) VALUES {}{}",
                  fmt::join(lines, ", "), comment));
  for (const Item& item : items) {
    db_.execute(fmt::format("UPDATE stock SET quantity = quantity - {} WHERE id = {}{}",
                            item.quantity, item.shelf.stock_id, comment));
  }
  db_.execute(fmt::format(
      "INSERT INTO payment (sale_id, method, amount, receipt) VALUES ({}, '{}', {}, {}){}", sale_id,
      method, money_text(total), random.chance(0.3) ? random_bytes(random) : "NULL", comment));
  return sale_id;
}

Outcome Clerk::sell(Random& random, std::uint64_t) {
  const std::string& actor = user(random, {0, 1, 2, 3, 6, 9, 10, 11}).login;
  const std::int64_t location_id = random.pick(catalogue_.shops);
  std::vector<Item> items;
  for (const Shelf& shelf :
       lock_shelves({location_id}, some_products(random, random.between(1, 5)))) {
    items.push_back({shelf, random.chance(0.7) ? 1 : random.between(2, 4)});
  }
  const std::int64_t sale_id =
      insert_sale(random, items, location_id, "NULL", random.chance(0.4) ? "cash" : "card",
                  sqlcomment(actor, "/sales"));
  Deed deed{"sale.completed", {object("sale", sale_id), object("location", location_id)}, actor};
  for (const Item& item : items) deed.objects.push_back(object("product", item.shelf.product_id));
  return {{deed}, [this, sale_id] { remember(paid_sales_, sale_id); }};
}

Outcome Clerk::refund(Random& random, std::uint64_t number) {
  if (paid_sales_.empty()) return sell(random, number);
  const std::size_t chosen = random.below(paid_sales_.size());
  const std::int64_t sale_id = paid_sales_[chosen];
  const std::string& actor = user(random, {0, 1, 2, 3}).login;
  const std::string comment = sqlcomment(actor, fmt::format("/sales/{}/refund", sale_id));
  const std::vector<Row> sale = db_.query(
      fmt::format("SELECT location_id, total FROM sale WHERE id = {} FOR UPDATE", sale_id));
  const std::int64_t location_id = integer(sale.at(0)[0]);

  Deed deed{"sale.refunded", {object("sale", sale_id)}, actor};
  db_.execute(
      fmt::format("UPDATE sale SET status = 'refunded', refunded_at = NOW(6) WHERE id = {}{}",
                  sale_id, comment));
  // Half of what comes back can be sold again.
  if (random.chance(0.5)) {
    std::map<std::int64_t, std::int64_t> returned;
    std::vector<std::int64_t> products;
    for (const Row& row : db_.query(fmt::format(
             "SELECT product_id, quantity FROM sale_item WHERE sale_id = {}", sale_id))) {
      returned[integer(row[0])] = integer(row[1]);
      products.push_back(integer(row[0]));
    }
    for (const Shelf& shelf : lock_shelves({location_id}, products)) {
      db_.execute(fmt::format("UPDATE stock SET quantity = quantity + {} WHERE id = {}{}",
                              returned[shelf.product_id], shelf.stock_id, comment));
      deed.objects.push_back(object("product", shelf.product_id));
    }
  }
  db_.execute(
      fmt::format("INSERT INTO payment (sale_id, method, amount) VALUES ({}, 'cash', -{}){}",
                  sale_id, sale.at(0)[1].value(), comment));
  return {{deed}, [this, chosen] {
            paid_sales_.erase(paid_sales_.begin() + static_cast<std::ptrdiff_t>(chosen));
          }};
}

Outcome Clerk::write_prescription(Random& random, std::uint64_t number) {
  const std::string& actor = user(random, {0, 1, 2, 3, 6}).login;
  const std::int64_t product_id = random.pick(catalogue_.products);
  const std::int64_t quantity = random.between(1, 3);
  const std::string born = random.chance(0.9)
                               ? fmt::format("'{:04}-{:02}-{:02}'", random.between(1921, 2025),
                                             random.between(1, 12), random.between(1, 28))
                               : "NULL";
  db_.execute(fmt::format(
      "INSERT INTO prescription (number, patient_name, patient_born, prescriber, product_id, "
      "quantity, dosage, issued_on, "
      "created_by) VALUES ('RX{}-{}', {}, {}, {}, {}, {}, {}, CURRENT_DATE, {})",
      catalogue_.run, number, db_.quote(random.pick(kPatients)), born,
      db_.quote(random.pick(kPrescribers)), product_id, quantity,
      random.chance(0.8) ? db_.quote(random.pick(kDosages)) : "NULL", db_.quote(actor)));
  const Prescription prescription{static_cast<std::int64_t>(db_.last_insert_id()), product_id,
                                  quantity};
  return {{{"prescription.created",
            {object("prescription", prescription.id), object("product", product_id)},
            actor}},
          [this, prescription] { remember(open_prescriptions_, prescription); }};
}

Outcome Clerk::fill_prescription(Random& random, std::uint64_t number) {
  if (open_prescriptions_.empty()) return write_prescription(random, number);
  const Prescription prescription = open_prescriptions_.front();
  const std::string& actor = user(random, {0, 1, 2, 3, 6}).login;
  const std::int64_t location_id = random.pick(catalogue_.shops);
  db_.execute(fmt::format(
      "UPDATE prescription SET status = 'filled', filled_by = {}, filled_at = NOW(6) WHERE id = {}",
      db_.quote(actor), prescription.id));
  std::vector<Item> items;
  for (const Shelf& shelf : lock_shelves({location_id}, {prescription.product_id})) {
    items.push_back({shelf, prescription.quantity});
  }
  const std::int64_t sale_id =
      insert_sale(random, items, location_id, std::to_string(prescription.id), "insurance",
                  sqlcomment(actor, "/prescriptions/fill"));
  return {{{"prescription.filled",
            {object("prescription", prescription.id), object("product", prescription.product_id),
             object("sale", sale_id), object("location", location_id)},
            actor}},
          [this, sale_id] {
            open_prescriptions_.pop_front();
            remember(paid_sales_, sale_id);
          }};
}

Outcome Clerk::cancel_prescription(Random& random, std::uint64_t number) {
  if (open_prescriptions_.empty()) return write_prescription(random, number);
  const Prescription prescription = open_prescriptions_.front();
  const std::string& actor = user(random, {0, 1, 2}).login;
  db_.execute(
      fmt::format("UPDATE prescription SET status = 'cancelled', updated_by = {} WHERE id = {}",
                  db_.quote(actor), prescription.id));
  return {{{"prescription.cancelled",
            {object("prescription", prescription.id), object("product", prescription.product_id)},
            actor}},
          [this] { open_prescriptions_.pop_front(); }};
}

}  // namespace rowtrail::demo
