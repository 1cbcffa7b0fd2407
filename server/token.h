// Who a request comes from: bearer tokens, compared by digest in constant time.
#pragma once

#include "server/message.h"
#include "server/problem.h"
#include "server/server.h"

#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace rowtrail::server {

class Authenticator {
 public:
  explicit Authenticator(const Options& options);

  /// The caller, if its token has `needed`. Routes with kScopeNone ask nobody.
  [[nodiscard]] Outcome<Principal> admit(const Request& request, Scope needed) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  [[nodiscard]] std::optional<Principal> check(std::string_view secret) const;

  std::vector<Digest> digests_;
  TokenCheck token_check_;
  bool no_auth_;
};

/// Whether the checksum of a secret made by make_token() fits; a typo does not.
[[nodiscard]] bool is_well_formed_token(std::string_view secret);

}  // namespace rowtrail::server
