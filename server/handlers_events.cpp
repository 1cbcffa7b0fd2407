#include "server/handlers.h"
#include "server/json_text.h"
#include "server/list.h"
#include "server/target.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::server {
namespace {

Outcome<store::StoredEvent> find_event(const Call& call, const Services& services) {
  std::uint64_t seq = 0;
  const std::string& text = call.path[0];
  std::from_chars(text.data(), text.data() + text.size(), seq);
  auto event = services.reader->event(seq);
  if (event) return *std::move(event);
  return Problem{ProblemId::NoSuchRecord, fmt::format("There is no event with seq {}.", seq),
                 fmt::format("/v1/events?after={}&order=asc&limit=1 gives the next event; other "
                             "kinds of record have seqs too.",
                             seq),
                 ""};
}

/// The ordinals of the changes an event was inferred from, as its payload holds them.
Outcome<std::vector<std::uint32_t>> evidence_ordinals(const store::StoredEvent& event) {
  rapidjson::Document payload;
  payload.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag>(
      event.payload.data(), event.payload.size());
  std::vector<std::uint32_t> ordinals;
  if (payload.HasParseError() || !payload.IsObject()) {
    return unreadable_record(event.seq,
                             {core::Errc::Malformed, "its payload is not a JSON object"});
  }
  if (!payload.HasMember("evidence") || !payload["evidence"].IsArray()) return ordinals;
  for (const auto& number : payload["evidence"].GetArray()) {
    std::uint32_t ordinal = 0;
    const std::string_view text(number.GetString(), number.GetStringLength());
    std::from_chars(text.data(), text.data() + text.size(), ordinal);
    ordinals.push_back(ordinal);
  }
  return ordinals;
}

}  // namespace

Outcome<Response> list_events(const Call& call, const Services& services) {
  const auto list = read_list(call);
  if (!list) return list.error();
  return answer_list<EventRows>(call, services, *list);
}

Outcome<Response> get_event(const Call& call, const Services& services) {
  const auto event = find_event(call, services);
  if (!event) return event.error();
  Response response;
  if (const auto rendered = EventRows::render(response.body, *event); !rendered) {
    return unreadable_record(event->seq, rendered.error());
  }
  row_text(call, services, RowKind::Event).convert(response.body, 0);
  response.content_type = format_kind(call.format).media_type;
  response.body += '\n';
  return response;
}

Outcome<Response> get_evidence(const Call& call, const Services& services) {
  const auto event = find_event(call, services);
  if (!event) return event.error();
  const auto slice = read_slice(call);
  if (!slice) return slice.error();
  auto ordinals = evidence_ordinals(*event);
  if (!ordinals) return ordinals.error();

  const std::uint64_t total = ordinals->size();
  const std::uint64_t begin = std::min(slice->offset, total);
  const auto from = ordinals->begin() + static_cast<std::ptrdiff_t>(begin);
  const std::vector<std::uint32_t> wanted(
      from, from + static_cast<std::ptrdiff_t>(std::min(slice->limit, total - begin)));
  const RowText style = row_text(call, services, RowKind::Change);
  PageBody body(call, style, {}, ChangeRows::kMember);
  if (!wanted.empty()) {  // no ordinals would mean all changes
    for (const auto& change :
         services.reader->transaction_changes(event->transaction_seq, wanted)) {
      if (const auto rendered = ChangeRows::render(body.begin_row(), change); !rendered) {
        return unreadable_record(change.seq, rendered.error());
      }
      body.end_row();
      if (body.full()) break;
    }
  }
  const std::uint64_t end = begin + body.rows();
  Cursor next;
  next.seq = end;
  return body.finish(call, end < total ? seal_cursor(next, slice->binding) : std::string());
}

Outcome<Response> get_object(const Call& call, const Services& services) {
  auto list = read_list(call);
  if (!list) return list.error();
  const auto id = decode_key(call.path[1]);
  list->filter.object_type = call.path[0];
  list->filter.object_id = *id;

  bool known = false;
  store::Filter any;
  any.object_type = call.path[0];
  any.object_id = *id;
  store::Page one;
  one.limit = 1;
  services.reader->events(any, one, [&](const store::StoredEvent&) {
    known = true;
    return false;
  });
  if (!known) {
    return Problem{
        ProblemId::NoSuchRecord, fmt::format("No event touches {} {}.", call.path[0], *id),
        "Rules name objects in `emit.objects`; an event's `objects` shows types and ids.", ""};
  }
  std::string head = "\"object\":{\"type\":";
  append_json_string(head, call.path[0]);
  head += ",\"id\":";
  append_json_string(head, *id);
  head += "},";
  return answer_list<EventRows>(call, services, *std::move(list), head);
}

}  // namespace rowtrail::server
