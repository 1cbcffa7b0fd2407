#include "binlog/auth.h"

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

namespace rowtrail::binlog {
namespace {

using core::Errc;
using core::Error;
using core::Result;
using Answer = Result<std::string>;
using MaybeAnswer = Result<std::optional<std::string>>;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

constexpr std::size_t kSaltBytes = 20;   // mysql_native_password and the SHA-256 methods
constexpr std::size_t kNonceBytes = 32;  // client_ed25519 and PARSEC
constexpr std::size_t kParsecSaltBytes = 18;
constexpr unsigned kParsecIterationsMax = 3;  // 1024 << 3 rounds; the server's own limit

const unsigned char* octets(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* octets(std::string& text) noexcept {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string digest(const EVP_MD* algorithm, std::string_view first, std::string_view second = {}) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(algorithm)), '\0');
  const DigestContext context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex(context.get(), algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), first.data(), first.size()) != 1 ||
      EVP_DigestUpdate(context.get(), second.data(), second.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), octets(out), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot compute a digest");  // a build without SHA-1 or SHA-2
  }
  return out;
}

/// `text` xored with `pad`, repeated as often as needed.
std::string xored(std::string text, std::string_view pad) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(text[i] ^ pad[i % pad.size()]);
  }
  return text;
}

std::string with_nul(std::string_view password) {
  return std::string(password) + '\0';
}

bool is_private(const AuthContext& context) noexcept {
  return context.local_socket || context.encrypted;
}

Error wrong_salt(std::string_view method, std::size_t size) {
  return {Errc::Malformed, fmt::format("{}: the server sent a salt of {} bytes", method, size)};
}

MaybeAnswer nothing_more(const AuthContext& /*context*/, ByteView /*salt*/, ByteView data) {
  return Error{Errc::Malformed,
               fmt::format("unexpected authentication data of {} bytes", data.size())};
}

Answer native_first(const AuthContext& context, ByteView salt) {
  if (salt.size() != kSaltBytes) return wrong_salt("mysql_native_password", salt.size());
  return native_password_answer(context.password, salt);
}

/// The whole password, for the SHA-256 methods, where the channel is not private.
Answer sealed_password(const AuthContext& context, ByteView salt, std::string_view method) {
  if (context.server_key.empty()) {
    return Error{Errc::Invalid,
                 fmt::format("{} needs the password itself, which is not sent over plain TCP: use "
                             "TLS (tls=verify-ca with the server's ca.pem), a unix socket, or pin "
                             "the server's RSA key (server_public_key=public_key.pem)",
                             method)};
  }
  return rsa_sealed_password(context.password, salt, context.server_key);
}

Answer caching_sha2_first(const AuthContext& context, ByteView salt) {
  if (salt.size() != kSaltBytes) return wrong_salt("caching_sha2_password", salt.size());
  return caching_sha2_answer(context.password, salt);
}

// MySQL, sql/auth/sha2_password.cc: 3 "the cache knew you", 4 "send the password itself".
MaybeAnswer caching_sha2_more(const AuthContext& context, ByteView salt, ByteView data) {
  const auto said = as_text(data);
  if (said == "\x03") return std::optional<std::string>();
  if (said != "\x04") return nothing_more(context, salt, data);
  auto answer = is_private(context) ? Answer(with_nul(context.password))
                                    : sealed_password(context, salt, "caching_sha2_password");
  if (!answer) return answer.error();
  return std::optional(std::move(*answer));
}

// MySQL, sql/auth/sha2_password.cc: unlike caching_sha2_password it wants RSA on a unix socket too.
// There the server itself is asked for its key, because nobody can stand in between.
constexpr char kKeyRequest = 0x01;

Answer sha256_first(const AuthContext& context, ByteView salt) {
  // An empty password is a single NUL on any channel (sql-common/client_authentication.cc).
  if (context.password.empty()) return with_nul({});
  if (context.encrypted) return with_nul(context.password);
  if (salt.size() != kSaltBytes) return wrong_salt("sha256_password", salt.size());
  if (context.local_socket && context.server_key.empty()) return std::string(1, kKeyRequest);
  return sealed_password(context, salt, "sha256_password");
}

MaybeAnswer sha256_more(const AuthContext& context, ByteView salt, ByteView data) {
  if (!context.local_socket || !context.server_key.empty()) {
    return nothing_more(context, salt, data);
  }
  auto answer = rsa_sealed_password(context.password, salt, as_text(data));
  if (!answer) return answer.error();
  return std::optional(std::move(*answer));
}

Answer clear_first(const AuthContext& context, ByteView /*salt*/) {
  if (context.local_socket || (context.encrypted && context.verified)) {
    return with_nul(context.password);
  }
  return Error{Errc::Invalid,
               "the server asks for the password in clear text (mysql_clear_password), which is "
               "sent only over TLS with a verified server: set tls=verify-ca or verify-identity"};
}

Answer ed25519_first(const AuthContext& context, ByteView salt) {
  if (salt.size() != kNonceBytes) return wrong_salt("client_ed25519", salt.size());
  return ed25519_password_signature(context.password, salt);
}

// MariaDB, plugin/auth_parsec: the salt is a nonce, an empty packet asks for the key parameters.
Answer parsec_first(const AuthContext& /*context*/, ByteView salt) {
  if (salt.size() != kNonceBytes) return wrong_salt("parsec", salt.size());
  return std::string();
}

MaybeAnswer parsec_more(const AuthContext& context, ByteView salt, ByteView data) {
  std::string nonce(kNonceBytes, '\0');
  if (RAND_bytes(octets(nonce), static_cast<int>(nonce.size())) != 1) {
    return Error{Errc::Unsupported, "OpenSSL has no random numbers to give"};
  }
  auto answer = parsec_answer(context.password, salt, as_bytes(nonce), data);
  if (!answer) return answer.error();
  return std::optional(std::move(*answer));
}

constexpr std::array kMethods{
    AuthMethod{"caching_sha2_password", true, caching_sha2_first, caching_sha2_more},
    AuthMethod{"mysql_native_password", true, native_first, nothing_more},
    AuthMethod{"sha256_password", false, sha256_first, sha256_more},
    AuthMethod{"client_ed25519", false, ed25519_first, nothing_more},
    AuthMethod{"parsec", false, parsec_first, parsec_more},
    AuthMethod{"mysql_clear_password", false, clear_first, nothing_more},
};

}  // namespace

std::span<const AuthMethod> auth_methods() noexcept {
  return kMethods;
}

const AuthMethod* find_auth_method(std::string_view name) noexcept {
  const auto* found = std::ranges::find(kMethods, name, &AuthMethod::name);
  return found == kMethods.end() ? nullptr : found;
}

std::string native_password_answer(std::string_view password, ByteView salt) {
  if (password.empty()) return {};
  const auto once = digest(EVP_sha1(), password);
  return xored(once, digest(EVP_sha1(), as_text(salt), digest(EVP_sha1(), once)));
}

std::string caching_sha2_answer(std::string_view password, ByteView salt) {
  if (password.empty()) return {};
  const auto once = digest(EVP_sha256(), password);
  return xored(once, digest(EVP_sha256(), digest(EVP_sha256(), once), as_text(salt)));
}

Answer rsa_sealed_password(std::string_view password, ByteView salt, std::string_view key_pem) {
  const auto unusable = [](std::string_view why) {
    return Error{Errc::Invalid, fmt::format("the pinned server key (server_public_key): {}; it is "
                                            "the server's public_key.pem",
                                            why)};
  };
  if (salt.empty()) return wrong_salt("RSA", 0);
  const Bio bio(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  const Key key(bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) {
    return unusable("not an RSA public key in PEM form");
  }
  const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  const auto plain = xored(with_nul(password), as_text(salt));
  std::size_t size = 0;
  if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
      EVP_PKEY_encrypt(context.get(), nullptr, &size, octets(plain), plain.size()) != 1) {
    return unusable("OpenSSL refuses it");
  }
  std::string sealed(size, '\0');
  if (EVP_PKEY_encrypt(context.get(), octets(sealed), &size, octets(plain), plain.size()) != 1) {
    return unusable("too short for this password");
  }
  sealed.resize(size);
  return sealed;
}

Answer parsec_answer(std::string_view password, ByteView server_nonce, ByteView client_nonce,
                     ByteView parameters) {
  Cursor cursor(parameters);
  const auto algorithm = cursor.u8();
  const auto iterations = cursor.u8();
  const auto salt = cursor.text(kParsecSaltBytes);
  if (!cursor.ok() || !cursor.at_end() || algorithm != 'P' || iterations > kParsecIterationsMax) {
    return Error{Errc::Malformed, "parsec: key parameters of an unknown form"};
  }
  std::string seed(kNonceBytes, '\0');
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets(salt),
                        static_cast<int>(salt.size()), 1024 << iterations, EVP_sha512(),
                        static_cast<int>(seed.size()), octets(seed)) != 1) {
    return Error{Errc::Unsupported, "parsec: OpenSSL cannot derive the key"};
  }
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(seed), seed.size()));
  const DigestContext context(EVP_MD_CTX_new());
  const auto message = std::string(as_text(server_nonce)).append(as_text(client_nonce));
  std::string signature(64, '\0');
  std::size_t size = signature.size();
  if (!key || !context ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), octets(signature), &size, octets(message), message.size()) !=
          1) {
    return Error{Errc::Unsupported, "parsec: OpenSSL cannot sign with Ed25519"};
  }
  return std::string(as_text(client_nonce)).append(signature);
}

}  // namespace rowtrail::binlog
