// POST /mcp: the Streamable HTTP transport of mcp.h.
#include "server/handlers.h"
#include "server/mcp.h"

namespace rowtrail::server {
namespace {

bool is_json(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return equals_ignoring_case(type.substr(0, type.find_last_not_of(" \t") + 1), "application/json");
}

void append_event(std::string& body, std::string_view message) {
  body.append("event: message\ndata: ").append(message).append("\n\n");
}

}  // namespace

Outcome<Response> post_mcp(const Call& call, const Services& services) {
  if (!is_json(call.request.header("Content-Type"))) {
    return Problem{ProblemId::UnsupportedMediaType, "The body must be application/json.",
                   "Send `Content-Type: application/json`.", ""};
  }
  mcp::Peer peer;
  auto out = mcp::answer(call.request.body, call, services,
                         services.options.mcp != nullptr ? *services.options.mcp : mcp::catalogue(),
                         true, peer);
  Response response;
  response.status = out.status;
  response.body = std::move(out.message);
  if (out.notifications.empty() && !out.stream) return response;
  response.content_type = format_kind(Format::EventStream).media_type;
  response.set_header("X-Accel-Buffering", "no");
  response.stream = std::move(out.stream);
  std::string events;
  for (const std::string& notification : out.notifications) append_event(events, notification);
  append_event(events, response.body);
  response.body = std::move(events);
  return response;
}

}  // namespace rowtrail::server
