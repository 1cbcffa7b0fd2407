#include "server/handlers.h"
#include "server/metrics.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace rowtrail::server {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void member(Writer& writer, std::string_view key, std::string_view value) {
  writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

}  // namespace

Outcome<Response> get_livez(const Call& /*call*/, const Services& /*services*/) {
  Response response;
  response.body = "{\"status\":\"ok\"}\n";
  return response;
}

Outcome<Response> get_readyz(const Call& /*call*/, const Services& services) {
  const Health health = services.options.health ? services.options.health() : Health{};
  const double lag_s = finite_or_zero(health.lag_s);
  const bool in_time = lag_s <= services.options.ready_lag_max_s;
  const bool ready = health.source_connected && health.store_writable && in_time;
  std::string detail = health.detail;
  if (detail.empty() && !ready) {
    detail = !health.source_connected ? "The source is not connected."
             : !health.store_writable
                 ? "The store does not take records."
                 : fmt::format("Capture is {:.0f} s behind the source.", lag_s);
  }
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  member(writer, "status", ready ? "ready" : "not ready");
  writer.Key("source_connected");
  writer.Bool(health.source_connected);
  writer.Key("store_writable");
  writer.Bool(health.store_writable);
  writer.Key("lag_s");
  writer.Double(lag_s);
  if (!detail.empty()) member(writer, "detail", detail);
  writer.EndObject();
  Response response = json_response({buffer.GetString(), buffer.GetSize()});
  response.status = ready ? 200 : 503;
  return response;
}

Outcome<Response> get_metrics(const Call& call, const Services& services) {
  Response response;
  response.content_type = format_kind(call.format).media_type;
  response.body = services.metrics.text(services.options);
  return response;
}

Outcome<Response> get_openapi(const Call& /*call*/, const Services& /*services*/) {
  static const std::string document = openapi_json();
  Response response;
  response.body = document;
  response.set_header("Cache-Control", "no-cache");
  return response;
}

Outcome<Response> get_problem(const Call& call, const Services& /*services*/) {
  const std::string& name = call.path[0];
  std::vector<std::string_view> names;
  for (const ProblemKind& kind : problem_kinds()) names.push_back(kind.name);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    return Problem{ProblemId::NoSuchRecord, fmt::format("There is no problem type {}.", name),
                   fmt::format("The types are {}.", fmt::join(names, ", ")), ""};
  }
  const ProblemKind& kind =
      problem_kinds()[static_cast<std::size_t>(std::distance(names.begin(), found))];
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  member(writer, "type", "/problems/" + name);
  member(writer, "title", kind.title);
  writer.Key("status");
  writer.Uint(kind.status);
  member(writer, "about", kind.about);
  writer.EndObject();
  return json_response({buffer.GetString(), buffer.GetSize()});
}

}  // namespace rowtrail::server
