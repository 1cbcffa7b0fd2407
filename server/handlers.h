// The handlers behind the table of routes, one function per route, grouped by file.
#pragma once

#include "server/route.h"

#include <string_view>

namespace rowtrail::server {

/// A JSON answer with a line end behind it. `json` is without one.
[[nodiscard]] inline Response json_response(std::string_view json) {
  Response response;
  response.body.assign(json);
  response.body += '\n';
  return response;
}

// handlers_events.cpp
Outcome<Response> list_events(const Call& call, const Services& services);
Outcome<Response> get_event(const Call& call, const Services& services);
Outcome<Response> get_evidence(const Call& call, const Services& services);
Outcome<Response> get_object(const Call& call, const Services& services);

// handlers_changes.cpp
Outcome<Response> list_changes(const Call& call, const Services& services);
Outcome<Response> get_transaction(const Call& call, const Services& services);

// handlers_anomalies.cpp
Outcome<Response> list_anomalies(const Call& call, const Services& services);
Outcome<Response> get_anomaly(const Call& call, const Services& services);

// handlers_gaps.cpp
Outcome<Response> list_gaps(const Call& call, const Services& services);

// handlers_log.cpp
Outcome<Response> get_checkpoint(const Call& call, const Services& services);
Outcome<Response> get_tile(const Call& call, const Services& services);
Outcome<Response> get_proof(const Call& call, const Services& services);
Outcome<Response> get_event_proof(const Call& call, const Services& services);

// handlers_rows.cpp
Outcome<Response> get_row(const Call& call, const Services& services);

// handlers_stream.cpp
Outcome<Response> get_stream(const Call& call, const Services& services);

// handlers_stats.cpp
Outcome<Response> get_stats(const Call& call, const Services& services);
Outcome<Response> get_status(const Call& call, const Services& services);

// handlers_insight.cpp
Outcome<Response> get_summary(const Call& call, const Services& services);

// handlers_mcp.cpp
Outcome<Response> post_mcp(const Call& call, const Services& services);

// handlers_process.cpp
Outcome<Response> get_process(const Call& call, const Services& services);

// handlers_rules.cpp
Outcome<Response> list_types(const Call& call, const Services& services);
Outcome<Response> list_rules(const Call& call, const Services& services);

// handlers_login.cpp
Outcome<Response> login_by_code(const Call& call, const Services& services);
Outcome<Response> login_by_token(const Call& call, const Services& services);
Outcome<Response> logout(const Call& call, const Services& services);

// handlers_meta.cpp
Outcome<Response> get_livez(const Call& call, const Services& services);
Outcome<Response> get_readyz(const Call& call, const Services& services);
Outcome<Response> get_metrics(const Call& call, const Services& services);
Outcome<Response> get_openapi(const Call& call, const Services& services);
Outcome<Response> get_problem(const Call& call, const Services& services);

}  // namespace rowtrail::server
