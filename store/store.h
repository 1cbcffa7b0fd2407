// The append-only log behind one interface: SQLite (embedded default) and Postgres. A Writer
// appends records with dense seq and moves the source position in the same commit; a Reader answers
// queries from another connection and sees only commits. Unavailable stores throw core::Failure
// (Area::Store).
#pragma once

#include "core/core.h"
#include "infer/infer.h"
#include "normalize/normalize.h"
#include "store/batch.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::store {

/// Where a source stands, durably, with the log.
struct SourceState {
  binlog::Position position;
  std::int64_t event_time_us = 0;
  std::vector<normalize::KnownSchema> schemas;
  std::map<std::string, std::uint64_t> gaps;     // in the record, by kind
  std::map<std::string, std::string> xa_tables;  // of prepared XA transactions, by xid
  std::uint64_t xa_rolled_back = 0;              // prepared XA transactions that were dropped
};

class Writer : public infer::State {
 public:
  /// What a restart needs; empty for a source the log has not seen.
  virtual SourceState source_state(const std::string& source) = 0;
  /// seq of the next record.
  virtual std::uint64_t next_seq() = 0;
  /// Versions of rules already recorded ("id@version").
  virtual std::vector<std::string> recorded_rules() = 0;
  /// Payloads of the Gaps of one kind.
  virtual std::vector<std::string> recorded_gaps(normalize::GapKind kind) = 0;

  /// What the anomaly detectors of a source remember: part 0 first, then what came since.
  virtual std::vector<std::string> detector_state(const std::string& source) = 0;
  /// In the commit to come: one more part, or, `whole`, a new part 0 in place of all parts.
  virtual void save_detector_state(const std::string& source, const std::string& bytes,
                                   bool whole) = 0;

  /// Adds records to the open database transaction, opening one if there is none. The batch's first
  /// seq must be next_seq().
  virtual void append(const Batch& batch) = 0;
  /// An XA transaction that is prepared: keeps a part (0: `xa_tables`; from 1 on pieces of
  /// `xa_events`) in the open database transaction, which move of the position commits.
  virtual void keep_xa(const std::string& source, const std::string& xid, std::uint64_t part,
                       std::string_view bytes) = 0;
  /// A part of one; nothing behind the last.
  virtual std::optional<std::string> kept_xa(const std::string& source, const std::string& xid,
                                             std::uint64_t part) = 0;
  /// Its fate is known: forgets all parts; counts it when it was rolled back. True if there were
  /// any.
  virtual bool drop_xa(const std::string& source, const std::string& xid, bool rolled_back) = 0;
  /// What rules over time remember, as of the open database transaction.
  virtual void save_state(const std::vector<infer::StateRow>& rows) = 0;
  /// Makes everything appended durable together with the source's position. Either all or nothing.
  virtual void commit(const std::string& source, const binlog::Position& position,
                      std::int64_t event_time_us) = 0;
  /// The same without a position: records that come from no source.
  virtual void commit_records() = 0;
  /// Signs the tree as of the last commit and publishes the head, if records have come since the
  /// last one: at most once a second, or `now`.
  virtual void publish_head(bool now) = 0;
  virtual void rollback() = 0;
};

struct WriterOptions {
  std::string keys;  // folder of the signing key; empty: the default (store/keys.h)
  /// The operator's reason to go on with a log that was restored, or whose key was lost; recorded.
  std::string accept;
  /// Called with every signed tree head that was published, from the writer's thread.
  std::function<void(const std::string& note)> on_head;
};

/// What a list is narrowed to; empty members do not narrow.
struct Filter {
  std::string source, type, actor, database, table, severity, object_type, object_id, transaction;
  std::optional<std::string> pk;      // canonical JSON text of the key object
  std::optional<std::string> old_pk;  // changes that moved a row away from this key
  bool statements = false;            // of the changes: only ddl and truncate
  // What must not be: ("type" | "actor" | "source" | "severity", value).
  std::vector<std::pair<std::string, std::string>> exclude;
  std::string text;                                // substring of the summary, until search comes
  std::optional<std::int64_t> since_us, until_us;  // since <= time < until
};
struct Page {
  std::optional<std::uint64_t> after_seq, before_seq;  // exclusive
  bool ascending = false;
  std::uint64_t limit = 100;  // 0: all
};

struct StoredEvent {
  std::uint64_t seq = 0;
  std::uint64_t transaction_seq = 0;
  std::int64_t time_us = 0;
  std::string type, actor;
  std::string payload;
  std::string because;  // seqs of the events it rests on: "7,9"
};
struct StoredChange {
  std::uint64_t seq = 0;
  std::uint64_t transaction_seq = 0;
  std::string payload;
  std::string transaction_payload;
  std::string event_payload;  // of the transaction's first event, for the actor
};
struct StoredGap {
  std::uint64_t seq = 0;
  std::string payload;
};
struct StoredAnomaly {
  std::uint64_t seq = 0;
  std::int64_t time_us = 0;
  infer::Severity severity = infer::Severity::Info;
  std::string detector, actor;
  std::string evidence;  // seqs of events: "1040,1042"
  std::string payload;
};
/// What an operator did.
struct StoredAdminAction {
  std::uint64_t seq = 0;
  std::int64_t time_us = 0;
  std::string type;
  std::string payload;
};
struct StoredTransaction {
  std::uint64_t seq = 0;
  std::string payload;
};
/// One layout of a table, as a table_schema record.
struct StoredSchema {
  std::uint64_t seq = 0;
  std::int64_t time_us = 0;
  std::string source;
  std::string payload;
};
/// One version of a rule, as a rule_version record.
struct StoredRule {
  std::uint64_t seq = 0;
  std::int64_t time_us = 0;  // when it was recorded
  std::string payload;       // {"id","version","title","event","text"}
};
/// How often a type of event was recorded, and the first and last one.
struct TypeCount {
  std::string type;
  std::uint64_t events = 0;
  std::uint64_t first_seq = 0, last_seq = 0;
};

/// Counts of one day (or any span), for summaries.
struct Counts {
  std::uint64_t transactions = 0, changes = 0, events = 0, gaps = 0;
  std::map<std::string, std::uint64_t> by_type;
  std::map<std::string, std::uint64_t> by_actor;        // "" is unknown
  std::map<std::string, std::uint64_t> by_object_type;  // distinct objects touched
  std::vector<std::pair<std::string, std::uint64_t>>
      top_objects;  // "product 7" by events, at most 10
};

/// What a Tally counts.
enum class Dimension : std::uint8_t {
  Event,        // events, without a name
  Transaction,  // transactions, without a name
  Change,       // row changes, without a name
  Type,         // events by type
  Actor,        // events by actor; an empty name is unknown
  Object,       // events by object: name is its type, detail its id
  Table,        // row changes by database (name) and table (detail)
  Bucket,       // events by slice of time: name is its number from 0
  Gap,          // gaps by reason
  Anomaly,      // anomalies by detector
};
struct TallyQuery {
  Dimension dimension = Dimension::Event;
  std::int64_t since_us = 0, until_us = 0;                // since <= time < until
  std::int64_t bucket_us = 0;                             // of Bucket
  std::uint64_t limit = 0;                                // the most frequent; 0: all
  std::vector<std::pair<std::string, std::string>> only;  // of Object: these and no others
};
/// One count, with the first and last record counted.
struct Tally {
  std::string name, detail;
  std::uint64_t count = 0, first_seq = 0, last_seq = 0;
};

struct SourceStatus {
  std::string source;
  binlog::Position position;
  std::int64_t event_time_us = 0;
  std::int64_t committed_us = 0;  // wall clock of the last commit
  std::uint64_t xa_prepared = 0, xa_rolled_back = 0;
};
struct LogStatus {
  std::string url;  // without secrets
  std::string origin;
  std::int64_t log_id = 0;
  std::uint64_t size = 0;  // records
  std::uint64_t transactions = 0, changes = 0, events = 0, gaps = 0;
  std::map<std::string, std::uint64_t> gaps_by_kind;
  std::vector<SourceStatus> sources;
};

/// Return false from a visitor to stop.
template <class T>
using Visitor = std::function<bool(const T&)>;

class Reader {
 public:
  virtual ~Reader() = default;
  virtual void events(const Filter& filter, const Page& page,
                      const Visitor<StoredEvent>& visit) = 0;
  virtual void changes(const Filter& filter, const Page& page,
                       const Visitor<StoredChange>& visit) = 0;
  /// Narrowed by source, database, table, transaction and time.
  virtual void gaps(const Filter& filter, const Page& page, const Visitor<StoredGap>& visit) = 0;
  /// Narrowed by source, actor, severity, transaction, time and, as type, detector.
  virtual void anomalies(const Filter& filter, const Page& page,
                         const Visitor<StoredAnomaly>& visit) = 0;
  virtual std::optional<StoredAnomaly> anomaly(std::uint64_t seq) = 0;
  /// Of one type, in seq order.
  virtual std::vector<StoredAdminAction> admin_actions(const std::string& type) = 0;
  virtual std::optional<StoredEvent> event(std::uint64_t seq) = 0;
  /// The Changes of one transaction whose ordinals are given (all when empty), in order.
  virtual std::vector<StoredChange> transaction_changes(
      std::uint64_t transaction_seq, const std::vector<std::uint32_t>& ordinals) = 0;
  virtual std::optional<StoredTransaction> transaction(const std::string& source,
                                                       const std::string& id) = 0;
  virtual std::vector<StoredEvent> transaction_events(std::uint64_t transaction_seq) = 0;
  /// Layouts of a table in seq order; an empty source means all.
  virtual std::vector<StoredSchema> schemas(const std::string& source, const std::string& database,
                                            const std::string& table) = 0;
  /// Every version of every rule that was in force, in seq order.
  virtual std::vector<StoredRule> rule_versions() = 0;
  /// Every type of event, by name.
  virtual std::vector<TypeCount> types() = 0;
  virtual Counts counts(std::int64_t since_us, std::int64_t until_us) = 0;
  /// Counts, the most frequent first, then by name; none for what does not occur.
  virtual std::vector<Tally> tally(const TallyQuery& query) = 0;
  /// True when this type, actor, object or table was recorded before `time_us`.
  virtual bool seen_before(Dimension dimension, const std::string& name, const std::string& detail,
                           std::int64_t time_us) = 0;
  /// Times of the oldest and the newest event; nothing in an empty log.
  virtual std::optional<std::pair<std::int64_t, std::int64_t>> event_span() = 0;
  virtual LogStatus status() = 0;

  /// The tree head published last, a signed note; empty when there is none yet.
  virtual std::string tree_head() = 0;
  /// Tiles and entry bundles as tlog-tiles serves them (entries as leaves behind their 16-bit
  /// length), `width` of 256; nothing beyond the published head.
  virtual std::optional<std::string> tile(int level, std::uint64_t index, std::uint64_t width) = 0;
  virtual std::optional<std::string> entries(std::uint64_t bundle, std::uint64_t width) = 0;
  /// A record's .tlog-proof against the published head; nothing when the head lacks it.
  virtual std::optional<std::string> proof(std::uint64_t seq) = 0;
  /// That the log at `size` extends the one at `old_size`: hashes in base64, as a C2SP witness
  /// takes them.
  virtual std::vector<std::string> consistency(std::uint64_t old_size, std::uint64_t size) = 0;
};

/// `sqlite:///path/rowtrail.db` or `postgresql://user@host/db?log=NAME` (store/url.h). A writer
/// creates tables and log when they are absent and holds the log until it is destroyed: a second
/// one is refused. A reader creates nothing and throws when there is no log. Each is for one thread
/// at a time. After a Failure a writer is done for: destroy it and open another, which finds what
/// is durable.
[[nodiscard]] std::unique_ptr<Writer> open_writer(const std::string& url,
                                                  WriterOptions options = {});
[[nodiscard]] std::unique_ptr<Reader> open_reader(const std::string& url);

}  // namespace rowtrail::store

#include "store/admin.h"
#include "store/row.h"
#include "store/verify.h"
