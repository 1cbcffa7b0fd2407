#include "render.h"

#include <iterator>

#include <fmt/format.h>
#include <libdeflate.h>

namespace rowtrail::test {
namespace {

using namespace binlog;  // NOLINT(google-build-using-namespace): a test

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 600;
  if (text.size() > kShown) {
    return fmt::format("{}…({} bytes, crc {:08x})", quoted(text.substr(0, 40)), text.size(),
                       libdeflate_crc32(0, text.data(), text.size()));
  }
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string render_image(std::span<const Cell> cells, const TableSchema& schema) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].kind == CellKind::Absent) continue;
    fmt::format_to(std::back_inserter(out), "\n    {} = {}", schema.columns[i].name,
                   render_cell(cells[i], schema.columns[i]));
  }
  return out;
}

std::string render_schema(const TableSchema& schema) {
  std::string out =
      fmt::format("{}.{} names {}", schema.database, schema.table, schema.names_known);
  for (const auto& column : schema.columns) {
    auto type = column.sql_type();
    if (type.size() > 200) type = fmt::format("{}…", type.substr(0, 100));
    fmt::format_to(std::back_inserter(out), "\n    {} {}{}{} collation {}", column.name, type,
                   column.nullable ? "" : " not null", column.visible ? "" : " invisible",
                   column.collation);
  }
  out += "\n    key";
  for (const auto index : schema.primary_key) fmt::format_to(std::back_inserter(out), " {}", index);
  return out;
}

std::string render_rows(const RowsEvent& event) {
  const auto& schema = **event.schema;
  std::string out = fmt::format("{}.{}{}", schema.database, schema.table,
                                event.ends_statement ? " (statement ends)" : "");
  Arena arena;
  RowsReader reader(event, arena);
  Row row;
  while (reader.next(row)) {
    if (!row.before.empty()) out.append("\n  before").append(render_image(row.before, schema));
    if (!row.after.empty()) out.append("\n  after").append(render_image(row.after, schema));
  }
  if (reader.error() != nullptr) out.append("\n  error: ").append(reader.error()->message);
  return out;
}

struct Body {
  std::string operator()(const Ignored&) const { return ""; }
  std::string operator()(const FormatDescription& e) const {
    return fmt::format("version {} checksum {}", e.server_version, e.has_checksum);
  }
  std::string operator()(const Rotate& e) const { return fmt::format("to {}:{}", e.file, e.pos); }
  std::string operator()(const GtidEvent& e) const {
    return fmt::format("{} transaction_bytes {} commit times {}",
                       e.gtid.empty() ? "anonymous" : e.gtid.text(), e.transaction_bytes,
                       e.immediate_commit_us != 0 && e.original_commit_us != 0);
  }
  std::string operator()(const Query& e) const {
    return fmt::format("[{}] error {} {}", e.database, e.error_code, quoted(e.sql));
  }
  std::string operator()(const RowsQuery& e) const { return quoted(e.sql); }
  std::string operator()(const TableMap& e) const { return render_schema(**e.schema); }
  std::string operator()(const RowsEvent& e) const { return render_rows(e); }
  std::string operator()(const Xid&) const { return ""; }
  std::string operator()(const XaPrepare& e) const {
    return fmt::format("{} {} {} one phase {}", e.id.format, quoted(e.id.gtrid), quoted(e.id.bqual),
                       e.one_phase);
  }
  std::string operator()(const Heartbeat& e) const { return fmt::format("{}:{}", e.file, e.pos); }
  std::string operator()(const PreviousGtids& e) const {
    return hex({reinterpret_cast<const char*>(e.encoded.data()), e.encoded.size()});
  }
  std::string operator()(const Incident& e) const {
    return fmt::format("{} {}", e.code, e.message);
  }
  std::string operator()(const Stop&) const { return ""; }
};

std::string render_event(const Event& event) {
  return fmt::format("{} {} {}\n", event.start, event_type_name(event.header.type),
                     std::visit(Body{}, event.body));
}

}  // namespace

std::string render_cell(const Cell& cell, const Column& column) {
  const auto clock = [&](std::uint64_t us) { return fmt::format("{:06} fsp {}", us, cell.fsp); };
  switch (cell.kind) {
    case CellKind::Absent:
      return "absent";
    case CellKind::Null:
      return "null";
    case CellKind::Int:
      return fmt::format("int {}", cell.i);
    case CellKind::UInt:
      return fmt::format("uint {}", cell.u);
    case CellKind::Float:
      return fmt::format("float {}", static_cast<float>(cell.d));
    case CellKind::Double:
      return fmt::format("double {}", cell.d);
    case CellKind::Decimal:
      return fmt::format("decimal {}", cell.text());
    case CellKind::Text:
      return fmt::format("text {}", quoted(cell.text()));
    case CellKind::Bytes:
      return fmt::format("bytes {}", cell.size > 64 ? quoted(cell.text()) : hex(cell.text()));
    case CellKind::Date:
      return fmt::format("date {:04}-{:02}-{:02}", cell.u >> 9, (cell.u >> 5) & 15, cell.u & 31);
    case CellKind::DateTime: {
      const auto p = unpack_datetime(cell.u);
      return fmt::format("datetime {:04}-{:02}-{:02} {:02}:{:02}:{:02}.{}", p.year, p.month, p.day,
                         p.hour, p.minute, p.second, clock(p.microsecond));
    }
    case CellKind::Timestamp:
      return cell.i == 0 ? "timestamp zero"
                         : fmt::format("timestamp {}", format_utc(cell.i, cell.fsp));
    case CellKind::Time: {
      const auto us = static_cast<std::uint64_t>(cell.i < 0 ? -cell.i : cell.i);
      const auto s = us / 1000000;
      return fmt::format("time {}{:02}:{:02}:{:02}.{}", cell.i < 0 ? "-" : "", s / 3600,
                         s / 60 % 60, s % 60, clock(us % 1000000));
    }
    case CellKind::Enum:
      return fmt::format("enum {} {}", cell.u,
                         cell.u == 0 ? "(invalid)" : column.labels.at(cell.u - 1));
    case CellKind::Set: {
      std::string out = "set";
      for (std::size_t i = 0; i < 64; ++i) {
        if ((cell.u >> i & 1U) != 0)
          fmt::format_to(std::back_inserter(out), " {}", quoted(column.labels.at(i)));
      }
      return out;
    }
    case CellKind::Json:
      return fmt::format("json {}",
                         cell.text().size() > 600 ? quoted(cell.text()) : std::string(cell.text()));
    case CellKind::Geometry:
      return fmt::format("geometry {}", cell.text());
    case CellKind::Vector:
      return fmt::format("vector {}", cell.text());
    case CellKind::Uuid:
      return fmt::format("uuid {}", cell.text());
    case CellKind::Wire:
      return fmt::format("wire type {} {}", cell.wire_type, hex(cell.text().substr(0, 64)));
    case CellKind::Masked:
    case CellKind::Digest:
      return fmt::format("digest {}", hex(cell.text()));
  }
  return "?";
}

std::string render_file(const std::string& path) {
  std::string out;
  const auto source = open_file_source({path});
  Decoder decoder;
  while (true) {
    const auto raw = source->next();
    if (!raw) return out.append(fmt::format("error: {}\n", raw.error().message));
    if (raw->empty()) return out;
    if (auto name = source->take_new_file(); !name.empty()) {
      decoder.set_position(name, source->new_file_pos());
    }
    auto event = decoder.decode(*raw);
    while (event && decoder.has_inner()) {
      out.append(render_event(*event));
      event = decoder.next_inner();
    }
    if (!event) return out.append(fmt::format("error: {}\n", event.error().message));
    out.append(render_event(*event));
  }
}

}  // namespace rowtrail::test
