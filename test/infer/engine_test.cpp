#include "helper.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace rowtrail::infer;
namespace normalize = rowtrail::normalize;
using namespace rowtrail::infer::test;

namespace {

const std::string kTransfer = R"y(
id: stock-transfer
title: Stock transfer
event: inventory.transfer
match:
  from: {table: pharmacy.stock, op: update, when: "delta(quantity) < 0"}
  to:   {table: pharmacy.stock, op: update, when: "delta(quantity) > 0 && after.product_id == from.after.product_id"}
  doc:  {table: pharmacy.transfer, op: insert, count: 0..1}
forbid:
  - {table: pharmacy.sale}
where: "from.delta(quantity) == -to.delta(quantity)"
emit:
  objects:
    product: from.after.product_id
    location: [{id: from.after.location_id, as: source}, {id: to.after.location_id, as: target}]
  actor: doc.after.created_by
  attributes: {quantity: to.delta(quantity)}
  summary: "Moved {quantity} of product {product} from location {location.source} to {location.target}"
)y";

std::string stock(int id, int product, int location, int before, int after) {
  return fmt::format(
      "  - {{table: pharmacy.stock, op: update, before: {{id: {0}, product_id: {1}, location_id: "
      "{2}, "
      "quantity: {3}}}, after: {{id: {0}, product_id: {1}, location_id: {2}, quantity: {4}}}}}\n",
      id, product, location, before, after);
}

std::string types(const std::vector<BusinessEvent>& events) {
  std::string out;
  for (const auto& event : events) out += event.type + " ";
  return out;
}

}  // namespace

TEST_CASE("engine: the rule of the design makes the event of the design") {
  Changes rows("changes:\n" + stock(1, 7, 1, 12, 7) + stock(2, 7, 2, 0, 5) +
               "  - {table: pharmacy.transfer, op: insert, after: {id: 3, created_by: anna}}\n");
  rows.editable().id = "3E11:77";
  rows.editable().source = "pharmacy";
  rows.editable().event_time_us = 1'795'514'400'123'456;
  const auto events = infer_events(kTransfer, rows);
  REQUIRE(events.size() == 1);
  CHECK(payload(events[0], rows) ==
        R"({"type":"inventory.transfer","time":"2026-11-24T10:00:00.123456Z","source":"pharmacy",)"
        R"("transaction":"3E11:77","title":"Stock transfer",)"
        R"("summary":"Moved 5 of product 7 from location 1 to 2","severity":"info",)"
        R"("objects":[{"type":"product","id":"7"},{"type":"location","id":"1","role":"source"},)"
        R"({"type":"location","id":"2","role":"target"}],)"
        R"("actor":{"id":"anna","via":"column","confidence":"heuristic"},)"
        R"("attributes":{"quantity":5},"rule":{"id":"stock-transfer","version":")" +
            events[0].rule_version + R"("},"evidence":[0,1,2]})");
  CHECK(events[0].rule_version.size() == 8);
}

TEST_CASE("engine: clauses may stand in any order of rows, joins in any direction") {
  const Changes rows("changes:\n" + stock(2, 7, 2, 0, 5) + stock(1, 7, 1, 12, 7));
  CHECK(types(infer_events(kTransfer, rows)) == "inventory.transfer ");
  const std::string reversed = R"y(
id: reversed
title: Reversed
event: a.b
match:
  from: {table: stock, op: update, when: "delta(quantity) < 0 && after.product_id == to.after.product_id"}
  to:   {table: stock, op: update, when: "delta(quantity) > 0"}
)y";
  CHECK(types(infer_events(reversed, rows)) == "a.b ");
}

TEST_CASE("engine: a rule matches as often as its rows allow") {
  std::string yaml = "changes:\n";
  for (int n = 0; n < 500; ++n)
    yaml += stock(2 * n, n % 50, 1, 100, 95) + stock(2 * n + 1, n % 50, 2, 0, 5);
  const Changes rows(yaml);
  const auto events = infer_events(kTransfer, rows);
  REQUIRE(events.size() == 500);
  for (std::uint32_t n = 0; n < 500; ++n) {
    CHECK(events[n].evidence == std::vector<std::uint32_t>{2 * n, 2 * n + 1});
  }
}

TEST_CASE("engine: where makes it try the next partner") {
  // The first +3 of the product does not balance -5; the second row does.
  const Changes rows("changes:\n" + stock(1, 7, 1, 12, 7) + stock(2, 7, 2, 0, 3) +
                     stock(3, 7, 3, 0, 5));
  const auto events = infer_events(kTransfer, rows);
  REQUIRE(events.size() == 1);
  CHECK(events[0].evidence == std::vector<std::uint32_t>{0, 2});
}

TEST_CASE("engine: forbidden rows") {
  const std::string sale = "  - {table: pharmacy.sale, op: insert, after: {id: 1}}\n";
  const Changes with("changes:\n" + stock(1, 7, 1, 12, 7) + stock(2, 7, 2, 0, 5) + sale);
  CHECK(types(infer_events(kTransfer, with)).find("inventory") == std::string::npos);
  const std::string joined = R"y(
id: lone
title: Lone change
event: stock.lone
match: {row: {table: stock, op: update}}
forbid:
  - {table: stock, when: "after.product_id == row.after.product_id && delta(quantity) == -row.delta(quantity)"}
)y";
  const Changes three("changes:\n" + stock(1, 7, 1, 12, 7) + stock(2, 7, 2, 0, 5) +
                      stock(3, 8, 2, 0, 5));
  const auto events = infer_events(joined, three);
  REQUIRE(events.size() == 1);
  CHECK(events[0].evidence == std::vector<std::uint32_t>{2});
}

TEST_CASE("engine: lists of rows and optional rows") {
  const std::string rule = R"y(
id: sale
title: Sale
event: sale.completed
match:
  lines: {table: sale_item, op: insert, count: 1..n, when: "after.sale_id == sale.after.id"}
  note:  {table: note, op: insert, count: 0..1, when: "after.sale_id == sale.after.id"}
  sale:  {table: sale, op: insert}
where: "sum(lines.map(l, l.after.price)) == sale.after.total && (note == null || note.after.text != '')"
emit:
  objects: {sale: sale.after.id, product: "lines.map(l, l.after.product_id)"}
  attributes: {lines: size(lines), noted: has(note), note: "has(note) ? note.after.text : null", total: sale.after.total}
  summary: "{{{lines}}} products {product}"
)y";
  const Changes rows(R"y(
changes:
  - {table: sale_item, op: insert, after: {id: 1, sale_id: 1, product_id: 7, price: 1.25}}
  - {table: sale, op: insert, after: {id: 1, total: 3.75}}
  - {table: sale_item, op: insert, after: {id: 2, sale_id: 1, product_id: 8, price: 2.50}}
  - {table: sale, op: insert, after: {id: 2, total: "1.00"}}
  - {table: sale_item, op: insert, after: {id: 3, sale_id: 2, product_id: 9, price: 1.00}}
  - {table: note, op: insert, after: {id: 1, sale_id: 2, text: hello}}
)y");
  const auto events = infer_events(rule, rows);
  REQUIRE(events.size() == 2);
  CHECK(events[0].attributes == R"({"lines":2,"noted":false,"note":null,"total":"3.75"})");
  CHECK(events[0].summary == "{2} products 7, 8");
  CHECK(events[0].evidence == std::vector<std::uint32_t>{0, 1, 2});
  CHECK(events[1].attributes == R"({"lines":1,"noted":true,"note":"hello","total":"1.00"})");
}

TEST_CASE("engine: counts with bounds claim what they may, again and again") {
  const std::string rule = R"y(
id: pairs
title: Pairs
event: a.pair
match: {rows: {table: t, op: insert, count: 2..3}}
emit: {attributes: {ids: "rows.map(r, r.after.id)"}}
)y";
  std::string yaml = "changes:\n";
  for (int n = 1; n <= 7; ++n)
    yaml += fmt::format("  - {{table: t, op: insert, after: {{id: {}}}}}\n", n);
  const auto events = infer_events(rule, Changes(yaml));
  REQUIRE(events.size() == 2);
  CHECK(events[0].attributes == R"({"ids":[1,2,3]})");
  CHECK(events[1].attributes == R"({"ids":[4,5,6]})");
}

TEST_CASE("engine: priority settles who owns rows, ties are told") {
  const std::string rules = R"y(
id: any-stock
title: Any stock
event: stock.any
match: {row: {table: stock}}
---
id: two-stocks
title: Two stocks
event: stock.two
priority: PRIORITY
match: {a: {table: stock, when: "delta(quantity) < 0"}, b: {table: stock, when: "delta(quantity) > 0"}}
)y";
  const Changes rows("changes:\n" + stock(1, 7, 1, 12, 7) + stock(2, 7, 2, 0, 5) +
                     stock(3, 9, 2, 5, 5));
  const auto run = [&](const std::string& priority, std::vector<std::string>& notes) {
    std::string yaml = rules;
    yaml.replace(yaml.find("PRIORITY"), 8, priority);
    const auto loaded = load_rules_text(yaml, "r.yaml");
    Engine engine(loaded.rules, {});
    std::vector<BusinessEvent> events;
    std::vector<normalize::Gap> gaps;
    engine.infer(rows.transaction(), events, gaps);
    engine.infer(rows.transaction(), events, gaps);  // said once
    events.resize(events.size() / 2);
    notes.clear();
    for (const auto& gap : gaps) notes.push_back(gap.reason + "; " + gap.advice);
    return types(events);
  };
  std::vector<std::string> notes;
  CHECK(run("5", notes) == "stock.two stock.any ");
  CHECK(notes.empty());
  CHECK(run("-5", notes) == "stock.any stock.any stock.any ");
  CHECK(notes.empty());
  CHECK(run("0", notes) == "stock.two stock.any ");
  REQUIRE(notes.size() == 1);
  CHECK(
      notes[0] ==
      "rule 'any-stock' wants the same rows as 'two-stocks', which got them; give one of the two a "
      "higher priority");
}

TEST_CASE("engine: ddl and truncate are operands") {
  const std::string rule = R"y(
id: dropped
title: Table emptied or dropped
event: schema.dropped
match: {what: {table: "*", op: [truncate, ddl], when: "op == 'truncate' || sql.matches('(?i)^drop')"}}
emit: {objects: {table: what.table}, attributes: {op: what.op}}
)y";
  const Changes rows(
      "changes:\n  - {table: a, op: truncate, sql: TRUNCATE a}\n"
      "  - {table: b, op: ddl, sql: DROP TABLE b}\n  - {table: c, op: ddl, sql: ALTER TABLE c}\n");
  const auto events = infer_events(rule, rows);
  REQUIRE(events.size() == 2);
  CHECK(events[1].objects[0].id == "b");
}

TEST_CASE("engine: what a rule cannot evaluate matches nothing and is told once") {
  const std::string rule = R"y(
id: typo
title: Typo
event: a.b
match: {row: {table: stock, when: "delta(quantiy) < 0"}}
)y";
  const auto loaded = load_rules_text(rule, "r.yaml");
  Engine engine(loaded.rules, {});
  const Changes rows("changes:\n" + stock(1, 7, 1, 12, 7));
  std::vector<BusinessEvent> events;
  std::vector<normalize::Gap> gaps;
  engine.infer(rows.transaction(), events, gaps);
  CHECK(types(events) == "auto.stock_decreased ");
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].kind == normalize::GapKind::RuleFailed);
  CHECK(gaps[0].reason == "rule 'typo' could not be evaluated: the table has no column 'quantiy'");
  CHECK(gaps[0].rules == std::vector<std::string>{"typo@" + loaded.infos[0].version});

  // Once for a version of a rule, also across a restart: the record says what was said.
  engine.infer(rows.transaction(), events, gaps);
  CHECK(gaps.size() == 1);
  std::string recorded;
  normalize::append_gap(recorded, rows.transaction(), gaps[0]);
  Engine restarted(loaded.rules, {});
  restarted.set_recorded_gaps({recorded});
  restarted.infer(rows.transaction(), events, gaps);
  CHECK(gaps.size() == 1);
  // A damaged record says nothing; it does not bring the writer down.
  Engine hardened(loaded.rules, {});
  hardened.set_recorded_gaps({"", "[]", "{}", R"({"kind":1,"rules":["typo@1"]})",
                              R"({"kind":"rule_failed","rules":"typo@1"})",
                              R"({"kind":"rule_failed","rules":[7]})"});
  // What was said but never committed is said again.
  engine.set_recorded_gaps({});
  engine.infer(rows.transaction(), events, gaps);
  CHECK(gaps.size() == 2);
  hardened.infer(rows.transaction(), events, gaps);
  CHECK(gaps.size() == 3);
}

TEST_CASE("engine: a transaction in parts names the rules that were not evaluated") {
  const auto loaded = load_rules_text(kTransfer, "r.yaml");
  Engine engine(loaded.rules, {});
  Changes first("changes:\n" + stock(1, 7, 1, 12, 7)), last("changes:\n" + stock(2, 7, 2, 0, 5));
  first.editable().last_part = false;
  last.editable().first_part = false;
  std::vector<BusinessEvent> events;
  std::vector<normalize::Gap> gaps;
  engine.bulk(first.transaction(), events, gaps);
  CHECK(events.empty());
  CHECK(gaps.empty());
  engine.bulk(last.transaction(), events, gaps);
  CHECK(events.size() == 1);
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].kind == normalize::GapKind::RulesNotEvaluated);
  CHECK(gaps[0].rules == std::vector<std::string>{"stock-transfer@" + loaded.infos[0].version});
}

TEST_CASE("engine: layouts of one name do not mix") {
  const std::string rule =
      "id: a\ntitle: A\nevent: a.b\nmatch: {row: {table: t, op: insert}}\n"
      "emit: {attributes: {x: row.after.x}}\n";
  const auto loaded = load_rules_text(rule, "r.yaml");
  Engine engine(loaded.rules, {});
  std::vector<BusinessEvent> events;
  std::vector<normalize::Gap> gaps;
  engine.infer(Changes("changes: [{table: t, op: insert, after: {x: 1, y: 2}}]").transaction(),
               events, gaps);
  engine.infer(Changes("changes: [{table: t, op: insert, after: {y: 2, x: 1}}]").transaction(),
               events, gaps);
  engine.infer(Changes("changes: [{table: t, op: insert, after: {y: 2}}]").transaction(), events,
               gaps);
  REQUIRE(events.size() == 3);
  CHECK(events[0].attributes == R"({"x":1})");
  CHECK(events[1].attributes == R"({"x":1})");
  CHECK(events[2].attributes == R"({"x":null})");
}

TEST_CASE("engine: before and after of every operation") {
  const std::string rule = R"y(
id: images
title: Images
event: a.b
match: {row: {table: t, op: any}}
emit:
  attributes:
    had: row.before != null
    has: has(row.after)
    delta: row.delta(n)
    changed: row.changed(n)
    old: row.old(n)
)y";
  const Changes rows(R"y(changes:
  - {table: t, op: insert, after: {id: 1, n: 5}}
  - {table: t, op: update, before: {id: 1, n: 5}, after: {n: 7}}
  - {table: t, op: delete, before: {id: 1, n: 7}}
)y");
  const auto events = infer_events(rule, rows);
  REQUIRE(events.size() == 3);
  CHECK(events[0].attributes == R"({"had":false,"has":true,"delta":5,"changed":true,"old":null})");
  CHECK(events[1].attributes == R"({"had":true,"has":true,"delta":2,"changed":true,"old":5})");
  CHECK(events[2].attributes == R"({"had":true,"has":false,"delta":-7,"changed":true,"old":7})");
}

TEST_CASE("engine: values render as the server prints them") {
  const std::string rule = R"y(
id: values
title: Values
event: a.b
match: {row: {table: t, op: insert}}
emit:
  attributes: {a: row.after.a, b: row.after.b, c: row.after.c, d: row.after.d, e: row.after.e, f: row.after.f.k, g: row.after.g}
  objects: {x: row.after.b}
)y";
  const Changes rows(
      "changes:\n  - {table: t, op: insert, after: {a: 18446744073709551615, b: 12.50, c: "
      "2026-11-24, "
      "d: '2026-11-24T10:00:00.120', e: '2026-11-24T10:00:00Z', f: {k: [1, 2.5, x]}, g: !!str "
      "1.10}}\n");
  const auto events = infer_events(rule, rows);
  CHECK(events[0].attributes ==
        R"({"a":"18446744073709551615","b":"12.50","c":"2026-11-24","d":"2026-11-24T10:00:00.120",)"
        R"("e":"2026-11-24T10:00:00Z","f":[1,"2.5","x"],"g":"1.10"})");
  CHECK(events[0].objects[0].id == "12.50");
}

TEST_CASE("engine: a transaction of 100,000 rows stays linear") {
  std::string yaml = "changes:\n";
  for (int n = 0; n < 100; ++n) yaml += stock(n, n, 1, 9, 4);
  const Changes seed(yaml);
  auto transaction = std::make_unique<rowtrail::normalize::Transaction>();
  // Changes built by hand: 50,000 transfers with distinct products.
  auto& arena = transaction->arena;
  const auto* schema = seed.transaction().changes[0].schema;
  const auto row = [&](std::int64_t product, std::int64_t before, std::int64_t after) {
    rowtrail::normalize::Change change = seed.transaction().changes[0];
    const auto cells = arena.make_span<rowtrail::binlog::Cell>(schema->columns.size() * 2);
    for (std::size_t n = 0; n < cells.size(); ++n) {
      cells[n] = {};
      cells[n].kind = rowtrail::binlog::CellKind::Int;
      cells[n].i = product;
    }
    cells[3].i = before;
    cells[7].i = after;
    change.before = cells.first(4);
    change.after = cells.subspan(4);
    change.ordinal = static_cast<std::uint32_t>(transaction->changes.size());
    transaction->changes.push_back(change);
  };
  for (int n = 0; n < 50'000; ++n) row(n, 9, 4);
  for (int n = 50'000; n-- > 0;) row(n, 0, 5);
  const auto loaded = load_rules_text(kTransfer, "r.yaml");
  Engine engine(loaded.rules, {});
  std::vector<BusinessEvent> events;
  std::vector<normalize::Gap> gaps;
  engine.infer(*transaction, events, gaps);
  CHECK(events.size() == 50'000);
  CHECK(events[7].evidence == std::vector<std::uint32_t>{7, 99'992});
  CHECK(gaps.empty());
}
