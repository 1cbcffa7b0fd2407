// Content codings: gzip for bodies that are worth it.
#pragma once

#include "server/message.h"

#include <string>
#include <string_view>

namespace rowtrail::server {

/// RFC 9110 Accept-Encoding: whether gzip is welcome.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

/// Compresses the body when the client accepts it and it is long enough, and says so in the
/// headers.
void encode_body(const Request& request, Response& response);

}  // namespace rowtrail::server
