// The part of the Normalizer that knows XA. Rows of an XA transaction are kept, not decoded, while
// they are read: whether they ever happened is known at the end (one phase) or much later.
#include "normalize/normalizer.h"
#include "normalize/sql.h"

#include <utility>

namespace rowtrail::normalize {

using binlog::Cursor;
using core::Errc;
using core::Error;
using core::Result;

void Normalizer::begin_xa(const std::string& xid) {
  stage_ = Stage::Xa;
  open_->xa = XaPhase::Prepared;
  open_->xid = xid;
  xa_.begin(flavor_);
}

Result<> Normalizer::on_table_map(const binlog::TableMap& map) {
  if (stage_ == Stage::Xa) {
    xa_.announce(map);
  } else if (options_.mask != nullptr && !mask_plan(*map.schema).empty()) {
    masked_statement_ = true;  // the maps of a statement's tables come before its rows
  }
  return {};  // rows events carry it
}

Result<> Normalizer::on_xa_statement(const binlog::Query& query) {
  const XaStatement statement = parse_xa_statement(query.sql);
  if (stage_ == Stage::Group) return error(Errc::Malformed, "an XA statement inside it");
  if (stage_ == Stage::Idle) begin({}, query.thread_id);
  if (open_->thread_id == 0) open_->thread_id = query.thread_id;
  if (statement.verb == "START" || statement.verb == "BEGIN") {
    begin_xa(statement.xid);
  } else if (statement.verb == "COMMIT" || statement.verb == "ROLLBACK") {
    if (stage_ != Stage::Xa) begin_xa(statement.xid);
    const bool commits = statement.verb == "COMMIT";
    return end_xa(statement.xid, commits ? XaPhase::Committed : XaPhase::RolledBack);
  }
  return {};  // XA END
}

Result<> Normalizer::on_xa_prepare(const binlog::XaPrepare& prepare) {
  if (stage_ != Stage::Xa) return outside("XA PREPARE");
  return end_xa(xid_text(prepare.id), prepare.one_phase ? XaPhase::Committed : XaPhase::Prepared);
}

/// The end of a group: of rows (XA PREPARE, or committed or rolled back at once), or of the XA
/// COMMIT or XA ROLLBACK of rows that were prepared before.
Result<> Normalizer::end_xa(const std::string& xid, XaPhase phase) {
  if (xid != open_->xid) {
    return error(Errc::Malformed, "XA transaction " + open_->xid + " ends as " + xid);
  }
  const bool has_rows = xa_.has_rows() || xa_.size() > 0 || !open_->first_part;
  if (phase == XaPhase::Prepared || (phase == XaPhase::Committed && has_rows)) {
    XaTables tables = xa_.take_tables();
    tables.thread_id = open_->thread_id;
    if (phase == XaPhase::Prepared) open_->xa_tables = tables.encode();
    prepared_.insert_or_assign(xid, std::move(tables));
  }
  if (phase == XaPhase::Prepared) open_->xa_events = xa_.take_events();
  if (phase == XaPhase::Committed) {
    if (xa_.size() > 0) hand_over_kept();
    release_xa();
  }
  if (phase == XaPhase::RolledBack) {
    open_->xa = phase;
    prepared_.erase(xid);
    if (has_rows) add_rolled_back_gap();
  }
  commit();
  return {};
}

/// The layouts of rows that are prepared get their versions now; the writer makes the rows.
void Normalizer::release_xa() {
  const auto kept = prepared_.extract(open_->xid);
  if (kept.empty()) {
    open_->xa = XaPhase::None;
    add_xa_gap();
    return;
  }
  open_->xa = XaPhase::Committed;
  if (kept.mapped().thread_id != 0) open_->thread_id = kept.mapped().thread_id;
  for (const XaTables::Table& table : kept.mapped().tables) {
    const VersionedSchema& versioned = layout(table.schema);
    if (table.has_partial_images) tell_partial_images(versioned);
  }
}

/// What was kept so far leaves the process; only the last part knows how it ends.
void Normalizer::hand_over_kept() {
  std::string xid = open_->xid;
  std::vector<Gap> gaps = std::move(open_->gaps);
  open_->gaps.clear();
  open_->xa_events = xa_.take_events();
  start_next_part();
  open_->xa = XaPhase::Prepared;
  open_->xid = std::move(xid);
  open_->gaps = std::move(gaps);
}

Result<> Normalizer::keep_statement(const binlog::Query& query, SqlKind kind) {
  switch (kind) {
    case SqlKind::Empty:
    case SqlKind::Savepoint:
      return {};
    case SqlKind::Begin:
      return error(Errc::Malformed, "BEGIN inside a transaction");
    case SqlKind::Commit:
      return end_xa(open_->xid, XaPhase::Committed);
    case SqlKind::Rollback:
      return end_xa(open_->xid, XaPhase::RolledBack);
    default:
      xa_.keep(query);
      if (xa_.size() >= kXaPieceBytes) hand_over_kept();
      return {};
  }
}

Result<> Normalizer::keep_text(const binlog::RowsQuery& text) {
  xa_.keep(text);
  return {};
}

Result<> Normalizer::keep_rows(const binlog::RowsEvent& rows) {
  if (!xa_.keep(rows, is_whole(rows))) {
    return error(Errc::Malformed, "rows of a table that was not announced");
  }
  if (xa_.size() >= kXaPieceBytes) hand_over_kept();
  return {};
}

XaRelease::XaRelease(Options options, std::unique_ptr<Transaction> commit)
    : normalizer_(std::make_unique<Normalizer>(std::move(options))), file_(commit->file) {
  event_.start = commit->start_pos;
  event_.end = commit->end_pos;
  Normalizer& self = *normalizer_;
  self.event_ = &event_;
  self.file_ = &file_;
  self.event_time_us_ = commit->event_time_us;
  for (const VersionedSchema& versioned : commit->schemas) {
    self.layouts_.adopt(versioned);
    tables_.push_back(versioned.schema);
    if (!self.mask_plan(versioned.schema).empty()) self.masked_release_ = true;
  }
  commit->xa = XaPhase::None;
  commit->first_part = true;
  self.open_ = std::move(commit);
  self.stage_ = Normalizer::Stage::Group;
}

XaRelease::~XaRelease() = default;

std::unique_ptr<Transaction> XaRelease::take() {
  return normalizer_->take();
}

Result<> XaRelease::push(std::string_view events) {
  buffer_.erase(0, std::exchange(at_, 0));
  buffer_ += events;
  binlog::EventBody body;
  while (true) {
    const Result<bool> more = next(body);
    if (!more) return more.error();
    if (!*more) return {};
    Result<> result;
    if (const auto* query = std::get_if<binlog::Query>(&body)) {
      result = normalizer_->on_statement(*query);
    } else if (const auto* text = std::get_if<binlog::RowsQuery>(&body)) {
      result = normalizer_->on_rows_query(*text);
    } else {
      result = normalizer_->on_rows(std::get<binlog::RowsEvent>(body));
    }
    if (!result) return result;
  }
}

Result<> XaRelease::finish() {
  if (at_ != buffer_.size()) {
    return normalizer_->error(Errc::Truncated, "what was kept of its prepared rows has no end");
  }
  normalizer_->commit();
  return {};
}

/// The next kept event; false when its bytes are not all there yet.
Result<bool> XaRelease::next(binlog::EventBody& out) {
  constexpr std::size_t kHead = 5;  // tag and size
  const auto rest = std::as_bytes(std::span(buffer_).subspan(at_));
  if (rest.size() < kHead) return false;
  Cursor in(rest);
  const auto tag = static_cast<char>(in.u8());
  const std::size_t size = in.u32();
  if (in.remaining() < size) return false;
  Cursor item = in.sub(size);
  at_ += kHead + size;
  bool good = true;
  if (tag == 'Q') {
    out = binlog::RowsQuery{item.text(item.remaining())};
  } else if (tag == 'S') {
    auto& query = out.emplace<binlog::Query>();
    query.error_code = item.u16();
    query.database = item.text(item.u8());
    query.sql = item.text(item.remaining());
    good = item.ok();
  } else {
    good = tag == 'R' && read_rows(item, out);
  }
  if (good) return true;
  return normalizer_->error(Errc::Malformed, "what was kept of its prepared rows is damaged");
}

bool XaRelease::read_rows(Cursor item, binlog::EventBody& out) const {
  auto& rows = out.emplace<binlog::RowsEvent>();
  const auto kind = item.u8();
  rows.ends_statement = item.u8() != 0;
  rows.partial_json = item.u8() != 0;
  rows.flags = item.u16();
  const auto table = item.u32();
  if (!item.ok() || kind > 2 || table >= tables_.size()) return false;
  rows.kind = static_cast<binlog::RowsKind>(kind);
  rows.schema = &tables_[table];
  const std::size_t bitmap_bytes = ((*rows.schema)->columns.size() + 7) / 8;
  if (rows.kind != binlog::RowsKind::Insert) rows.before_columns = item.take(bitmap_bytes);
  if (rows.kind != binlog::RowsKind::Delete) rows.after_columns = item.take(bitmap_bytes);
  rows.rows = item.rest();
  return item.ok();
}

}  // namespace rowtrail::normalize
