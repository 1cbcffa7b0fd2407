#include "cli/authorities.h"

#include <array>
#include <cstdlib>
#include <filesystem>

#include <openssl/x509.h>

namespace rowtrail::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array kBundles{
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch, Gentoo, containers
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",                   // older RHEL
    "/etc/ssl/ca-bundle.pem",                             // SUSE
    "/etc/ssl/cert.pem",                                  // Alpine, BSD
};

bool has_something(const char* path) {
  std::error_code error;
  return fs::exists(path, error) && !fs::is_empty(path, error);
}

}  // namespace

void find_authorities() {
  for (const char* name : {X509_get_default_cert_file_env(), X509_get_default_cert_dir_env()}) {
    if (std::getenv(name) != nullptr) return;
  }
  if (has_something(X509_get_default_cert_file()) || has_something(X509_get_default_cert_dir())) {
    return;
  }
  for (const char* bundle : kBundles) {
    if (!has_something(bundle)) continue;
    ::setenv(X509_get_default_cert_file_env(), bundle, 0);
    return;
  }
}

}  // namespace rowtrail::cli
