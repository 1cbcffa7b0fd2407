#include "binlog/rows.h"

#include "binlog/column_types.h"
#include "binlog/cursor.h"
#include "binlog/json_diff.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

/// Events up to this size are copied into the arena whole, and cells point into the copy.
constexpr std::size_t kCopyWholeMax = 1024 * 1024;

std::size_t count_bits(ByteView bitmap) {
  std::size_t count = 0;
  for (const auto byte : bitmap)
    count += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(byte)));
  return count;
}

}  // namespace

RowsReader::RowsReader(const RowsEvent& event, Arena& arena)
    : schema_(**event.schema),
      arena_(arena),
      kind_(event.kind),
      before_{event.before_columns, count_bits(event.before_columns)},
      after_{event.after_columns, count_bits(event.after_columns)},
      rest_(event.rows),
      copy_cells_(event.rows.size() > kCopyWholeMax),
      partial_json_(event.partial_json) {
  if (!copy_cells_) rest_ = arena.copy(event.rows);
}

bool RowsReader::fail(core::Errc code, std::string message) {
  error_ = {code, std::move(message)};
  failed_ = true;
  return false;
}

bool RowsReader::next(Row& row) {
  row = {};
  if (failed_) return false;
  if (rest_.empty()) {
    // A row whose images log no column takes no bytes: INSERT INTO t VALUES () with the minimal
    // image (Rows_log_event::do_apply_event runs at least once). Such an event stands for one row.
    const bool is_bare = is_first_ && before_.logged + after_.logged == 0;
    is_first_ = false;
    if (!is_bare) return false;
  }
  is_first_ = false;
  Cursor in(rest_);
  if (kind_ != RowsKind::Insert && !read_image(before_, in, row.before)) return false;
  if (kind_ != RowsKind::Delete && !(partial_json_ ? read_partial_image(in, row.before, row.after)
                                                   : read_image(after_, in, row.after))) {
    return false;
  }
  if (in.remaining() == rest_.size() && !rest_.empty()) {
    return fail(core::Errc::Malformed, fmt::format("{}.{}: a row of no columns has bytes",
                                                   schema_.database, schema_.table));
  }
  rest_ = in.rest();
  return true;
}

bool RowsReader::read_image(const Image& image, Cursor& in, std::span<const Cell>& out) {
  const auto& columns = schema_.columns;
  const auto nulls = in.take((image.logged + 7) / 8);
  if (!in.ok()) {
    return fail(core::Errc::Truncated, fmt::format("{}.{}: a row ends inside its null bitmap",
                                                   schema_.database, schema_.table));
  }
  const auto cells = arena_.make_span<Cell>(columns.size());
  const bool is_full = image.logged == columns.size();
  std::size_t logged = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    auto& cell = cells[i];
    cell = Cell{};
    if (!is_full && !bit(image.columns, i)) continue;
    if (bit(nulls, logged++)) {
      cell.kind = CellKind::Null;
    } else if (!read_cell(in, columns[i], cell)) {
      return false;
    }
  }
  out = cells;
  return true;
}

bool RowsReader::read_cell(Cursor& in, const Column& column, Cell& out) {
  CellContext context{arena_, copy_cells_};
  column.codec->decode(in, column, context, out);
  if (in.ok()) [[likely]]
    return true;
  return fail(core::Errc::Malformed,
              fmt::format("{}.{}: column {} ({}) cannot be decoded: its bytes are cut short or not "
                          "a value of its type",
                          schema_.database, schema_.table, column.name, column.codec->name));
}

//   ┌ options, lenenc ┬ [bit 0 set: a bit per JSON column of the table] ┬ null bitmap ┬ values … ┐
bool RowsReader::read_partial_image(Cursor& in, std::span<const Cell> before,
                                    std::span<const Cell>& out) {
  constexpr std::uint64_t kPartialJson = 1;
  const auto& columns = schema_.columns;
  const auto is_json = [](const Column& column) { return column.codec->type == ColumnType::Json; };
  const auto json_columns = std::count_if(columns.begin(), columns.end(), is_json);
  ByteView diff_bits;
  if ((in.lenenc() & kPartialJson) != 0) {
    diff_bits = in.take((static_cast<std::size_t>(json_columns) + 7) / 8);
  }
  const auto nulls = in.take((after_.logged + 7) / 8);
  if (!in.ok()) {
    return fail(core::Errc::Truncated, fmt::format("{}.{}: a row ends inside its bitmaps",
                                                   schema_.database, schema_.table));
  }
  const auto cells = arena_.make_span<Cell>(columns.size());
  std::size_t logged = 0, json = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    auto& cell = cells[i];
    cell = Cell{};
    // Every JSON column of the table has its bit, those that the image lacks too.
    const bool is_diff = is_json(columns[i]) && !diff_bits.empty() && bit(diff_bits, json++);
    if (!bit(after_.columns, i)) continue;
    if (bit(nulls, logged++)) {
      cell.kind = CellKind::Null;
    } else if (!(is_diff ? read_json_diff(in, columns[i], before[i], cell)
                         : read_cell(in, columns[i], cell))) {
      return false;
    }
  }
  out = cells;
  return true;
}

bool RowsReader::read_json_diff(Cursor& in, const Column& column, const Cell& before, Cell& out) {
  const auto raw = in.take(in.u32());
  const auto where = [&] {
    return fmt::format("{}.{}: column {}", schema_.database, schema_.table, column.name);
  };
  if (!in.ok()) {
    return fail(core::Errc::Truncated, fmt::format("{}: a JSON diff is cut short", where()));
  }
  if (before.kind != CellKind::Json && before.kind != CellKind::Null) {
    // The document is not there to apply the diff to (row image MINIMAL or NOBLOB): kept as it is.
    CellContext context{arena_, copy_cells_};
    set_wire(out, column, raw, context);
    out.wire_type = kWireJsonDiff;
    return true;
  }
  const auto text = before.kind == CellKind::Null
                        ? core::Result<std::string_view>(core::Error{
                              core::Errc::Malformed, "a JSON diff has no document to change"})
                        : apply_json_diff(before.text(), raw, arena_);
  if (!text) return fail(text.error().code, fmt::format("{}: {}", where(), text.error().message));
  set_text(out, CellKind::Json, *text);
  return true;
}

}  // namespace rowtrail::binlog
