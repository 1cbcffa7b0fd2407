#include "normalize/normalizer.h"

#include "normalize/sql.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include <fmt/format.h>

namespace rowtrail::normalize {
namespace {

using binlog::Event;
using core::Errc;
using core::Error;
using core::Result;

constexpr std::int64_t kMicroPerSecond = 1'000'000;

}  // namespace

Normalizer::Normalizer(Options options) : options_(std::move(options)) {
  options_.rows_per_match_max = std::max<std::size_t>(options_.rows_per_match_max, 1);
}

Result<> Normalizer::resume(const std::vector<KnownSchema>& schemas, std::int64_t event_time_us,
                            const std::map<std::string, std::string>& prepared) {
  for (const KnownSchema& known : schemas) layouts_.resume(known);
  event_time_us_ = event_time_us;
  for (const auto& [xid, tables] : prepared) {
    auto kept = XaTables::parse(tables);
    if (!kept) return kept.error();
    prepared_.insert_or_assign(xid, std::move(*kept));
  }
  return {};
}

std::unique_ptr<Transaction> Normalizer::take() {
  if (done_.empty()) return nullptr;
  auto transaction = std::move(done_.front());
  done_.pop_front();
  return transaction;
}

void Normalizer::recycle(std::unique_ptr<Transaction> transaction) {
  if (transaction == nullptr || free_.size() >= kFreeMax) return;
  transaction->reset();
  free_.push_back(std::move(transaction));
}

std::unique_ptr<Transaction> Normalizer::fresh() {
  if (free_.empty()) return std::make_unique<Transaction>();
  auto transaction = std::move(free_.back());
  free_.pop_back();
  return transaction;
}

Error Normalizer::error(Errc code, std::string_view what) const {
  std::string place = fmt::format("{}: {}:{}: ", options_.source, *file_, event_->start);
  if (open_ != nullptr) place += fmt::format("transaction {}: ", open_->id);
  return {code, place.append(what)};
}

/// What each event means here; a new kind of event does not compile until it has its line.
struct Normalizer::Visit {
  Normalizer& self;

  Result<> operator()(const binlog::Ignored&) const { return {}; }
  Result<> operator()(const binlog::FormatDescription& e) const { return self.on_format(e); }
  Result<> operator()(const binlog::Rotate&) const {
    return self.on_boundary("the next file begins");
  }
  Result<> operator()(const binlog::GtidEvent& e) const { return self.on_gtid(e); }
  Result<> operator()(const binlog::Query& e) const { return self.on_query(e); }
  Result<> operator()(const binlog::RowsQuery& e) const { return self.on_rows_query(e); }
  Result<> operator()(const binlog::TableMap& e) const { return self.on_table_map(e); }
  Result<> operator()(const binlog::RowsEvent& e) const { return self.on_rows(e); }
  Result<> operator()(const binlog::Xid&) const { return self.on_end("a commit (XID)", false); }
  Result<> operator()(const binlog::XaPrepare& e) const { return self.on_xa_prepare(e); }
  Result<> operator()(const binlog::Heartbeat&) const { return {}; }
  Result<> operator()(const binlog::PreviousGtids&) const { return {}; }
  Result<> operator()(const binlog::Stop&) const { return self.on_boundary("the server stopped"); }
  Result<> operator()(const binlog::Incident& e) const {
    return self.error(
        Errc::Unsupported,
        fmt::format(
            "the server reports an INCIDENT (code {}, \"{}\"): it could not log some changes, "
            "and no replica will ever see them. Note what happened, take a new snapshot of the "
            "tables concerned, then go on behind it with `start: {}:{}`",
            e.code, e.message, *self.file_, self.event_->end));
  }
};

Result<> Normalizer::push(const Event& event, const std::string& file) {
  event_ = &event;
  file_ = &file;
  Result<> result = std::visit(Visit{*this}, event.body);
  if (open_ != nullptr) open_->wire_bytes += event.header.size;
  return result;
}

void Normalizer::begin(std::string id, std::uint32_t thread_id) {
  assert(open_ == nullptr);
  open_ = fresh();
  open_->source = options_.source;
  open_->id = id.empty() ? fmt::format("{}:{}", *file_, event_->start) : std::move(id);
  open_->file = *file_;
  open_->start_pos = event_->start;
  open_->committed_at_us = event_->header.timestamp * kMicroPerSecond;
  open_->server_id = event_->header.server_id;
  open_->thread_id = thread_id;
  open_->gaps.swap(next_gaps_);
  next_ordinal_ = statement_ordinal_ = 0;
  statement_open_ = masked_statement_ = false;
  pending_sql_.clear();
  part_bytes_ = 0;
  last_layout_ = 0;
  layouts_.begin();
}

void Normalizer::commit() {
  event_time_us_ = std::max(event_time_us_, open_->committed_at_us);
  open_->event_time_us = event_time_us_;
  open_->end_pos = event_->end;
  open_->wire_bytes += event_->header.size;
  done_.push_back(std::move(open_));
  stage_ = Stage::Idle;
}

Result<> Normalizer::on_gtid(const binlog::GtidEvent& gtid) {
  if (stage_ != Stage::Idle) {
    return error(Errc::Malformed,
                 "it has no end: the next one begins here. The binlog is damaged; read "
                 "it from the server again");
  }
  begin(gtid.gtid.empty() ? std::string() : gtid.gtid.text(), gtid.thread_id);
  open_->gtid = gtid.gtid;
  if (gtid.original_commit_us != 0) {
    open_->committed_at_us = gtid.original_commit_us;
    open_->committed_at_has_fraction = true;
  }
  const bool begins_group =
      gtid.gtid.flavor == binlog::Flavor::MariaDb && !gtid.is_ddl_or_standalone;
  stage_ = begins_group ? Stage::Group : Stage::Named;
  // MariaDB's says so itself: rows to be prepared follow, or the XA COMMIT or ROLLBACK of some.
  if (gtid.is_xa_prepared_or_completed) begin_xa(xid_text(gtid.xa));
  return {};
}

Result<> Normalizer::on_query(const binlog::Query& query) {
  if (query.sql == "BEGIN") {  // the usual one, without a closer look
    if (stage_ > Stage::Named) return error(Errc::Malformed, "BEGIN inside a transaction");
    if (stage_ == Stage::Idle) begin({}, query.thread_id);
    if (open_->thread_id == 0) open_->thread_id = query.thread_id;
    stage_ = Stage::Group;
    return {};
  }
  return on_statement(query);
}

Result<> Normalizer::on_statement(const binlog::Query& query) {
  SqlSummary sql = summarize_sql(query.sql);
  if (stage_ == Stage::Xa && sql.kind != SqlKind::Xa) return keep_statement(query, sql.kind);
  if (sql.database.empty()) sql.database = query.database;
  switch (sql.kind) {
    case SqlKind::Empty:  // MariaDB: "# Dummy event replacing event type …"
    case SqlKind::Savepoint:
      return {};
    case SqlKind::Begin: {
      binlog::Query plain = query;
      plain.sql = "BEGIN";
      return on_query(plain);
    }
    case SqlKind::Commit:
      return on_end("COMMIT", false);
    case SqlKind::Rollback:
      return on_end("ROLLBACK", true);
    case SqlKind::RollbackToSavepoint:
      if (open_ != nullptr && next_ordinal_ > 0) add_rolled_back_gap();
      return {};
    case SqlKind::Xa:
      return on_xa_statement(query);
    case SqlKind::Dml:
      on_statement_dml(query, sql);
      return {};
    case SqlKind::Truncate:
    case SqlKind::Ddl:
      on_ddl(query, sql);
      return {};
  }
  __builtin_unreachable();
}

Error Normalizer::outside(std::string_view what) const {
  return error(
      Errc::Malformed,
      fmt::format("{} outside a transaction: reading did not begin at a transaction's start; "
                  "give `start:` the position of a GTID or BEGIN event",
                  what));
}

Result<> Normalizer::on_end(std::string_view what, bool rolled_back) {
  if (stage_ == Stage::Idle) return outside(what);
  if (stage_ == Stage::Xa) {
    return end_xa(open_->xid, rolled_back ? XaPhase::RolledBack : XaPhase::Committed);
  }
  if (rolled_back && next_ordinal_ > 0) add_rolled_back_gap();
  commit();
  return {};
}

Result<> Normalizer::on_rows_query(const binlog::RowsQuery& query) {
  if (stage_ == Stage::Xa) return keep_text(query);
  if (stage_ != Stage::Group) return outside("a statement's text");
  pending_sql_ = query.sql;
  statement_open_ = masked_statement_ = false;
  return {};
}

/// Files end between transactions. Only a server that died leaves one unfinished, and it announces
/// itself in the next file: its first format description says when it started.
Result<> Normalizer::on_format(const binlog::FormatDescription& format) {
  flavor_ = format.flavor;
  const bool server_started = format.created != 0;
  if (stage_ == Stage::Idle || !server_started) return on_boundary("a new file begins");
  if (!open_->first_part) {
    return error(
        Errc::Truncated,
        fmt::format("it never committed, the server died while it wrote it; but it is so "
                    "large that parts of it are on their way to the store. They are rolled "
                    "back. Go on behind it with `start: {}:4`",
                    *file_));
  }
  core::log(core::Level::Warn,
            error(Errc::Truncated, "never committed: the server died while it wrote it").message);
  add_unfinished_gap();
  layouts_.rollback();
  recycle(std::move(open_));
  stage_ = Stage::Idle;
  return {};
}

Result<> Normalizer::on_boundary(std::string_view what) {
  if (stage_ == Stage::Idle) return {};
  return error(
      Errc::Truncated,
      fmt::format("it has no end: {} before its commit. The binlog file is incomplete; read it "
                  "from the server again, or copy the whole file",
                  what));
}

}  // namespace rowtrail::normalize
