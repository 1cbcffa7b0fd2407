#include "support.h"

#include "normalize/xa.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <libdeflate.h>
#include <rapidjson/document.h>

namespace rowtrail::normalize::test {

Bytes& Bytes::number(std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    data += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  return *this;
}

std::string raw_event(std::uint8_t type, std::string_view body, std::uint32_t pos) {
  constexpr std::size_t kFrame = 19 + 4;
  Bytes raw;
  raw.number(1'700'000'000, 4).number(type, 1).number(1, 4);
  raw.number(kFrame + body.size(), 4).number(pos, 4).number(0, 2).text(body);
  raw.number(libdeflate_crc32(0, raw.data.data(), raw.data.size()), 4);
  return raw.data;
}

namespace {

/// As MySQL 8.0 and later write it, with CRC32.
std::string format_description() {
  Bytes body;
  std::string version = "9.7.0";
  version.resize(50, '\0');
  body.number(4, 2).text(version).number(1'700'000'000, 4).number(19, 1);
  std::string lengths(41, '\0');
  lengths.at(19 - 1) = 8;                                                     // TABLE_MAP
  for (std::size_t type = 30; type <= 32; ++type) lengths.at(type - 1) = 10;  // rows v2
  body.text(lengths).number(1, 1);
  return raw_event(15, body.data);
}

std::string bitmap(std::size_t columns) {
  return std::string((columns + 7) / 8, '\xFF');
}

void add_metadata(Bytes& body, const std::vector<ColumnSpec>& columns,
                  const std::vector<std::uint32_t>& key, bool names) {
  std::size_t numbers = 0;
  for (const ColumnSpec& column : columns) numbers += column.type <= 9 && column.type != 7 ? 1 : 0;
  if (numbers > 0) body.number(1, 1).counted(std::string((numbers + 7) / 8, '\0'));
  Bytes charset;
  charset.number(255, 1).number(0, 0);
  body.number(2, 1).counted(Bytes().number(0xfc, 1).number(255, 2).data);
  if (!names) return;
  Bytes list;
  for (const ColumnSpec& column : columns) list.counted(column.name);
  body.number(4, 1).counted(list.data);
  Bytes indexes;
  for (const std::uint32_t column : key) indexes.number(column, 1);
  if (!key.empty()) body.number(8, 1).counted(indexes.data);
}

}  // namespace

std::string table_map_body(std::string_view database, std::string_view table,
                           const std::vector<ColumnSpec>& columns,
                           const std::vector<std::uint32_t>& key, bool names) {
  Bytes body;
  body.counted(database).number(0, 1).counted(table).number(0, 1).number(columns.size(), 1);
  std::string metadata;
  for (const ColumnSpec& column : columns) {
    body.number(column.type, 1);
    metadata += column.metadata;
  }
  body.counted(metadata).text(bitmap(columns.size()));
  add_metadata(body, columns, key, names);
  return body.data;
}

binlog::TableSchemaPtr make_schema(std::string_view database, std::string_view table,
                                   const std::vector<ColumnSpec>& columns,
                                   const std::vector<std::uint32_t>& key, bool names) {
  binlog::Decoder decoder;
  decoder.set_position("binlog.000001", 4);
  const std::string format = format_description();
  REQUIRE(decoder.decode(std::as_bytes(std::span(format.data(), format.size()))).has_value());
  Bytes body;
  body.number(77, 6).number(1, 2).text(table_map_body(database, table, columns, key, names));
  const std::string raw = raw_event(19, body.data);
  const auto event = decoder.decode(std::as_bytes(std::span(raw.data(), raw.size())));
  if (!event) FAIL(event.error().message);
  const auto* map = std::get_if<binlog::TableMap>(&event->body);
  REQUIRE(map != nullptr);
  return *map->schema;
}

binlog::TableSchemaPtr stock_schema(std::string_view table) {
  return make_schema("shop", table, {{"id", 3, ""}, {"name", 15, std::string("\x50\0", 2)}}, {0});
}

std::string stock_row(std::int32_t id, const char* name) {
  Bytes row;
  row.number(name == nullptr ? 0xFE : 0xFC, 1).number(static_cast<std::uint32_t>(id), 4);
  if (name != nullptr) row.counted(name);
  return row.data;
}

core::Result<> Feed::push(binlog::EventBody body, std::uint8_t type) {
  constexpr std::uint64_t kEventBytes = 50;
  binlog::Event event;
  event.header.timestamp = timestamp;
  event.header.type = type;
  event.header.server_id = 1;
  event.header.size = kEventBytes;
  event.start = pos;
  event.end = pos += kEventBytes;
  event.body = std::move(body);
  return normalizer.push(event, file);
}

core::Result<> Feed::gtid(std::uint64_t number, std::int64_t commit_us) {
  binlog::GtidEvent event;
  event.gtid.uuid.fill(0x11);
  event.gtid.number = number;
  event.original_commit_us = commit_us;
  return push(event, 33);
}

core::Result<> Feed::anonymous() {
  return push(binlog::GtidEvent{}, 34);
}

core::Result<> Feed::query(std::string_view sql, std::uint32_t thread_id,
                           std::string_view database) {
  return push(binlog::Query{thread_id, 0, database, sql}, 2);
}

core::Result<> Feed::statement(std::string_view sql) {
  return push(binlog::RowsQuery{sql}, 29);
}

core::Result<> Feed::rows(binlog::RowsKind kind, const binlog::TableSchemaPtr& schema,
                          std::string bytes, bool ends_statement,
                          std::optional<std::uint8_t> logged) {
  std::string columns = bitmap(schema->columns.size());
  if (logged) columns.assign(1, static_cast<char>(*logged));
  const std::string row_bytes = std::move(bytes);
  binlog::RowsEvent event;
  event.kind = kind;
  event.ends_statement = ends_statement;
  event.schema = &schema;
  const auto all = std::as_bytes(std::span(columns.data(), columns.size()));
  if (kind != binlog::RowsKind::Insert) event.before_columns = all;
  if (kind != binlog::RowsKind::Delete) event.after_columns = all;
  event.rows = std::as_bytes(std::span(row_bytes.data(), row_bytes.size()));
  return push(event, 30);
}

core::Result<> Feed::insert(const binlog::TableSchemaPtr& schema, int first_id, int count,
                            bool ends_statement) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += stock_row(first_id + i, "item");
  return rows(binlog::RowsKind::Insert, schema, bytes, ends_statement);
}

core::Result<> Feed::xid() {
  return push(binlog::Xid{1}, 16);
}

core::Result<> Feed::small_transaction(std::uint64_t number, const binlog::TableSchemaPtr& schema) {
  for (auto step :
       {gtid(number), query("BEGIN"), insert(schema, static_cast<int>(number)), xid()}) {
    if (!step) return step;
  }
  return {};
}

core::Result<> Feed::stock_map(const binlog::TableSchemaPtr& schema) {
  const std::string body =
      table_map_body(schema->database, schema->table,
                     {{"id", 3, ""}, {"name", 15, std::string("\x50\0", 2)}}, {0});
  binlog::TableMap map;
  map.body = std::as_bytes(std::span(body.data(), body.size()));
  map.schema = &schema;
  return push(map, 19);
}

core::Result<> Feed::xa_prepare(std::string_view gtrid, bool one_phase) {
  binlog::XaPrepare prepare;
  prepare.one_phase = one_phase;
  prepare.id = {1, gtrid, ""};
  return push(prepare, 38);
}

core::Result<> Feed::prepared(std::uint64_t number, std::string_view gtrid,
                              const binlog::TableSchemaPtr& schema, bool one_phase) {
  const std::string xid = xid_text({1, gtrid, ""});
  for (auto step : {gtid(number), query("XA START " + xid, 7), statement("INSERT INTO stock"),
                    stock_map(schema), insert(schema, static_cast<int>(number), 2),
                    query("XA END " + xid), xa_prepare(gtrid, one_phase)}) {
    if (!step) return step;
  }
  return {};
}

std::vector<std::unique_ptr<Transaction>> Feed::take_all() {
  std::vector<std::unique_ptr<Transaction>> all;
  while (auto transaction = normalizer.take()) all.push_back(std::move(transaction));
  return all;
}

std::string change_text(const Change& change) {
  std::string out;
  append_change(out, change);
  return out;
}

std::string render(const Transaction& transaction) {
  std::string out;
  for (const VersionedSchema& schema : transaction.schemas) {
    if (!schema.is_new) continue;
    append_schema(out, transaction.source, schema);
    const std::size_t layout = out.rfind("\"layout\":\"");
    out.replace(layout + 10, 16, "(a hash)");  // the decoder's own
    out += '\n';
  }
  if (transaction.first_part) {
    append_transaction(out, transaction);
    out += '\n';
  }
  for (const Change& change : transaction.changes) {
    append_change(out, change);
    out += '\n';
  }
  for (const Gap& gap : transaction.gaps) {
    append_gap(out, transaction, gap);
    out += '\n';
  }
  return out;
}

bool is_json(std::string_view text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag>(
      text.data(), text.size());
  return !document.HasParseError();
}

void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(ROWTRAIL_TEST_DATA) + "/golden/" + name;
  if (std::getenv("ROWTRAIL_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream expected;
  expected << in.rdbuf();
  CHECK(text == expected.str());
}

}  // namespace rowtrail::normalize::test
