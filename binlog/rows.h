// Rows of one RowsEvent → cells. The event's bytes are copied once into the arena; cells point there.
#pragma once

#include <span>

#include "binlog/arena.h"
#include "binlog/cell.h"
#include "binlog/event.h"
#include "core/core.h"

namespace rowtrail::binlog {

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
  /// Set when next() returned false because the bytes are wrong; names the table and column.
  [[nodiscard]] const core::Error* error() const noexcept { return failed_ ? &error_ : nullptr; }

 private:
  bool read_image(std::span<const std::byte> columns, std::span<Cell> cells);

  const RowsEvent& event_;
  const TableSchema& schema_;
  Arena& arena_;
  std::span<const std::byte> rest_;
  core::Error error_;
  bool failed_ = false;
};

}  // namespace rowtrail::binlog
