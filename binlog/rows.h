// Rows of one RowsEvent → cells. The event's bytes are copied once into the arena; cells point
// there.
#pragma once

#include "binlog/arena.h"
#include "binlog/cell.h"
#include "binlog/event.h"
#include "core/core.h"

#include <span>
#include <string>

namespace rowtrail::binlog {

class Cursor;

/// One decoded row, a cell per column of the table. An insert has no before, a delete no after.
struct Row {
  std::span<const Cell> before;
  std::span<const Cell> after;
};

class RowsReader {
 public:
  /// `event` and its schema must outlive the reader; `arena` must outlive the rows.
  RowsReader(const RowsEvent& event, Arena& arena);

  /// The next row, or false at the end or after an error.
  [[nodiscard]] bool next(Row& row);
  /// Bytes of the event that next() has not read: a reader of the event's last bytes goes on there.
  [[nodiscard]] std::size_t remaining() const noexcept { return rest_.size(); }
  /// Set when next() returned false because the bytes are wrong; names the table and column.
  [[nodiscard]] const core::Error* error() const noexcept { return failed_ ? &error_ : nullptr; }

 private:
  /// One image of a row: which columns it logs, and how many.
  struct Image {
    std::span<const std::byte> columns;
    std::size_t logged = 0;
  };
  bool read_image(const Image& image, Cursor& in, std::span<const Cell>& out);
  /// The after image of PARTIAL_UPDATE_ROWS, whose JSON columns may be diffs to `before`.
  bool read_partial_image(Cursor& in, std::span<const Cell> before, std::span<const Cell>& out);
  bool read_json_diff(Cursor& in, const Column& column, const Cell& before, Cell& out);
  bool read_cell(Cursor& in, const Column& column, Cell& out);
  bool fail(core::Errc code, std::string message);

  const TableSchema& schema_;
  Arena& arena_;
  RowsKind kind_;
  Image before_;
  Image after_;
  std::span<const std::byte> rest_;
  core::Error error_;
  bool copy_cells_ = false;  // the event is too large to be copied whole
  bool partial_json_;        // the event is PARTIAL_UPDATE_ROWS
  bool failed_ = false;
  bool is_first_ = true;
};

}  // namespace rowtrail::binlog
