// One row of a table: what it was at a time, and the changes that made it so.
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/list.h"
#include "server/target.h"
#include "server/time_text.h"

namespace rowtrail::server {

Outcome<Response> get_row(const Call& call, const Services& services) {
  auto list = read_list(call);
  if (!list) return list.error();
  auto row = store::find_row(*services.reader, list->filter.source, call.path[0], call.path[1],
                             *decode_key(call.path[2]));
  if (!row) {
    const bool unknown = row.error().code == core::Errc::NotFound;
    return Problem{
        unknown ? ProblemId::NoSuchRecord : ProblemId::InvalidParameter, row.error().message,
        "A key of several columns is ~ and the base64url of its JSON array.", unknown ? "" : "pk"};
  }
  std::optional<std::int64_t> at_us;
  if (const auto at = call.parameter("at")) at_us = *parse_time(*at, call.now_us);
  std::string head = row_state_json(*row, at_us, store::row_at(*services.reader, *row, at_us));
  head = head.substr(1, head.size() - 2) + ",";
  if (call.parameter("integers") == "string") quote_large_integers(head, 0);
  list->row = *std::move(row);
  list->at_us = at_us;
  return answer_list<RowChanges>(call, services, *std::move(list), head);
}

}  // namespace rowtrail::server
