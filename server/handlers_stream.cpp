#include "server/handlers.h"
#include "server/list.h"

#include <charconv>

namespace rowtrail::server {
namespace {

std::optional<std::uint64_t> to_seq(std::string_view text) {
  std::uint64_t seq = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seq);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return seq;
}

}  // namespace

Outcome<Response> get_stream(const Call& call, const Services& /*services*/) {
  Live live;
  for (const auto& [name, value] : call.query) {
    assign_filter(live.filter, name, value, call.now_us);
  }
  live.quote_integers = call.parameter("integers") == "string";
  const std::string_view last = call.request.header("Last-Event-ID");
  if (const auto seq = to_seq(last)) {
    live.after_seq = seq;
  } else if (!last.empty()) {
    return Problem{ProblemId::InvalidParameter, "Last-Event-ID is not a seq.",
                   "Send the id of the last event received.", "Last-Event-ID"};
  } else if (const auto after = call.parameter("after")) {
    live.after_seq = to_seq(*after);
  } else if (live.filter.since_us) {
    live.after_seq = 0;
  }
  Response response;
  response.content_type = format_kind(Format::EventStream).media_type;
  response.set_header("X-Accel-Buffering", "no");
  response.live = std::move(live);
  return response;
}

}  // namespace rowtrail::server
