#include "store/columns.h"

#include "infer/infer.h"
#include "normalize/normalize.h"
#include "store/records.h"

#include <charconv>

#include <fmt/format.h>

namespace rowtrail::store {
namespace {

constexpr std::array kColumns{
    KindColumns{Kind::Transaction, "\"transaction\"", "source, id"},
    KindColumns{Kind::Change, "change", "transaction_seq, ordinal, table_id, op, pk, old_pk"},
    KindColumns{Kind::Event, "event", "transaction_seq, severity, source, type, actor, rule"},
    KindColumns{Kind::Gap, "gap", "transaction_seq, source, reason, database_name, table_name"},
    KindColumns{Kind::Anomaly, "anomaly",
                "transaction_seq, severity, source, detector, actor, evidence"},
    KindColumns{Kind::TableSchema, "table_schema",
                "version, layout_hash, source, database_name, table_name"},
    KindColumns{Kind::RuleVersion, "rule_version", "id, version"},
    KindColumns{Kind::Input, "input", "source, type"},
    KindColumns{Kind::AdminAction, "admin_action", "type"},
};
static_assert(kColumns.size() == kKindTables.size());

constexpr std::string_view kOps[] = {"insert", "update", "delete", "truncate", "ddl", "snapshot"};

bool takes(std::string_view& text, std::string_view piece) {
  if (!text.starts_with(piece)) return false;
  text.remove_prefix(piece.size());
  return true;
}

std::string_view view(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

/// A member that is a string; empty when it is null or not there.
std::string_view member(const rapidjson::Value& object, const char* name) {
  if (!object.IsObject()) return {};
  const auto found = object.FindMember(name);
  return found != object.MemberEnd() && found->value.IsString() ? view(found->value)
                                                                : std::string_view{};
}

std::int64_t number(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found != object.MemberEnd() && found->value.IsInt64() ? found->value.GetInt64() : -1;
}

const rapidjson::Value& nothing() {
  static const rapidjson::Value value;
  return value;
}
const rapidjson::Value& child(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found != object.MemberEnd() ? found->value : nothing();
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out;
  normalize::append_json_string(out, text.substr(0, kShown));
  return out;
}

std::int64_t severity_of(std::string_view name) {
  const auto severity = infer::parse_severity(name);
  return severity ? static_cast<std::int64_t>(*severity) : -1;
}

}  // namespace

std::span<const KindColumns> kind_columns() {
  return kColumns;
}

std::string_view kind_name(Kind kind) {
  for (const auto& known : kColumns) {
    if (known.kind != kind) continue;
    const std::string_view table = known.table;
    return table.front() == '"' ? table.substr(1, table.size() - 2) : table;
  }
  return "unknown kind";
}

bool ColumnCheck::parse(std::string_view payload) {
  json_.SetNull();
  json_.GetAllocator().Clear();
  json_.Parse<rapidjson::kParseFullPrecisionFlag>(payload.data(), payload.size());
  if (!json_.HasParseError() && json_.IsObject()) return true;
  wrong_ = "its payload is not a JSON object";
  json_.SetObject();
  return false;
}

std::string_view ColumnCheck::text(const char* name) const {
  return member(json_, name);
}

void ColumnCheck::text_column(const char* column, std::string_view is, std::string_view must) {
  if (is == must || (must.find('\0') != std::string_view::npos && is == column_text(must))) return;
  if (!wrong_.empty()) wrong_ += "; ";
  wrong_ += fmt::format("the column {} says {}, the record {}", column, shown(is), shown(must));
}

void ColumnCheck::number_column(const char* column, std::int64_t is, std::int64_t must) {
  if (is == must) return;
  if (!wrong_.empty()) wrong_ += "; ";
  wrong_ += fmt::format("the column {} says {}, the record {}", column, is, must);
}

/// The payload counts events by source, so that it has no seq; the seqs must be as many and as
/// ordered, and before the anomaly.
void ColumnCheck::evidence_column(std::string_view seqs, std::uint64_t before) {
  const auto& events = child(json_, "events");
  std::uint64_t count = 0;
  std::uint64_t least = 0;
  bool ordered = true;
  while (!seqs.empty() && ordered) {
    std::uint64_t seq = 0;
    const auto [end, error] = std::from_chars(seqs.data(), seqs.data() + seqs.size(), seq);
    ordered = error == std::errc{} && seq >= least && seq < before;
    least = seq + 1;
    ++count;
    seqs.remove_prefix(static_cast<std::size_t>(end - seqs.data()));
    takes(seqs, ",");
  }
  const std::uint64_t must = events.IsArray() ? events.Size() : 0;
  if (ordered && count == must) return;
  if (!wrong_.empty()) wrong_ += "; ";
  wrong_ += fmt::format("the column evidence does not list the record's {} events", must);
}

void ColumnCheck::belongs(const Row& row, const TransactionPlace& transaction) {
  if (!transaction.known) return;  // the transaction itself is found missing
  number_column("transaction_seq", row.integer(kFirstColumn), as_signed(transaction.seq));
}

std::string ColumnCheck::check(Kind kind, const Row& row, const TransactionPlace& transaction) {
  wrong_.clear();
  if (kind == Kind::Change) return change(row, transaction);
  if (!parse(row.text(kPayloadColumn))) return wrong_;
  const int at = kFirstColumn;
  switch (kind) {
    case Kind::Transaction:
      text_column("source", row.text(at), text("source"));
      text_column("id", row.text(at + 1), text("transaction"));
      break;
    case Kind::Event:
      return event(row, transaction);
    case Kind::Gap:
      belongs(row, transaction);
      text_column("source", row.text(at + 1), text("source"));
      text_column("reason", row.text(at + 2), text("kind"));
      text_column("database_name", row.text(at + 3), text("database"));
      text_column("table_name", row.text(at + 4), text("table"));
      break;
    case Kind::Anomaly:
      belongs(row, transaction);
      number_column("severity", row.integer(at + 1), severity_of(text("severity")));
      text_column("source", row.text(at + 2), text("source"));
      text_column("detector", row.text(at + 3), text("detector"));
      text_column("actor", row.text(at + 4), text("actor"));
      evidence_column(row.text(at + 5), as_unsigned(row.integer(kSeqColumn)));
      break;
    case Kind::TableSchema: {
      const auto layout = text("layout");
      std::uint64_t hash = 0;
      std::from_chars(layout.data(), layout.data() + layout.size(), hash, 16);
      number_column("version", row.integer(at), number(json_, "version"));
      number_column("layout_hash", row.integer(at + 1), as_signed(hash));
      text_column("source", row.text(at + 2), text("source"));
      text_column("database_name", row.text(at + 3), text("database"));
      text_column("table_name", row.text(at + 4), text("table"));
      break;
    }
    case Kind::RuleVersion:
      text_column("id", row.text(at), text("id"));
      text_column("version", row.text(at + 1), text("version"));
      break;
    case Kind::Input:
      text_column("source", row.text(at), text("source"));
      text_column("type", row.text(at + 1), text("type"));
      break;
    case Kind::AdminAction:
      text_column("type", row.text(at), text("type"));
      break;
    case Kind::Change:
      break;
  }
  return wrong_;
}

/// The columns are put together as the beginning of the canonical text they were taken from, and
/// compared with it: no parsing unless they differ.
std::string ColumnCheck::change(const Row& row, const TransactionPlace& transaction) {
  const int at = kFirstColumn;
  belongs(row, transaction);
  const auto table = tables_.find(row.integer(at + 2));
  if (table == tables_.end()) {
    return wrong_ + fmt::format("its table_id {} is not in source_table", row.integer(at + 2));
  }
  if (transaction.known) {
    text_column("source (of its table_id)", table->second.source, transaction.source);
  }
  const auto op = row.integer(at + 3);
  if (op < 0 || op >= static_cast<std::int64_t>(std::size(kOps))) {
    return wrong_ + fmt::format("the column op says {}, which is none", op);
  }
  expected_ = "{\"ordinal\":";
  fmt::format_to(std::back_inserter(expected_), "{}", row.integer(at + 1));
  expected_ += table->second.head;
  auto rest = row.text(kPayloadColumn);
  bool same = takes(rest, expected_) && takes(rest, kOps[op]) && takes(rest, "\"");
  const auto pk = row.text(at + 4);
  const auto old_pk = row.text(at + 5);
  const bool is_row = op < 3 || op == 5;
  if (same && is_row) {
    same =
        takes(rest, ",\"pk\":") && takes(rest, pk.empty() ? "null" : pk) && takes(rest, ",\"old");
    if (same) {
      same = takes(rest, "_pk\":") ? !old_pk.empty() && takes(rest, old_pk) && rest.starts_with(",")
                                   : old_pk.empty() && rest.starts_with("\":");
    }
  } else if (same) {
    same = pk.empty() && old_pk.empty();
  }
  return same ? wrong_ : explain_change(row);
}

std::string ColumnCheck::explain_change(const Row& row) {
  const int at = kFirstColumn;
  const auto parsed = normalize::parse_change(row.text(kPayloadColumn));
  if (!parsed) return wrong_ + "its payload is not that of a change: " + parsed.error().message;
  const auto key = [](const std::optional<normalize::Members>& members) {
    if (!members) return std::string();
    std::string out = "{";
    for (const auto& part : *members) {
      if (out.size() > 1) out += ',';
      normalize::append_json_string(out, part.name);
      out.append(":").append(part.json);
    }
    return out + "}";
  };
  const auto& table = tables_.at(row.integer(at + 2));
  number_column("ordinal", row.integer(at + 1), parsed->ordinal);
  text_column("database (of its table_id)", table.database, parsed->database);
  text_column("table (of its table_id)", table.table, parsed->table);
  text_column("op", kOps[row.integer(at + 3)], kOps[static_cast<std::size_t>(parsed->op)]);
  text_column("pk", row.text(at + 4), key(parsed->pk));
  text_column("old_pk", row.text(at + 5), key(parsed->old_pk));
  return wrong_;
}

std::string ColumnCheck::event(const Row& row, const TransactionPlace& transaction) {
  const int at = kFirstColumn;
  belongs(row, transaction);
  number_column("severity", row.integer(at + 1), severity_of(text("severity")));
  text_column("source", row.text(at + 2), text("source"));
  text_column("type", row.text(at + 3), text("type"));
  text_column("actor", row.text(at + 4), member(child(json_, "actor"), "id"));
  text_column("rule", row.text(at + 5), member(child(json_, "rule"), "id"));
  std::vector<infer::ObjectRef> refs;
  const auto& list = child(json_, "objects");
  if (list.IsArray()) {
    for (const auto& object : list.GetArray()) {
      refs.push_back({std::string(member(object, "type")), std::string(member(object, "id")),
                      std::string(member(object, "role"))});
    }
  }
  objects_ = no_objects();
  std::int64_t ordinal = 0;
  for (const auto& object : distinct_objects(refs)) {
    add_object(objects_, ordinal++, column_text(object.type), column_text(object.id),
               column_text(object.role));
  }
  return wrong_;
}

Hash ColumnCheck::no_objects() {
  return {};
}

void ColumnCheck::add_object(Hash& hash, std::int64_t ordinal, std::string_view type,
                             std::string_view id, std::string_view role) {
  // Lengths before texts: no two lists give one text.
  std::string text(reinterpret_cast<const char*>(hash.data()), hash.size());
  fmt::format_to(std::back_inserter(text), "{} {} {} {} ", ordinal, type.size(), id.size(),
                 role.size());
  text.append(type).append(id).append(role);
  hash = sha256(text);
}

}  // namespace rowtrail::store
