#include "deploy/demo/clerk.h"

#include <set>

#include "deploy/demo/sql_text.h"
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace rowtrail::demo {

Catalogue Catalogue::load(Connection& connection) {
  Catalogue catalogue;
  for (const Row& row :
       connection.query("SELECT id, login FROM user WHERE is_active = 1 ORDER BY id")) {
    catalogue.users.push_back({integer(row[0]), row[1].value()});
  }
  for (const Row& row : connection.query("SELECT id FROM role ORDER BY id")) {
    catalogue.roles.push_back(integer(row[0]));
  }
  for (const Row& row :
       connection.query("SELECT id FROM product WHERE is_active = 1 ORDER BY id LIMIT 1000")) {
    catalogue.products.push_back(integer(row[0]));
  }
  for (const Row& row : connection.query("SELECT id, kind FROM location ORDER BY id")) {
    const std::int64_t id = integer(row[0]);
    catalogue.locations.push_back(id);
    if (row[1] == "shop") catalogue.shops.push_back(id);
    if (row[1] == "warehouse") catalogue.warehouse = id;
  }
  const std::vector<Row> used = connection.query(
      "SELECT (SELECT COALESCE(MAX(id), 0) FROM prescription) + (SELECT COALESCE(MAX(id), 0) FROM "
      "product)");
  catalogue.run = integer(used.at(0).at(0));
  return catalogue;
}

// In per mille, roughly as a day in a pharmacy goes.
const std::vector<Clerk::Weighted> Clerk::kOperations = {
    {450, &Clerk::sell},
    {90, &Clerk::write_prescription},
    {80, &Clerk::fill_prescription},
    {10, &Clerk::cancel_prescription},
    {50, &Clerk::refund},
    {30, &Clerk::change_prices},
    {70, &Clerk::take_delivery},
    {70, &Clerk::transfer},
    {35, &Clerk::count_stock},
    {25, &Clerk::correct_stock},
    {15, &Clerk::discard},
    {8, &Clerk::grant_role},
    {7, &Clerk::revoke_role},
    {45, &Clerk::sign_in},
    {3, &Clerk::add_product},
    {10, &Clerk::edit_product},
};

Clerk::Clerk(Connection& connection, const Catalogue& catalogue, std::uint64_t index,
             std::uint64_t count)
    : db_(connection), catalogue_(catalogue) {
  const std::string own = fmt::format("MOD(id, {}) = {}", count, index);
  for (const Row& row : db_.query(
           fmt::format("SELECT id FROM sale WHERE status = 'paid' AND {} ORDER BY id DESC LIMIT {}",
                       own, kRememberedMax))) {
    paid_sales_.push_front(integer(row[0]));
  }
  for (const Row& row : db_.query(fmt::format(
           "SELECT id, product_id, quantity FROM prescription WHERE status = 'open' AND {} "
           "ORDER BY id DESC LIMIT {}",
           own, kRememberedMax))) {
    open_prescriptions_.push_front({integer(row[0]), integer(row[1]), integer(row[2])});
  }
  for (const Catalogue::User& user : catalogue_.users) {
    if (static_cast<std::uint64_t>(user.id) % count == index) own_users_.push_back(user);
  }
  for (const Row& row : db_.query(fmt::format(
           "SELECT user_id, role_id FROM user_role WHERE MOD(user_id, {}) = {}", count, index))) {
    own_grants_.emplace(integer(row[0]), integer(row[1]));
  }
}

Outcome Clerk::act(Random& random, std::uint64_t number) {
  unsigned total = 0;
  for (const Weighted& weighted : kOperations) total += weighted.weight;
  std::uint64_t drawn = random.below(total);
  for (const Weighted& weighted : kOperations) {
    if (drawn < weighted.weight) return (this->*weighted.operation)(random, number);
    drawn -= weighted.weight;
  }
  return {};
}

const Catalogue::User& Clerk::user(Random& random,
                                   std::initializer_list<std::size_t> indexes) const {
  return catalogue_.users[indexes.begin()[random.below(indexes.size())] % catalogue_.users.size()];
}

std::vector<std::int64_t> Clerk::some_products(Random& random, std::int64_t count) const {
  std::set<std::int64_t> products;
  while (products.size() < static_cast<std::size_t>(count))
    products.insert(random.pick(catalogue_.products));
  return {products.begin(), products.end()};
}

// Always in the order of the primary key, so that two clerks rarely wait for each other in a
// circle.
std::vector<Clerk::Shelf> Clerk::lock_shelves(const std::vector<std::int64_t>& location_ids,
                                              const std::vector<std::int64_t>& product_ids) {
  std::vector<Shelf> shelves;
  for (const Row& row :
       db_.query(fmt::format("SELECT id, product_id, location_id, quantity FROM stock WHERE "
                             "product_id IN ({}) AND location_id IN ({}) "
                             "ORDER BY id FOR UPDATE",
                             fmt::join(product_ids, ", "), fmt::join(location_ids, ", ")))) {
    shelves.push_back({integer(row[0]), integer(row[1]), integer(row[2]), integer(row[3])});
  }
  return shelves;
}

}  // namespace rowtrail::demo
