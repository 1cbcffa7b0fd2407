#include "server/problem.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <stdexcept>
#include <vector>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace rowtrail::server {
namespace {

using enum ProblemId;

constexpr ProblemKind kKinds[] = {
    {BadRequest, 400, "bad-request", "The request cannot be read",
     "The request line, a header or the percent-encoding is not valid HTTP."},
    {UnknownParameter, 400, "unknown-parameter", "Unknown query parameter",
     "A parameter that this route does not have would be ignored in silence, so it is refused. "
     "/openapi.json lists the parameters of every route."},
    {InvalidParameter, 400, "invalid-parameter", "A parameter has a value that cannot be used",
     "`parameter` names it and `hint` shows a value that would do."},
    {InvalidCursor, 400, "invalid-cursor", "The cursor cannot be used here",
     "A cursor is opaque and belongs to the filters it was made with. Start again without it."},
    {Unauthorized, 401, "unauthorized", "A token is needed",
     "Send `Authorization: Bearer <token>`. `rowtrail run` keeps a token in a file that only its "
     "user may read."},
    {Forbidden, 403, "forbidden", "The token may not do this",
     "Use a token with the scope that the route names in /openapi.json."},
    {WrongOrigin, 403, "wrong-origin", "The request comes from a page of another site",
     "Requests that could do something are taken from this server's own pages and from programs, "
     "which send no Origin header."},
    {NoSuchRoute, 404, "no-such-route", "There is nothing at this path",
     "/openapi.json lists every path."},
    {NoSuchRecord, 404, "no-such-record", "The log holds no such record",
     "The path is right but nothing was recorded under this key, or not yet."},
    {MethodNotAllowed, 405, "method-not-allowed", "This path does not take this method",
     "The Allow header lists the methods."},
    {NotAcceptable, 406, "not-acceptable", "None of the accepted media types can be given",
     "Ask for one of the types in `hint`, or send no Accept header."},
    {ContentTooLarge, 413, "content-too-large", "The request's body is too large",
     "Bodies are limited to 1 MiB."},
    {UnsupportedMediaType, 415, "unsupported-media-type", "The body has a type that is not taken",
     "Send the body as application/json and say so in Content-Type."},
    {WrongHost, 421, "wrong-host", "The Host header names another server",
     "A loopback server answers only to localhost, 127.0.0.1 and [::1], so that a web page cannot "
     "reach it through a name of its own. Allow more names with the option `hosts`."},
    {HeadersTooLarge, 431, "headers-too-large", "The request's headers are too large",
     "Request line and headers are limited to 16 KiB together."},
    {Internal, 500, "internal", "rowtrail failed to answer",
     "A mistake of ours. The log of the process has a line with the request's id."},
    {NotImplemented, 501, "not-implemented", "This part of HTTP is not supported",
     "Only the transfer coding `chunked` is understood."},
    {StoreUnavailable, 503, "store-unavailable", "The store cannot be read now",
     "The database behind rowtrail does not answer. Capture goes on as soon as it does."},
    {Overloaded, 503, "overloaded", "Too many requests at once",
     "Try again after the seconds in Retry-After."},
};

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void member(Writer& writer, std::string_view key, std::string_view value) {
  writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

}  // namespace

std::span<const ProblemKind> problem_kinds() {
  return kKinds;
}

const ProblemKind& problem_kind(ProblemId id) {
  const auto index = static_cast<std::size_t>(id);
  assert(index < std::size(kKinds) && kKinds[index].id == id);
  return kKinds[index];
}

void throw_exception_from_error(const Problem& problem, const boost::source_location& /*where*/) {
  throw std::runtime_error(problem.detail);
}

Response problem_response(const Problem& problem) {
  const ProblemKind& kind = problem_kind(problem.id);
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  member(writer, "type", "/problems/" + std::string(kind.name));
  member(writer, "title", kind.title);
  writer.Key("status");
  writer.Uint(kind.status);
  if (!problem.detail.empty()) member(writer, "detail", problem.detail);
  if (!problem.hint.empty()) member(writer, "hint", problem.hint);
  if (!problem.parameter.empty()) member(writer, "parameter", problem.parameter);
  writer.EndObject();

  Response response;
  response.status = kind.status;
  response.content_type = "application/problem+json";
  response.body.assign(buffer.GetString(), buffer.GetSize());
  response.body += '\n';
  if (problem.id == Overloaded || problem.id == StoreUnavailable) {
    response.set_header("Retry-After", "1");
  }
  return response;
}

}  // namespace rowtrail::server
