#include "server/list.h"

#include "server/json_text.h"
#include "server/target.h"
#include "server/time_text.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "insight/insight.h"
#include <fmt/format.h>

namespace rowtrail::server {
namespace {

std::uint64_t to_number(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);  // checked by the table
  return number;
}

std::optional<std::uint64_t> number_of(const Call& call, std::string_view name) {
  const auto text = call.parameter(name);
  return text ? std::optional(to_number(*text)) : std::nullopt;
}

/// What a cursor is bound to: the list and everything that changes which records it holds.
std::string binding_of(const Call& call) {
  constexpr std::string_view kFree[] = {"limit", "cursor", "order", "integers", "format", "fields"};
  auto query = call.query;
  std::sort(query.begin(), query.end());
  std::string binding(call.route->pattern);
  for (const std::string& value : call.path) binding.append("\n").append(value);
  for (const auto& [name, value] : query) {
    if (std::find(std::begin(kFree), std::end(kFree), name) != std::end(kFree)) continue;
    binding.append("\n").append(name).append("=").append(value);
  }
  return binding;
}

void read_filter(const Call& call, store::Filter& filter) {
  for (const auto& [name, value] : call.query) assign_filter(filter, name, value, call.now_us);
}

bool streams(Format format) {
  return format == Format::Ndjson || format == Format::Csv;
}

Problem stream_only() {
  return {ProblemId::InvalidParameter,
          "limit=0 streams, which only application/x-ndjson and text/csv can.",
          "Add format=ndjson or `Accept: application/x-ndjson`, or ask for at most 1000 at a time.",
          "limit"};
}

Outcome<void> apply_cursor(const Call& call, List& list) {
  const auto text = call.parameter("cursor");
  if (!text) return {};
  const auto cursor = open_cursor(*text, list.binding);
  if (!cursor) return cursor.error();
  list.page.ascending = cursor->ascending;
  list.filter.since_us = cursor->since_us;
  list.filter.until_us = cursor->until_us;
  (cursor->ascending ? list.page.after_seq : list.page.before_seq) = cursor->seq;
  return {};
}

std::string next_cursor(const List& list, std::uint64_t last_seq) {
  return seal_cursor({last_seq, list.page.ascending, list.filter.since_us, list.filter.until_us},
                     list.binding);
}

/// Reads on where the piece before ended; a piece is about kChunkBytes.
template <class Rows>
Response stream_list(const Call& call, const Services& services, List list) {
  Response response;
  response.content_type = format_kind(call.format).media_type;
  response.stream = [list = std::move(list), style = row_text(call, services, Rows::kKind),
                     begun = false](store::Reader& reader, std::string& out) mutable {
    if (!std::exchange(begun, true)) out += style.begin();
    Pull pull = Pull::End;
    Rows::read(reader, list, list.page, [&](const typename Rows::Row& row) {
      if (out.size() >= kChunkBytes) {
        pull = Pull::More;
        return false;
      }
      const std::size_t start = out.size();
      const auto rendered = Rows::render(out, row);
      if (!rendered) throw std::runtime_error(unreadable_record(row.seq, rendered.error()).detail);
      style.convert(out, start);
      out += style.end_of_row();
      (list.page.ascending ? list.page.after_seq : list.page.before_seq) = row.seq;
      return true;
    });
    return pull;
  };
  return response;
}

}  // namespace

Outcome<List> read_list(const Call& call) {
  List list;
  list.binding = binding_of(call);
  read_filter(call, list.filter);
  list.page.limit = number_of(call, "limit").value_or(kLimitDefault);
  if (list.page.limit == 0 && !streams(call.format)) return stream_only();
  const auto order = call.parameter("order");
  list.page.ascending = order ? *order == "asc" : list.page.limit == 0;
  list.page.after_seq = number_of(call, "after");
  list.page.before_seq = number_of(call, "before");
  if (const auto applied = apply_cursor(call, list); !applied) return applied.error();
  return list;
}

Outcome<Slice> read_slice(const Call& call) {
  Slice slice;
  slice.binding = binding_of(call);
  slice.limit = number_of(call, "limit").value_or(kLimitDefault);
  if (slice.limit == 0) slice.limit = kLimitMax;
  if (const auto text = call.parameter("cursor")) {
    const auto cursor = open_cursor(*text, slice.binding);
    if (!cursor) return cursor.error();
    slice.offset = cursor->seq;
  }
  return slice;
}

void set_next_link(Response& response, const Call& call, const std::string& cursor) {
  // The pattern with its names replaced is the path, whatever form the target came in.
  std::string url;
  std::size_t name = 0;
  for (const std::string_view segment : pattern_segments(call.route->pattern)) {
    url += '/';
    url += segment.starts_with('{') ? percent_encode(call.path[name++]) : std::string(segment);
  }
  char separator = '?';
  for (const auto& [key, value] : call.query) {
    if (key == "cursor") continue;
    url += separator + key + "=" + percent_encode(value);
    separator = '&';
  }
  url += separator + ("cursor=" + cursor);
  response.set_header("Link", "<" + url + ">; rel=\"next\"");
}

RowText row_text(const Call& call, const Services& services, RowKind kind) {
  const bool named = call.format == Format::CloudEvent || call.format == Format::CloudEventBatch;
  return {call, kind, named ? services.reader->status().origin : std::string()};
}

PageBody::PageBody(const Call& call, const RowText& style, std::string_view head,
                   std::string_view member)
    : style_(style), format_(call.format), bytes_max_(call.page_bytes_max), body_(style.begin()) {
  if (format_ == Format::Json)
    body_.append("{").append(head).append("\"").append(member).append("\":[");
  if (format_ == Format::CloudEventBatch) body_ += '[';
}

std::string& PageBody::begin_row() {
  if (rows_ > 0) body_ += style_.separator();
  row_start_ = body_.size();
  return body_;
}

void PageBody::end_row() {
  style_.convert(body_, row_start_);
  body_ += style_.end_of_row();
  ++rows_;
}

Response PageBody::finish(const Call& call, const std::string& next) {
  Response response;
  response.content_type = format_kind(format_).media_type;
  if (format_ == Format::Json) {
    body_ += next.empty() ? "],\"next\":null}\n" : "],\"next\":\"" + next + "\"}\n";
  }
  if (format_ == Format::CloudEventBatch) body_ += "]\n";
  response.body = std::move(body_);
  if (!next.empty()) set_next_link(response, call, next);
  return response;
}

Problem unreadable_record(std::uint64_t seq, const core::Error& error) {
  core::log(core::Level::Error,
            fmt::format("record {} cannot be rendered: {}", seq, error.message));
  return {ProblemId::Internal, fmt::format("Record {} cannot be rendered.", seq),
          "The store may be damaged: check it with its own tools and restore a backup.", ""};
}

void EventRows::read(store::Reader& reader, const List& list, const store::Page& page,
                     const store::Visitor<Row>& visit) {
  reader.events(list.filter, page, visit);
}

core::Result<> EventRows::render(std::string& out, const Row& row) {
  return infer::append_rendered_event(out, row.seq, row.transaction_seq, row.payload, row.because);
}

void ChangeRows::read(store::Reader& reader, const List& list, const store::Page& page,
                      const store::Visitor<Row>& visit) {
  reader.changes(list.filter, page, visit);
}

void RowChanges::read(store::Reader& reader, const List& list, const store::Page& page,
                      const store::Visitor<Row>& visit) {
  store::row_changes(reader, list.row.value(), list.at_us, page, visit);
}

core::Result<> ChangeRows::render(std::string& out, const Row& row) {
  return normalize::append_joined_change(out, row.seq, row.payload, row.transaction_payload,
                                         infer::actor_json(row.event_payload));
}

void GapRows::read(store::Reader& reader, const List& list, const store::Page& page,
                   const store::Visitor<Row>& visit) {
  reader.gaps(list.filter, page, visit);
}

core::Result<> GapRows::render(std::string& out, const Row& row) {
  return normalize::append_numbered(out, row.seq, row.payload);
}

void AnomalyRows::read(store::Reader& reader, const List& list, const store::Page& page,
                       const store::Visitor<Row>& visit) {
  reader.anomalies(list.filter, page, visit);
}

core::Result<> AnomalyRows::render(std::string& out, const Row& row) {
  return insight::append_rendered_anomaly(out, row.seq, row.evidence, row.payload);
}

template <class Rows>
Outcome<Response> answer_list(const Call& call, const Services& services, List list,
                              std::string_view head) {
  if (list.page.limit == 0) return stream_list<Rows>(call, services, std::move(list));
  const RowText style = row_text(call, services, Rows::kKind);
  PageBody body(call, style, head, Rows::kMember);
  bool more = false;
  std::uint64_t last_seq = 0;
  std::optional<Problem> problem;
  store::Page page = list.page;
  ++page.limit;  // one more tells whether there is a next page
  Rows::read(*services.reader, list, page, [&](const typename Rows::Row& row) {
    // One row at least, so that every page goes on.
    if (body.rows() == list.page.limit || (body.rows() > 0 && body.full())) {
      more = true;
      return false;
    }
    if (const auto rendered = Rows::render(body.begin_row(), row); !rendered) {
      problem = unreadable_record(row.seq, rendered.error());
      return false;
    }
    body.end_row();
    last_seq = row.seq;
    return true;
  });
  if (problem) return *problem;
  return body.finish(call, more ? next_cursor(list, last_seq) : std::string());
}

template Outcome<Response> answer_list<EventRows>(const Call&, const Services&, List,
                                                  std::string_view);
template Outcome<Response> answer_list<ChangeRows>(const Call&, const Services&, List,
                                                   std::string_view);
template Outcome<Response> answer_list<GapRows>(const Call&, const Services&, List,
                                                std::string_view);
template Outcome<Response> answer_list<AnomalyRows>(const Call&, const Services&, List,
                                                    std::string_view);
template Outcome<Response> answer_list<RowChanges>(const Call&, const Services&, List,
                                                   std::string_view);

}  // namespace rowtrail::server
