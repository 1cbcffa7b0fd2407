// Records waiting for one commit. All text lives in one buffer; records refer to it by slices, so a
// batch costs no allocation per record. Order of add_* calls is the order in the log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "infer/infer.h"
#include "normalize/normalize.h"

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
  normalize::Op op = normalize::Op::Insert;
  Slice source, database, table, pk, payload;  // pk: canonical JSON object, empty without a key
};
struct EventRecord {
  std::uint64_t seq = 0;
  std::uint64_t transaction_seq = 0;
  std::int64_t time_us = 0;
  infer::Severity severity = infer::Severity::Info;
  Slice source, type, actor, rule, payload;
  std::uint32_t objects_begin = 0, objects_end = 0;  // into Batch::objects
};
struct ObjectRecord {
  Slice type, id, role;
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

class Batch {
 public:
  /// Empties the batch, keeping its memory; the next record added gets `first_seq`.
  void reset(std::uint64_t first_seq);

  /// Records of one transaction, or one part of it, in the log's order: schemas, transaction (first
  /// part only), changes from index `first_change` on, events (last part only, behind the last
  /// change). Stops behind the change with which the batch holds `bytes_max` or more of text, so that
  /// a large transaction is rendered in slices; returns the index of the next change to add.
  /// Call with 0 first, then with what it returned, until that is changes.size().
  std::size_t add(const normalize::Transaction& transaction, std::size_t first_change,
                  std::size_t bytes_max, const std::vector<infer::BusinessEvent>& events);
  void add_rule(const infer::RuleInfo& rule, std::int64_t time_us);

  [[nodiscard]] std::string_view text(Slice slice) const {
    return std::string_view(bytes_).substr(slice.offset, slice.size);
  }
  [[nodiscard]] std::uint64_t next_seq() const noexcept { return next_seq_; }
  [[nodiscard]] std::uint64_t first_seq() const noexcept { return first_seq_; }
  [[nodiscard]] bool empty() const noexcept { return next_seq_ == first_seq_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }
  [[nodiscard]] std::size_t transaction_count() const noexcept { return transactions.size(); }

  std::vector<TransactionRecord> transactions;
  std::vector<ChangeRecord> changes;
  std::vector<EventRecord> events;
  std::vector<ObjectRecord> objects;
  std::vector<SchemaRecord> schemas;
  std::vector<RuleRecord> rules;
  std::vector<GapRecord> gaps;

 private:
  Slice put(std::string_view text);

  std::string bytes_;
  std::uint64_t first_seq_ = 0;
  std::uint64_t next_seq_ = 0;
  std::uint64_t open_transaction_seq_ = 0;  // of a transaction that came in parts
};

}  // namespace rowtrail::store
