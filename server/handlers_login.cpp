// Browser sessions: a cookie instead of a token, because a browser's EventSource and links send
// none.
#include "server/handlers.h"
#include "server/token.h"

#include <fmt/format.h>

namespace rowtrail::server {
namespace {

std::string cookie(std::string_view secret, std::int64_t seconds) {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}", kSessionCookie, secret,
                     seconds);
}

}  // namespace

Outcome<Response> login_by_code(const Call& call, const Services& services) {
  const auto code = call.parameter("code");
  const auto principal =
      code ? services.authenticator.redeem(*code, call.now_us) : std::optional<Principal>();
  if (!principal) {
    return Problem{
        ProblemId::Unauthorized, "The login code is not known, used or too old.",
        "Codes work once, for ten minutes; `rowtrail run` prints a new URL when it starts.",
        code ? "code" : ""};
  }
  Response response;
  response.status = 303;
  response.set_header("Location", "/");
  response.set_header(
      "Set-Cookie",
      cookie(services.authenticator.open_session(*principal, call.now_us), kSessionSeconds));
  return response;
}

Outcome<Response> login_by_token(const Call& call, const Services& services) {
  Response response;
  response.set_header(
      "Set-Cookie",
      cookie(services.authenticator.open_session(call.principal, call.now_us), kSessionSeconds));
  response.body = "{\"status\":\"ok\"}\n";
  return response;
}

Outcome<Response> logout(const Call& call, const Services& services) {
  services.authenticator.close_session(call.request);
  Response response;
  response.set_header("Set-Cookie", cookie("", 0));
  response.body = "{\"status\":\"ok\"}\n";
  return response;
}

}  // namespace rowtrail::server
