#include <cstdio>
#include <filesystem>
#include <fstream>

#include "helper.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace rowtrail::infer;
using namespace rowtrail::infer::test;

namespace {

const std::string kHead = "id: a\ntitle: A\nevent: a.b\n";
const std::string kRow = "match: {row: {table: t}}\n";

}  // namespace

TEST_CASE("rules: every error of a file at once, each with its place and a suggestion") {
  CHECK(errors_of(R"y(id: transfer
titel: Transfer
event: a.b
severity: hihg
match:
  from: {table: stock, op: updat, when: "delta(quantity) < 0"}
  to:   {table: stock, when: "after.product_id == form.after.product_id &&"}
  doc:  {table: transfer, count: 0-1, wehn: x}
where: "from.delta(q) == -too.delta(q)"
emit:
  objects: {product: from.aftr.id}
  summary: "Moved {prodct}"
)y") == "r.yaml:2:1: no field 'titel' in a rule; did you mean 'title'?\n"
        "r.yaml:6:28: no operation 'updat'; did you mean 'update'?\n"
        "r.yaml:8:39: no field 'wehn' in a clause; did you mean 'when'?\n"
        "r.yaml:8:34: a count is written 1, 0..1, 1..n, 0..n or 2..5\n"
        "r.yaml:7:75: expected a value, found the end\n"
        "r.yaml:4:11: severity 'hihg' is none of info, low, medium, high, critical\n"
        "r.yaml:9:27: no clause 'too'; did you mean 'to'?\n"
        "r.yaml:11:27: a row has no 'aftr'; did you mean 'after'?\n"
        "r.yaml:12:19: '{prodct}' is neither an attribute nor an object of this rule; did you mean "
        "'product'?\n"
        "r.yaml:1:1: the rule has no title\n");
}

TEST_CASE("rules: errors point into plain, quoted and block scalars of any document") {
  CHECK(errors_of("# comment\n---\n" + kHead + kRow + "where: foo\n---\n" + kHead + kRow +
                  "where: 'foo'\n---\n" + kHead + kRow + "where: |\n  true &&\n    foo\n") ==
        "r.yaml:7:8: no clause 'foo'\n"
        "r.yaml:13:9: no clause 'foo'\n"
        "r.yaml:21:5: no clause 'foo'\n");
}

TEST_CASE("rules: what a person would get wrong is explained") {
  const auto where = [](const std::string& match, const std::string& expression) {
    return errors_of(kHead + "match: " + match + "\nwhere: \"" + expression + "\"\n");
  };
  CHECK(where("{row: {table: t}}", "after.x == 1") ==
        "r.yaml:5:9: 'after' needs a clause here: write 'row.after'\n");
  CHECK(where("{row: {table: t}}", "delta(x) == 1") ==
        "r.yaml:5:9: delta() needs a clause here: write 'row.delta(x)'\n");
  CHECK(where("{row: {table: t}}", "row.quantity == 1") ==
        "r.yaml:5:13: a row has no 'quantity'; a column is written 'row.after.quantity'\n");
  CHECK(where("{rows: {table: t, count: 1..n}}", "rows.after.x == 1") ==
        "r.yaml:5:14: 'rows' is a list of rows; write 'rows.all(x, x.after)', map or "
        "'rows[0].after'\n");
  CHECK(where("{rows: {table: t, count: 1..n}}", "rows.delta(x) == 1") ==
        "r.yaml:5:14: 'rows' is a list of rows; write 'rows.map(x, x.delta(x))'\n");
  CHECK(where("{row: {table: t}}", "row.all(x, true)") ==
        "r.yaml:5:9: 'row' is one row, not a list; give its clause a count such as 1..n\n");
  CHECK(errors_of(kHead + "match: {row: {table: t, when: quantity > 1}}\n") ==
        "r.yaml:4:31: no clause 'quantity'; a column is written 'after.quantity'\n");
  CHECK(errors_of(kHead + "match: {row: {op: insert}}\n") ==
        "r.yaml:4:14: the clause has no table\n");
  CHECK(errors_of(kHead + "match: {after: {table: t}}\n") ==
        "r.yaml:4:9: 'after' cannot name a clause; use letters, digits and '_', and no word of the "
        "language\n");
  CHECK(errors_of(kHead + "match: {row: {table: t, count: 0..1}}\n") ==
        "r.yaml:4:8: at least one clause must require a row (a count that begins at 1 or more)\n");
  CHECK(errors_of(kHead) ==
        "r.yaml:1:1: the rule has no match (which rows of a transaction make this event?) and no "
        "correlate (which events over time?)\n");
  CHECK(errors_of(kHead + "match: {a: {table: t, count: 1..n, when: size(b) > 0}, "
                          "b: {table: u, count: 1..n, when: size(a) > 0}}\n") ==
        "r.yaml:4:8: the lists of rows mention each other; let one of them mention only single "
        "rows\n");
  CHECK(errors_of(kHead + kRow + "correlate: {by: order}\n").find("match or correlate, not both") !=
        std::string::npos);
  CHECK(errors_of("id: auto\ntitle: A\nevent: auto.x\n" + kRow) ==
        "r.yaml:1:5: the id 'auto' is taken by discovered events\n"
        "r.yaml:3:8: types that begin with 'auto.' are for discovered events\n");
  CHECK(errors_of(kHead + kRow + "---\n" + kHead + kRow) ==
        "r.yaml:6:1: the id 'a' is also that of the rule at r.yaml:1\n");
}

TEST_CASE("rules: hostile YAML is refused") {
  CHECK(errors_of("a: &x 1\nb: *x\n") == "r.yaml:1:4: anchors are not allowed in rules\n");
  CHECK(errors_of("a: 1\na: 2\n") == "r.yaml:2:1: the key stands twice\n");
  CHECK(errors_of("{a: 1").find("r.yaml:1:") == 0);
  CHECK(errors_of("- a\n- b\n") == "r.yaml:1:1: a rule must be a map, not a list\n");
  CHECK(errors_of(std::string(100, '[') + std::string(100, ']')).find("nested too deeply") !=
        std::string::npos);
  CHECK(errors_of(std::string(20'000, '[')).find("r.yaml:1:") == 0);
  CHECK(errors_of(std::string(5'000'000, '#')).find("larger than") != std::string::npos);
  CHECK(errors_of("[a]: 1\n") == "r.yaml:1:1: a key must be a plain name\n");
  CHECK(errors_of("") == "");
  CHECK(errors_of("# only a comment\n---\n\n") == "");
}

TEST_CASE("rules: files and folders, in the order of their names") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / fmt::format("rowtrail-rules-{}", getpid());
  fs::create_directories(folder / "sub");
  const auto write = [&](const std::string& name, const std::string& id) {
    std::ofstream(folder / name) << "id: " << id << "\ntitle: T\nevent: a.b\n" << kRow;
  };
  write("b.yaml", "second");
  write("a.yml", "first");
  write("sub/c.yaml", "third");
  std::ofstream(folder / "notes.txt") << "not a rule";
  auto rules = load_rules({folder.string()});
  REQUIRE(rules.errors.empty());
  REQUIRE(rules.infos.size() == 3);
  CHECK(rules.infos[0].id == "first");
  CHECK(rules.infos[1].id == "second");
  CHECK(rules.infos[2].id == "third");
  rules = load_rules({(folder / "missing.yaml").string()});
  REQUIRE(rules.errors.size() == 1);
  CHECK(rules.errors[0].text() == (folder / "missing.yaml").string() + ": cannot be read");
  fs::remove_all(folder);
  CHECK(load_rules({}).rules != nullptr);
}

TEST_CASE("rules: the version is a digest of the document's text") {
  const auto first = load_rules_text(kHead + kRow, "r.yaml");
  const auto moved = load_rules_text("# above\n---\n" + kHead + kRow, "other.yaml");
  const auto changed = load_rules_text(kHead + kRow + "# why\n", "r.yaml");
  REQUIRE(first.infos.size() == 1);
  CHECK(first.infos[0].text == kHead + kRow);
  CHECK(first.infos[0].version == "b8c7a675");
  CHECK(moved.infos[0].version == first.infos[0].version);
  CHECK(changed.infos[0].version != first.infos[0].version);
}

TEST_CASE("rules: table patterns") {
  const TablePattern any{"*", "stock"};
  CHECK(any.matches("pharmacy", "stock"));
  CHECK_FALSE(any.matches("pharmacy", "stocks"));
  const TablePattern glob{"shop_*", "*_item*"};
  CHECK(glob.matches("shop_eu", "sale_item"));
  CHECK(glob.matches("shop_", "_items_old"));
  CHECK_FALSE(glob.matches("shop", "sale_item"));
}

TEST_CASE("rules: tests say what differs") {
  const std::string rule = kHead +
                           "match: {row: {table: t, op: insert}}\n"
                           "emit:\n"
                           "  objects: {thing: {id: row.after.id, as: new}}\n"
                           "  actor: row.after.who\n"
                           "  attributes: {n: row.after.n, list: '[1, row.after.n]'}\n"
                           "  summary: \"Thing {thing} by {actor}\"\n";
  const auto run = [&](const std::string& expect) {
    const auto rules = load_rules_text(
        rule +
            "tests:\n  - changes: [{table: t, op: insert, after: {id: 7, n: 12.50, who: anna}}]\n"
            "    expect: " +
            expect + "\n",
        "r.yaml");
    for (const auto& error : rules.errors) FAIL(error.text());
    const auto results = run_rule_tests(rules);
    REQUIRE(results.size() == 1);
    CHECK(results[0].line == 11);
    return results[0].detail;
  };
  CHECK(run("[{event: a.b, objects: {thing: 7}, actor: anna, attributes: {n: 12.5, list: [1, "
            "12.50]}, "
            "summary: Thing 7 by anna, severity: info}]") == "");
  CHECK(run("[{objects: {thing: {id: 7, as: new}}, actor: {id: anna, via: column, confidence: "
            "heuristic}}]") == "");
  CHECK(run("[]") ==
        "    expected 0 events, got 1\n      got: a.b (thing 7 as new) "
        "{\"n\":\"12.50\",\"list\":[1,\"12.50\"]}\n");
  CHECK(run("[{event: a.c, objects: {thing: {id: 7, as: old}}, actor: null, attributes: {n: 13, m: "
            "1}}]") ==
        "    event\n      expected: a.c\n      got:      a.b\n"
        "    actor\n      expected: unknown\n      got:      anna\n"
        "    objects\n      expected: thing 7 as old\n      got:      thing 7 as new\n"
        "    attributes.n\n      expected: 13\n      got:      12.50\n"
        "    attributes.m\n      expected: 1\n      got:      no such attribute\n");
  CHECK(run("[{evnt: a.b}]") ==
        "    line 12: no field 'evnt' in an expectation; did you mean 'event'?\n");
}

TEST_CASE("rules: a test also tells when other rules take its rows") {
  const auto rules = load_rules_text(
      kHead +
          "match: {row: {table: t}}\ntests:\n  - changes: [{table: t, op: insert, after: {id: "
          "1}}]\n"
          "    expect: [{event: a.b}]\n---\nid: greedy\ntitle: G\nevent: g.g\npriority: 1\n" +
          kRow,
      "r.yaml");
  const auto results = run_rule_tests(rules);
  REQUIRE(results.size() == 1);
  CHECK(
      results[0].detail ==
      "    passes alone, but with all rules loaded 0 of 1 events come; other rules took the rows:\n"
      "      rule greedy: g.g () {}\n");
}

TEST_CASE("rules: a wrong test says where") {
  const auto rules = load_rules_text(kHead + kRow +
                                         "tests:\n  - changes: [{table: t, op: insrt, after: {id: "
                                         "1}}, {table: t, op: update, after: {id: 1}}]\n"
                                         "    expect: []\n",
                                     "r.yaml");
  const auto results = run_rule_tests(rules);
  REQUIRE(results.size() == 1);
  CHECK(results[0].detail ==
        "    line 6: no operation 'insrt'; did you mean 'insert'?\n"
        "    line 6: the update needs before and after\n");
}
