#include "store/batch.h"

#include <algorithm>
#include <cassert>

namespace rowtrail::store {
namespace {

template <class T>
void clear_records(std::vector<T>& records) {
  constexpr std::size_t kKept = 64 * 1024;
  if (records.capacity() > kKept) {
    records = {};
  } else {
    records.clear();
  }
}

}  // namespace

std::vector<infer::ObjectRef> distinct_objects(const std::vector<infer::ObjectRef>& refs) {
  std::vector<infer::ObjectRef> out;
  for (const auto& ref : refs) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const infer::ObjectRef& other) {
      return other.type == ref.type && other.id == ref.id;
    });
    if (same == out.end()) {
      out.push_back(ref);
    } else if (!ref.role.empty()) {
      if (!same->role.empty()) same->role += ',';
      same->role += ref.role;
    }
  }
  return out;
}

void Batch::reset(std::uint64_t first_seq) {
  first_seq_ = next_seq_ = first_seq;
  if (bytes_.capacity() > kKeptBytes) {
    bytes_ = {};
  } else {
    bytes_.clear();
  }
  tables.clear();
  clear_records(transactions);
  clear_records(changes);
  clear_records(events);
  clear_records(objects);
  evidence.clear();
  schemas.clear();
  rules.clear();
  gaps.clear();
  anomalies.clear();
  admin_actions.clear();
  source_ = {};
}

Slice Batch::since(std::size_t begin) const {
  assert(bytes_.size() <= kBytesMax);
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(bytes_.size() - begin)};
}

Slice Batch::put(std::string_view text) {
  const std::size_t begin = bytes_.size();
  for (std::size_t nul = text.find('\0'); nul != std::string_view::npos; nul = text.find('\0')) {
    bytes_.append(text.substr(0, nul)).append("\\u0000");
    text.remove_prefix(nul + 1);
  }
  bytes_.append(text);
  return since(begin);
}

std::uint64_t& Batch::open_seq(const std::string& source) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const OpenTransaction& open) {
    return open.source == source;
  });
  if (found != open_.end()) return found->seq;
  return open_.emplace_back(OpenTransaction{source, 0}).seq;
}

std::size_t Batch::add(const normalize::Transaction& transaction, std::size_t first_change,
                       std::size_t bytes_max, const std::vector<infer::BusinessEvent>& events_in,
                       const std::vector<normalize::Gap>& rule_gaps) {
  if (source_.size == 0 || text(source_) != transaction.source) source_ = put(transaction.source);
  if (first_change == 0) {
    add_schemas(transaction);
    begin_transaction(transaction);
  } else {
    transaction_seq_ = open_seq(transaction.source);
  }
  std::size_t next = first_change;
  while (next < transaction.changes.size()) {
    add_change(transaction, transaction.changes[next]);
    ++next;
    if (bytes_.size() >= bytes_max) break;
  }
  if (next < transaction.changes.size()) return next;
  for (const auto& gap : transaction.gaps) add_gap(transaction, gap);
  for (const auto& gap : rule_gaps) add_gap(transaction, gap);
  const auto first_event_seq = next_seq_;
  for (const auto& event : events_in) add_event(transaction, event, first_event_seq);
  return next;
}

void Batch::begin_transaction(const normalize::Transaction& transaction) {
  auto& open = open_seq(transaction.source);
  if (transaction.first_part) {
    open = next_seq_++;
    TransactionRecord record;
    record.seq = open;
    record.time_us = transaction.committed_at_us;
    record.source = source_;
    record.id = put(transaction.id);
    const std::size_t begin = bytes_.size();
    normalize::append_transaction(bytes_, transaction);
    record.payload = since(begin);
    transactions.push_back(record);
  }
  transaction_seq_ = open;
}

void Batch::add_schemas(const normalize::Transaction& transaction) {
  for (const auto& schema : transaction.schemas) {
    if (!schema.is_new) continue;
    SchemaRecord record;
    record.seq = next_seq_++;
    record.time_us = transaction.committed_at_us;
    record.version = schema.version;
    record.layout_hash = schema.schema->layout_hash;
    record.source = source_;
    record.database = put(schema.schema->database);
    record.table = put(schema.schema->table);
    const std::size_t begin = bytes_.size();
    normalize::append_schema(bytes_, transaction.source, schema);
    record.payload = since(begin);
    schemas.push_back(record);
  }
}

std::uint32_t Batch::table_index(const normalize::Change& change) {
  // Newest first: neighbouring Changes are mostly of the same few tables.
  for (std::size_t i = tables.size(); i-- > 0;) {
    const auto& known = tables[i];
    if (known.source.offset == source_.offset && text(known.table) == change.table &&
        text(known.database) == change.database) {
      return static_cast<std::uint32_t>(i);
    }
  }
  tables.push_back({source_, put(change.database), put(change.table)});
  return static_cast<std::uint32_t>(tables.size() - 1);
}

void Batch::add_change(const normalize::Transaction& transaction, const normalize::Change& change) {
  ChangeRecord record;
  record.seq = next_seq_++;
  record.transaction_seq = transaction_seq_;
  record.time_us = transaction.committed_at_us;
  record.ordinal = change.ordinal;
  record.table = table_index(change);
  record.op = change.op;
  if (change.schema != nullptr && !change.schema->primary_key.empty()) {
    const std::size_t begin = bytes_.size();
    normalize::append_key(bytes_, change, change.after.empty() ? change.before : change.after);
    if (std::string_view(bytes_).substr(begin) == "null") bytes_.resize(begin);
    record.pk = since(begin);
    const std::size_t old_begin = bytes_.size();
    normalize::append_old_key(bytes_, change);
    record.old_pk = since(old_begin);
  }
  const std::size_t begin = bytes_.size();
  normalize::append_change(bytes_, change);
  record.payload = since(begin);
  changes.push_back(record);
}

void Batch::add_gap(const normalize::Transaction& transaction, const normalize::Gap& gap) {
  GapRecord record;
  record.seq = next_seq_++;
  record.transaction_seq = transaction_seq_;
  record.time_us = transaction.committed_at_us;
  record.source = source_;
  record.reason = put(normalize::gap_kind_name(gap.kind));
  record.database = put(gap.database);
  record.table = put(gap.table);
  const std::size_t begin = bytes_.size();
  normalize::append_gap(bytes_, transaction, gap);
  record.payload = since(begin);
  gaps.push_back(record);
}

void Batch::add_event(const normalize::Transaction& transaction, const infer::BusinessEvent& event,
                      std::uint64_t first_event_seq) {
  EventRecord record;
  record.seq = next_seq_++;
  record.transaction_seq = transaction_seq_;
  record.time_us = event.time_us;
  record.severity = event.severity;
  record.source = source_;
  record.type = put(event.type);
  record.actor = put(event.actor.id);
  record.rule = put(event.rule_id);
  record.objects_begin = static_cast<std::uint32_t>(objects.size());
  for (const auto& object : distinct_objects(event.objects)) {
    objects.push_back({put(object.type), put(object.id), put(object.role)});
  }
  record.objects_end = static_cast<std::uint32_t>(objects.size());
  for (const auto& ref : event.because) {
    const bool here = ref.seq == infer::kUnknownSeq;  // of this very transaction
    evidence.push_back({record.seq, here ? first_event_seq + ref.index : ref.seq});
  }
  const std::size_t begin = bytes_.size();
  infer::append_event(bytes_, event, transaction);
  record.payload = since(begin);
  events.push_back(record);
}

void Batch::add_anomaly(const AnomalyText& anomaly) {
  AnomalyRecord record;
  record.seq = next_seq_++;
  record.transaction_seq = transaction_seq_;
  record.time_us = anomaly.time_us;
  record.severity = anomaly.severity;
  record.source = source_;
  record.detector = put(anomaly.detector);
  record.actor = put(anomaly.actor);
  record.evidence = put(anomaly.evidence);
  const std::size_t begin = bytes_.size();
  bytes_.append(anomaly.payload);
  record.payload = since(begin);
  anomalies.push_back(record);
}

void Batch::add_rule(const infer::RuleInfo& rule, std::int64_t time_us) {
  RuleRecord record;
  record.seq = next_seq_++;
  record.time_us = time_us;
  record.id = put(rule.id);
  record.version = put(rule.version);
  const std::size_t begin = bytes_.size();
  const auto member = [this](std::string_view name, std::string_view value) {
    bytes_.append(name);
    normalize::append_json_string(bytes_, value);
  };
  member("{\"id\":", rule.id);
  member(",\"version\":", rule.version);
  member(",\"title\":", rule.title);
  member(",\"event\":", rule.event);
  member(",\"text\":", rule.text);
  bytes_ += '}';
  record.payload = since(begin);
  rules.push_back(record);
}

void Batch::add_admin(std::string_view type, std::string_view payload, std::int64_t time_us) {
  AdminRecord record;
  record.seq = next_seq_++;
  record.time_us = time_us;
  record.type = put(type);
  const std::size_t begin = bytes_.size();
  bytes_.append(payload);
  record.payload = since(begin);
  admin_actions.push_back(record);
}

}  // namespace rowtrail::store
