// The record tables as one list: which columns a Batch fills, and in which order. A Sink (SQLite's
// prepared INSERT, Postgres' binary COPY) gets every row field by field, so there is one
// description for both and no virtual call per field.
#pragma once

#include "store/batch.h"
#include "store/tree.h"

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace rowtrail::store {

struct RecordTable {
  const char* name;
  const char* columns;  // log_id comes first in Postgres and is implied in SQLite
  int width;
};

inline constexpr RecordTable kTransactionTable{"\"transaction\"",
                                               "seq,time_us,source,id,payload,salt", 6};
inline constexpr RecordTable kChangeTable{
    "change", "seq,transaction_seq,time_us,ordinal,table_id,op,pk,old_pk,payload,salt", 10};
inline constexpr RecordTable kEventTable{
    "event", "seq,transaction_seq,time_us,severity,source,type,actor,rule,payload,salt", 10};
inline constexpr RecordTable kObjectTable{"event_object", "seq,ordinal,object_type,object_id,role",
                                          5};
inline constexpr RecordTable kEvidenceTable{"event_evidence", "seq,ordinal,evidence_seq", 3};
inline constexpr RecordTable kGapTable{
    "gap", "seq,transaction_seq,time_us,source,reason,database_name,table_name,payload,salt", 9};
inline constexpr RecordTable kAnomalyTable{
    "anomaly", "seq,transaction_seq,time_us,severity,source,detector,actor,evidence,payload,salt",
    10};
inline constexpr RecordTable kSchemaTable{
    "table_schema", "seq,time_us,version,layout_hash,source,database_name,table_name,payload,salt",
    9};
inline constexpr RecordTable kRuleTable{"rule_version", "seq,time_us,id,version,payload,salt", 6};

inline constexpr RecordTable kAdminTable{"admin_action", "seq,time_us,type,payload,salt", 5};

inline constexpr RecordTable kEntryTable{"entry", "bundle,entries", 2};
inline constexpr RecordTable kTileTable{"tree_tile", "level,tile,hashes", 3};

/// Two's complement: SQL has no unsigned integers, and every u64 must come back as it was.
[[nodiscard]] constexpr std::int64_t as_signed(std::uint64_t value) {
  return std::bit_cast<std::int64_t>(value);
}
[[nodiscard]] constexpr std::uint64_t as_unsigned(std::int64_t value) {
  return std::bit_cast<std::uint64_t>(value);
}

/// Text as a typed column holds it: NUL as \u0000, since Postgres text cannot hold it.
[[nodiscard]] inline std::string column_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\0') {
      out += "\\u0000";
    } else {
      out += c;
    }
  }
  return out;
}

/// A random salt for every record of a batch.
struct Salts {
  std::uint64_t first_seq = 0;
  std::string bytes;
  [[nodiscard]] std::string_view of(std::uint64_t seq) const {
    return std::string_view(bytes).substr((seq - first_seq) * sizeof(Salt), sizeof(Salt));
  }
};

/// Where the records of each kind are.
struct KindTable {
  Kind kind;
  const char* table;
};
inline constexpr std::array kKindTables{
    KindTable{Kind::Transaction, "\"transaction\""},
    KindTable{Kind::Change, "change"},
    KindTable{Kind::Event, "event"},
    KindTable{Kind::Gap, "gap"},
    KindTable{Kind::Anomaly, "anomaly"},
    KindTable{Kind::TableSchema, "table_schema"},
    KindTable{Kind::RuleVersion, "rule_version"},
    KindTable{Kind::Input, "input"},
    KindTable{Kind::AdminAction, "admin_action"},
};

/// Calls `visit(kind, seq, time_us, payload)` for every record, one kind after the other.
template <class Visit>
void for_each_record(const Batch& batch, const Visit& visit) {
  const auto each = [&](Kind kind, const auto& records) {
    for (const auto& record : records) {
      visit(kind, record.seq, record.time_us, batch.text(record.payload));
    }
  };
  each(Kind::Transaction, batch.transactions);
  each(Kind::Change, batch.changes);
  each(Kind::Event, batch.events);
  each(Kind::Gap, batch.gaps);
  each(Kind::Anomaly, batch.anomalies);
  each(Kind::TableSchema, batch.schemas);
  each(Kind::RuleVersion, batch.rules);
  each(Kind::AdminAction, batch.admin_actions);
}

template <class Sink>
void write_transactions(const Batch& batch, const Salts& salts, Sink& sink) {
  if (batch.transactions.empty()) return;
  sink.begin(kTransactionTable);
  for (const auto& record : batch.transactions) {
    sink.begin_row();
    sink.big(as_signed(record.seq));
    sink.big(record.time_us);
    sink.text(batch.text(record.source));
    sink.text(batch.text(record.id));
    sink.text(batch.text(record.payload));
    sink.bytes(salts.of(record.seq));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_changes(const Batch& batch, const Salts& salts, std::span<const std::int32_t> table_ids,
                   Sink& sink) {
  if (batch.changes.empty()) return;
  sink.begin(kChangeTable);
  for (const auto& record : batch.changes) {
    sink.begin_row();
    sink.big(as_signed(record.seq));
    sink.big(as_signed(record.transaction_seq));
    sink.big(record.time_us);
    sink.integer(static_cast<std::int32_t>(record.ordinal));
    sink.integer(table_ids[record.table]);
    sink.small(static_cast<std::int16_t>(record.op));
    sink.text(batch.text(record.pk));
    sink.text(batch.text(record.old_pk));
    sink.text(batch.text(record.payload));
    sink.bytes(salts.of(record.seq));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_events(const Batch& batch, const Salts& salts, Sink& sink) {
  if (batch.events.empty()) return;
  sink.begin(kEventTable);
  for (const auto& record : batch.events) {
    sink.begin_row();
    sink.big(as_signed(record.seq));
    sink.big(as_signed(record.transaction_seq));
    sink.big(record.time_us);
    sink.small(static_cast<std::int16_t>(record.severity));
    sink.text(batch.text(record.source));
    sink.text(batch.text(record.type));
    sink.text(batch.text(record.actor));
    sink.text(batch.text(record.rule));
    sink.text(batch.text(record.payload));
    sink.bytes(salts.of(record.seq));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_evidence(const Batch& batch, Sink& sink) {
  if (batch.evidence.empty()) return;
  sink.begin(kEvidenceTable);
  std::uint64_t event = 0;
  std::int32_t ordinal = 0;
  for (const auto& record : batch.evidence) {
    ordinal = record.seq == event ? ordinal + 1 : 0;
    event = record.seq;
    sink.begin_row();
    sink.big(as_signed(record.seq));
    sink.integer(ordinal);
    sink.big(as_signed(record.evidence_seq));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_objects(const Batch& batch, Sink& sink) {
  if (batch.objects.empty()) return;
  sink.begin(kObjectTable);
  for (const auto& event : batch.events) {
    std::int32_t ordinal = 0;
    for (auto i = event.objects_begin; i < event.objects_end; ++i) {
      const auto& object = batch.objects[i];
      sink.begin_row();
      sink.big(as_signed(event.seq));
      sink.integer(ordinal++);
      sink.text(batch.text(object.type));
      sink.text(batch.text(object.id));
      sink.text(batch.text(object.role));
      sink.end_row();
    }
  }
  sink.end();
}

template <class Sink>
void write_gaps(const Batch& batch, const Salts& salts, Sink& sink) {
  if (batch.gaps.empty()) return;
  sink.begin(kGapTable);
  for (const auto& record : batch.gaps) {
    sink.begin_row();
    sink.big(as_signed(record.seq));
    sink.big(as_signed(record.transaction_seq));
    sink.big(record.time_us);
    sink.text(batch.text(record.source));
    sink.text(batch.text(record.reason));
    sink.text(batch.text(record.database));
    sink.text(batch.text(record.table));
    sink.text(batch.text(record.payload));
    sink.bytes(salts.of(record.seq));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_anomalies(const Batch& batch, const Salts& salts, Sink& sink) {
  if (batch.anomalies.empty()) return;
  sink.begin(kAnomalyTable);
  for (const auto& record : batch.anomalies) {
    sink.begin_row();
    sink.big(as_signed(record.seq));
    sink.big(as_signed(record.transaction_seq));
    sink.big(record.time_us);
    sink.small(static_cast<std::int16_t>(record.severity));
    sink.text(batch.text(record.source));
    sink.text(batch.text(record.detector));
    sink.text(batch.text(record.actor));
    sink.text(batch.text(record.evidence));
    sink.text(batch.text(record.payload));
    sink.bytes(salts.of(record.seq));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_schemas(const Batch& batch, const Salts& salts, Sink& sink) {
  if (batch.schemas.empty()) return;
  sink.begin(kSchemaTable);
  for (const auto& record : batch.schemas) {
    sink.begin_row();
    sink.big(as_signed(record.seq));
    sink.big(record.time_us);
    sink.integer(static_cast<std::int32_t>(record.version));
    sink.big(as_signed(record.layout_hash));
    sink.text(batch.text(record.source));
    sink.text(batch.text(record.database));
    sink.text(batch.text(record.table));
    sink.text(batch.text(record.payload));
    sink.bytes(salts.of(record.seq));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_rules(const Batch& batch, const Salts& salts, Sink& sink) {
  if (batch.rules.empty()) return;
  sink.begin(kRuleTable);
  for (const auto& record : batch.rules) {
    sink.begin_row();
    sink.big(as_signed(record.seq));
    sink.big(record.time_us);
    sink.text(batch.text(record.id));
    sink.text(batch.text(record.version));
    sink.text(batch.text(record.payload));
    sink.bytes(salts.of(record.seq));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_admin_actions(const Batch& batch, const Salts& salts, Sink& sink) {
  if (batch.admin_actions.empty()) return;
  sink.begin(kAdminTable);
  for (const auto& record : batch.admin_actions) {
    sink.begin_row();
    sink.big(as_signed(record.seq));
    sink.big(record.time_us);
    sink.text(batch.text(record.type));
    sink.text(batch.text(record.payload));
    sink.bytes(salts.of(record.seq));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_records(const Batch& batch, const Salts& salts, std::span<const std::int32_t> table_ids,
                   Sink& sink) {
  write_schemas(batch, salts, sink);
  write_rules(batch, salts, sink);
  write_admin_actions(batch, salts, sink);
  write_transactions(batch, salts, sink);
  write_changes(batch, salts, table_ids, sink);
  write_gaps(batch, salts, sink);
  write_events(batch, salts, sink);
  write_objects(batch, sink);
  write_evidence(batch, sink);
  write_anomalies(batch, salts, sink);
}

[[nodiscard]] inline std::string_view hash_bytes(std::span<const Hash> hashes) {
  return {reinterpret_cast<const char*>(hashes.data()), hashes.size_bytes()};
}

template <class Sink>
void write_tree(std::span<const Bundle> bundles, std::span<const Tile> tiles, Sink& sink) {
  if (bundles.empty()) return;
  sink.begin(kEntryTable);
  for (const auto& bundle : bundles) {
    sink.begin_row();
    sink.big(as_signed(bundle.index));
    sink.bytes(bundle.entries);
    sink.end_row();
  }
  sink.end();
  sink.begin(kTileTable);
  for (const auto& tile : tiles) {
    sink.begin_row();
    sink.integer(tile.level);
    sink.big(as_signed(tile.index));
    sink.bytes(hash_bytes(tile.hashes));
    sink.end_row();
  }
  sink.end();
}

}  // namespace rowtrail::store
