#include "normalize/xa.h"

#include "normalize/json_writer.h"
#include "normalize/sql.h"

#include <algorithm>

#include <fmt/format.h>

namespace rowtrail::normalize {
namespace {

using binlog::Cursor;
using core::Errc;
using core::Error;
using core::Result;

constexpr std::uint8_t kVersion = 1;
constexpr int kSizeBytes = 4;

std::string hex(std::string_view bytes) {
  std::string out;
  JsonWriter(out).hex(bytes);
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string from_hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    const int high = hex_digit(digits[i]);
    const int low = hex_digit(digits[i + 1]);
    if (high < 0 || low < 0) break;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

/// 'a1', X'6131' or 0x6131 at `token`; moves behind it.
std::string take_bytes(SqlLexer& lexer, SqlToken& token) {
  const bool is_hex = token.is("X");
  if (is_hex) token = lexer.next();
  std::string value;
  if (token.kind == SqlToken::Kind::String) {
    value = is_hex ? from_hex(token.text.substr(1, token.text.size() - 2)) : token.name();
  } else if (token.kind == SqlToken::Kind::Word && token.text.starts_with("0x")) {
    value = from_hex(token.text.substr(2));
  }
  token = lexer.next();
  return value;
}

void put(std::string& out, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) {
    out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

void put(std::string& out, std::span<const std::byte> bytes) {
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

std::string xid_text(const binlog::XaId& xid) {
  return fmt::format("X'{}',X'{}',{}", hex(xid.gtrid), hex(xid.bqual), xid.format);
}

XaStatement parse_xa_statement(std::string_view sql) {
  SqlLexer lexer(sql);
  lexer.next();  // XA
  XaStatement statement;
  SqlToken token = lexer.next();
  statement.verb = token.upper();
  token = lexer.next();
  const std::string gtrid = take_bytes(lexer, token);
  std::string bqual;
  std::uint32_t format = 1;
  if (token.is_mark(',')) {
    token = lexer.next();
    bqual = take_bytes(lexer, token);
  }
  if (token.is_mark(',')) {
    token = lexer.next();
    format = static_cast<std::uint32_t>(std::strtoul(std::string(token.text).c_str(), nullptr, 10));
  }
  statement.xid = xid_text({format, gtrid, bqual});
  return statement;
}

std::string XaTables::encode() const {
  std::string out;
  put(out, kVersion, 1);
  put(out, static_cast<std::uint8_t>(flavor), 1);
  put(out, thread_id, 4);
  for (const Table& table : tables) {
    put(out, table.has_partial_images ? 1 : 0, 1);
    put(out, table.body.size(), kSizeBytes);
    out += table.body;
  }
  return out;
}

Result<XaTables> XaTables::parse(std::string_view encoded) {
  Cursor in(as_bytes(encoded));
  XaTables out;
  const auto version = in.u8();
  out.flavor = in.u8() == 0 ? binlog::Flavor::MySql : binlog::Flavor::MariaDb;
  out.thread_id = in.u32();
  while (in.ok() && version == kVersion && !in.at_end()) {
    Table table;
    table.has_partial_images = in.u8() != 0;
    const auto body = in.take(in.u32());
    if (!in.ok()) break;
    auto schema = binlog::parse_table_map(body, out.flavor);
    if (!schema) return schema.error();
    table.schema = std::move(*schema);
    put(table.body, body);
    out.tables.push_back(std::move(table));
  }
  if (in.ok() && version == kVersion) return out;
  return Error{Errc::Malformed, "what was kept of a prepared XA transaction is damaged"};
}

void XaRecorder::begin(binlog::Flavor flavor) {
  take_tables();
  take_events();
  tables_.flavor = flavor;
}

std::string XaRecorder::take_events() {
  return std::exchange(events_, {});
}

XaTables XaRecorder::take_tables() {
  announced_.clear();
  return std::exchange(tables_, {});
}

void XaRecorder::announce(const binlog::TableMap& map) {
  const auto [known, is_new] =
      announced_.try_emplace(map.schema->get(), Announced{*map.schema, {}, kNoIndex});
  if (is_new) put(known->second.body, map.body);
}

/// Another map may say the same: one table for each layout.
std::size_t XaRecorder::index_of(Announced& table) {
  if (table.index != kNoIndex) return table.index;
  auto& kept = tables_.tables;
  const auto same = std::find_if(kept.begin(), kept.end(), [&](const XaTables::Table& other) {
    return other.schema->layout_hash == table.schema->layout_hash &&
           other.schema->table == table.schema->table &&
           other.schema->database == table.schema->database;
  });
  table.index = static_cast<std::size_t>(same - kept.begin());
  if (same == kept.end()) kept.push_back({table.schema, std::move(table.body), false});
  return table.index;
}

void XaRecorder::open_item(char tag) {
  events_ += tag;
  put(events_, 0, kSizeBytes);
  item_ = events_.size();
}

void XaRecorder::close_item() {
  const std::size_t size = events_.size() - item_;
  for (std::size_t i = 0; i < kSizeBytes; ++i) {
    events_[item_ - kSizeBytes + i] = static_cast<char>(static_cast<unsigned char>(size >> 8 * i));
  }
}

void XaRecorder::keep(const binlog::RowsQuery& text) {
  open_item('Q');
  events_ += text.sql;
  close_item();
}

void XaRecorder::keep(const binlog::Query& statement) {
  open_item('S');
  put(events_, statement.error_code, 2);
  put(events_, statement.database.size(), 1);
  events_ += statement.database;
  events_ += statement.sql;
  close_item();
}

bool XaRecorder::keep(const binlog::RowsEvent& rows, bool whole_images) {
  const auto announced = announced_.find(rows.schema->get());
  if (announced == announced_.end()) return false;
  const std::size_t index = index_of(announced->second);
  if (!whole_images) tables_.tables[index].has_partial_images = true;
  open_item('R');
  put(events_, static_cast<std::uint8_t>(rows.kind), 1);
  put(events_, rows.ends_statement ? 1 : 0, 1);
  put(events_, rows.partial_json ? 1 : 0, 1);
  put(events_, rows.flags, 2);
  put(events_, index, 4);
  put(events_, rows.before_columns);
  put(events_, rows.after_columns);
  put(events_, rows.rows);
  close_item();
  return true;
}

}  // namespace rowtrail::normalize
