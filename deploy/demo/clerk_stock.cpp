#include <algorithm>
#include <array>

#include "deploy/demo/clerk.h"
#include "deploy/demo/sql_text.h"
#include <fmt/format.h>

namespace rowtrail::demo {
namespace {

constexpr std::array<std::string_view, 4> kReasons{"Zählung weicht ab", "Fehlbestand, Wert < 5 €",
                                                   "écart d'inventaire", "double scan"};
constexpr std::array<std::string_view, 3> kWasteReasons{"Verfallsdatum überschritten", "Bruch",
                                                        "Kühlkette unterbrochen – vernichtet"};

}  // namespace

void Clerk::adjust(const Shelf& shelf, std::string_view kind, std::int64_t delta,
                   const std::string& counted, const std::string& reference,
                   const std::string& reason, const std::string& actor) {
  db_.execute(
      fmt::format("INSERT INTO stock_adjustment (stock_id, kind, delta, counted, reference, "
                  "reason, created_by) "
                  "VALUES ({}, '{}', {}, {}, {}, {}, {})",
                  shelf.stock_id, kind, delta, counted, reference, reason, db_.quote(actor)));
}

Outcome Clerk::take_delivery(Random& random, std::uint64_t) {
  const std::int64_t location_id =
      random.chance(0.6) ? catalogue_.warehouse : random.pick(catalogue_.locations);
  return receive_goods(random, location_id, some_products(random, random.between(1, 6)));
}

Outcome Clerk::receive_goods(Random& random, std::int64_t location_id,
                             const std::vector<std::int64_t>& product_ids) {
  const std::string& actor = user(random, {4, 5, 7}).login;
  const std::string note = db_.quote(fmt::format("LS-{:06}", random.below(1'000'000)));
  Deed deed{"stock.received", {object("location", location_id)}, actor};
  for (const Shelf& shelf : lock_shelves({location_id}, product_ids)) {
    const std::int64_t quantity = random.between(2, 12) * 25;
    db_.execute(fmt::format("UPDATE stock SET quantity = quantity + {} WHERE id = {}", quantity,
                            shelf.stock_id));
    adjust(shelf, "receipt", quantity, "NULL", note, "NULL", actor);
    deed.objects.push_back(object("product", shelf.product_id));
  }
  return {{deed}};
}

// Mostly from the warehouse. Several products may travel in one transaction: one event for each.
Outcome Clerk::transfer(Random& random, std::uint64_t) {
  const std::string& actor = user(random, {4, 5, 7, 10}).login;
  const std::int64_t from =
      random.chance(0.75) ? catalogue_.warehouse : random.pick(catalogue_.shops);
  std::int64_t to = from;
  while (to == from) to = random.pick(catalogue_.locations);
  const std::vector<std::int64_t> products =
      some_products(random, random.chance(0.85) ? 1 : random.between(2, 3));
  const std::vector<Shelf> shelves = lock_shelves({from, to}, products);
  Outcome outcome;
  for (const std::int64_t product_id : products) {
    const auto shelf_at = [&](std::int64_t location_id) {
      return *std::find_if(shelves.begin(), shelves.end(), [&](const Shelf& shelf) {
        return shelf.product_id == product_id && shelf.location_id == location_id;
      });
    };
    const std::int64_t quantity = random.between(5, 40);
    if (shelf_at(from).quantity < quantity) throw OutOfStock{from, {product_id}};
    db_.execute(fmt::format("UPDATE stock SET quantity = quantity - {} WHERE id = {}", quantity,
                            shelf_at(from).stock_id));
    db_.execute(fmt::format("UPDATE stock SET quantity = quantity + {} WHERE id = {}", quantity,
                            shelf_at(to).stock_id));
    db_.execute(fmt::format(
        "INSERT INTO transfer (product_id, from_location_id, to_location_id, quantity, note, "
        "created_by) "
        "VALUES ({}, {}, {}, {}, {}, {})",
        product_id, from, to, quantity,
        random.chance(0.2) ? "'Kühlkette beachten ❄️'" : "NULL", db_.quote(actor)));
    outcome.deeds.push_back({"inventory.transfer",
                             {object("product", product_id), object("location", from, "source"),
                              object("location", to, "target")},
                             actor});
  }
  return outcome;
}

Outcome Clerk::count_stock(Random& random, std::uint64_t) {
  const std::string& actor = user(random, {4, 5, 7}).login;
  const std::int64_t location_id = random.pick(catalogue_.locations);
  const Shelf shelf = lock_shelves({location_id}, {random.pick(catalogue_.products)}).at(0);
  db_.execute(
      fmt::format("UPDATE stock SET last_counted_at = NOW(6) WHERE id = {}", shelf.stock_id));
  adjust(shelf, "count", 0, std::to_string(shelf.quantity), "NULL", "NULL", actor);
  return {{{"stock.counted",
            {object("product", shelf.product_id), object("location", location_id)},
            actor}}};
}

Outcome Clerk::correct_stock(Random& random, std::uint64_t) {
  const std::string& actor = user(random, {4, 5, 7}).login;
  const std::int64_t location_id = random.pick(catalogue_.locations);
  const Shelf shelf = lock_shelves({location_id}, {random.pick(catalogue_.products)}).at(0);
  std::int64_t delta = random.between(1, 6);
  if (random.chance(0.6) && shelf.quantity >= delta) delta = -delta;
  db_.execute(fmt::format("UPDATE stock SET quantity = {}, last_counted_at = NOW(6) WHERE id = {}",
                          shelf.quantity + delta, shelf.stock_id));
  adjust(shelf, "correction", delta, std::to_string(shelf.quantity + delta), "NULL",
         db_.quote(random.pick(kReasons)), actor);
  return {{{"stock.corrected",
            {object("product", shelf.product_id), object("location", location_id)},
            actor}}};
}

Outcome Clerk::discard(Random& random, std::uint64_t) {
  const std::string& actor = user(random, {2, 4, 7}).login;
  const std::int64_t location_id = random.pick(catalogue_.locations);
  const Shelf shelf = lock_shelves({location_id}, {random.pick(catalogue_.products)}).at(0);
  const std::int64_t quantity = random.between(1, 8);
  if (shelf.quantity < quantity) throw OutOfStock{location_id, {shelf.product_id}};
  db_.execute(fmt::format("UPDATE stock SET quantity = quantity - {} WHERE id = {}", quantity,
                          shelf.stock_id));
  adjust(shelf, "waste", -quantity, "NULL", "NULL", db_.quote(random.pick(kWasteReasons)), actor);
  return {{{"stock.discarded",
            {object("product", shelf.product_id), object("location", location_id)},
            actor}}};
}

}  // namespace rowtrail::demo
