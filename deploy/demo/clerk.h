// A clerk of the pharmacy and what it can do, each as the SQL of one transaction: sales,
// prescriptions, refunds, prices, receipts, transfers, counts, role grants, sign-ins. Older modules
// say who acts in a column (created_by and the like), newer ones in a sqlcommenter comment, as
// deploy/demo/rules/pharmacy.yaml expects.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deploy/demo/database.h"
#include "deploy/demo/ledger.h"
#include "deploy/demo/random.h"

namespace rowtrail::demo {

// How many prescriptions and sales a clerk keeps in mind.
constexpr std::size_t kRememberedMax = 2000;

// What does not change during a run, read once from the database and shared by all clerks.
struct Catalogue {
  struct User {
    std::int64_t id;
    std::string login;
  };
  std::vector<User> users;
  std::vector<std::int64_t> roles;
  std::vector<std::int64_t> products;
  std::vector<std::int64_t> locations;
  std::vector<std::int64_t> shops;
  std::int64_t warehouse = 0;
  // Sets the numbers of this run's prescriptions and products apart from those of earlier runs.
  std::int64_t run = 0;

  static Catalogue load(Connection& connection);
};

// Thrown when a shelf is short: the transaction is rolled back and the goods are ordered.
struct OutOfStock {
  std::int64_t location_id;
  std::vector<std::int64_t> product_ids;
};

struct Outcome {
  std::vector<Deed> deeds;
  // Brings the clerk's memory up to date; called only once the transaction is committed.
  std::function<void()> committed = [] {};
};

// One of `count` clerks who work at the same time. Each takes care of its own prescriptions, sales
// to refund and users (those whose id falls to it), so that its choices do not depend on the
// others.
class Clerk {
 public:
  Clerk(Connection& connection, const Catalogue& catalogue, std::uint64_t index,
        std::uint64_t count);

  // Runs the statements of one transaction, without begin and commit. `number` makes its document
  // numbers unique. Throws SqlError or OutOfStock.
  Outcome act(Random& random, std::uint64_t number);
  Outcome receive_goods(Random& random, std::int64_t location_id,
                        const std::vector<std::int64_t>& product_ids);
  // Something that nobody's ledger knows: maintenance.
  void make_noise(Random& random);

 private:
  using Operation = Outcome (Clerk::*)(Random&, std::uint64_t);
  struct Weighted {
    unsigned weight;
    Operation operation;
  };
  static const std::vector<Weighted> kOperations;

  struct Shelf {
    std::int64_t stock_id;
    std::int64_t product_id;
    std::int64_t location_id;
    std::int64_t quantity;
  };
  struct Item {
    Shelf shelf;
    std::int64_t quantity;
  };
  struct Prescription {
    std::int64_t id;
    std::int64_t product_id;
    std::int64_t quantity;
  };

  // clerk_sales.cpp
  Outcome sell(Random& random, std::uint64_t number);
  Outcome refund(Random& random, std::uint64_t number);
  Outcome write_prescription(Random& random, std::uint64_t number);
  Outcome fill_prescription(Random& random, std::uint64_t number);
  Outcome cancel_prescription(Random& random, std::uint64_t number);
  // clerk_stock.cpp
  Outcome take_delivery(Random& random, std::uint64_t number);
  Outcome transfer(Random& random, std::uint64_t number);
  Outcome count_stock(Random& random, std::uint64_t number);
  Outcome correct_stock(Random& random, std::uint64_t number);
  Outcome discard(Random& random, std::uint64_t number);
  // clerk_office.cpp
  Outcome change_prices(Random& random, std::uint64_t number);
  Outcome grant_role(Random& random, std::uint64_t number);
  Outcome revoke_role(Random& random, std::uint64_t number);
  Outcome sign_in(Random& random, std::uint64_t number);
  Outcome add_product(Random& random, std::uint64_t number);
  Outcome edit_product(Random& random, std::uint64_t number);

  const Catalogue::User& user(Random& random, std::initializer_list<std::size_t> indexes) const;
  std::vector<std::int64_t> some_products(Random& random, std::int64_t count) const;
  std::vector<Shelf> lock_shelves(const std::vector<std::int64_t>& location_ids,
                                  const std::vector<std::int64_t>& product_ids);
  std::int64_t insert_sale(Random& random, const std::vector<Item>& items, std::int64_t location_id,
                           const std::string& prescription_id, const std::string& method,
                           const std::string& comment);
  void adjust(const Shelf& shelf, std::string_view kind, std::int64_t delta,
              const std::string& counted, const std::string& reference, const std::string& reason,
              const std::string& actor);

  Connection& db_;
  const Catalogue& catalogue_;
  std::deque<std::int64_t> paid_sales_;
  std::deque<Prescription> open_prescriptions_;
  std::vector<Catalogue::User> own_users_;
  std::set<std::pair<std::int64_t, std::int64_t>> own_grants_;
};

}  // namespace rowtrail::demo
