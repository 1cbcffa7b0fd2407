// Groups Events into Transactions. Pure and clockless: the same events give the same transactions.
//
//   MySQL    GTID | ANONYMOUS_GTID, QUERY(BEGIN), {[ROWS_QUERY], TABLE_MAP…, ROWS…}…, XID | COMMIT
//   MariaDB  GTID, {[ANNOTATE_ROWS], TABLE_MAP…, ROWS…}…, XID | COMMIT
//   either   GTID, QUERY(a statement that commits itself)
//   XA       GTID, QUERY(XA START), rows as above, QUERY(XA END), XA_PREPARE; any time later GTID,
//            QUERY(XA COMMIT | XA ROLLBACK). MariaDB's GTID event stands for the XA START.
#pragma once

#include "core/core.h"
#include "normalize/layouts.h"
#include "normalize/mask.h"
#include "normalize/transaction.h"
#include "normalize/xa.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rowtrail::normalize {

struct SqlSummary;  // sql.h
enum class SqlKind : std::uint8_t;

struct Options {
  std::string source;  // name in the config
  std::size_t rows_per_match_max = 100'000;
  // Logged bytes of rows and SQL text, 16 bytes a cell, 128 a row and 512 a gap; a formula, so that
  // the same events are cut at the same rows everywhere.
  std::size_t match_bytes_max = 24 * 1024 * 1024;
  const Mask* mask = nullptr;  // outlives the Normalizer; null: nothing is masked
};

class Normalizer {
 public:
  /// What was kept of an XA transaction is handed over in pieces of about this size.
  static constexpr std::size_t kXaPieceBytes = std::size_t{1} * 1024 * 1024;
  /// A transaction that the rules will not see goes on in parts of about this size.
  static constexpr std::size_t kNextPartBytes = std::size_t{2} * 1024 * 1024;
  /// Transactions kept for reuse.
  static constexpr std::size_t kFreeMax = 16;

  explicit Normalizer(Options options);

  /// Continues version numbers and event time from the store, and the XA transactions that are
  /// prepared: their `xa_tables` by xid. Call before the first push().
  core::Result<> resume(const std::vector<KnownSchema>& schemas, std::int64_t event_time_us,
                        const std::map<std::string, std::string>& prepared = {});

  /// Takes one event. `file` is the decoder's current file. An error means that going on would make
  /// later records wrong; its message says what to do. The normalizer must not be used on after it.
  core::Result<> push(const binlog::Event& event, const std::string& file);

  /// The next finished transaction (or part of one), or null.
  std::unique_ptr<Transaction> take();

  /// Gives a consumed transaction back so that its memory is used again.
  void recycle(std::unique_ptr<Transaction> transaction);

  /// True between a transaction's first event and its commit.
  [[nodiscard]] bool in_transaction() const noexcept { return stage_ != Stage::Idle; }

 private:
  enum class Stage : std::uint8_t {
    Idle,   // between transactions
    Named,  // after a GTID: a BEGIN or a statement that commits itself comes
    Group,  // rows until XID, COMMIT or ROLLBACK
    Xa,     // rows until XA PREPARE, which are kept; or an XA COMMIT or XA ROLLBACK
  };
  struct Visit;
  friend class XaRelease;

  core::Result<> on_gtid(const binlog::GtidEvent& gtid);
  core::Result<> on_query(const binlog::Query& query);
  core::Result<> on_statement(const binlog::Query& query);
  void on_statement_dml(const binlog::Query& query, const SqlSummary& sql);
  void on_ddl(const binlog::Query& query, const SqlSummary& sql);
  core::Result<> on_end(std::string_view what, bool rolled_back);
  core::Result<> on_rows_query(const binlog::RowsQuery& query);
  core::Result<> on_rows(const binlog::RowsEvent& rows);
  core::Result<> read_rows(const binlog::RowsEvent& event);
  void add_row(Op op, const VersionedSchema& layout, const binlog::Row& row);
  core::Result<> on_format(const binlog::FormatDescription& format);
  core::Result<> on_boundary(std::string_view what);
  core::Result<> on_xa_statement(const binlog::Query& query);
  core::Result<> on_xa_prepare(const binlog::XaPrepare& prepare);
  core::Result<> on_table_map(const binlog::TableMap& map);
  core::Result<> end_xa(const std::string& xid, XaPhase phase);
  void begin_xa(const std::string& xid);
  void release_xa();
  void hand_over_kept();
  core::Result<> keep_statement(const binlog::Query& query, SqlKind kind);
  core::Result<> keep_text(const binlog::RowsQuery& text);
  core::Result<> keep_rows(const binlog::RowsEvent& rows);

  void begin(std::string id, std::uint32_t thread_id);
  void commit();
  void start_next_part();
  [[nodiscard]] bool part_is_full() const;
  void begin_statement();
  const MaskPlan& mask_plan(const binlog::TableSchemaPtr& schema);
  void mask_row(Change& change);
  std::string masked_sql(std::string sql) const;
  void tell_statement(Change& change) const;
  Change& add_change(Op op);
  void add_gap(Gap gap);
  void add_rolled_back_gap();
  void add_unfinished_gap();
  void add_xa_gap();
  void add_names_gap(const VersionedSchema& layout);
  static bool is_whole(const binlog::RowsEvent& rows);
  void tell_partial_images(const VersionedSchema& layout);
  const VersionedSchema& layout(const binlog::TableSchemaPtr& schema);
  std::unique_ptr<Transaction> fresh();
  [[nodiscard]] core::Error error(core::Errc code, std::string_view what) const;
  [[nodiscard]] core::Error outside(std::string_view what) const;

  Options options_;
  Stage stage_ = Stage::Idle;
  std::unique_ptr<Transaction> open_;
  std::deque<std::unique_ptr<Transaction>> done_;
  std::vector<std::unique_ptr<Transaction>> free_;
  std::vector<Gap> next_gaps_;  // found between transactions: of the next one

  Layouts layouts_;
  std::size_t last_layout_ = 0;  // into open_->schemas

  std::int64_t event_time_us_ = 0;
  std::uint32_t next_ordinal_ = 0;
  std::uint32_t statement_ordinal_ = 0;
  bool statement_open_ = false;
  std::string pending_sql_;  // of the statement whose rows come next
  // Layouts met with their masked columns; each holds its schema, so that no other gets its
  // address.
  std::unordered_map<const binlog::TableSchema*, std::pair<binlog::TableSchemaPtr, MaskPlan>>
      mask_plans_;
  const MaskPlan* mask_plan_ = nullptr;  // of the rows being read; null: nothing is masked
  bool masked_statement_ = false;        // a table with masked columns is part of the statement
  bool masked_release_ = false;          // the same of every statement: XaRelease
  std::size_t part_bytes_ = 0;           // against match_bytes_max

  binlog::Flavor flavor_ = binlog::Flavor::MySql;
  XaRecorder xa_;                             // the rows of the open XA transaction
  std::map<std::string, XaTables> prepared_;  // by xid; their rows lie in the store

  const binlog::Event* event_ = nullptr;  // during push()
  const std::string* file_ = nullptr;
};

}  // namespace rowtrail::normalize
