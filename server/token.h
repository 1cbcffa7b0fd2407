// Who a request comes from: a bearer token, compared by digest in constant time, or the cookie of a
// browser that came through a one-time login URL.
#pragma once

#include "server/message.h"
#include "server/problem.h"
#include "server/server.h"

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::server {

constexpr std::string_view kSessionCookie = "rowtrail_session";
constexpr std::int64_t kSessionSeconds = 12 * 3600;
constexpr std::int64_t kLoginCodeSeconds = 600;
constexpr std::size_t kSessionsMax = 1000;  // the oldest end first

class Authenticator {
 public:
  explicit Authenticator(const Options& options);

  /// The caller, if its token or session has `needed`. Routes with ScopeNone ask nobody.
  [[nodiscard]] Outcome<Principal> admit(const Request& request, Scope needed, std::int64_t now_us);

  /// A code that opens one session, once, within kLoginCodeSeconds.
  [[nodiscard]] std::string make_login_code(std::int64_t now_us);
  /// Who the code was made for; it is used up then.
  [[nodiscard]] std::optional<Principal> redeem(std::string_view code, std::int64_t now_us);
  /// The secret of a new session, for the cookie.
  [[nodiscard]] std::string open_session(const Principal& principal, std::int64_t now_us);
  void close_session(const Request& request);

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Grant {
    Principal principal;
    std::int64_t until_us = 0;
  };
  using Grants =
      std::map<Digest, Grant>;  // by digest of the secret: looking up leaks nothing of it

  [[nodiscard]] std::optional<Principal> check(std::string_view secret) const;
  [[nodiscard]] std::optional<Principal> check_cookie(const Request& request, std::int64_t now_us);
  static std::string grant(Grants& grants, const Principal& principal, std::int64_t until_us);
  static std::optional<Principal> find(const Grants& grants, std::string_view secret,
                                       std::int64_t now_us);

  std::vector<Digest> digests_;
  TokenCheck token_check_;
  bool no_auth_;
  std::mutex mutex_;
  Grants codes_, sessions_;
};

/// Whether the checksum of a secret made by make_token() fits; a typo does not.
[[nodiscard]] bool is_well_formed_token(std::string_view secret);

}  // namespace rowtrail::server
