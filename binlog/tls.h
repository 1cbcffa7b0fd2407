// How TLS is set up from ServerOptions, on OpenSSL's own types so that Asio stays out of headers.
// TLS 1.2 is the least that is spoken; verification is OpenSSL's own, names and addresses included.
#pragma once

#include "binlog/source.h"

#include <string>

using SSL_CTX = struct ssl_ctx_st;
using SSL = struct ssl_st;

namespace rowtrail::binlog {

/// CA, client certificate, least version. Throws core::Failure naming the file that cannot be used.
void set_up_tls_context(SSL_CTX* context, const ServerOptions& options);
/// Server name indication and what the certificate must say, for one connection.
void set_up_tls_session(SSL* session, const ServerOptions& options);

[[nodiscard]] bool verifies_server(TlsMode mode) noexcept;
/// Why the handshake failed, with advice where the certificate was at fault; else empty.
[[nodiscard]] std::string certificate_problem(SSL* session);
/// SHA-1 and SHA-256 of the server's certificate in hexadecimal; empty without TLS.
struct Fingerprints {
  std::string sha1, sha256;
};
[[nodiscard]] Fingerprints peer_fingerprints(SSL* session);

}  // namespace rowtrail::binlog
