#include "normalize/payload.h"

#include "normalize/json_scanner.h"
#include "normalize/json_writer.h"

#include <algorithm>
#include <array>
#include <limits>

namespace rowtrail::normalize {
namespace {

using core::Errc;
using core::Error;
using core::Result;

constexpr std::uint64_t kU32Max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kU64Max = std::numeric_limits<std::uint64_t>::max();

/// A payload is ours: whatever is wrong with it, someone or something changed the store.
Error damaged(std::string_view what) {
  return {Errc::Malformed, std::string("the store holds a damaged ")
                               .append(what)
                               .append(" record; restore the store from a backup")};
}

std::string_view between(const char* from, const char* to) {
  return {from, static_cast<std::size_t>(to - from)};
}

/// `"name":value` when it comes, with the comma before it; its value, or empty.
std::string_view optional_member(JsonScanner& scanner, std::string_view comma_and_name) {
  return scanner.take(comma_and_name) ? scanner.value() : std::string_view();
}

/// null, or an object's members.
std::optional<Members> members(JsonScanner& scanner) {
  if (scanner.take("null")) return std::nullopt;
  scanner.expect("{");
  Members out;
  std::string name;
  while (scanner.next_member(name)) out.push_back({std::move(name), scanner.value()});
  return out;
}

std::vector<std::string> strings(JsonScanner& scanner) {
  std::vector<std::string> out;
  scanner.expect("[");
  if (scanner.take("]")) return out;
  do {
    out.push_back(scanner.string());
  } while (scanner.take(","));
  scanner.expect("]");
  return out;
}

Op take_op(JsonScanner& scanner) {
  const std::string name = scanner.string();
  for (const Op op : {Op::Insert, Op::Update, Op::Delete, Op::Truncate, Op::Ddl, Op::Snapshot}) {
    if (name == op_name(op)) return op;
  }
  scanner.fail();
  return Op::Insert;
}

void take_images(JsonScanner& scanner, ParsedChange& change) {
  scanner.expect(",\"pk\":");
  change.pk = members(scanner);
  if (scanner.take(",\"old_pk\":")) change.old_pk = members(scanner);
  scanner.expect(",\"old\":");
  change.old_row = members(scanner);
  scanner.expect(",\"new\":");
  change.new_row = members(scanner);
  if (scanner.take(",\"changed\":")) change.changed = strings(scanner);
  if (scanner.take(",\"cells\":")) change.cells = members(scanner).value_or(Members());
  scanner.expect(",\"schema_version\":");
  change.schema_version = static_cast<std::uint32_t>(scanner.uint(kU32Max));
}

/// The pieces of a change payload that the joined line puts in other places.
struct ChangePieces {
  std::uint64_t ordinal = 0;
  std::string_view ordinal_text;
  std::string_view body;       // ,"database":… up to what follows the schema version or the SQL
  std::string_view statement;  // ,"statement":n or ,"query":… or nothing
};

Result<ChangePieces> split_change(std::string_view payload) {
  static constexpr auto kBody = std::to_array<std::string_view>(
      {",\"database\":", ",\"table\":", ",\"op\":", ",\"pk\":", ",\"old_pk\":", ",\"old\":",
       ",\"new\":", ",\"changed\":", ",\"sql\":", ",\"sql_bytes\":", ",\"cells\":",
       ",\"schema_version\":"});
  JsonScanner scanner(payload);
  ChangePieces pieces;
  scanner.expect("{\"ordinal\":");
  const char* start = scanner.position();
  pieces.ordinal = scanner.uint(kU32Max);
  pieces.ordinal_text = between(start, scanner.position());
  start = scanner.position();
  for (const std::string_view name : kBody) optional_member(scanner, name);
  pieces.body = between(start, scanner.position());
  start = scanner.position();
  optional_member(scanner, ",\"statement\":");
  optional_member(scanner, ",\"query\":");
  optional_member(scanner, ",\"query_bytes\":");
  pieces.statement = between(start, scanner.position());
  scanner.expect("}");
  if (!scanner.at_end()) return damaged("change");
  return pieces;
}

}  // namespace

Result<TransactionPayload> TransactionPayload::parse(std::string_view payload) {
  JsonScanner scanner(payload);
  TransactionPayload out;
  scanner.expect("{");
  const char* start = scanner.position();
  scanner.expect("\"source\":");
  scanner.string_token();
  scanner.expect(",\"transaction\":");
  scanner.string_token();
  out.identity_ = between(start, scanner.position());
  start = scanner.position();
  scanner.expect(",\"position\":");
  scanner.value();
  scanner.expect(",\"committed_at\":");
  scanner.string_token();
  out.place_ = between(start, scanner.position());
  start = scanner.position();
  scanner.expect(",\"server_id\":");
  scanner.uint(kU32Max);
  if (scanner.take(",\"thread_id\":")) scanner.uint(kU32Max);
  out.session_ = between(start, scanner.position());
  if (scanner.take(",\"statements\":[")) {
    do {
      scanner.expect("{\"ordinal\":");
      const std::uint64_t ordinal = scanner.uint(kU64Max);
      start = scanner.position();
      scanner.expect(",\"query\":");
      scanner.string_token();
      optional_member(scanner, ",\"query_bytes\":");
      out.queries_.push_back({ordinal, between(start, scanner.position())});
      scanner.expect("}");
    } while (scanner.take(","));
    scanner.expect("]");
  }
  scanner.expect("}");
  if (!scanner.at_end()) return damaged("transaction");
  return out;
}

Result<> TransactionPayload::append_joined(std::string& out, std::uint64_t seq,
                                           std::string_view change,
                                           std::string_view actor_json) const {
  const auto pieces = split_change(change);
  if (!pieces) return pieces.error();
  JsonWriter to(out);
  to.raw("{\"seq\":");
  to.need(JsonWriter::kScalarMax);
  to.uint(seq);
  to.raw(',');
  to.raw(identity_);
  to.raw(",\"ordinal\":");
  to.raw(pieces->ordinal_text);
  to.raw(place_);
  to.raw(pieces->body);
  to.raw(session_);
  if (pieces->statement.empty()) {
    const auto query =
        std::lower_bound(queries_.begin(), queries_.end(), pieces->ordinal,
                         [](const Query& entry, std::uint64_t at) { return entry.ordinal < at; });
    if (query != queries_.end() && query->ordinal == pieces->ordinal) to.raw(query->members);
  } else {
    to.raw(pieces->statement);
  }
  if (!actor_json.empty()) {
    to.raw(",\"actor\":");
    to.raw(actor_json);
  }
  to.raw('}');
  return {};
}

Result<> append_joined_change(std::string& out, std::uint64_t seq, std::string_view change,
                              std::string_view transaction, std::string_view actor_json) {
  const auto payload = TransactionPayload::parse(transaction);
  if (!payload) return payload.error();
  return payload->append_joined(out, seq, change, actor_json);
}

Result<> append_numbered(std::string& out, std::uint64_t seq, std::string_view payload) {
  JsonScanner scanner(payload);
  scanner.value();
  if (!scanner.at_end() || !payload.starts_with("{\"")) return damaged("gap");
  JsonWriter to(out);
  to.raw("{\"seq\":");
  to.need(JsonWriter::kScalarMax);
  to.uint(seq);
  to.raw(',');
  to.raw(payload.substr(1));
  return {};
}

Result<ParsedChange> parse_change(std::string_view payload) {
  JsonScanner scanner(payload);
  ParsedChange change;
  scanner.expect("{\"ordinal\":");
  change.ordinal = static_cast<std::uint32_t>(scanner.uint(kU32Max));
  scanner.expect(",\"database\":");
  change.database = scanner.string();
  scanner.expect(",\"table\":");
  change.table = scanner.string();
  scanner.expect(",\"op\":");
  change.op = take_op(scanner);
  if (change.op == Op::Ddl || change.op == Op::Truncate) {
    scanner.expect(",\"sql\":");
    change.sql = scanner.string();
    optional_member(scanner, ",\"sql_bytes\":");
  } else {
    take_images(scanner, change);
  }
  change.statement = change.ordinal;
  if (scanner.take(",\"statement\":")) {
    change.statement = static_cast<std::uint32_t>(scanner.uint(kU32Max));
  } else if (scanner.take(",\"query\":")) {
    change.sql = scanner.string();
    optional_member(scanner, ",\"query_bytes\":");
  }
  scanner.expect("}");
  if (!scanner.at_end()) return damaged("change");
  return change;
}

std::uint32_t gap_schema_version(std::string_view payload) {
  JsonScanner scanner(payload);
  scanner.expect("{");
  std::string name;
  while (scanner.next_member(name)) {
    if (name == "schema_version") return static_cast<std::uint32_t>(scanner.uint(kU32Max));
    scanner.value();
  }
  return 0;
}

Result<std::string> parse_json_string(std::string_view json) {
  JsonScanner scanner(json);
  std::string value = scanner.string();
  if (!scanner.at_end()) return Error{Errc::Malformed, "not a JSON string"};
  return value;
}

}  // namespace rowtrail::normalize
