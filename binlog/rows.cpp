#include "binlog/rows.h"

#include "binlog/column_types.h"
#include "binlog/cursor.h"

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
      copy_cells_(event.rows.size() > kCopyWholeMax) {
  if (!copy_cells_) rest_ = arena.copy(event.rows);
  if (event.partial_json) {
    fail(core::Errc::Unsupported,
         fmt::format("{}.{}: partial JSON updates are not supported by this version; SET GLOBAL "
                     "binlog_row_value_options=''",
                     schema_.database, schema_.table));
  }
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
  if (kind_ != RowsKind::Delete && !read_image(after_, in, row.after)) return false;
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
  CellContext context{arena_, copy_cells_};
  const bool is_full = image.logged == columns.size();
  std::size_t logged = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    auto& cell = cells[i];
    cell = Cell{};
    if (!is_full && !bit(image.columns, i)) continue;
    if (bit(nulls, logged++)) {
      cell.kind = CellKind::Null;
      continue;
    }
    const auto& column = columns[i];
    column.codec->decode(in, column, context, cell);
    if (!in.ok()) [[unlikely]] {
      return fail(core::Errc::Malformed,
                  fmt::format("{}.{}: column {} ({}) cannot be decoded: its bytes are cut short or "
                              "not a value of its type",
                              schema_.database, schema_.table, column.name, column.codec->name));
    }
  }
  out = cells;
  return true;
}

}  // namespace rowtrail::binlog
