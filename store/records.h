// The record tables as one list: which columns a Batch fills, and in which order. A Sink (SQLite's
// prepared INSERT, Postgres' binary COPY) gets every row field by field, so there is one
// description for both and no virtual call per field.
#pragma once

#include "store/batch.h"

#include <bit>
#include <cstdint>
#include <span>

namespace rowtrail::store {

struct RecordTable {
  const char* name;
  const char* columns;  // log_id comes first in Postgres and is implied in SQLite
  int width;
};

inline constexpr RecordTable kTransactionTable{"\"transaction\"", "seq,time_us,source,id,payload",
                                               5};
inline constexpr RecordTable kChangeTable{
    "change", "seq,transaction_seq,time_us,ordinal,table_id,op,pk,payload", 8};
inline constexpr RecordTable kEventTable{
    "event", "seq,transaction_seq,time_us,severity,source,type,actor,rule,payload", 9};
inline constexpr RecordTable kObjectTable{"event_object", "seq,ordinal,object_type,object_id,role",
                                          5};
inline constexpr RecordTable kGapTable{
    "gap", "seq,transaction_seq,time_us,source,reason,database_name,table_name,payload", 8};
inline constexpr RecordTable kSchemaTable{
    "table_schema", "seq,time_us,version,layout_hash,source,database_name,table_name,payload", 8};
inline constexpr RecordTable kRuleTable{"rule_version", "seq,time_us,id,version,payload", 5};

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

template <class Sink>
void write_transactions(const Batch& batch, Sink& sink) {
  if (batch.transactions.empty()) return;
  sink.begin(kTransactionTable);
  for (const auto& record : batch.transactions) {
    sink.begin_row();
    sink.big(as_signed(record.seq));
    sink.big(record.time_us);
    sink.text(batch.text(record.source));
    sink.text(batch.text(record.id));
    sink.text(batch.text(record.payload));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_changes(const Batch& batch, std::span<const std::int32_t> table_ids, Sink& sink) {
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
    sink.text(batch.text(record.payload));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_events(const Batch& batch, Sink& sink) {
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
void write_gaps(const Batch& batch, Sink& sink) {
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
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_schemas(const Batch& batch, Sink& sink) {
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
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_rules(const Batch& batch, Sink& sink) {
  if (batch.rules.empty()) return;
  sink.begin(kRuleTable);
  for (const auto& record : batch.rules) {
    sink.begin_row();
    sink.big(as_signed(record.seq));
    sink.big(record.time_us);
    sink.text(batch.text(record.id));
    sink.text(batch.text(record.version));
    sink.text(batch.text(record.payload));
    sink.end_row();
  }
  sink.end();
}

template <class Sink>
void write_records(const Batch& batch, std::span<const std::int32_t> table_ids, Sink& sink) {
  write_schemas(batch, sink);
  write_rules(batch, sink);
  write_transactions(batch, sink);
  write_changes(batch, table_ids, sink);
  write_gaps(batch, sink);
  write_events(batch, sink);
  write_objects(batch, sink);
}

}  // namespace rowtrail::store
