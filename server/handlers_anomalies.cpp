#include "server/handlers.h"
#include "server/list.h"
#include "server/target.h"

#include <charconv>

#include <fmt/format.h>

namespace rowtrail::server {

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
  row_text(call, services, RowKind::Anomaly).convert(response.body, 0);
  response.content_type = format_kind(call.format).media_type;
  response.body += '\n';
  return response;
}

}  // namespace rowtrail::server
