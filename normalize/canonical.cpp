#include "normalize/canonical.h"

#include "normalize/cell_text.h"
#include "normalize/json_writer.h"

#include <algorithm>
#include <array>
#include <optional>

namespace rowtrail::normalize {
namespace {

using binlog::Cell;
using binlog::CellKind;
using binlog::Column;
using binlog::TableSchema;
using Image = std::span<const Cell>;

void write_number(JsonWriter& to, std::string_view name, std::uint64_t value) {
  to.need(name.size() + JsonWriter::kScalarMax);
  to.raw(name);
  to.uint(value);
}

void write_text(JsonWriter& to, std::string_view name, std::string_view value) {
  to.raw(name);
  to.string(value);
}

/// SQL text may hold any bytes (a literal of a BLOB, a client in another charset). Readable text
/// stands under `name`; where that lost something, the exact bytes stand beside it.
void write_sql(JsonWriter& to, std::string_view name, std::string_view sql) {
  to.raw(",\"");
  to.raw(name);
  to.raw("\":");
  to.string(sql);
  if (is_utf8(sql)) return;
  to.raw(",\"");
  to.raw(name);
  to.raw("_bytes\":\"");
  to.base64(sql);
  to.raw('"');
}

/// What one Change is rendered with.
struct Layout {
  const TableSchema& schema;
  const SchemaText& text;

  /// `,"name":`, room for a scalar behind it.
  void write_key(JsonWriter& to, std::size_t column) const {
    const std::uint32_t start = text.starts[column];
    const std::size_t size = text.starts[column + 1] - start;
    to.need(size + JsonWriter::kPadding + JsonWriter::kScalarMax);
    to.copy_padded(text.keys.data() + start, size);
  }
};

/// The object that `count` calls of `write_member(i)` fill, each beginning with a comma.
template <class WriteMember>
void write_object(JsonWriter& to, std::size_t count, WriteMember write_member) {
  const std::size_t start = to.size();
  for (std::size_t i = 0; i < count; ++i) write_member(i);
  to.enclose(start, '{', '}');
}

/// Returns true when some value needs a note in `cells`.
bool write_image(JsonWriter& to, const Layout& layout, Image image) {
  if (image.empty()) {
    to.raw("null");
    return false;
  }
  bool noted = false;
  write_object(to, image.size(), [&](std::size_t i) {
    if (image[i].kind == CellKind::Absent) return;
    layout.write_key(to, i);
    noted |= write_cell(to, image[i], layout.schema.columns[i]);
  });
  return noted;
}

/// The cell that holds key column `column` of `image`; the other image's where this one lacks it.
const Cell* key_cell(Image image, Image other, std::uint32_t column) {
  if (column < image.size() && image[column].kind != CellKind::Absent) return &image[column];
  if (column < other.size() && other[column].kind != CellKind::Absent) return &other[column];
  return nullptr;
}

bool has_key(const TableSchema& schema, Image image, Image other) {
  if (schema.primary_key.empty()) return false;
  for (const std::uint32_t column : schema.primary_key) {
    if (key_cell(image, other, column) == nullptr) return false;
  }
  return true;
}

void write_key_object(JsonWriter& to, const Layout& layout, Image image, Image other) {
  if (!has_key(layout.schema, image, other)) return to.raw("null");
  write_object(to, layout.schema.primary_key.size(), [&](std::size_t i) {
    const std::uint32_t column = layout.schema.primary_key[i];
    layout.write_key(to, column);
    write_cell(to, *key_cell(image, other, column), layout.schema.columns[column]);
  });
}

bool key_changed(const TableSchema& schema, Image before, Image after) {
  if (before.empty() || after.empty()) return false;
  for (const std::uint32_t column : schema.primary_key) {
    const Cell& was = before[column];
    const Cell& is = after[column];
    if (was.kind == CellKind::Absent || is.kind == CellKind::Absent) continue;
    if (!(was == is)) return true;
  }
  return false;
}

/// Logged in the after image and not equal to what the before image has. The minimal row image logs
/// after a change only what was set, and not what it was before: that counts as changed.
bool column_changed(Image before, Image after, std::size_t column) {
  return after[column].kind != CellKind::Absent && !(before[column] == after[column]);
}

void write_changed(JsonWriter& to, const Layout& layout, Image before, Image after) {
  to.raw(",\"changed\":");
  const std::size_t start = to.size();
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (!column_changed(before, after, i)) continue;
    layout.write_key(to, i);
    to.drop_last();  // the colon
  }
  to.enclose(start, '[', ']');
}

void write_notes(JsonWriter& to, const TableSchema& schema, std::string_view prefix, Image image) {
  std::string name;
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (!cell_needs_note(image[i], schema.columns[i])) continue;
    name.assign(prefix);
    name += schema.columns[i].name;
    to.raw(',');
    to.string(name);
    to.raw(':');
    write_cell_note(to, image[i]);
  }
}

void write_cells(JsonWriter& to, const TableSchema& schema, const Change& change) {
  to.raw(",\"cells\":");
  const std::size_t start = to.size();
  write_notes(to, schema, "old.", change.before);
  write_notes(to, schema, "new.", change.after);
  to.enclose(start, '{', '}');
}

/// pk, old_pk, old, new, changed, cells, schema_version.
void write_row(JsonWriter& to, const Layout& layout, const Change& change) {
  const TableSchema& schema = layout.schema;
  const Image now = change.after.empty() ? change.before : change.after;
  const Image other = change.after.empty() ? change.after : change.before;
  to.raw("\",\"pk\":");
  write_key_object(to, layout, now, other);
  if (key_changed(schema, change.before, change.after)) {
    to.raw(",\"old_pk\":");
    write_key_object(to, layout, change.before, change.after);
  }
  to.raw(",\"old\":");
  bool noted = write_image(to, layout, change.before);
  to.raw(",\"new\":");
  noted |= write_image(to, layout, change.after);
  if (!change.before.empty() && !change.after.empty()) {
    write_changed(to, layout, change.before, change.after);
  }
  if (noted) write_cells(to, schema, change);
  write_number(to, ",\"schema_version\":", change.schema_version);
}

void write_row_change(JsonWriter& to, const Change& change) {
  std::optional<SchemaText> made;  // by hand: outside the normalizer
  const SchemaText& text = change.text != nullptr ? *change.text : made.emplace(*change.schema);
  to.raw(text.head);
  to.raw(op_name(change.op));
  write_row(to, Layout{*change.schema, text}, change);
}

void write_statement_change(JsonWriter& to, const Change& change) {
  write_text(to, ",\"database\":", change.database);
  write_text(to, ",\"table\":", change.table);
  write_text(to, ",\"op\":", op_name(change.op));
  write_sql(to, "sql", change.sql);
}

void write_place(JsonWriter& to, const Transaction& transaction, std::string_view file,
                 std::uint64_t pos) {
  write_text(to, "\"source\":", transaction.source);
  write_text(to, ",\"transaction\":", transaction.id);
  write_text(to, ",\"position\":{\"file\":", file);
  write_number(to, ",\"pos\":", pos);
  to.raw("},\"committed_at\":\"");
  write_utc(to, transaction.committed_at_us, transaction.committed_at_has_fraction ? 6 : 0);
  to.raw('"');
}

void write_column(JsonWriter& to, const Column& column) {
  write_text(to, ",{\"name\":", column.name);
  write_text(to, ",\"type\":", column.sql_type());
  to.raw(column.nullable ? ",\"nullable\":true" : ",\"nullable\":false");
  if (!column.visible) to.raw(",\"visible\":false");
  if (!column.sign_known) to.raw(",\"sign_known\":false");
  if (column.collation != 0) write_number(to, ",\"collation\":", column.collation);
  if (!column.labels.empty()) {
    to.raw(",\"labels\":");
    const std::size_t start = to.size();
    for (const std::string& label : column.labels) write_text(to, ",", label);
    to.enclose(start, '[', ']');
  }
  to.raw('}');
}

}  // namespace

SchemaText::SchemaText(const TableSchema& schema) {
  JsonWriter to(head);
  write_text(to, ",\"database\":", schema.database);
  write_text(to, ",\"table\":", schema.table);
  to.raw(",\"op\":\"");
  JsonWriter names(keys);
  starts.reserve(schema.columns.size() + 1);
  for (const Column& column : schema.columns) {
    starts.push_back(static_cast<std::uint32_t>(names.size()));
    write_text(names, ",", column.name);
    names.raw(':');
  }
  starts.push_back(static_cast<std::uint32_t>(names.size()));
  names.raw(std::string_view("                ", JsonWriter::kPadding));
}

void append_json_string(std::string& out, std::string_view text) {
  JsonWriter(out).string(text);
}

void append_cell(std::string& out, const Cell& cell, const Column& column) {
  JsonWriter to(out);
  write_cell(to, cell, column);
}

void append_key(std::string& out, const Change& change, Image image) {
  JsonWriter to(out);
  if (change.schema == nullptr || image.empty()) return to.raw("null");
  std::optional<SchemaText> made;
  const SchemaText& text = change.text != nullptr ? *change.text : made.emplace(*change.schema);
  const Image other = image.data() == change.after.data() ? change.before : change.after;
  write_key_object(to, Layout{*change.schema, text}, image, other);
}

bool key_moved(const Change& change) {
  return change.schema != nullptr && key_changed(*change.schema, change.before, change.after);
}

void append_old_key(std::string& out, const Change& change) {
  if (key_moved(change)) append_key(out, change, change.before);
}

std::string_view statement_text(const Transaction& transaction, const Change& change) {
  if (!change.sql.empty()) return change.sql;
  const auto& statements = transaction.statements;
  const auto found = std::lower_bound(
      statements.begin(), statements.end(), change.ordinal,
      [](const Statement& entry, std::uint32_t ordinal) { return entry.ordinal < ordinal; });
  const bool there = found != statements.end() && found->ordinal == change.ordinal;
  return there ? found->sql : std::string_view();
}

void append_change(std::string& out, const Change& change) {
  JsonWriter to(out);
  write_number(to, "{\"ordinal\":", change.ordinal);
  const bool is_row = change.schema != nullptr;
  if (is_row) {
    write_row_change(to, change);
  } else {
    write_statement_change(to, change);
  }
  if (change.statement != change.ordinal) {
    write_number(to, ",\"statement\":", change.statement);
  } else if (is_row && !change.sql.empty()) {
    write_sql(to, "query", change.sql);
  }
  to.raw('}');
}

void append_transaction(std::string& out, const Transaction& transaction) {
  JsonWriter to(out);
  to.raw('{');
  write_place(to, transaction, transaction.file, transaction.start_pos);
  write_number(to, ",\"server_id\":", transaction.server_id);
  if (transaction.thread_id != 0) write_number(to, ",\"thread_id\":", transaction.thread_id);
  if (!transaction.statements.empty()) {
    to.raw(",\"statements\":");
    const std::size_t start = to.size();
    for (const Statement& statement : transaction.statements) {
      write_number(to, ",{\"ordinal\":", statement.ordinal);
      write_sql(to, "query", statement.sql);
      to.raw('}');
    }
    to.enclose(start, '[', ']');
  }
  to.raw('}');
}

void append_schema(std::string& out, const std::string& source, const VersionedSchema& versioned) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  const TableSchema& schema = *versioned.schema;
  JsonWriter to(out);
  write_text(to, "{\"source\":", source);
  write_text(to, ",\"database\":", schema.database);
  write_text(to, ",\"table\":", schema.table);
  write_number(to, ",\"version\":", versioned.version);
  to.raw(",\"layout\":\"");
  for (int shift = 60; shift >= 0; shift -= 4) {
    to.raw(kHex[static_cast<std::size_t>(schema.layout_hash >> shift & 15)]);
  }
  to.raw(schema.names_known ? "\",\"names_known\":true" : "\",\"names_known\":false");
  to.raw(",\"columns\":");
  std::size_t start = to.size();
  for (const Column& column : schema.columns) write_column(to, column);
  to.enclose(start, '[', ']');
  to.raw(",\"primary_key\":");
  start = to.size();
  for (const std::uint32_t column : schema.primary_key) {
    write_text(to, ",", schema.columns[column].name);
  }
  to.enclose(start, '[', ']');
  to.raw('}');
}

void append_gap(std::string& out, const Transaction& transaction, const Gap& gap) {
  JsonWriter to(out);
  write_text(to, "{\"kind\":", gap_kind_name(gap.kind));
  to.raw(',');
  write_place(to, transaction, gap.file, gap.pos);
  write_number(to, ",\"ordinal\":", gap.ordinal);
  if (!gap.database.empty()) write_text(to, ",\"database\":", gap.database);
  if (!gap.table.empty()) write_text(to, ",\"table\":", gap.table);
  if (gap.schema_version != 0) write_number(to, ",\"schema_version\":", gap.schema_version);
  write_text(to, ",\"reason\":", gap.reason);
  write_text(to, ",\"advice\":", gap.advice);
  if (!gap.sql.empty()) write_sql(to, "sql", gap.sql);
  for (std::size_t n = 0; n < gap.rules.size(); ++n) {
    write_text(to, n == 0 ? ",\"rules\":[" : ",", gap.rules[n]);
  }
  if (!gap.rules.empty()) to.raw(']');
  to.raw('}');
}

}  // namespace rowtrail::normalize
