// The rules that were in force, and how often each type of event occurs.
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/time_text.h"

#include <fmt/format.h>

namespace rowtrail::server {
namespace {

/// `"types":[…]`: how often each type of event occurs.
void append_types(std::string& out, store::Reader& reader) {
  out += "\"types\":[";
  for (const store::TypeCount& type : reader.types()) {
    if (!out.ends_with('[')) out += ',';
    out += "{\"type\":";
    append_json_string(out, type.type);
    out += fmt::format(",\"events\":{},\"first_seq\":{},\"last_seq\":{}}}", type.events,
                       type.first_seq, type.last_seq);
  }
  out += ']';
}

}  // namespace

Outcome<Response> list_types(const Call& /*call*/, const Services& services) {
  std::string body = "{";
  append_types(body, *services.reader);
  return json_response(body + "}");
}

Outcome<Response> list_rules(const Call& /*call*/, const Services& services) {
  std::string body = "{\"rules\":[";
  for (const store::StoredRule& rule : services.reader->rule_versions()) {
    if (!body.ends_with('[')) body += ',';
    body +=
        fmt::format("{{\"seq\":{},\"recorded_at\":\"{}\",", rule.seq, format_time(rule.time_us));
    body.append(rule.payload, 1);  // without its brace
  }
  body += "],";
  append_types(body, *services.reader);
  return json_response(body + "}");
}

}  // namespace rowtrail::server
