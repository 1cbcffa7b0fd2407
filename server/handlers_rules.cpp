// The rules that were in force, and how often their events occur.
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/time_text.h"

#include <fmt/format.h>

namespace rowtrail::server {

Outcome<Response> list_rules(const Call& /*call*/, const Services& services) {
  std::string body = "{\"rules\":[";
  for (const store::StoredRule& rule : services.reader->rule_versions()) {
    if (!body.ends_with('[')) body += ',';
    body +=
        fmt::format("{{\"seq\":{},\"recorded_at\":\"{}\",", rule.seq, format_time(rule.time_us));
    body.append(rule.payload, 1);  // without its brace
  }
  body += "],\"types\":[";
  for (const store::TypeCount& type : services.reader->types()) {
    if (!body.ends_with('[')) body += ',';
    body += "{\"type\":";
    append_json_string(body, type.type);
    body += fmt::format(",\"events\":{},\"first_seq\":{},\"last_seq\":{}}}", type.events,
                        type.first_seq, type.last_seq);
  }
  return json_response(body + "]}");
}

}  // namespace rowtrail::server
