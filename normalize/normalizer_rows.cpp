// The half of the Normalizer that fills a transaction: statements, rows, parts, layouts.
#include "normalize/normalizer.h"
#include "normalize/sql.h"

#include <algorithm>
#include <limits>

namespace rowtrail::normalize {
namespace {

using core::Errc;
using core::Result;

// What one row and one cell count against match_bytes_max, whatever the machine.
constexpr std::size_t kBytesPerRow = 128;
constexpr std::size_t kBytesPerCell = 16;
// One event holds less than 2^30 rows.
constexpr std::uint32_t kOrdinalMax = std::numeric_limits<std::uint32_t>::max() >> 1;

}  // namespace

Change& Normalizer::add_change(Op op) {
  Change& change = open_->changes.emplace_back();
  change.op = op;
  change.ordinal = next_ordinal_++;
  return change;
}

void Normalizer::on_ddl(const binlog::Query& query, const SqlSummary& sql) {
  if (stage_ == Stage::Idle) begin({}, query.thread_id);
  if (open_->thread_id == 0) open_->thread_id = query.thread_id;
  Change& change = add_change(sql.kind == SqlKind::Truncate ? Op::Truncate : Op::Ddl);
  change.statement = change.ordinal;
  change.database = open_->arena.copy(sql.database);
  change.table = open_->arena.copy(sql.table);
  change.sql = open_->arena.copy(masked_sql(scrub_credentials(query.sql)));
  part_bytes_ += kBytesPerRow + query.sql.size();
  statement_open_ = false;
  if (stage_ != Stage::Group) commit();  // in a group: CREATE TABLE … SELECT, temporary tables
}

/// The first row of a statement was met: from here on rows belong to it.
void Normalizer::begin_statement() {
  statement_open_ = true;
  statement_ordinal_ = next_ordinal_;
  if (pending_sql_.empty()) return;
  if (masked_statement_ || masked_release_) {
    pending_sql_ = fingerprint_sql(pending_sql_);
  } else {
    pending_sql_ = masked_sql(std::move(pending_sql_));
  }
  open_->statements.push_back({statement_ordinal_, open_->arena.copy(pending_sql_)});
  part_bytes_ += pending_sql_.size();
  pending_sql_.clear();
}

/// The transaction record was written with the first part: later statements' text goes with a
/// Change.
void Normalizer::tell_statement(Change& change) const {
  if (open_->statements.empty()) return;
  const Statement& last = open_->statements.back();
  if (last.ordinal == change.ordinal) change.sql = last.sql;
}

/// Hands over what there is of the open transaction; its next rows go into a new part.
void Normalizer::start_next_part() {
  event_time_us_ = std::max(event_time_us_, open_->committed_at_us);
  auto next = fresh();
  next->source = open_->source;
  next->id = open_->id;
  next->gtid = open_->gtid;
  next->file = open_->file;
  next->start_pos = open_->start_pos;
  next->committed_at_us = open_->committed_at_us;
  next->committed_at_has_fraction = open_->committed_at_has_fraction;
  next->server_id = open_->server_id;
  next->thread_id = open_->thread_id;
  next->first_part = false;
  open_->event_time_us = event_time_us_;
  open_->end_pos = event_->end;
  open_->last_part = false;
  done_.push_back(std::move(open_));
  open_ = std::move(next);
  part_bytes_ = 0;
  last_layout_ = 0;
}

bool Normalizer::part_is_full() const {
  const auto bytes_max = open_->first_part ? options_.match_bytes_max
                                           : std::min(options_.match_bytes_max, kNextPartBytes);
  return open_->changes.size() >= options_.rows_per_match_max || part_bytes_ >= bytes_max;
}

Result<> Normalizer::on_rows(const binlog::RowsEvent& rows) {
  if (stage_ == Stage::Xa) return keep_rows(rows);
  if (stage_ != Stage::Group) return outside("rows");
  if (next_ordinal_ > kOrdinalMax) {
    return error(Errc::Limit, "more rows in one transaction than this version can number");
  }
  Result<> result = read_rows(rows);
  if (rows.ends_statement) {
    statement_open_ = masked_statement_ = false;
    pending_sql_.clear();
  }
  return result;
}

/// A part may become full within an event: then a second reader goes on where the first stood.
Result<> Normalizer::read_rows(const binlog::RowsEvent& event) {
  Op op = Op::Insert;
  if (event.kind == binlog::RowsKind::Update) op = Op::Update;
  if (event.kind == binlog::RowsKind::Delete) op = Op::Delete;
  const MaskPlan& plan = mask_plan(*event.schema);
  mask_plan_ = plan.empty() ? nullptr : &plan;
  binlog::RowsEvent rest = event;
  binlog::Row row;
  do {
    if (part_is_full()) start_next_part();
    const VersionedSchema& versioned = layout(*event.schema);
    if (!is_whole(event)) tell_partial_images(versioned);
    binlog::RowsReader reader(rest, open_->arena);
    std::size_t left = rest.rows.size();
    while (!part_is_full() && reader.next(row)) {
      add_row(op, versioned, row);
      part_bytes_ += left - reader.remaining();
      left = reader.remaining();
    }
    if (reader.error() != nullptr) return error(reader.error()->code, reader.error()->message);
    rest.rows = rest.rows.last(left);
  } while (!rest.rows.empty());
  return {};
}

void Normalizer::add_row(Op op, const VersionedSchema& layout, const binlog::Row& row) {
  if (!statement_open_) begin_statement();
  Change& change = add_change(op);
  change.statement = statement_ordinal_;
  change.schema_version = layout.version;
  change.schema = layout.schema.get();
  change.text = layout.text.get();
  change.database = layout.schema->database;
  change.table = layout.schema->table;
  change.before = row.before;
  change.after = row.after;
  if (mask_plan_ != nullptr) mask_row(change);
  if (!open_->first_part) tell_statement(change);
  part_bytes_ += kBytesPerRow + kBytesPerCell * (row.before.size() + row.after.size());
}

const MaskPlan& Normalizer::mask_plan(const binlog::TableSchemaPtr& schema) {
  static const MaskPlan kNothing;
  if (options_.mask == nullptr) return kNothing;
  const auto known = mask_plans_.find(schema.get());
  if (known != mask_plans_.end()) return known->second.second;
  if (mask_plans_.size() >= Layouts::kReadyMax) mask_plans_.clear();
  return mask_plans_.emplace(schema.get(), std::pair(schema, options_.mask->plan(*schema)))
      .first->second.second;
}

void Normalizer::mask_row(Change& change) {
  change.raw_before = change.before;
  change.raw_after = change.after;
  const Mask& mask = *options_.mask;
  change.before = mask.apply(*mask_plan_, *change.schema, change.before, open_->arena);
  change.after = mask.apply(*mask_plan_, *change.schema, change.after, open_->arena);
}

/// SQL text may hold what its tables have masked: without literals then.
std::string Normalizer::masked_sql(std::string sql) const {
  if (options_.mask == nullptr || !options_.mask->mentions(sql)) return sql;
  return fingerprint_sql(sql);
}

/// The transaction's entry for a layout, made when this is its first use.
const VersionedSchema& Normalizer::layout(const binlog::TableSchemaPtr& schema) {
  auto& used = open_->schemas;
  if (last_layout_ < used.size() && used[last_layout_].schema == schema) return used[last_layout_];
  VersionedSchema versioned = layouts_.find(schema);
  // Another object may say the same: one entry for each version of a table.
  const auto same = std::find_if(used.begin(), used.end(), [&](const VersionedSchema& entry) {
    return entry.version == versioned.version && entry.schema->table == schema->table &&
           entry.schema->database == schema->database;
  });
  last_layout_ = static_cast<std::size_t>(same - used.begin());
  if (same != used.end()) return *same;
  used.push_back(std::move(versioned));
  const VersionedSchema& added = used.back();
  if (added.is_new && !added.schema->names_known) add_names_gap(added);
  return added;
}

}  // namespace rowtrail::normalize
