// Payloads read back: joined into lines, taken apart, and refused when they are damaged.
#include "normalize/payload.h"

#include "support.h"
#include <catch2/catch.hpp>

namespace rowtrail::normalize::test {
namespace {

constexpr std::string_view kTransaction =
    R"({"source":"pharmacy","transaction":"3e11:77","position":{"file":"binlog.000003","pos":4711},)"
    R"("committed_at":"2026-11-24T10:00:00.123456Z","server_id":1,"thread_id":4711,)"
    R"("statements":[{"ordinal":0,"query":"UPDATE …"},{"ordinal":4,"query":"DELETE"}]})";
constexpr std::string_view kUpdate =
    R"({"ordinal":0,"database":"pharmacy","table":"stock","op":"update","pk":{"id":7},)"
    R"("old":{"id":7,"quantity":12},"new":{"id":7,"quantity":7},"changed":["quantity"],)"
    R"("schema_version":3})";
constexpr std::string_view kSecond =
    R"({"ordinal":1,"database":"pharmacy","table":"stock","op":"insert","pk":null,)"
    R"("old":null,"new":{"id":7,"note":",\"statement\":9}"},"cells":{"new.x":{"json":"null"}},)"
    R"("schema_version":3,"statement":0})";
constexpr std::string_view kDdl =
    R"({"ordinal":0,"database":"shop","table":"t","op":"ddl","sql":"DROP TABLE t"})";

std::string joined(std::string_view change, std::string_view transaction, std::string_view actor) {
  std::string out;
  const auto result = append_joined_change(out, 1041, change, transaction, actor);
  REQUIRE(result);
  CHECK(is_json(out));
  return out;
}

}  // namespace

TEST_CASE("joined: the line of the design, member for member") {
  CHECK(
      joined(kUpdate, kTransaction, R"({"id":"anna","via":"comment","confidence":"exact"})") ==
      R"({"seq":1041,"source":"pharmacy","transaction":"3e11:77","ordinal":0,)"
      R"("position":{"file":"binlog.000003","pos":4711},"committed_at":"2026-11-24T10:00:00.123456Z",)"
      R"("database":"pharmacy","table":"stock","op":"update","pk":{"id":7},)"
      R"("old":{"id":7,"quantity":12},"new":{"id":7,"quantity":7},"changed":["quantity"],)"
      R"("schema_version":3,"server_id":1,"thread_id":4711,"query":"UPDATE …",)"
      R"("actor":{"id":"anna","via":"comment","confidence":"exact"}})");
}

TEST_CASE("joined: later changes of a statement name the first, and text may look like members") {
  CHECK(
      joined(kSecond, kTransaction, "") ==
      R"({"seq":1041,"source":"pharmacy","transaction":"3e11:77","ordinal":1,)"
      R"("position":{"file":"binlog.000003","pos":4711},"committed_at":"2026-11-24T10:00:00.123456Z",)"
      R"("database":"pharmacy","table":"stock","op":"insert","pk":null,)"
      R"("old":null,"new":{"id":7,"note":",\"statement\":9}"},"cells":{"new.x":{"json":"null"}},)"
      R"("schema_version":3,"server_id":1,"thread_id":4711,"statement":0})");
  CHECK(
      joined(kDdl, kTransaction, "") ==
      R"({"seq":1041,"source":"pharmacy","transaction":"3e11:77","ordinal":0,)"
      R"("position":{"file":"binlog.000003","pos":4711},"committed_at":"2026-11-24T10:00:00.123456Z",)"
      R"("database":"shop","table":"t","op":"ddl","sql":"DROP TABLE t",)"
      R"("server_id":1,"thread_id":4711,"query":"UPDATE …"})");
}

TEST_CASE("joined: one transaction taken apart serves all its changes") {
  const auto transaction = TransactionPayload::parse(kTransaction);
  REQUIRE(transaction.has_value());
  std::string at_once = "kept";
  REQUIRE(transaction->append_joined(at_once, 1041, kUpdate, ""));
  CHECK(at_once == std::string("kept").append(joined(kUpdate, kTransaction, "")));
}

TEST_CASE("parsed: a change comes apart into what it was made from") {
  const auto change = parse_change(kSecond);
  REQUIRE(change.has_value());
  CHECK(change->ordinal == 1);
  CHECK(change->statement == 0);
  CHECK(change->schema_version == 3);
  CHECK(change->op == Op::Insert);
  CHECK(change->database == "pharmacy");
  CHECK(change->table == "stock");
  CHECK_FALSE(change->pk);
  CHECK_FALSE(change->old_row);
  REQUIRE(change->new_row);
  REQUIRE(change->new_row->size() == 2);
  CHECK(change->new_row->at(1).name == "note");
  CHECK(parse_json_string(change->new_row->at(1).json).value() == R"(,"statement":9})");
  REQUIRE(change->cells.size() == 1);
  CHECK(change->cells[0].json == R"({"json":"null"})");

  const auto update = parse_change(kUpdate);
  REQUIRE(update.has_value());
  CHECK(update->statement == 0);
  CHECK(update->changed == std::vector<std::string>{"quantity"});
  REQUIRE(update->pk);
  CHECK(update->pk->at(0).json == "7");

  const auto ddl = parse_change(kDdl);
  REQUIRE(ddl.has_value());
  CHECK(ddl->op == Op::Ddl);
  CHECK(ddl->sql == "DROP TABLE t");
}

TEST_CASE("parsed: what the normalizer writes is read back the same") {
  Feed feed;
  REQUIRE(feed.gtid(1));
  REQUIRE(feed.query("BEGIN"));
  REQUIRE(feed.statement("UPDATE \xFF"));
  const auto stock = stock_schema();
  REQUIRE(feed.rows(
      binlog::RowsKind::Update, stock,
      stock_row(1, "a\"\\\n") + stock_row(2, nullptr) + stock_row(3, "x") + stock_row(3, "y")));
  REQUIRE(feed.xid());
  const auto transaction = feed.take();
  std::string record;
  append_transaction(record, *transaction);
  CHECK(is_json(record));
  for (const Change& change : transaction->changes) {
    const std::string payload = change_text(change);
    const auto parsed = parse_change(payload);
    REQUIRE(parsed.has_value());
    CHECK(parsed->ordinal == change.ordinal);
    CHECK(parsed->old_row->size() == 2);
    std::string line;
    REQUIRE(append_joined_change(line, 0, payload, record, ""));
    CHECK(is_json(line));
  }
  const std::string first = change_text(transaction->changes[0]);
  CHECK(parse_json_string(parse_change(first)->old_row->at(1).json).value() == "a\"\\\n");
}

TEST_CASE("parsed: every damaged payload is refused") {
  for (const std::string_view payload : {kUpdate, kSecond, kDdl}) {
    for (std::size_t size = 0; size < payload.size(); ++size) {
      CHECK_FALSE(parse_change(payload.substr(0, size)).has_value());
      std::string out;
      CHECK_FALSE(append_joined_change(out, 0, payload.substr(0, size), kTransaction, ""));
      CHECK(out.empty());
    }
    CHECK_FALSE(parse_change(std::string(payload) + " ").has_value());
  }
  for (std::size_t size = 0; size < kTransaction.size(); ++size) {
    CHECK_FALSE(TransactionPayload::parse(kTransaction.substr(0, size)).has_value());
  }
  const auto with_value = [](std::string_view value) {
    return R"({"ordinal":0,"database":"d","table":"t","op":"insert","pk":null,"old":null,"new":{"a":)" +
           std::string(value) + R"(},"schema_version":1})";
  };
  CHECK(parse_change(with_value("[1,-2.5e+10,true,false,null,\"\\u00e9\\ud83d\\ude00\",{}]"))
            .has_value());
  for (const char* bad :
       {"", "01", "-", "1.", ".5", "1e", "+1", "nul", "tru", "[1,]", "[", "{\"a\"}", "{\"a\":1,}",
        "\"\\x\"", "\"\\u12g4\"", "\"\n\"", "\"\xFF\"", "NaN", "'a'"}) {
    INFO(bad);
    CHECK_FALSE(parse_change(with_value(bad)).has_value());
  }
  CHECK(parse_change(with_value(std::string(100, '[') + std::string(100, ']'))).has_value());
  CHECK_FALSE(parse_change(with_value(std::string(200, '[') + std::string(200, ']'))).has_value());
  // NOLINTNEXTLINE(bugprone-string-constructor): as long as it looks
  CHECK_FALSE(parse_change(with_value(std::string(10'000'000, '['))).has_value());
}

TEST_CASE("parsed: string escapes") {
  CHECK(parse_json_string(R"("\"\\\/\b\f\n\r\t")").value() == "\"\\/\b\f\n\r\t");
  CHECK(parse_json_string(R"("é€😀")").value() == "é€😀");
  CHECK(parse_json_string(R"("\u00e9\u20ac\ud83d\ude00")").value() == "é€😀");
  CHECK(parse_json_string(R"("\ud83dx")").value() == "\uFFFDx");
  CHECK_FALSE(parse_json_string("7").has_value());
}

}  // namespace rowtrail::normalize::test
