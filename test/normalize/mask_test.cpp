// Which columns are masked, what stands in their place, and what SQL text is left.
#include "normalize/sql.h"

#include "support.h"
#include <catch2/catch.hpp>

namespace rowtrail::normalize::test {
namespace {

using binlog::Cell;
using binlog::CellKind;

constexpr const char* kKey = "0123456789abcdef";

Mask mask_of(const std::vector<std::string>& rules) {
  std::vector<MaskRule> parsed;
  for (const auto& rule : rules) parsed.push_back(MaskRule::parse(rule).value());
  return {std::move(parsed), kKey};
}

Cell text(CellKind kind, std::string_view value) {
  Cell cell;
  cell.kind = kind;
  cell.size = static_cast<std::uint32_t>(value.size());
  cell.data = value.data();
  return cell;
}

binlog::TableSchema one_column(const std::string& name, bool names = true) {
  binlog::TableSchema schema;
  schema.database = "Shop";
  schema.table = "Payment";
  schema.names_known = names;
  schema.columns.resize(1);
  schema.columns[0].name = name;
  return schema;
}

/// The one cell, masked, as the record shows it.
std::string masked(const Mask& mask, const Cell& cell, const std::string& name = "c") {
  const auto schema = one_column(name);
  binlog::Arena arena;
  const Cell row[] = {cell};
  const auto out = mask.apply(mask.plan(schema), schema, row, arena);
  if (out[0].kind == CellKind::Absent) return "absent";
  std::string shown;
  append_cell(shown, out[0], schema.columns[0]);
  return shown;
}

TEST_CASE("mask: rules are read, and refused with what is wrong") {
  const auto rule = MaskRule::parse("Shop.*.Card$.a[*].B last4").value();
  CHECK(rule.database == "shop");
  CHECK(rule.table == "*");
  CHECK(rule.column == "card");
  CHECK(rule.path == std::vector<std::string>{"a", "b"});
  CHECK(rule.action == MaskAction::Last4);
  for (const char* wrong : {"", "a.b.c", "a.b redact", "a.b.c.d redact", "a.b.c shred", "a..c drop",
                            "a.b.c$.x..y drop", "redact"}) {
    CHECK_FALSE(MaskRule::parse(wrong).has_value());
  }
  CHECK_THROWS_AS(Mask({MaskRule::parse("a.b.c hash").value()}, ""), core::Failure);
}

TEST_CASE("mask: the first rule that fits counts, then the names of credentials") {
  const auto value = text(CellKind::Text, "0123456789");
  CHECK(masked(mask_of({"shop.payment.c drop", "*.*.c keep"}), value) == "absent");
  CHECK(masked(mask_of({"*.*.c keep", "shop.payment.c drop"}), value) == R"("0123456789")");
  CHECK(masked(mask_of({"sho*.*ment.* last4"}), value) == R"("…6789")");
  CHECK(masked(mask_of({"shop.pay.c drop"}), value) == R"("0123456789")");
  for (const char* name : {"password", "User_Password_Hash", "api_token", "card_number", "SSN"}) {
    CHECK(masked(mask_of({}), value, name) == "null");
    CHECK(masked(mask_of({std::string("*.*.") + name + " keep"}), value, name) != "null");
  }
  for (const char* name : {"id", "card_kind", "tokens_", "session", "business"}) {
    CHECK((masked(mask_of({}), value, name) == "null") == (std::string(name) == "tokens_"));
  }
}

TEST_CASE("mask: without names every column of a table that a rule means is redacted") {
  CHECK(mask_of({"shop.payment.x keep"}).plan(one_column("@1", false)).empty());
  const auto plan = mask_of({"shop.payment.x$.y hash"}).plan(one_column("@1", false));
  REQUIRE(plan.size() == 1);
  CHECK(plan[0].action == MaskAction::Redact);
  CHECK(plan[0].paths.empty());
  CHECK(mask_of({"shop.order.x hash"}).plan(one_column("@1", false)).empty());
}

TEST_CASE("mask: hashes are keyed, equal for equal values, and hide NULL from nobody") {
  const auto mask = mask_of({"*.*.c hash"});
  const auto a = masked(mask, text(CellKind::Text, "a")),
             b = masked(mask, text(CellKind::Text, "b"));
  CHECK(a.size() == 34);
  CHECK(a == masked(mask, text(CellKind::Text, "a")));
  CHECK(a != b);
  Cell null;
  null.kind = CellKind::Null;
  CHECK(masked(mask, null) == "null");
  CHECK(a != masked(Mask({MaskRule::parse("*.*.c hash").value()}, "another key of length"),
                    text(CellKind::Text, "a")));
}

TEST_CASE("mask: the last four characters, not bytes, of values that are long enough") {
  const auto mask = mask_of({"*.*.c last4"});
  CHECK(masked(mask, text(CellKind::Text, "1234567")) == R"("…")");
  CHECK(masked(mask, text(CellKind::Text, "12345678")) == R"("…5678")");
  CHECK(masked(mask, text(CellKind::Text, "éééééééé")) == R"("…éééé")");
  CHECK(masked(mask, text(CellKind::Text, "éééé")) == R"("…")");
  Cell number;
  number.kind = CellKind::Int;
  number.i = 123456789012;
  CHECK(masked(mask, number) == R"("…9012")");
}

TEST_CASE("mask: paths of documents, through arrays, and all of what is no document") {
  const auto mask = mask_of({"*.*.c$.a.b redact", "*.*.c$.x drop", "*.*.c$.l last4"});
  const auto of = [&](const char* json) { return masked(mask, text(CellKind::Json, json)); };
  CHECK(of(R"({"a":{"b":1,"c":2},"d":3})") == R"({"a":{"b":"<redacted>","c":2},"d":3})");
  CHECK(of(R"({"a":[{"b":[1]},{"b":null},7]})") ==
        R"({"a":[{"b":"<redacted>"},{"b":"<redacted>"},7]})");
  CHECK(of(R"([{"x":1,"y":2,"x":3}])") == R"([{"y":2}])");
  CHECK(of(R"({"x":1})") == "{}");
  CHECK(of(R"({"l":"0123456789","A":{"B":1}})") == R"({"l":"…6789","A":{"B":"<redacted>"}})");
  CHECK(of("{}") == "{}");
  CHECK(of("[]") == "[]");
  CHECK(of("1") == "1");
  CHECK(masked(mask, text(CellKind::Text, R"({"a":{"b":1}})")) ==
        R"("{\"a\":{\"b\":\"<redacted>\"}}")");
  CHECK(masked(mask, text(CellKind::Text, "not a document")) == "null");
  CHECK(masked(mask, text(CellKind::Wire, "{}")) == "null");
}

TEST_CASE("mask: SQL text that names a masked table or column") {
  const auto mask = mask_of({"shop.payment.iban hash", "shop.log_*.x redact", "a.kept.y keep"});
  for (const char* sql : {"INSERT INTO payment VALUES (1)", "update `Payment` set a=1",
                          "SELECT IBAN FROM t", "DELETE FROM log_2024", "SET PASSWORD = 1",
                          "UPDATE u SET my_password_2 = 'x'", "SELECT x"}) {
    CHECK(mask.mentions(sql));
  }
  for (const char* sql : {"INSERT INTO payments VALUES (1)", "SELECT ibans FROM kept", "SELECT y",
                          "DELETE FROM catalog_2024x WHERE xx=1"}) {
    CHECK_FALSE(mask.mentions(sql));
  }
}

TEST_CASE("sql: a fingerprint has no literal, and all comments") {
  CHECK(fingerprint_sql(
            "INSERT INTO t1 VALUES (1, 'a''b', -2.5e3, 0xFF, x'00', NULL) /*who='me'*/") ==
        "INSERT INTO t1 VALUES (?, ?, -?.?, ?, x?, NULL) /*who='me'*/");
  CHECK(fingerprint_sql("SELECT \"x\", `col 1` FROM t -- 'c'\n WHERE a='open") ==
        "SELECT ?, `col 1` FROM t -- 'c'\n WHERE a=?");
  CHECK(fingerprint_sql("") == "");
}

}  // namespace
}  // namespace rowtrail::normalize::test
