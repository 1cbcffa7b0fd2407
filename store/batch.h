// Records waiting for one commit. All text lives in one buffer; records refer to it by slices, so a
// batch costs no allocation per record. Order of add calls is the order in the log. Text that
// becomes a typed column has NUL written as the six characters \u0000, because Postgres text cannot
// hold it.
#pragma once

#include "infer/infer.h"
#include "normalize/normalize.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::store {

/// Numbers are fixed forever in docs/format.md: they are part of every Merkle leaf.
enum class Kind : std::uint8_t {
  Transaction = 1,
  Change = 2,
  Event = 3,
  Gap = 4,
  Anomaly = 5,
  TableSchema = 6,
  RuleVersion = 7,
  Input = 8,
  AdminAction = 9,
};

struct Slice {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

/// A table of a source: Changes name it by its index in the batch, the stores by a number of
/// theirs.
struct TableRecord {
  Slice source, database, table;
};
struct TransactionRecord {
  std::uint64_t seq = 0;
  std::int64_t time_us = 0;
  Slice source, id, payload;
};
struct ChangeRecord {
  std::uint64_t seq = 0;
  std::uint64_t transaction_seq = 0;
  std::int64_t time_us = 0;
  std::uint32_t ordinal = 0;
  std::uint32_t table = 0;  // into Batch::tables
  normalize::Op op = normalize::Op::Insert;
  // Keys are canonical JSON objects: pk empty without a key, old_pk unless the key changed.
  Slice pk, old_pk, payload;
};
struct EventRecord {
  std::uint64_t seq = 0;
  std::uint64_t transaction_seq = 0;
  std::int64_t time_us = 0;
  infer::Severity severity = infer::Severity::Info;
  Slice source, type, actor, rule, payload;
  std::uint32_t objects_begin = 0, objects_end = 0;  // into Batch::objects
};
/// One per distinct object of an event, in its order.
struct ObjectRecord {
  Slice type, id, role;
};
/// An event and one it rests on.
struct EvidenceRecord {
  std::uint64_t seq = 0;
  std::uint64_t evidence_seq = 0;
};
struct SchemaRecord {
  std::uint64_t seq = 0;
  std::int64_t time_us = 0;
  std::uint32_t version = 0;
  std::uint64_t layout_hash = 0;
  Slice source, database, table, payload;
};
struct RuleRecord {
  std::uint64_t seq = 0;
  std::int64_t time_us = 0;
  Slice id, version, payload;
};
struct GapRecord {
  std::uint64_t seq = 0;
  std::uint64_t transaction_seq = 0;
  std::int64_t time_us = 0;
  Slice source, reason, database, table, payload;
};
struct AnomalyRecord {
  std::uint64_t seq = 0;
  std::uint64_t transaction_seq = 0;
  std::int64_t time_us = 0;
  infer::Severity severity = infer::Severity::Info;
  Slice source, detector, actor, evidence, payload;
};
struct AdminRecord {
  std::uint64_t seq = 0;
  std::int64_t time_us = 0;
  Slice type, payload;
};

/// An anomaly as its detector words it, about the transaction added last. `evidence` lists the seqs
/// of the events it rests on: "1040,1042"; the payload, which has no seq, counts them by source.
struct AnomalyText {
  std::int64_t time_us = 0;
  infer::Severity severity = infer::Severity::Info;
  std::string_view detector, actor, evidence, payload;
};

/// The objects of an event as event_object holds them: each once, its roles joined by commas.
[[nodiscard]] std::vector<infer::ObjectRef> distinct_objects(
    const std::vector<infer::ObjectRef>& refs);

class Batch {
 public:
  /// Slices are 32 bits wide: no batch may come near 4 GiB. add() stops at its own bytes_max, so
  /// only one transaction part's gaps, schemas and events, and one Change, can lie beyond that.
  static constexpr std::size_t kBytesMax = std::size_t{4} * 1024 * 1024 * 1024 - 1;
  /// A buffer that grew beyond this is given back by reset().
  static constexpr std::size_t kKeptBytes = std::size_t{4} * 1024 * 1024;

  /// Empties the batch, keeping its memory; the next record added gets `first_seq`.
  void reset(std::uint64_t first_seq);

  /// Records of one transaction, or one part of it, with its events, in the log's order: schemas,
  /// transaction (first part only), changes, gaps, those of rules, events (last part only). Stops
  /// after the Change that takes the batch past `bytes_max` and returns the index of the next one,
  /// for another call with the batch appended and reset: so a large transaction never stands in
  /// memory as text. Call with 0 first, then with what it returned, until that is changes.size().
  std::size_t add(const normalize::Transaction& transaction, std::size_t first_change,
                  std::size_t bytes_max, const std::vector<infer::BusinessEvent>& events,
                  const std::vector<normalize::Gap>& rule_gaps);
  /// Behind the last add() of its transaction, before the batch is reset.
  void add_anomaly(const AnomalyText& anomaly);
  void add_rule(const infer::RuleInfo& rule, std::int64_t time_us);
  /// What an operator did; `payload` is a JSON object with the same type.
  void add_admin(std::string_view type, std::string_view payload, std::int64_t time_us);

  [[nodiscard]] std::string_view text(Slice slice) const {
    return std::string_view(bytes_).substr(slice.offset, slice.size);
  }
  [[nodiscard]] std::uint64_t next_seq() const noexcept { return next_seq_; }
  [[nodiscard]] std::uint64_t first_seq() const noexcept { return first_seq_; }
  [[nodiscard]] bool empty() const noexcept { return next_seq_ == first_seq_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }

  std::vector<TableRecord> tables;
  std::vector<TransactionRecord> transactions;
  std::vector<ChangeRecord> changes;
  std::vector<EventRecord> events;
  std::vector<ObjectRecord> objects;
  std::vector<EvidenceRecord> evidence;
  std::vector<SchemaRecord> schemas;
  std::vector<RuleRecord> rules;
  std::vector<GapRecord> gaps;
  std::vector<AnomalyRecord> anomalies;
  std::vector<AdminRecord> admin_actions;

 private:
  /// A part of the open transaction was added; the rest finds its Transaction record here.
  struct OpenTransaction {
    std::string source;
    std::uint64_t seq;
  };

  Slice since(std::size_t begin) const;
  Slice put(std::string_view text);  // a typed column
  void begin_transaction(const normalize::Transaction& transaction);
  void add_schemas(const normalize::Transaction& transaction);
  void add_change(const normalize::Transaction& transaction, const normalize::Change& change);
  void add_gap(const normalize::Transaction& transaction, const normalize::Gap& gap);
  void add_event(const normalize::Transaction& transaction, const infer::BusinessEvent& event,
                 std::uint64_t first_event_seq);
  std::uint32_t table_index(const normalize::Change& change);
  std::uint64_t& open_seq(const std::string& source);

  std::string bytes_;
  std::uint64_t first_seq_ = 0;
  std::uint64_t next_seq_ = 0;
  std::vector<OpenTransaction> open_;  // one per source seen; survives reset()
  std::uint64_t transaction_seq_ = 0;  // of the transaction being added
  Slice source_;                       // its name
};

}  // namespace rowtrail::store
