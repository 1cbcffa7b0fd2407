#include "deploy/demo/operations.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace rowtrail::demo {
namespace {

// How many prescriptions and sales a clerk keeps in mind.
constexpr std::size_t kRememberedMax = 2000;
constexpr std::int64_t kMoneyScale = 10'000;  // DECIMAL(12,4)

std::int64_t integer(const std::optional<std::string>& cell) {
  return std::stoll(cell.value());
}

// "12.4900" as 124900; prices have four digits after the point.
std::int64_t money(const std::optional<std::string>& cell) {
  std::string digits = cell.value();
  std::erase(digits, '.');
  return std::stoll(digits);
}

std::string money_text(std::int64_t amount) {
  const std::int64_t size = std::abs(amount);
  return fmt::format("{}{}.{:04}", amount < 0 ? "-" : "", size / kMoneyScale, size % kMoneyScale);
}

// Percent-encoding of sqlcommenter, which leaves only RFC 3986's unreserved characters as they are.
std::string encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (unreserved) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string sqlcomment(std::string_view actor, std::string_view route) {
  return fmt::format(" /*actor='{}',application='pharmacy',route='{}'*/", encode(actor),
                     encode(route));
}

Object object(std::string type, std::int64_t id, std::string role = "") {
  return {std::move(type), std::to_string(id), std::move(role)};
}

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

std::uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

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
  static const std::vector<std::string> kPatients{
      "Łucja Wiśniewska", "Karl-Heinz Öztürk", "Björk Guðmundsdóttir", "O'Brien, Siobhán",
      "李 小龍",          "Renée Dubois",      "Mohammed al-Fārābī",   "Ольга Иванова",
      "José Peña",        "Ann \"Nan\" Lee"};
  static const std::vector<std::string> kPrescribers{"Dr. med. Weiß", "Dr. Çelik", "Praxis Süd",
                                                     "Dr. Núñez-Ríos"};
  static const std::vector<std::string> kDosages{
      R"({"morning": 1, "noon": 0, "evening": 0.5, "note": "nach dem Essen 🍽️"})",
      R"({"every_h": 8, "max_per_day": 3})",
      R"([{"day": 1, "mg": 40}, {"day": 2, "mg": 20.25}, {"day": 3, "mg": 1e-3}])",
      R"({"batch": 9007199254740993, "as_needed": true, "until": null})", R"("unverändert")"};
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
  static const std::vector<std::string> kReasons{"Zählung weicht ab", "Fehlbestand, Wert < 5 €",
                                                 "écart d'inventaire", "double scan"};
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
  static const std::vector<std::string> kReasons{"Verfallsdatum überschritten", "Bruch",
                                                 "Kühlkette unterbrochen – vernichtet"};
  const std::string& actor = user(random, {2, 4, 7}).login;
  const std::int64_t location_id = random.pick(catalogue_.locations);
  const Shelf shelf = lock_shelves({location_id}, {random.pick(catalogue_.products)}).at(0);
  const std::int64_t quantity = random.between(1, 8);
  if (shelf.quantity < quantity) throw OutOfStock{location_id, {shelf.product_id}};
  db_.execute(fmt::format("UPDATE stock SET quantity = quantity - {} WHERE id = {}", quantity,
                          shelf.stock_id));
  adjust(shelf, "waste", -quantity, "NULL", "NULL", db_.quote(random.pick(kReasons)), actor);
  return {{{"stock.discarded",
            {object("product", shelf.product_id), object("location", location_id)},
            actor}}};
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
  static const std::vector<std::string> kNames{"Thymian-Hustenbonbons 🍬", "Arnika Gel",
                                               "Sérum physiologique", "Zinksalbe", "葛根湯"};
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
