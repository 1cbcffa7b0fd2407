// The part of the Normalizer that says what could not be captured or trusted: one Gap for each
// cause, with what happened and what to do about it.
#include "normalize/normalizer.h"
#include "normalize/sql.h"

#include <fmt/format.h>

namespace rowtrail::normalize {
namespace {

/// What a Gap counts against match_bytes_max, besides its SQL.
constexpr std::size_t kBytesPerGap = 512;

/// Does a row image log every column of its table? Bits behind the last column do not count.
bool is_full(std::span<const std::byte> bitmap, std::size_t columns) {
  const std::size_t whole = columns / 8;
  const auto rest = static_cast<unsigned>((1U << (columns % 8)) - 1);
  if (bitmap.size() < (columns + 7) / 8) return false;
  for (std::size_t i = 0; i < whole; ++i) {
    if (bitmap[i] != std::byte{0xFF}) return false;
  }
  return rest == 0 || (std::to_integer<unsigned>(bitmap[whole]) & rest) == rest;
}

}  // namespace

void Normalizer::add_gap(Gap gap) {
  gap.ordinal = next_ordinal_;
  gap.file = *file_;
  gap.pos = event_->start;
  part_bytes_ += kBytesPerGap + gap.sql.size();
  open_->gaps.push_back(std::move(gap));
}

/// A statement that changed rows, logged as text. It stands in its group beside rows that were
/// logged as rows (MIXED), or alone.
void Normalizer::on_statement_dml(const binlog::Query& query, const SqlSummary& sql) {
  if (stage_ == Stage::Idle) begin({}, query.thread_id);
  if (part_is_full()) start_next_part();
  Gap gap;
  gap.kind = GapKind::StatementDml;
  gap.database = sql.database;
  gap.table = sql.table;
  gap.reason = fmt::format(
      "{} was logged as a statement, not as rows: which rows it changed cannot be known", sql.verb);
  if (query.error_code != 0) {
    gap.reason += fmt::format("; it failed half-way with error {}", query.error_code);
  }
  gap.advice =
      "SET GLOBAL binlog_format = ROW, reconnect the applications, then take a snapshot of the "
      "table";
  gap.sql = masked_sql(scrub_credentials(query.sql));
  add_gap(std::move(gap));
  if (stage_ != Stage::Group) commit();
}

/// ROLLBACK is logged where a table without transactions was changed too. Its rows stay; those of
/// transactional tables were undone, and the log does not tell which are which.
void Normalizer::add_rolled_back_gap() {
  Gap gap;
  gap.kind = GapKind::RolledBack;
  gap.reason =
      "the server logged rows and then a ROLLBACK: rows of tables without transactions (MyISAM, "
      "Aria) "
      "stay changed, rows of transactional tables do not";
  gap.advice = "compare the tables with the server; convert them to InnoDB";
  add_gap(std::move(gap));
}

void Normalizer::add_xa_gap() {
  Gap gap;
  gap.kind = GapKind::XaUnknown;
  gap.reason = fmt::format(
      "XA transaction {} committed, but its rows are not known: they were logged at its XA "
      "PREPARE, before reading began",
      open_->xid);
  gap.advice = "take a snapshot of the tables it changed";
  add_gap(std::move(gap));
}

void Normalizer::add_unfinished_gap() {
  Gap gap;
  gap.kind = GapKind::UnfinishedTransaction;
  gap.file = open_->file;
  gap.pos = open_->start_pos;
  gap.reason = fmt::format(
      "transaction {} at {}:{} has no end: the server died while it wrote it and rolled it back",
      open_->id, open_->file, open_->start_pos);
  gap.advice = "nothing is lost, unless a replica of the server applied it";
  next_gaps_.push_back(std::move(gap));
}

namespace {

Gap gap_of_layout(GapKind kind, const VersionedSchema& layout) {
  Gap gap;
  gap.kind = kind;
  gap.database = layout.schema->database;
  gap.table = layout.schema->table;
  gap.schema_version = layout.version;
  return gap;
}

}  // namespace

void Normalizer::add_names_gap(const VersionedSchema& layout) {
  Gap gap = gap_of_layout(GapKind::UnknownNames, layout);
  gap.reason = "the server did not log the column names: they are called @1, @2 …";
  gap.advice = "SET GLOBAL binlog_row_metadata = FULL";
  add_gap(std::move(gap));
}

bool Normalizer::is_whole(const binlog::RowsEvent& rows) {
  const std::size_t columns = (*rows.schema)->columns.size();
  return (rows.kind == binlog::RowsKind::Insert || is_full(rows.before_columns, columns)) &&
         (rows.kind == binlog::RowsKind::Delete || is_full(rows.after_columns, columns));
}

/// Images that lack columns are told once for each layout.
void Normalizer::tell_partial_images(const VersionedSchema& layout) {
  if (!layouts_.tell_partial_image(layout.schema)) return;
  Gap gap = gap_of_layout(GapKind::PartialImage, layout);
  gap.reason = "the server does not log whole rows: columns that are absent are not known";
  gap.advice = "SET GLOBAL binlog_row_image = FULL, and reconnect the applications";
  add_gap(std::move(gap));
}

}  // namespace rowtrail::normalize
