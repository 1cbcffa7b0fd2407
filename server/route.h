// The table of routes. Dispatch, parameter checking, OpenAPI, docs/api.md and a good part of the
// tests follow from it: a new endpoint is one row here and its handler.
#pragma once

#include "server/message.h"
#include "server/negotiate.h"
#include "server/problem.h"
#include "server/server.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rowtrail::server {

enum class ParameterKind : std::uint8_t {
  Text,
  Seq,         // unsigned 64-bit integer
  Count,       // 0 to kLimitMax
  Time,        // time_text.h
  Choice,      // one of `choices`
  Object,      // type/id
  Key,         // target.h decode_key
  Exclusions,  // name:value,…
  KeyObject,   // JSON object of a primary key
  Cursor,
};

struct Parameter {
  std::string_view name;
  ParameterKind kind;
  std::string_view about;
  std::string_view example;
  std::vector<std::string_view> choices = {};
};

constexpr std::uint64_t kLimitDefault = 100;
constexpr std::uint64_t kLimitMax = 1000;
/// A page's JSON ends early here, so that a thousand wide rows do not fill the memory.
constexpr std::size_t kPageBytesMax = 4 * 1024 * 1024;

struct Route;

/// A request that has been let in: its route, its decoded and checked parameters.
struct Call {
  const Route* route = nullptr;
  Request request;
  std::string request_id;
  Principal principal;
  std::vector<std::string> path;  // values of the pattern's {names}, in order
  std::vector<std::pair<std::string, std::string>> query;
  Format format = Format::Json;
  std::int64_t now_us = 0;
  std::size_t page_bytes_max = kPageBytesMax;

  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

class Metrics;
class Authenticator;

/// What a handler may use. `reader` is set on routes that read the store.
struct Services {
  const Options& options;
  const Metrics& metrics;
  Authenticator& authenticator;
  store::Reader* reader = nullptr;
};

using Handler = Outcome<Response> (*)(const Call& call, const Services& services);

struct Route {
  std::string_view method;
  std::string_view pattern;    // "/v1/events/{seq}"
  std::string_view operation;  // OpenAPI operationId
  std::string_view summary;
  std::string_view about;
  Handler handler;
  Scope scope = ScopeRead;
  bool reads_store = true;
  bool immutable = false;  // gets an ETag
  bool rest = false;       // the last {name} takes all segments that remain
  std::vector<Format> formats = {Format::Json};
  std::string_view schema = {};  // of the JSON answer, in schemas.cpp
  std::vector<std::string_view> parameters = {};
  std::vector<Parameter> path_parameters = {};  // in the pattern's order
};

[[nodiscard]] std::span<const Route> routes();
/// The row with this operationId, which must be there.
[[nodiscard]] const Route& route_of(std::string_view operation);
/// The row of a query parameter.
[[nodiscard]] const Parameter& query_parameter(std::string_view name);

/// Schemas of the answers for OpenAPI: name and JSON text.
struct Schema {
  std::string_view name;
  std::string_view json;
};
[[nodiscard]] std::span<const Schema> schemas();

/// JSON knows no infinity.
[[nodiscard]] double finite_or_zero(double value);

/// "/v1/events/{seq}" → v1, events, {seq}.
[[nodiscard]] std::vector<std::string_view> pattern_segments(std::string_view pattern);

/// Whether `value` is one that the parameter takes; the problem says what would be.
[[nodiscard]] Outcome<void> check_parameter(const Parameter& parameter, std::string_view value,
                                            std::int64_t now_us);

}  // namespace rowtrail::server
