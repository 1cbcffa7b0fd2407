#include "infer/actor.h"

#include "helper.h"
#include <catch2/catch.hpp>

using namespace rowtrail::infer;
using namespace rowtrail::infer::test;

namespace {

std::string in_comment(std::string_view sql) {
  return actor_in_comment(sql, EngineOptions{}.actor_keys).value_or("-");
}

std::string actor_of(const std::string& rule_actor, const std::string& test) {
  const std::string rule = rule_actor.empty()
                               ? ""
                               : "id: a\ntitle: A\nevent: a.b\nmatch: {row: {table: t}}\n"
                                 "emit: {actor: " +
                                     rule_actor + "}\n";
  const Changes rows(test);
  const auto events = infer_events(rule, rows);
  std::string out;
  append_event(out, events.at(0), rows.transaction());
  return std::string(actor_json(out));
}

}  // namespace

TEST_CASE("actor: comments in any place, by any of the libraries") {
  CHECK(in_comment("UPDATE t SET a = 1 /*actor='anna',route='%2Fsales'*/") == "anna");
  CHECK(in_comment("/* route='x', user='bo%20b' */ UPDATE t") == "bo b");
  CHECK(in_comment("UPDATE t /*application='shop'*/ SET a = 1 /*user_id='42'*/") == "42");
  CHECK(in_comment("UPDATE t /*actor=anna, route=x*/") == "anna");
  CHECK(in_comment("UPDATE t /*actor=\"anna\"*/") == "anna");
  CHECK(in_comment("UPDATE t /*user='42',actor='anna'*/") == "anna");
  CHECK(in_comment("UPDATE t /*actor='O\\'Brien'*/") == "O'Brien");
  CHECK(in_comment("UPDATE t /*actor='O%27Brien'*/") == "O'Brien");
  CHECK(in_comment("UPDATE t /*+ INDEX(t) */ SET a = 1 /*actor='anna") == "anna");
  CHECK(in_comment("UPDATE t /*a%63tor='anna'*/") == "anna");
}

TEST_CASE("actor: what is no comment, or no name, is none") {
  CHECK(in_comment("UPDATE t SET a = '/*actor=\\'eve\\'*/'") == "-");
  CHECK(in_comment("UPDATE t SET `/*actor='eve'*/` = 1") == "-");
  CHECK(in_comment("UPDATE t SET a = 1 /*actor=''*/") == "-");
  CHECK(in_comment("UPDATE t /*actor='a%00b'*/") == "-");
  CHECK(in_comment("UPDATE t /*actor='%ff'*/") == "-");
  CHECK(in_comment("UPDATE t /*actor='" + std::string(300, 'x') + "'*/") == "-");
  CHECK(in_comment("UPDATE t /*actor*/") == "-");
  CHECK(in_comment("/*") == "-");
  CHECK(in_comment("UPDATE t -- actor='eve'") == "-");
}

TEST_CASE("actor: the rule's word, then a comment, then a column") {
  const std::string changes =
      "changes: [{table: t, op: insert, after: {id: 1, who: 7, created_by: carl}}]\n";
  CHECK(actor_of("row.after.who", changes) ==
        R"({"id":"7","via":"column","confidence":"heuristic"})");
  CHECK(actor_of("row.after.who", "query: \"INSERT /*actor='7'*/\"\n" + changes) ==
        R"({"id":"7","via":"column","confidence":"corroborated"})");
  CHECK(actor_of("row.after.who", "query: \"INSERT /*actor='8'*/\"\n" + changes) ==
        R"({"id":"7","via":"column","confidence":"heuristic"})");
  CHECK(actor_of("'null'", changes) == R"({"id":"carl","via":"column","confidence":"heuristic"})");
  CHECK(actor_of("row.before.who", "query: \"INSERT /*actor='8'*/\"\n" + changes) ==
        R"({"id":"8","via":"comment","confidence":"exact"})");
  CHECK(actor_of("", "query: \"INSERT /*actor='8'*/\"\n" + changes) ==
        R"({"id":"8","via":"comment","confidence":"exact"})");
  CHECK(actor_of("", changes) == R"({"id":"carl","via":"column","confidence":"heuristic"})");
  CHECK(actor_of("", "changes: [{table: t, op: insert, after: {id: 1}}]") ==
        R"({"id":null,"via":"unknown","confidence":"unknown"})");
}

TEST_CASE("actor: who created a row did not change it") {
  CHECK(actor_of("",
                 "changes: [{table: t, op: update, before: {id: 1, n: 1, created_by: carl}, after: "
                 "{n: 2}}]")
            .find("null") != std::string::npos);
  CHECK(actor_of("",
                 "changes: [{table: t, op: update, before: {id: 1, n: 1, updated_by: carl}, "
                 "after: {n: 2, updated_by: dora}}]")
            .find("dora") != std::string::npos);
  CHECK(actor_of("", "changes: [{table: t, op: delete, before: {id: 1, updated_by: carl}}]")
            .find("null") != std::string::npos);
}

TEST_CASE("actor: every event has the actor of its own statements") {
  Changes rows(
      "changes:\n  - {table: t, op: insert, after: {id: 1}}\n  - {table: t, op: insert, after: "
      "{id: 2}}\n"
      "  - {table: t, op: insert, after: {id: 3}}\n");
  auto& transaction = rows.editable();
  transaction.statements = {
      {0, "INSERT /*actor='anna'*/"}, {1, "INSERT /*actor='bob'*/"}, {2, "INSERT"}};
  for (std::uint32_t n = 0; n < 3; ++n) transaction.changes[n].statement = n;
  const auto events = infer_events("id: a\ntitle: A\nevent: a.b\nmatch: {row: {table: t}}\n", rows);
  REQUIRE(events.size() == 3);
  CHECK(events[0].actor.id == "anna");
  CHECK(events[1].actor.id == "bob");
  CHECK(events[2].actor.id == "anna");
}
