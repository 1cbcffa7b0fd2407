// Debezium's envelope and value mapping, every kind of cell; WKB from EWKT.

#include "normalize/wkb.h"

#include "cells.h"
#include "support.h"
#include <catch2/catch.hpp>

namespace rowtrail::normalize::test {
namespace {

using binlog::Column;
using binlog::TableSchema;

constexpr std::int64_t kNow = 1'800'000'000'123'456;

constexpr std::int64_t date(std::int64_t year, std::int64_t month, std::int64_t day) {
  return year << 9 | month << 5 | day;
}

struct Fixture {
  Fixture() {
    transaction.source = "pharmacy";
    transaction.id = "binlog.000003:4711";
    transaction.file = "binlog.000003";
    transaction.start_pos = 4711;
    transaction.committed_at_us = 1'700'000'000'123'456;
    transaction.server_id = 7;
    transaction.thread_id = 42;
    schema.database = "shop";
    schema.table = "stock";
    schema.columns.resize(2);
    schema.columns[0].name = "id";
    schema.columns[1].name = "c";
    schema.columns[1].nullable = true;
    schema.primary_key = {0};
  }

  Change& change(Op op, std::span<const Cell> before, std::span<const Cell> after) {
    made = {};
    made.op = op;
    made.schema = &schema;
    made.database = "shop";
    made.table = "stock";
    made.before = before;
    made.after = after;
    return made;
  }
  std::string line(const Change& what) {
    std::string out;
    writer.append(out, transaction, what, kNow);
    return out;
  }
  /// The value of `cell` in an insert.
  std::string value(const Cell& cell, const Column& like = {}) {
    Column column = like;
    column.name = "c";
    schema.columns[1] = column;
    const Cell row[] = {number(CellKind::Int, 1), cell};
    const auto out = line(change(Op::Insert, {}, row));
    CHECK(is_json(out));
    constexpr std::string_view kBegin = R"({"before":null,"after":{"id":1,"c":)";
    REQUIRE(out.starts_with(kBegin));
    const auto end = out.find("},\"source\":{");
    REQUIRE(end != std::string::npos);
    return out.substr(kBegin.size(), end - kBegin.size());
  }

  Transaction transaction;
  TableSchema schema;
  Change made;
  DebeziumWriter writer;
};

Column nullable() {
  Column column;
  column.nullable = true;
  return column;
}
Column bits(std::uint16_t length) {
  Column column;
  column.wire_type = 16;
  column.metadata = length;
  return column;
}

TEST_CASE("debezium: numbers are numbers, decimals their unscaled bytes") {
  Fixture f;
  CHECK(f.value(number(CellKind::Int, -9'223'372'036'854'775'807)) == "-9223372036854775807");
  CHECK(f.value(number(CellKind::UInt, -1)) == "18446744073709551615");
  CHECK(f.value(number(CellKind::UInt, 2155)) == "2155");
  CHECK(f.value(real(CellKind::Float, 1.5)) == "1.5");
  CHECK(f.value(real(CellKind::Double, 0.1)) == "0.1");
  CHECK(f.value(number(CellKind::Null, 0)) == "null");
  // Java: new BigDecimal(text).unscaledValue().toByteArray()
  CHECK(f.value(text(CellKind::Decimal, "0.00")) == R"("AA==")");
  CHECK(f.value(text(CellKind::Decimal, "1.27")) == R"("fw==")");
  CHECK(f.value(text(CellKind::Decimal, "1.28")) == R"("AIA=")");
  CHECK(f.value(text(CellKind::Decimal, "-1.28")) == R"("gA==")");
  CHECK(f.value(text(CellKind::Decimal, "-1.29")) == R"("/38=")");
  CHECK(f.value(text(CellKind::Decimal, "-0.01")) == R"("/w==")");
  CHECK(f.value(text(CellKind::Decimal, "12.50")) == R"("BOI=")");
  CHECK(f.value(text(CellKind::Decimal, std::string(65, '9'))) ==
        R"("APMWJxx/w5CKi+9GTjlF73olNgn//////////w==")");
}

TEST_CASE("debezium: BIT is a boolean or bytes, the lowest first") {
  Fixture f;
  CHECK(f.value(number(CellKind::UInt, 0), bits(1)) == "false");
  CHECK(f.value(number(CellKind::UInt, 1), bits(1)) == "true");
  CHECK(f.value(number(CellKind::UInt, 0x0102), bits(9)) == R"("AgE=")");
  CHECK(f.value(number(CellKind::UInt, 1), bits(64)) == R"("AQAAAAAAAAA=")");
}

TEST_CASE("debezium: text, bytes, labels, documents") {
  Fixture f;
  CHECK(f.value(text(CellKind::Text, "a\"é")) == R"("a\"é")");
  CHECK(f.value(text(CellKind::Bytes, std::string_view("\x00\xff", 2))) == R"("AP8=")");
  CHECK(f.value(text(CellKind::Uuid, "::1")) == R"("::1")");
  CHECK(f.value(text(CellKind::Json, R"({"a":[1,"x"]})")) == R"("{\"a\":[1,\"x\"]}")");
  CHECK(f.value(text(CellKind::Json, "null")) == R"("null")");
  CHECK(f.value(text(CellKind::Vector, "[0,-1.5]")) == "[0,-1.5]");
  Column labelled;
  labelled.labels = {"small", "large", "extra"};
  CHECK(f.value(number(CellKind::Enum, 2), labelled) == R"("large")");
  CHECK(f.value(number(CellKind::Enum, 0), labelled) == R"("")");
  CHECK(f.value(number(CellKind::Set, 5), labelled) == R"("small,extra")");
  CHECK(f.value(number(CellKind::Set, 0), labelled) == R"("")");
  const std::string unavailable = R"("__debezium_unavailable_value")";
  CHECK(f.value(number(CellKind::Set, 8), labelled) == unavailable);
  CHECK(f.value(text(CellKind::Wire, "\xff")) == unavailable);
}

TEST_CASE("debezium: days, milliseconds, microseconds, ISO-8601 in UTC") {
  Fixture f;
  CHECK(f.value(number(CellKind::Date, date(1970, 1, 1))) == "0");
  CHECK(f.value(number(CellKind::Date, date(1969, 12, 31))) == "-1");
  CHECK(f.value(number(CellKind::Date, date(2024, 2, 29))) == "19782");
  CHECK(f.value(number(CellKind::Date, date(9999, 12, 31))) == "2932896");
  CHECK(f.value(number(CellKind::Date, date(1000, 1, 1))) == "-354285");
  const auto moment = datetime({2018, 6, 20, 6, 37, 3, 123'456});
  CHECK(f.value(number(CellKind::DateTime, datetime({2018, 6, 20, 6, 37, 3, 0}))) ==
        "1529476623000");  // the manual's own example
  CHECK(f.value(number(CellKind::DateTime, moment, 3)) == "1529476623123");
  CHECK(f.value(number(CellKind::DateTime, moment, 4)) == "1529476623123456");
  CHECK(f.value(number(CellKind::Timestamp, 1'529'501'823'000'000)) == R"("2018-06-20T13:37:03Z")");
  CHECK(f.value(number(CellKind::Timestamp, 1'529'501'823'120'000, 3)) ==
        R"("2018-06-20T13:37:03.120Z")");
  CHECK(f.value(number(CellKind::Time, 3'661'000'001, 6)) == "3661000001");
  CHECK(f.value(number(CellKind::Time, -1'000'000)) == "-1000000");
}

TEST_CASE("debezium: no moment is null, or the epoch where null is not allowed") {
  Fixture f;
  for (const auto zero : {date(0, 0, 0), date(2026, 0, 0), date(2026, 2, 30), date(2025, 2, 29)}) {
    CHECK(f.value(number(CellKind::Date, zero), nullable()) == "null");
    CHECK(f.value(number(CellKind::Date, zero)) == "0");
  }
  CHECK(f.value(number(CellKind::DateTime, 0), nullable()) == "null");
  CHECK(f.value(number(CellKind::DateTime, 0)) == "0");
  CHECK(f.value(number(CellKind::Timestamp, 0), nullable()) == "null");
  CHECK(f.value(number(CellKind::Timestamp, 0)) == R"("1970-01-01T00:00:00Z")");
}

TEST_CASE("debezium: geometries are WKB and their reference system") {
  Fixture f;
  CHECK(f.value(text(CellKind::Geometry, "POINT(1 -1)")) ==
        R"({"wkb":"AQEAAAAAAAAAAADwPwAAAAAAAPC/","srid":null})");
  CHECK(f.value(text(CellKind::Geometry, "SRID=4326;POINT(1 -1)")).ends_with(",\"srid\":4326}"));
  const auto bytes = [](std::string_view ewkt) { return wkb_from_ewkt(ewkt).value().bytes.size(); };
  constexpr std::size_t kHead = 5, kCount = 4, kPoint = 16;
  CHECK(bytes("LINESTRING(0 0,1 1,2.5 1e300)") == kHead + kCount + 3 * kPoint);
  CHECK(bytes("POLYGON((0 0,1 0,0 0),(0 0,1 0,0 0))") ==
        kHead + kCount + 2 * (kCount + 3 * kPoint));
  CHECK(bytes("MULTIPOINT((0 0),(1 1))") == kHead + kCount + 2 * (kHead + kPoint));
  CHECK(bytes("MULTILINESTRING((0 0,1 1))") == kHead + kCount + kHead + kCount + 2 * kPoint);
  CHECK(bytes("MULTIPOLYGON(((0 0,1 1)))") == kHead + 3 * kCount + kHead + 2 * kPoint);
  CHECK(bytes("GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION EMPTY)") ==
        kHead + kCount + kHead + kPoint + kHead + kCount);
  for (const char* wrong : {"", "POINT", "POINT(1)", "POINT(1 2", "POINT(1 2)x", "CIRCLE(1 2)",
                            "LINESTRING(1 2;3 4)", "SRID=;POINT(1 2)", "POINT EMPTY"}) {
    CHECK_FALSE(wkb_from_ewkt(wrong));
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "GEOMETRYCOLLECTION(";
  CHECK_FALSE(wkb_from_ewkt(deep));
}

TEST_CASE("debezium: the envelope of an update") {
  Fixture f;
  f.transaction.statements.push_back({0, "UPDATE stock"});
  const Cell before[] = {number(CellKind::Int, 1), text(CellKind::Text, "a")};
  const Cell after[] = {number(CellKind::Int, 1), text(CellKind::Text, "b")};
  CHECK(
      f.line(f.change(Op::Update, before, after)) ==
      R"({"before":{"id":1,"c":"a"},"after":{"id":1,"c":"b"},"source":{"version":"rowtrail-)" ROWTRAIL_VERSION
      R"(","connector":"mysql","name":"pharmacy","snapshot":"false","db":"shop","sequence":null,)"
      R"("ts_ms":1700000000123,"ts_us":1700000000123456,"ts_ns":1700000000123456000,)"
      R"("table":"stock","server_id":7,"gtid":null,"file":"binlog.000003","pos":4711,"row":0,)"
      R"("thread":42,"query":"UPDATE stock"},"transaction":null,"op":"u","ts_ms":1800000000123,)"
      R"("ts_us":1800000000123456,"ts_ns":1800000000123456000})"
      "\n");
}

TEST_CASE("debezium: a key that moves is a delete and a create") {
  Fixture f;
  const Cell before[] = {number(CellKind::Int, 1), number(CellKind::Null, 0)};
  const Cell after[] = {number(CellKind::Int, 2), number(CellKind::Null, 0)};
  const auto out = f.line(f.change(Op::Update, before, after));
  const auto end = out.find('\n');
  const auto first = out.substr(0, end), second = out.substr(end + 1);
  CHECK(first.starts_with(R"({"before":{"id":1,"c":null},"after":null,)"));
  CHECK(first.find(R"("op":"d")") != std::string::npos);
  CHECK(second.starts_with(R"({"before":null,"after":{"id":2,"c":null},)"));
  CHECK(second.find(R"("op":"c")") != std::string::npos);
}

TEST_CASE("debezium: every change of a statement has its text, those of the next its own") {
  Fixture f;
  const Cell row[] = {number(CellKind::Int, 1), number(CellKind::Null, 0)};
  f.transaction.statements = {{0, "first"}, {2, "second"}};
  for (std::uint32_t ordinal = 0; ordinal < 4; ++ordinal) {
    Change& change = f.change(Op::Insert, {}, row);
    change.ordinal = ordinal;
    change.statement = ordinal / 2 * 2;
    CHECK(f.line(change).find(ordinal < 2 ? R"("query":"first")" : R"("query":"second")") !=
          std::string::npos);
  }
}

TEST_CASE("debezium: TRUNCATE and DDL") {
  Fixture f;
  Change change;
  change.op = Op::Truncate;
  change.database = "shop";
  change.table = "stock";
  change.sql = "TRUNCATE stock";
  CHECK(f.line(change).find(R"("op":"t")") != std::string::npos);
  change.op = Op::Ddl;
  change.sql = "ALTER TABLE stock ADD x INT";
  const auto out = f.line(change);
  CHECK(is_json(out));
  CHECK(out.starts_with("{\"source\":{"));
  CHECK(out.find(R"("databaseName":"shop","schemaName":null,"ddl":"ALTER TABLE stock ADD x INT",)"
                 R"("tableChanges":[]})") != std::string::npos);
}

}  // namespace
}  // namespace rowtrail::normalize::test
