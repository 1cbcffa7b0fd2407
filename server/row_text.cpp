#include "server/row_text.h"

#include "server/json_text.h"
#include "server/target.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace rowtrail::server {
namespace {

/// Where a CSV column's value stands in a record: a member, or a member of that member.
struct CsvColumn {
  std::string_view name;
  std::string_view member;
  std::string_view inner = {};
};

constexpr CsvColumn kEventColumns[] = {
    {"seq", "seq"},
    {"time", "time"},
    {"source", "source"},
    {"type", "type"},
    {"severity", "severity"},
    {"summary", "summary"},
    {"actor", "actor", "id"},
    {"actor_via", "actor", "via"},
    {"actor_confidence", "actor", "confidence"},
    {"objects", "objects"},
    {"attributes", "attributes"},
    {"transaction", "transaction"},
    {"rule", "rule", "id"},
    {"evidence", "evidence"},
};
constexpr CsvColumn kChangeColumns[] = {
    {"seq", "seq"},
    {"committed_at", "committed_at"},
    {"source", "source"},
    {"transaction", "transaction"},
    {"ordinal", "ordinal"},
    {"database", "database"},
    {"table", "table"},
    {"op", "op"},
    {"pk", "pk"},
    {"changed", "changed"},
    {"old", "old"},
    {"new", "new"},
    {"actor", "actor", "id"},
    {"sql", "sql"},
};

constexpr CsvColumn kGapColumns[] = {
    {"seq", "seq"},
    {"kind", "kind"},
    {"committed_at", "committed_at"},
    {"source", "source"},
    {"transaction", "transaction"},
    {"file", "position", "file"},
    {"pos", "position", "pos"},
    {"database", "database"},
    {"table", "table"},
    {"reason", "reason"},
    {"advice", "advice"},
    {"sql", "sql"},
};

constexpr CsvColumn kAnomalyColumns[] = {
    {"seq", "seq"},
    {"time", "time"},
    {"source", "source"},
    {"detector", "detector"},
    {"severity", "severity"},
    {"summary", "summary"},
    {"actor", "actor"},
    {"surprise", "surprise"},
    {"probability", "probability"},
    {"numbers", "numbers"},
    {"transaction", "transaction"},
    {"evidence", "evidence"},
};

std::span<const CsvColumn> columns_of(RowKind kind) {
  switch (kind) {
    case RowKind::Event:
      return kEventColumns;
    case RowKind::Change:
      return kChangeColumns;
    case RowKind::Gap:
      return kGapColumns;
    case RowKind::Anomaly:
      return kAnomalyColumns;
  }
  __builtin_unreachable();
}

std::string_view member_of(std::string_view object, std::string_view name) {
  std::string_view found;
  for_each_member(object, [&](std::string_view key, std::string_view value) {
    if (key == name) found = value;
  });
  return found;
}

/// RFC 4180: quoted when needed. A text that a spreadsheet would take for a formula gets an
/// apostrophe in front: summaries and names come from rows that anyone may have written.
void append_csv_cell(std::string& out, std::string_view json) {
  if (json.empty() || json == "null") return;
  std::string text(json);
  if (json.front() == '"') {
    text = normalize::parse_json_string(json).value();
    if (!text.empty() &&
        std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) {
      text.insert(text.begin(), '\'');
    }
  }
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string unquoted(std::string_view json) {
  if (json.empty() || json.front() != '"') return std::string(json);
  return normalize::parse_json_string(json).value();
}

/// "product/7" of the first object, or empty.
std::string subject_of(std::string_view objects) {
  std::string subject;
  if (objects.size() < 3 || objects[1] != '{') return subject;
  const std::string_view first = objects.substr(1, json_value_end(objects, 1) - 1);
  return unquoted(member_of(first, "type")) + "/" + unquoted(member_of(first, "id"));
}

}  // namespace

RowText::RowText(const Call& call, RowKind kind, std::string origin)
    : format_(call.format),
      kind_(kind),
      quote_integers_(call.parameter("integers") == "string"),
      fields_(split(call.parameter("fields").value_or(""))),
      origin_(std::move(origin)) {
  switch (format_) {
    case Format::Json:
    case Format::CloudEvent:
    case Format::CloudEventBatch:
      separator_ = ",";
      break;
    case Format::Csv:
      for (const CsvColumn& column : columns_of(kind)) {
        if (!is_wanted(column.name)) continue;
        if (!begin_.empty()) begin_ += ',';
        begin_ += column.name;
      }
      begin_ += "\r\n";
      end_of_row_ = "\r\n";
      break;
    case Format::Ndjson:
    case Format::EventStream:
    case Format::Markdown:
    case Format::Prometheus:
    case Format::PlainText:
    case Format::Binary:
      end_of_row_ = "\n";
      break;
  }
}

bool RowText::is_wanted(std::string_view name) const {
  return fields_.empty() || std::find(fields_.begin(), fields_.end(), name) != fields_.end();
}

void RowText::convert(std::string& out, std::size_t start) const {
  if (format_ == Format::Csv) return to_csv(out, start);
  if (!fields_.empty()) select_fields(out, start);
  if (quote_integers_) quote_large_integers(out, start);
  if (format_ == Format::CloudEvent || format_ == Format::CloudEventBatch)
    to_cloud_event(out, start);
}

void RowText::select_fields(std::string& out, std::size_t start) const {
  std::string kept = "{";
  for_each_member(std::string_view(out).substr(start),
                  [&](std::string_view key, std::string_view value) {
                    if (!is_wanted(key)) return;
                    if (kept.size() > 1) kept += ',';
                    kept.append("\"").append(key).append("\":").append(value);
                  });
  kept += '}';
  out.replace(start, std::string::npos, kept);
}

void RowText::to_csv(std::string& out, std::size_t start) const {
  const std::string record = out.substr(start);
  out.resize(start);
  bool first = true;
  for (const CsvColumn& column : columns_of(kind_)) {
    if (!is_wanted(column.name)) continue;
    if (!first) out += ',';
    first = false;
    std::string_view value = member_of(record, column.member);
    if (!column.inner.empty()) {
      value = value.starts_with('{') ? member_of(value, column.inner) : std::string_view();
    }
    append_csv_cell(out, value);
  }
}

/// CloudEvents 1.0 in JSON; `sequence` is compared as text, so it has leading zeros.
void RowText::to_cloud_event(std::string& out, std::size_t start) const {
  const std::string record = out.substr(start);
  out.resize(start);
  const std::string seq(member_of(record, "seq"));
  out.append(R"({"specversion":"1.0","id":")").append(seq).append(R"(","source":)");
  append_json_string(
      out, fmt::format("//{}/{}", origin_, percent_encode(unquoted(member_of(record, "source")))));
  const bool is_event = kind_ == RowKind::Event;
  out.append(",\"type\":").append(is_event ? member_of(record, "type") : "\"rowtrail.change\"");
  if (const std::string subject = subject_of(member_of(record, "objects")); !subject.empty()) {
    out += ",\"subject\":";
    append_json_string(out, subject);
  }
  out.append(",\"time\":").append(member_of(record, is_event ? "time" : "committed_at"));
  const std::string_view actor = member_of(record, "actor");
  if (actor.starts_with('{')) {
    if (const std::string_view id = member_of(actor, "id"); id.size() > 2) {
      out.append(",\"authtype\":\"user\",\"authid\":").append(id);
    }
  }
  out += fmt::format(
      ",\"sequence\":\"{:0>20}\",\"datacontenttype\":\"application/json\",\"data\":{}}}", seq,
      record);
}

}  // namespace rowtrail::server
