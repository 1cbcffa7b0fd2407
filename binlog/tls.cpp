#include "binlog/tls.h"

#include "core/core.h"

#include <array>
#include <memory>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace rowtrail::binlog {
namespace {

std::string openssl_reason() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

void require(bool worked, std::string_view option, const std::string& file) {
  if (worked) return;
  throw core::Failure(core::Area::Source, false,
                      fmt::format("{} '{}' cannot be used: {}", option, file, openssl_reason()));
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return ::inet_pton(AF_INET, host.c_str(), parsed.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), parsed.data()) == 1;
}

std::string digest_of(X509* certificate, const EVP_MD* algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  if (X509_digest(certificate, algorithm, bytes.data(), &size) != 1) return {};
  std::string out;
  for (unsigned i = 0; i < size; ++i) out += fmt::format("{:02X}", bytes[i]);
  return out;
}

}  // namespace

bool verifies_server(TlsMode mode) noexcept {
  return mode == TlsMode::VerifyCa || mode == TlsMode::VerifyIdentity;
}

void set_up_tls_context(SSL_CTX* context, const ServerOptions& options) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, verifies_server(options.tls) ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                     nullptr);
  if (!options.tls_ca.empty()) {
    require(SSL_CTX_load_verify_locations(context, options.tls_ca.c_str(), nullptr) == 1, "tls_ca",
            options.tls_ca);
  } else {
    SSL_CTX_set_default_verify_paths(context);
  }
  if (options.tls_cert.empty()) return;
  const auto& key = options.tls_key.empty() ? options.tls_cert : options.tls_key;
  require(SSL_CTX_use_certificate_chain_file(context, options.tls_cert.c_str()) == 1, "tls_cert",
          options.tls_cert);
  require(SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1, "tls_key", key);
  require(SSL_CTX_check_private_key(context) == 1, "tls_key", key);
}

void set_up_tls_session(SSL* session, const ServerOptions& options) {
  const bool address = is_address(options.host);
  if (!address) SSL_set_tlsext_host_name(session, options.host.c_str());
  if (options.tls != TlsMode::VerifyIdentity) return;
  if (address) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), options.host.c_str());
  } else {
    SSL_set1_host(session, options.host.c_str());
  }
}

std::string certificate_problem(SSL* session) {
  const auto result = SSL_get_verify_result(session);
  std::string_view advice;
  switch (result) {
    case X509_V_OK:
      return {};
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      advice =
          "connect by the name in the certificate, or check the CA alone (tls=verify-ca with "
          "tls_ca): certificates that MySQL generates itself carry no host name";
      break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      advice = "renew the server's certificate, or set this machine's clock";
      break;
    default:
      advice =
          "its CA is not trusted here: name the server's CA certificate with tls_ca (MySQL "
          "keeps it as ca.pem in its data folder)";
  }
  return fmt::format("the server's certificate was refused: {}; {}",
                     X509_verify_cert_error_string(result), advice);
}

Fingerprints peer_fingerprints(SSL* session) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(session),
                                                                &X509_free);
  if (!certificate) return {};
  return {digest_of(certificate.get(), EVP_sha1()), digest_of(certificate.get(), EVP_sha256())};
}

}  // namespace rowtrail::binlog
