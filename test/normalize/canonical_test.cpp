// The canonical text of cells, changes, transactions, schemas and gaps (docs/format.md).
#include <cmath>
#include <limits>

#include "cells.h"
#include "support.h"
#include <catch2/catch.hpp>

namespace rowtrail::normalize::test {
namespace {

using binlog::Column;
using binlog::TableSchema;

Cell null() {
  return number(CellKind::Null, 0);
}
Cell absent() {
  return {};
}
Cell wire(std::string_view bytes, std::uint8_t type) {
  Cell cell = text(CellKind::Wire, bytes);
  cell.wire_type = type;
  return cell;
}
constexpr std::int64_t date(std::int64_t year, std::int64_t month, std::int64_t day) {
  return year << 9 | month << 5 | day;
}

std::string cell_text(const Cell& cell, const Column& column = {}) {
  std::string out;
  append_cell(out, cell, column);
  return out;
}

TableSchema two_columns() {
  TableSchema schema;
  schema.database = "pharmacy";
  schema.table = "stock";
  schema.columns.resize(2);
  schema.columns[0].name = "id";
  schema.columns[1].name = "quantity";
  schema.primary_key = {0};
  return schema;
}

Change row_change(const TableSchema& schema, Op op, std::span<const Cell> before,
                  std::span<const Cell> after) {
  Change change;
  change.op = op;
  change.schema = &schema;
  change.schema_version = 3;
  change.database = schema.database;
  change.table = schema.table;
  change.before = before;
  change.after = after;
  return change;
}

struct Sample {
  const char* name;
  Cell cell;
  const char* json;
};

}  // namespace

TEST_CASE("cells: every kind has one text") {
  constexpr std::int64_t kSecond = 1'000'000;
  const Sample samples[] = {
      {"int_min", number(CellKind::Int, std::numeric_limits<std::int64_t>::min()),
       "-9223372036854775808"},
      {"int_max", number(CellKind::Int, std::numeric_limits<std::int64_t>::max()),
       "9223372036854775807"},
      {"int_zero", number(CellKind::Int, 0), "0"},
      {"int_nine", number(CellKind::Int, -9), "-9"},
      {"int_ten", number(CellKind::Int, 10), "10"},
      {"uint_max", number(CellKind::UInt, -1), "18446744073709551615"},
      {"year", number(CellKind::UInt, 2026), "2026"},
      {"null", null(), "null"},
      {"float", real(CellKind::Float, static_cast<double>(0.1F)), "0.1"},
      {"double", real(CellKind::Double, 0.1), "0.1"},
      {"double_one", real(CellKind::Double, 1), "1"},
      {"double_negative_zero", real(CellKind::Double, -0.0), "-0"},
      {"double_max", real(CellKind::Double, std::numeric_limits<double>::max()),
       "1.7976931348623157e+308"},
      {"double_denormal", real(CellKind::Double, 5e-324), "5e-324"},
      {"double_nan", real(CellKind::Double, std::nan("")), "null"},
      {"float_inf", real(CellKind::Float, std::numeric_limits<double>::infinity()), "null"},
      {"decimal", text(CellKind::Decimal, "-12.50"), "\"-12.50\""},
      {"text", text(CellKind::Text, "Anna"), "\"Anna\""},
      {"text_empty", text(CellKind::Text, ""), "\"\""},
      {"bytes", text(CellKind::Bytes, std::string_view("\0\xFF\x10", 3)), "\"AP8Q\""},
      {"bytes_1", text(CellKind::Bytes, "f"), "\"Zg==\""},
      {"bytes_2", text(CellKind::Bytes, "fo"), "\"Zm8=\""},
      {"bytes_empty", text(CellKind::Bytes, ""), "\"\""},
      {"date", number(CellKind::Date, date(2026, 11, 24)), "\"2026-11-24\""},
      {"date_zero", number(CellKind::Date, 0), "\"0000-00-00\""},
      {"date_partial", number(CellKind::Date, date(2026, 0, 0)), "\"2026-00-00\""},
      {"datetime", number(CellKind::DateTime, datetime({2026, 11, 24, 10, 0, 0, 123000}), 3),
       "\"2026-11-24T10:00:00.123\""},
      {"datetime_0", number(CellKind::DateTime, datetime({9999, 12, 31, 23, 59, 59, 0})),
       "\"9999-12-31T23:59:59\""},
      {"datetime_zero", number(CellKind::DateTime, 0, 6), "\"0000-00-00T00:00:00.000000\""},
      {"timestamp", number(CellKind::Timestamp, 1'795'514'400'123'000, 3),
       "\"2026-11-24T10:00:00.123Z\""},
      {"timestamp_first", number(CellKind::Timestamp, kSecond), "\"1970-01-01T00:00:01Z\""},
      {"timestamp_leap", number(CellKind::Timestamp, 951'782'400 * kSecond, 1),
       "\"2000-02-29T00:00:00.0Z\""},
      {"timestamp_2038", number(CellKind::Timestamp, 2'147'483'647 * kSecond + 999'999, 6),
       "\"2038-01-19T03:14:07.999999Z\""},
      {"timestamp_zero", number(CellKind::Timestamp, 0), "\"0000-00-00T00:00:00Z\""},
      {"timestamp_zero_3", number(CellKind::Timestamp, 0, 3), "\"0000-00-00T00:00:00.000Z\""},
      {"time_min", number(CellKind::Time, -(838 * 3600 + 59 * 60 + 59) * kSecond, 6),
       "\"-838:59:59.000000\""},
      {"time", number(CellKind::Time, 3'723 * kSecond + 40'000, 2), "\"01:02:03.04\""},
      {"time_tiny_negative", number(CellKind::Time, -1, 6), "\"-00:00:00.000001\""},
      {"time_100", number(CellKind::Time, 100 * 3600 * kSecond), "\"100:00:00\""},
      {"json", text(CellKind::Json, R"({"b":1,"a":[1.0,null]})"), R"({"b":1,"a":[1.0,null]})"},
      {"json_null", text(CellKind::Json, "null"), "null"},
      {"geometry", text(CellKind::Geometry, "SRID=4326;POINT(1 2)"), "\"SRID=4326;POINT(1 2)\""},
      {"vector", text(CellKind::Vector, "[1,2.5]"), "[1,2.5]"},
      {"uuid", text(CellKind::Uuid, "123e4567-e89b-12d3-a456-426655440000"),
       "\"123e4567-e89b-12d3-a456-426655440000\""},
      {"wire", wire("\x01\x02", 3), "null"},
  };
  for (const Sample& sample : samples) {
    INFO(sample.name);
    const std::string json = cell_text(sample.cell);
    CHECK(json == sample.json);
    CHECK(is_json(json));
  }
}

TEST_CASE("cells: enum and set show their labels") {
  Column column;
  column.labels = {"new", "pa\"id", "shipped"};
  CHECK(cell_text(number(CellKind::Enum, 2), column) == R"("pa\"id")");
  CHECK(cell_text(number(CellKind::Enum, 0), column) == R"("")");
  CHECK(cell_text(number(CellKind::Enum, 4), column) == "null");
  CHECK(cell_text(number(CellKind::Set, 0b101), column) == R"(["new","shipped"])");
  CHECK(cell_text(number(CellKind::Set, 0), column) == "[]");
  CHECK(cell_text(number(CellKind::Set, 0b1000), column) == "null");
}

TEST_CASE("strings: only quotes, backslashes and control characters are escaped") {
  const auto quoted = [](std::string_view value) {
    std::string out = "x";
    append_json_string(out, value);
    CHECK(is_json(std::string_view(out).substr(1)));
    return out.substr(1);
  };
  CHECK(quoted("a\"b\\c/d") == R"("a\"b\\c/d")");
  CHECK(quoted("\b\t\n\f\r") == R"("\b\t\n\f\r")");
  CHECK(quoted(std::string_view("\0\x01\x0b\x1f\x7f", 5)) ==
        "\"\\u0000\\u0001\\u000b\\u001f\x7f\"");
  CHECK(quoted("Grüße, 世界 🙂") == "\"Grüße, 世界 🙂\"");
  CHECK(quoted("\xC3") == "\"\uFFFD\"");
  CHECK(quoted("a\xED\xA0\x80z") == "\"a\uFFFD\uFFFD\uFFFDz\"");
  CHECK(quoted("\xC0\x80\xF5\x80") == "\"\uFFFD\uFFFD\uFFFD\uFFFD\"");
}

TEST_CASE("strings: a special character is found at every place of every length") {
  for (std::size_t size = 1; size < 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const char* special : {"\"", "\\", "\n", "\x1f", "\x7f", "é", "\xFF"}) {
        std::string value(size, 'x');
        value.replace(at, 1, special);
        std::string expected = "\"";
        expected += value.substr(0, at);
        const std::string_view c = special;
        if (c == "\"" || c == "\\") expected += '\\';
        expected += c == "\n" ? "\\n" : c == "\x1f" ? "\\u001f" : c == "\xFF" ? "\uFFFD" : special;
        expected += value.substr(at + c.size()) + "\"";
        std::string out;
        append_json_string(out, value);
        REQUIRE(out == expected);
        CHECK(parse_json_string(out).has_value());
      }
    }
  }
}

TEST_CASE("changes: insert, update, delete, snapshot") {
  const TableSchema schema = two_columns();
  const Cell before[] = {number(CellKind::Int, 7), number(CellKind::Int, 12)};
  const Cell after[] = {number(CellKind::Int, 7), number(CellKind::Int, 7)};
  CHECK(change_text(row_change(schema, Op::Update, before, after)) ==
        R"({"ordinal":0,"database":"pharmacy","table":"stock","op":"update","pk":{"id":7},)"
        R"("old":{"id":7,"quantity":12},"new":{"id":7,"quantity":7},"changed":["quantity"],)"
        R"("schema_version":3})");
  CHECK(change_text(row_change(schema, Op::Insert, {}, after)) ==
        R"({"ordinal":0,"database":"pharmacy","table":"stock","op":"insert","pk":{"id":7},)"
        R"("old":null,"new":{"id":7,"quantity":7},"schema_version":3})");
  CHECK(change_text(row_change(schema, Op::Delete, before, {})) ==
        R"({"ordinal":0,"database":"pharmacy","table":"stock","op":"delete","pk":{"id":7},)"
        R"("old":{"id":7,"quantity":12},"new":null,"schema_version":3})");
  CHECK(change_text(row_change(schema, Op::Snapshot, {}, after)) ==
        R"({"ordinal":0,"database":"pharmacy","table":"stock","op":"snapshot","pk":{"id":7},)"
        R"("old":null,"new":{"id":7,"quantity":7},"schema_version":3})");
}

TEST_CASE("changes: old_pk stands where the key changed, statement where another change began it") {
  const TableSchema schema = two_columns();
  const Cell before[] = {number(CellKind::Int, 7), null()};
  const Cell after[] = {number(CellKind::Int, 8), null()};
  Change change = row_change(schema, Op::Update, before, after);
  change.ordinal = 5;
  change.statement = 3;
  CHECK(change_text(change) ==
        R"({"ordinal":5,"database":"pharmacy","table":"stock","op":"update","pk":{"id":8},)"
        R"("old_pk":{"id":7},"old":{"id":7,"quantity":null},"new":{"id":8,"quantity":null},)"
        R"("changed":["id"],"schema_version":3,"statement":3})");
}

TEST_CASE("changes: a column that the image did not log is absent, never null") {
  const TableSchema schema = two_columns();
  const Cell key_only[] = {number(CellKind::Int, 7), absent()};
  const Cell set_only[] = {absent(), number(CellKind::Int, 5)};
  CHECK(change_text(row_change(schema, Op::Update, key_only, set_only)) ==
        R"({"ordinal":0,"database":"pharmacy","table":"stock","op":"update","pk":{"id":7},)"
        R"("old":{"id":7},"new":{"quantity":5},"changed":["quantity"],"schema_version":3})");
  const Cell nothing[] = {absent(), absent()};
  CHECK(change_text(row_change(schema, Op::Insert, {}, nothing)) ==
        R"({"ordinal":0,"database":"pharmacy","table":"stock","op":"insert","pk":null,)"
        R"("old":null,"new":{},"schema_version":3})");
}

TEST_CASE("changes: a table without a key has a null pk") {
  TableSchema schema = two_columns();
  schema.primary_key.clear();
  const Cell after[] = {number(CellKind::Int, 7), null()};
  const Change change = row_change(schema, Op::Insert, {}, after);
  CHECK(change_text(change).find(R"("pk":null,)") != std::string::npos);
  std::string key;
  append_key(key, change, change.after);
  CHECK(key == "null");
}

TEST_CASE("changes: a key of several columns stands in key order") {
  TableSchema schema = two_columns();
  schema.primary_key = {1, 0};
  const Cell after[] = {number(CellKind::Int, 7), text(CellKind::Text, "a\"b")};
  const Change change = row_change(schema, Op::Insert, {}, after);
  std::string key;
  append_key(key, change, change.after);
  CHECK(key == R"({"quantity":"a\"b","id":7})");
}

TEST_CASE("changes: what plain JSON cannot say stands in cells") {
  TableSchema schema = two_columns();
  schema.columns.resize(6);
  for (std::size_t i = 2; i < 6; ++i) schema.columns[i].name.assign("c").append(std::to_string(i));
  const std::string digest = std::string(32, '\xAB') + Bytes().number(20'000'000, 8).data;
  const Cell before[] = {
      number(CellKind::Int, 1), wire("\xFF\x00", 3), null(), null(), null(), null()};
  const Cell after[] = {number(CellKind::Int, 1),
                        text(CellKind::Json, "null"),
                        text(CellKind::Digest, digest),
                        real(CellKind::Double, std::numeric_limits<double>::infinity()),
                        number(CellKind::Enum, 300),
                        number(CellKind::Set, 1)};
  const std::string json = change_text(row_change(schema, Op::Update, before, after));
  CHECK(is_json(json));
  CHECK(json.substr(json.find(R"("cells":)")) ==
        R"("cells":{"old.quantity":{"wire":"/w==","type":3},"new.quantity":{"json":"null"},)"
        R"("new.c2":{"bytes":20000000,"sha256":")" +
            std::string("abababababababababababababababababababababababababababababababab") +
            R"("},"new.c3":{"wire":"AAAAAAAA8H8=","type":5},"new.c4":{"wire":"LAE=","type":247},)"
            R"("new.c5":{"wire":"AQAAAAAAAAA=","type":248}},"schema_version":3})");
}

TEST_CASE("changes: names are escaped") {
  TableSchema schema = two_columns();
  schema.table = "st\"ock";
  schema.columns[1].name = "q\\ty\n";
  const Cell before[] = {number(CellKind::Int, 7), wire("x", 3)};
  const Cell after[] = {number(CellKind::Int, 7), number(CellKind::Int, 1)};
  const std::string json = change_text(row_change(schema, Op::Update, before, after));
  CHECK(is_json(json));
  CHECK(json ==
        R"({"ordinal":0,"database":"pharmacy","table":"st\"ock","op":"update","pk":{"id":7},)"
        R"("old":{"id":7,"q\\ty\n":null},"new":{"id":7,"q\\ty\n":1},"changed":["q\\ty\n"],)"
        R"("cells":{"old.q\\ty\n":{"wire":"eA==","type":3}},"schema_version":3})");
}

TEST_CASE("changes: text made once per layout gives the same bytes") {
  const TableSchema schema = two_columns();
  const SchemaText made(schema);
  const Cell before[] = {number(CellKind::Int, 7), number(CellKind::Int, 12)};
  const Cell after[] = {number(CellKind::Int, 8), number(CellKind::Int, 7)};
  Change change = row_change(schema, Op::Update, before, after);
  const std::string by_hand = change_text(change);
  change.text = &made;
  CHECK(change_text(change) == by_hand);
}

TEST_CASE("changes: ddl and truncate have sql and no images") {
  Change change;
  change.op = Op::Ddl;
  change.database = "shop";
  change.sql = "CREATE TABLE t (a INT COMMENT 'x\ny')";
  CHECK(change_text(change) == R"({"ordinal":0,"database":"shop","table":"","op":"ddl",)"
                               R"j("sql":"CREATE TABLE t (a INT COMMENT 'x\ny')"})j");
  change.op = Op::Truncate;
  change.table = "t";
  change.sql = "TRUNCATE t";
  CHECK(change_text(change) ==
        R"({"ordinal":0,"database":"shop","table":"t","op":"truncate","sql":"TRUNCATE t"})");
}

TEST_CASE("changes: SQL that is not UTF-8 keeps its exact bytes beside the readable text") {
  Change change;
  change.op = Op::Ddl;
  change.sql = "ALTER \xFF";
  const std::string json = change_text(change);
  CHECK(is_json(json));
  CHECK(json ==
        "{\"ordinal\":0,\"database\":\"\",\"table\":\"\",\"op\":\"ddl\",\"sql\":\"ALTER \uFFFD\","
        "\"sql_bytes\":\"QUxURVIg/w==\"}");
}

TEST_CASE(
    "transactions: fraction only where it is known, thread and statements only where logged") {
  Transaction transaction;
  transaction.source = "pharmacy";
  transaction.id = "binlog.000003:4711";
  transaction.file = "binlog.000003";
  transaction.start_pos = 4711;
  transaction.committed_at_us = 1'795'514'400'000'000;
  transaction.server_id = 1;
  std::string out;
  append_transaction(out, transaction);
  CHECK(out ==
        R"({"source":"pharmacy","transaction":"binlog.000003:4711",)"
        R"("position":{"file":"binlog.000003","pos":4711},"committed_at":"2026-11-24T10:00:00Z",)"
        R"("server_id":1})");
  transaction.committed_at_has_fraction = true;
  transaction.thread_id = 4711;
  transaction.statements = {{0, "UPDATE \"x\""}, {2, "DELETE"}};
  out.clear();
  append_transaction(out, transaction);
  CHECK(out ==
        R"({"source":"pharmacy","transaction":"binlog.000003:4711",)"
        R"("position":{"file":"binlog.000003","pos":4711},)"
        R"("committed_at":"2026-11-24T10:00:00.000000Z","server_id":1,"thread_id":4711,)"
        R"("statements":[{"ordinal":0,"query":"UPDATE \"x\""},{"ordinal":2,"query":"DELETE"}]})");
}

TEST_CASE("schemas: columns, key and layout as the server announced them") {
  VersionedSchema versioned;
  versioned.schema = stock_schema();
  versioned.version = 2;
  std::string out;
  append_schema(out, "pharmacy", versioned);
  CHECK(is_json(out));
  const std::size_t layout = out.find(R"("layout":")");
  REQUIRE(layout != std::string::npos);
  out.replace(layout + 10, 16, "0123456789abcdef");
  CHECK(out == R"({"source":"pharmacy","database":"shop","table":"stock","version":2,)"
               R"("layout":"0123456789abcdef","names_known":true,"columns":[)"
               R"({"name":"id","type":"int","nullable":true},)"
               R"j({"name":"name","type":"varchar(20)","nullable":true,"collation":255}],)j"
               R"("primary_key":["id"]})");
}

}  // namespace rowtrail::normalize::test
