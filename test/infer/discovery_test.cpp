#include "infer/naming.h"

#include "helper.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace rowtrail::infer;
using namespace rowtrail::infer::test;

namespace {

BusinessEvent discovered(const std::string& changes) {
  const auto events = infer_events("", Changes("changes:\n" + changes));
  REQUIRE(events.size() == 1);
  CHECK(events[0].rule_id == "auto");
  return events[0];
}
std::string type(const std::string& changes) {
  return discovered(changes).type;
}

}  // namespace

TEST_CASE("discovery: one row's change has a name a person would give it") {
  CHECK(type("  - {table: sales, op: insert, after: {id: 1}}") == "auto.sale_created");
  CHECK(type("  - {table: sales, op: delete, before: {id: 1}}") == "auto.sale_deleted");
  CHECK(
      type("  - {table: stock, op: update, before: {id: 1, quantity: 5}, after: {quantity: 3}}") ==
      "auto.stock_decreased");
  CHECK(
      type(
          "  - {table: product, op: update, before: {id: 1, price: 5.00}, after: {price: 6.00}}") ==
      "auto.product_price_increased");
  CHECK(type("  - {table: orders, op: update, before: {id: 1, status: paid}, after: {status: "
             "shipped}}") == "auto.order_status_to_shipped");
  CHECK(type("  - {table: users, op: update, before: {id: 1, email: a, updated_at: 2026-01-01}, "
             "after: {email: b, updated_at: 2026-01-02}}") == "auto.user_email_changed");
  CHECK(type("  - {table: users, op: update, before: {id: 1, email: a, name: b}, after: {email: b, "
             "name: c}}") == "auto.user_updated");
  CHECK(type("  - {table: posts, op: update, before: {id: 1, deleted_at: null}, "
             "after: {deleted_at: 2026-01-01}}") == "auto.post_deleted");
  CHECK(type("  - {table: posts, op: update, before: {id: 1, is_deleted: 1}, after: {is_deleted: "
             "0}}") == "auto.post_restored");
  CHECK(type("  - {table: carts, op: truncate, sql: TRUNCATE carts}") == "auto.carts_truncated");
  CHECK(type("  - {table: carts, op: ddl, sql: ALTER TABLE carts}") == "auto.schema_changed");
}

TEST_CASE("discovery: the row others refer to leads") {
  const auto event = discovered(R"(
  - {table: shop.sale_item, op: insert, after: {id: 31, sale_id: 9}}
  - {table: shop.sale, op: insert, after: {id: 9}}
  - {table: shop.sale_item, op: insert, after: {id: 32, sale_id: 9}}
  - {table: shop.stock, op: update, before: {id: 4, quantity: 5}, after: {quantity: 4}}
)");
  CHECK(event.type == "auto.sale_created");
  CHECK(event.title == "Sale created");
  CHECK(event.summary == "Sale created: sale 9 (4 rows in 3 tables)");
  REQUIRE(event.objects.size() == 4);
  CHECK(event.objects[0] == ObjectRef{"sale", "9", ""});
  CHECK(event.objects[1] == ObjectRef{"sale_item", "31", ""});
  CHECK(event.objects[3] == ObjectRef{"stock", "4", ""});
  CHECK(event.evidence == std::vector<std::uint32_t>{0, 1, 2, 3});
  CHECK(type(R"(
  - {table: audit_log, op: insert, after: {id: 1, text: x}}
  - {table: stock, op: update, before: {id: 4, quantity: 5}, after: {quantity: 4}}
)") == "auto.stock_decreased");
}

TEST_CASE("discovery: signatures are of shapes, not of values, with counts in buckets") {
  const auto signature = [](const std::string& changes) { return discovered(changes).attributes; };
  const auto row = [](int id, int before, int after) {
    return fmt::format(
        "  - {{table: stock, op: update, before: {{id: {}, quantity: {}}}, after: {{quantity: "
        "{}}}}}\n",
        id, before, after);
  };
  CHECK(signature(row(1, 5, 3)) == signature(row(2, 9, 1)));
  CHECK(signature(row(1, 5, 3)) != signature(row(1, 3, 5)));
  CHECK(signature(row(1, 5, 3)).find(R"({"signature":")") == 0);
  const auto two = signature(row(1, 5, 3) + row(2, 5, 3));
  const auto four = signature(row(1, 5, 3) + row(2, 5, 3) + row(3, 5, 3) + row(4, 5, 3));
  CHECK(two.substr(0, 23) == four.substr(0, 23));
  CHECK(four.ends_with(R"("rows":4})"));
}

TEST_CASE("discovery: at most 64 objects, and the whole transaction as evidence of a large one") {
  std::string changes;
  for (int n = 0; n < 1'200; ++n) {
    changes += fmt::format("  - {{table: t, op: insert, after: {{id: {}}}}}\n", n);
  }
  const auto event = discovered(changes);
  CHECK(event.objects.size() == 64);
  CHECK(event.evidence.empty());
}

TEST_CASE("discovery: rule events leave no rows for it") {
  const auto events = infer_events(
      "id: a\ntitle: A\nevent: a.b\nmatch: {row: {table: t, op: insert}}\n",
      Changes("changes:\n  - {table: t, op: insert, after: {id: 1}}\n  - {table: u, op: "
              "insert, after: {id: 1}}\n"));
  REQUIRE(events.size() == 1);
  CHECK(events[0].type == "a.b");
}

TEST_CASE("discovery: a transaction without changes has an event too") {
  CHECK(infer_events("", Changes("changes: []")).at(0).type == "auto.empty_transaction");
}

TEST_CASE("discovery: parts of a large transaction become one bulk event at the last") {
  Changes first(
      "changes:\n  - {table: s.t, op: insert, after: {id: 1}}\n  - {table: s.t, op: insert, after: "
      "{id: 2}}\n");
  Changes last(
      "changes:\n  - {table: s.t, op: update, before: {id: 1}, after: {id: 3}}\n"
      "  - {table: s.u, op: delete, before: {id: 1}}\n");
  first.editable().last_part = false;
  last.editable().first_part = false;
  Engine engine(nullptr, {});
  std::vector<BusinessEvent> events;
  std::vector<rowtrail::normalize::Gap> gaps;
  engine.bulk(first.transaction(), events, gaps);
  CHECK(events.empty());
  engine.bulk(last.transaction(), events, gaps);
  REQUIRE(events.size() == 1);
  CHECK(events[0].type == "auto.bulk_change");
  CHECK(events[0].attributes ==
        R"({"rows":4,"tables":{"s.t":{"insert":2,"update":1},"s.u":{"delete":1}}})");
  CHECK(events[0].evidence.empty());
}

TEST_CASE("naming: singular nouns") {
  const std::pair<const char*, const char*> words[] = {{"sales", "sale"},
                                                       {"companies", "company"},
                                                       {"address", "address"},
                                                       {"addresses", "address"},
                                                       {"status", "status"},
                                                       {"statuses", "status"},
                                                       {"boxes", "box"},
                                                       {"news", "news"},
                                                       {"people", "person"},
                                                       {"tbl_Orders", "order"},
                                                       {"branches", "branch"},
                                                       {"series", "series"},
                                                       {"sale_items", "sale_item"},
                                                       {"s", "s"},
                                                       {"movies", "movie"}};
  for (const auto& [many, one] : words) CHECK(singular(many) == one);
}
