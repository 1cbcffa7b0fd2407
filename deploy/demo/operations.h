// What the pharmacy's staff can do, each as the SQL of one transaction: sales, prescriptions,
// refunds, prices, receipts, transfers, counts, role grants, sign-ins. Older modules say who acts
// in a column (created_by and the like), newer ones in a sqlcommenter comment, as
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

namespace rowtrail::demo {

// SplitMix64, made anew for each transaction from the seed and the transaction's number: a retried
// transaction makes the same choices again, and a seed means the same on every platform.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t number) : state_(seed * 0x9E3779B97F4A7C15U + number) {
    next();
  }

  std::uint64_t next();
  // 0 to limit - 1; limit > 0.
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
  }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::uint64_t state_;
};

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

  Outcome sell(Random&, std::uint64_t);
  Outcome refund(Random&, std::uint64_t);
  Outcome write_prescription(Random&, std::uint64_t);
  Outcome fill_prescription(Random&, std::uint64_t);
  Outcome cancel_prescription(Random&, std::uint64_t);
  Outcome change_prices(Random&, std::uint64_t);
  Outcome take_delivery(Random&, std::uint64_t);
  Outcome transfer(Random&, std::uint64_t);
  Outcome count_stock(Random&, std::uint64_t);
  Outcome correct_stock(Random&, std::uint64_t);
  Outcome discard(Random&, std::uint64_t);
  Outcome grant_role(Random&, std::uint64_t);
  Outcome revoke_role(Random&, std::uint64_t);
  Outcome sign_in(Random&, std::uint64_t);
  Outcome add_product(Random&, std::uint64_t);
  Outcome edit_product(Random&, std::uint64_t);

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
