#include "server/app.h"

#include "server/dashboard.h"
#include "server/encoding.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>

#include <fmt/format.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

namespace rowtrail::server {
namespace {

/// The client's id when it is harmless to repeat, else one of ours.
std::string request_id(const Request& request) {
  constexpr std::size_t kIdMax = 64;
  const std::string_view given = request.header("X-Request-Id");
  const bool usable = !given.empty() && given.size() <= kIdMax &&
                      std::all_of(given.begin(), given.end(), [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                               (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
                      });
  if (usable) return std::string(given);
  static const std::uint32_t process = [] {
    std::uint32_t random = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&random), sizeof random);
    return random;
  }();
  static std::atomic<std::uint64_t> count{0};
  return fmt::format("{:08x}-{:08x}", process, count.fetch_add(1, std::memory_order_relaxed));
}

void set_default_header(Response& response, std::string_view name, std::string_view value) {
  if (response.header(name).empty()) response.set_header(name, std::string(value));
}

void finish(Response& response, std::string_view id) {
  response.set_header("X-Request-Id", std::string(id));
  set_default_header(response, "X-Content-Type-Options", "nosniff");
  set_default_header(response, "Cache-Control", "no-store");
  set_default_header(response, "Content-Security-Policy",
                     "default-src 'none'; frame-ancestors 'none'");
  set_default_header(response, "Referrer-Policy", "no-referrer");
  set_default_header(response, "Cross-Origin-Resource-Policy", "same-origin");
}

std::string etag_of(std::string_view body, std::string_view suffix) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data());
  return fmt::format("\"{}{}\"",
                     base64url_encode({reinterpret_cast<const char*>(digest.data()), 12}), suffix);
}

void apply_etag(const Call& call, Response& response) {
  if (!call.route->immutable || response.status != 200 || response.stream) return;
  // Strong tags differ where bytes differ: the coding is part of it.
  const bool packed = !response.header("Content-Encoding").empty();
  const std::string etag = etag_of(response.body, packed ? "-gzip" : "");
  response.set_header("ETag", etag);
  if (matches_etag(call.request.header("If-None-Match"), etag)) {
    response.status = 304;
    response.body.clear();
  }
}

Response no_content(const std::string& allow) {
  Response response;
  response.status = 204;
  if (!allow.empty()) response.set_header("Allow", allow);
  return response;
}

/// Host without its port: "[::1]:80" → "[::1]".
std::string_view host_name(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

Problem no_such_route(const Target& target) {
  std::string path;
  for (const std::string& segment : target.segments) path += "/" + segment;
  std::vector<std::string_view> patterns;
  for (const Route& route : routes()) patterns.push_back(route.pattern);
  const std::string_view near = core::nearest(path, patterns);
  return {ProblemId::NoSuchRoute, fmt::format("There is nothing at {}.", path),
          near.empty() ? "/openapi.json lists every path." : fmt::format("Did you mean {}?", near),
          ""};
}

}  // namespace

bool is_loopback(std::string_view listen) {
  const std::string_view host = host_name(listen);
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

App::App(Options options)
    : options_(std::move(options)),
      authenticator_(options_),
      loopback_(is_loopback(options_.listen)) {
  for (const Route& route : routes()) patterns_.push_back(pattern_segments(route.pattern));
}

std::int64_t App::now_us() const {
  if (options_.now_us) return options_.now_us();
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

App::Match App::match(const std::vector<std::string>& segments, std::string_view method) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match result;
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const auto& pattern = patterns_[i];
    const Route& route = routes()[i];
    // A last name that takes the rest takes at least one segment.
    const auto end = route.rest && segments.size() > pattern.size()
                         ? segments.begin() + static_cast<std::ptrdiff_t>(pattern.size())
                         : segments.end();
    const bool fits =
        std::equal(pattern.begin(), pattern.end(), segments.begin(), end,
                   [](std::string_view part, const std::string& segment) {
                     return part.starts_with('{') ? !segment.empty() : part == segment;
                   });
    if (!fits) continue;
    if (!result.allow.empty()) result.allow += ", ";
    result.allow += route.method == "GET" ? "GET, HEAD" : std::string(route.method);
    if (route.method != wanted) continue;
    result.route = &route;
    result.path.clear();
    for (std::size_t part = 0; part < pattern.size(); ++part) {
      if (pattern[part].starts_with('{')) result.path.push_back(segments[part]);
    }
    for (auto more = end; more != segments.end(); ++more) result.path.back() += "/" + *more;
  }
  if (!result.allow.empty()) result.allow += ", OPTIONS";
  return result;
}

Outcome<void> App::check_host(const Request& request, const Target& target) const {
  if (request.header_count("Host") > 1) {
    return Problem{ProblemId::BadRequest, "The request has more than one Host header.", "", ""};
  }
  // RFC 9112 3.2.2: an absolute-form target wins over Host.
  const std::string_view authority =
      target.authority.empty() ? request.header("Host") : std::string_view(target.authority);
  const std::string_view name = host_name(authority);
  const auto is_name = [&](std::string_view allowed) {
    return equals_ignoring_case(name, allowed);
  };
  if (std::any_of(options_.hosts.begin(), options_.hosts.end(), is_name)) return {};
  if (!loopback_ && options_.hosts.empty()) return {};
  constexpr std::string_view kLoopback[] = {"localhost", "127.0.0.1", "[::1]"};
  if (std::any_of(std::begin(kLoopback), std::end(kLoopback), is_name)) return {};
  return Problem{
      ProblemId::WrongHost, "The Host header does not name this server.",
      "Use http://127.0.0.1 or http://localhost, or allow the name with the option `hosts`.", ""};
}

/// A page of another site may not make a browser send anything but reads; those it cannot see.
Outcome<void> App::check_origin(const Request& request, const Target& target) const {
  const std::string_view origin = request.header("Origin");
  if (origin.empty() || request.method == "GET" || request.method == "HEAD") return {};
  const std::size_t scheme = origin.find("://");
  const std::string_view authority =
      scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
  const std::string_view own =
      target.authority.empty() ? request.header("Host") : std::string_view(target.authority);
  const bool allowed = std::any_of(
      options_.hosts.begin(), options_.hosts.end(),
      [&](const std::string& name) { return equals_ignoring_case(host_name(authority), name); });
  if (request.header_count("Origin") == 1 && !authority.empty() &&
      (allowed || equals_ignoring_case(authority, own))) {
    return {};
  }
  return Problem{ProblemId::WrongOrigin, "The Origin header names another site.",
                 "Programs send no Origin; pages must come from this server or a name in `hosts`.",
                 ""};
}

Outcome<void> App::read_query(Call& call, Target& target) const {
  const auto& allowed = call.route->parameters;
  for (auto& [name, value] : target.query) {
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      const std::string_view near = core::nearest(name, allowed);
      std::string hint = !near.empty()     ? fmt::format("Did you mean `{}`?", near)
                         : allowed.empty() ? "This path takes no parameters."
                                           : fmt::format("It takes {}.", fmt::join(allowed, ", "));
      return Problem{ProblemId::UnknownParameter,
                     fmt::format("{} has no parameter \"{}\".", call.route->pattern, name),
                     std::move(hint), name};
    }
    if (call.parameter(name)) {
      return Problem{ProblemId::InvalidParameter, fmt::format("`{}` is given twice.", name),
                     "Give every parameter once.", name};
    }
    if (name == "format") {
      Parameter formats = query_parameter(name);
      for (const Format format : call.route->formats) {
        formats.choices.push_back(format_kind(format).name);
      }
      if (auto checked = check_parameter(formats, value, call.now_us); !checked) return checked;
    } else if (auto checked = check_parameter(query_parameter(name), value, call.now_us);
               !checked) {
      return checked;
    }
    call.query.emplace_back(std::move(name), std::move(value));
  }
  for (std::size_t i = 0; i < call.path.size(); ++i) {
    auto checked = check_parameter(call.route->path_parameters[i], call.path[i], call.now_us);
    if (!checked) return checked;
  }
  return {};
}

Outcome<std::variant<Response, Call>> App::admit_checked(Request& request, const std::string& id) {
  auto target = parse_target(request.target);
  if (!target) return target.error();
  if (const auto host = check_host(request, *target); !host) return host.error();
  if (const auto origin = check_origin(request, *target); !origin) return origin.error();
  const bool options = request.method == "OPTIONS";
  if (target->asterisk && options) return no_content({});
  Match found = match(target->segments, request.method);
  if (found.allow.empty()) {
    if (auto page = dashboard_answer(request, target->segments)) return *std::move(page);
    return no_such_route(*target);
  }
  if (options) return no_content(found.allow);
  if (found.route == nullptr) {
    return Problem{ProblemId::MethodNotAllowed,
                   fmt::format("This path does not take {}.", request.method),
                   fmt::format("It takes {}.", found.allow), ""};
  }
  const auto principal = authenticator_.admit(request, found.route->scope, now_us());
  if (!principal) return principal.error();

  Call call;
  call.route = found.route;
  call.path = std::move(found.path);
  call.request_id = id;
  call.principal = *principal;
  call.now_us = now_us();
  if (const auto read = read_query(call, *target); !read) return read.error();
  const auto format = negotiate(request.header("Accept"), call.route->formats);
  if (const auto name = call.parameter("format")) {
    for (const FormatKind& kind : format_kinds()) {
      if (kind.name == *name) call.format = kind.format;
    }
  } else if (!format) {
    return format.error();
  } else {
    call.format = *format;
  }
  call.request = std::move(request);
  return call;
}

std::variant<Response, Call> App::admit(Request request) {
  const std::string id = request_id(request);
  auto admitted = admit_checked(request, id);
  if (!admitted) {
    Response response = problem(admitted.error(), id);
    if (response.status == 405) {
      const auto target = parse_target(request.target);
      response.set_header("Allow", match(target->segments, request.method).allow);
    }
    return response;
  }
  if (auto* response = std::get_if<Response>(&*admitted)) finish(*response, id);
  return *std::move(admitted);
}

Response App::run(const Call& call, store::Reader* reader) {
  auto outcome = call.route->handler(call, {options_, metrics_, authenticator_, reader});
  if (!outcome) return problem(outcome.error(), call.request_id);
  Response response = *std::move(outcome);
  encode_body(call.request, response);
  apply_etag(call, response);
  finish(response, call.request_id);
  return response;
}

std::string App::login_path() {
  if (options_.no_auth) return "/";
  return "/login?code=" + authenticator_.make_login_code(now_us());
}

Response App::problem(const Problem& problem, std::string_view request_id) const {
  Response response = problem_response(problem);
  if (response.status == 401) {
    response.set_header("WWW-Authenticate", "Bearer realm=\"rowtrail\"");
  }
  finish(response, request_id);
  return response;
}

Response App::respond(Request request, store::Reader* reader) {
  auto admitted = admit(std::move(request));
  if (auto* response = std::get_if<Response>(&admitted)) return std::move(*response);
  return run(std::get<Call>(admitted), reader);
}

}  // namespace rowtrail::server
