// The OpenAPI 3.1 document and the reference part of docs/api.md, both from the table of routes.
#include "server/route.h"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace rowtrail::server {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void key(Writer& writer, std::string_view name) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}
void text(Writer& writer, std::string_view value) {
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}
void member(Writer& writer, std::string_view name, std::string_view value) {
  key(writer, name);
  text(writer, value);
}

void write_schema_ref(Writer& writer, std::string_view schema) {
  key(writer, "schema");
  writer.StartObject();
  member(writer, "$ref", fmt::format("#/components/schemas/{}", schema));
  writer.EndObject();
}

Parameter for_route(const Route& route, std::string_view name) {
  Parameter parameter = query_parameter(name);
  if (name == "format") {
    for (const Format format : route.formats) {
      parameter.choices.push_back(format_kind(format).name);
    }
  }
  return parameter;
}

void write_parameter_schema(Writer& writer, const Parameter& parameter) {
  key(writer, "schema");
  writer.StartObject();
  const bool number =
      parameter.kind == ParameterKind::Seq || parameter.kind == ParameterKind::Count;
  member(writer, "type", number ? "integer" : "string");
  if (number) {
    key(writer, "minimum");
    writer.Uint(0);
    key(writer, "maximum");
    writer.Uint64(parameter.kind == ParameterKind::Count ? kLimitMax : INT64_MAX);
  } else {
    key(writer, "minLength");
    writer.Uint(1);
  }
  if (parameter.kind == ParameterKind::Count) {
    key(writer, "default");
    writer.Uint64(kLimitDefault);
  }
  if (!parameter.choices.empty()) {
    key(writer, "enum");
    writer.StartArray();
    for (const std::string_view choice : parameter.choices) text(writer, choice);
    writer.EndArray();
  }
  writer.EndObject();
}

void write_parameter(Writer& writer, const Parameter& parameter, bool in_path) {
  writer.StartObject();
  member(writer, "name", parameter.name);
  member(writer, "in", in_path ? "path" : "query");
  member(writer, "description", parameter.about);
  key(writer, "required");
  writer.Bool(in_path);
  write_parameter_schema(writer, parameter);
  if (!parameter.example.empty()) {
    key(writer, "example");
    const bool number =
        parameter.kind == ParameterKind::Seq || parameter.kind == ParameterKind::Count;
    if (number) {
      writer.RawValue(parameter.example.data(), parameter.example.size(), rapidjson::kNumberType);
    } else {
      text(writer, parameter.example);
    }
  }
  writer.EndObject();
}

/// `"application/json":` any object.
void write_document(Writer& writer) {
  key(writer, "application/json");
  writer.StartObject();
  write_schema_ref(writer, "Document");
  writer.EndObject();
}

/// `json`: of JSON-RPC, whose errors are answers of their own.
void write_problem_response(Writer& writer, unsigned status, std::string_view about, bool json) {
  key(writer, std::to_string(status));
  writer.StartObject();
  member(writer, "description", about);
  key(writer, "content");
  writer.StartObject();
  if (json) write_document(writer);
  key(writer, "application/problem+json");
  writer.StartObject();
  write_schema_ref(writer, "Problem");
  writer.EndObject();
  writer.EndObject();
  writer.EndObject();
}

void write_answer(Writer& writer, const Route& route, unsigned status, std::string_view about) {
  key(writer, std::to_string(status));
  writer.StartObject();
  member(writer, "description", about);
  key(writer, "content");
  writer.StartObject();
  for (const Format format : route.formats) {
    key(writer, format_kind(format).media_type);
    writer.StartObject();
    if (format == Format::Json) write_schema_ref(writer, route.schema);
    writer.EndObject();
  }
  writer.EndObject();
  writer.EndObject();
}

/// Problems that this route can answer with, one response per status.
void write_responses(Writer& writer, const Route& route) {
  key(writer, "responses");
  writer.StartObject();
  write_answer(writer, route, 200, route.summary);
  if (route.operation == "getReadyz") write_answer(writer, route, 503, "Not ready");
  if (route.immutable) {
    key(writer, "304");
    writer.StartObject();
    member(writer, "description", "Unchanged: If-None-Match holds the ETag");
    writer.EndObject();
  }
  const bool rpc = route.operation == "postMcp";
  if (rpc) {
    key(writer, "202");
    writer.StartObject();
    member(writer, "description", "A notification was taken; there is no body");
    writer.EndObject();
  }
  std::set<unsigned> statuses;
  for (const ProblemKind& kind : problem_kinds()) {
    const bool guarded = route.scope != ScopeNone;
    const bool by_code = route.operation == "loginByCode" && kind.status == 401;
    const bool needs_token = (kind.status == 401 && !by_code) || kind.status == 403;
    const bool needs_key = kind.id == ProblemId::NoSuchRecord && !rpc;
    const bool needs_store = kind.status == 503;
    if ((needs_token && !guarded) || (needs_key && route.path_parameters.empty()) ||
        (needs_store && !route.reads_store) || kind.id == ProblemId::NoSuchRoute ||
        kind.status == 405) {
      continue;
    }
    if (statuses.insert(kind.status).second)
      write_problem_response(writer, kind.status, kind.title,
                             rpc && (kind.status == 400 || kind.status == 404));
  }
  writer.EndObject();
}

void write_operation(Writer& writer, const Route& route) {
  std::string method(route.method);
  std::transform(method.begin(), method.end(), method.begin(),
                 [](char c) { return static_cast<char>(c | 0x20); });
  key(writer, method);
  writer.StartObject();
  member(writer, "operationId", route.operation);
  member(writer, "summary", route.summary);
  member(writer, "description", route.about);
  if (!route.parameters.empty() || !route.path_parameters.empty()) {
    key(writer, "parameters");
    writer.StartArray();
    for (const Parameter& parameter : route.path_parameters) {
      write_parameter(writer, parameter, true);
    }
    for (const std::string_view name : route.parameters) {
      write_parameter(writer, for_route(route, name), false);
    }
    writer.EndArray();
  }
  if (route.operation == "postMcp") {
    key(writer, "requestBody");
    writer.StartObject();
    key(writer, "required");
    writer.Bool(true);
    key(writer, "content");
    writer.StartObject();
    write_document(writer);
    writer.EndObject();
    writer.EndObject();
  }
  write_responses(writer, route);
  if (route.scope == ScopeNone) {
    key(writer, "security");
    writer.StartArray();
    writer.EndArray();
  }
  writer.EndObject();
}

void write_paths(Writer& writer) {
  key(writer, "paths");
  writer.StartObject();
  for (auto route = routes().begin(); route != routes().end();) {
    key(writer, route->pattern);
    writer.StartObject();
    const std::string_view pattern = route->pattern;
    for (; route != routes().end() && route->pattern == pattern; ++route) {
      write_operation(writer, *route);
    }
    writer.EndObject();
  }
  writer.EndObject();
}

void write_components(Writer& writer) {
  key(writer, "components");
  writer.StartObject();
  constexpr std::string_view kTokenScheme = R"({"token":{"type":"http","scheme":"bearer"}})";
  key(writer, "securitySchemes");
  writer.RawValue(kTokenScheme.data(), kTokenScheme.size(), rapidjson::kObjectType);
  key(writer, "schemas");
  writer.StartObject();
  for (const Schema& schema : schemas()) {
    key(writer, schema.name);
    std::string json(schema.json);
    std::erase(json, '\n');
    writer.RawValue(json.data(), json.size(), rapidjson::kObjectType);
  }
  writer.EndObject();
  writer.EndObject();
}

}  // namespace

std::string openapi_json() {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  member(writer, "openapi", "3.1.0");
  key(writer, "info");
  writer.StartObject();
  member(writer, "title", "rowtrail");
  member(writer, "version", ROWTRAIL_VERSION);
  member(writer, "description",
         "What happened in a MySQL or MariaDB database: business events, the row changes behind "
         "them, and who made them.");
  writer.EndObject();
  key(writer, "security");
  writer.StartArray();
  writer.StartObject();
  key(writer, "token");
  writer.StartArray();
  writer.EndArray();
  writer.EndObject();
  writer.EndArray();
  write_paths(writer);
  write_components(writer);
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string api_markdown() {
  std::string out = "## Routes\n";
  std::set<std::string_view> used;
  for (const Route& route : routes()) {
    out += fmt::format("\n### `{} {}`\n\n{} {}\n", route.method, route.pattern, route.about,
                       route.scope == ScopeNone ? "No token is needed." : "");
    if (out.ends_with(" \n")) out.erase(out.size() - 2, 1);
    for (const Parameter& parameter : route.path_parameters) {
      out += fmt::format("- `{{{}}}`: {}\n", parameter.name, parameter.about);
    }
    if (!route.parameters.empty()) {
      std::vector<std::string> names;
      for (const std::string_view name : route.parameters) {
        names.push_back(fmt::format("`{}`", name));
        used.insert(name);
      }
      out += fmt::format("- parameters: {}\n", fmt::join(names, " "));
    }
    std::vector<std::string> types;
    for (const Format format : route.formats) {
      types.push_back(fmt::format("`{}`", format_kind(format).media_type));
    }
    out += fmt::format("- gives: {}\n", fmt::join(types, ", "));
  }
  out += "\n## Parameters\n\n| name | meaning | example |\n|---|---|---|\n";
  for (const std::string_view name : used) {
    const Parameter& parameter = query_parameter(name);
    out += fmt::format("| `{}` | {}{} | {} |\n", name, parameter.about,
                       parameter.choices.empty()
                           ? ""
                           : fmt::format(" One of {}.", fmt::join(parameter.choices, ", ")),
                       parameter.example.empty() ? "" : fmt::format("`{}`", parameter.example));
  }
  out += "\n## Problems\n\n| type | status | meaning |\n|---|---|---|\n";
  for (const ProblemKind& kind : problem_kinds()) {
    out += fmt::format("| `/problems/{}` | {} | {}. {} |\n", kind.name, kind.status, kind.title,
                       kind.about);
  }
  return out;
}

}  // namespace rowtrail::server
