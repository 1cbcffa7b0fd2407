#include "server/handlers.h"
#include "server/json_text.h"
#include "server/list.h"
#include "server/time_text.h"

#include <charconv>

#include "insight/insight.h"
#include <fmt/format.h>

namespace rowtrail::server {
namespace {

/// `,"catches":…,"formula":…,"acknowledgements":[…]`: what its detector looks for, and what people
/// said of it.
void append_explanation(std::string& out, const store::StoredAnomaly& anomaly,
                        store::Reader& reader) {
  const auto* detector = insight::find_detector(anomaly.detector);
  out += ",\"catches\":";
  append_json_string(out, detector == nullptr ? "" : detector->catches);
  out += ",\"formula\":";
  append_json_string(out, detector == nullptr ? "" : detector->formula);
  out += ",\"acknowledgements\":[";
  for (const auto& acknowledgement : insight::acknowledgements(reader)) {
    if (acknowledgement.anomaly != anomaly.seq) continue;
    out += fmt::format("{}{{\"time\":\"{}\",\"by\":", out.ends_with('[') ? "" : ",",
                       format_time(acknowledgement.time_us));
    append_json_string(out, acknowledgement.by);
    out += ",\"note\":";
    append_json_string(out, acknowledgement.note);
    out += '}';
  }
  out += ']';
}

}  // namespace

Outcome<Response> list_anomalies(const Call& call, const Services& services) {
  const auto list = read_list(call);
  if (!list) return list.error();
  return answer_list<AnomalyRows>(call, services, *list);
}

Outcome<Response> get_anomaly(const Call& call, const Services& services) {
  std::uint64_t seq = 0;
  const std::string& text = call.path[0];
  std::from_chars(text.data(), text.data() + text.size(), seq);
  const auto anomaly = services.reader->anomaly(seq);
  if (!anomaly) {
    return Problem{ProblemId::NoSuchRecord, fmt::format("There is no anomaly with seq {}.", seq),
                   "/v1/anomalies lists them; other kinds of record have seqs too.", ""};
  }
  Response response;
  if (const auto rendered = AnomalyRows::render(response.body, *anomaly); !rendered) {
    return unreadable_record(seq, rendered.error());
  }
  response.body.pop_back();
  append_explanation(response.body, *anomaly, *services.reader);
  response.body += '}';
  row_text(call, services, RowKind::Anomaly).convert(response.body, 0);
  response.content_type = format_kind(call.format).media_type;
  response.body += '\n';
  return response;
}

}  // namespace rowtrail::server
