#include "store/seal.h"

#include <memory>

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

namespace rowtrail::store {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

struct FreeDerivation {
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text, std::size_t at = 0) {
  return reinterpret_cast<unsigned char*>(text.data() + at);
}
int size_of(std::string_view text) {
  return static_cast<int>(text.size());
}

[[noreturn]] void fail(const char* what) {
  throw core::Failure(core::Area::Store, false, what);
}

}  // namespace

SealingKey derive_key(std::string_view secret, std::string_view purpose) {
  const std::unique_ptr<EVP_PKEY_CTX, FreeDerivation> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
  SealingKey key{};
  std::size_t size = key.size();
  if (EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) != 1 ||
      EVP_PKEY_CTX_set1_hkdf_key(context.get(), bytes_of(secret), size_of(secret)) != 1 ||
      EVP_PKEY_CTX_add1_hkdf_info(context.get(), bytes_of(purpose), size_of(purpose)) != 1 ||
      EVP_PKEY_derive(context.get(), key.data(), &size) != 1) {
    fail("OpenSSL cannot derive a key");
  }
  return key;
}

std::string seal(const SealingKey& key, std::string_view bytes, std::string_view about) {
  std::string out(kNonceBytes + bytes.size() + kTagBytes, '\0');
  if (RAND_bytes(bytes_of(out), kNonceBytes) != 1) fail("the system gives no random bytes");
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int done = 0;
  if (EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes_of(out)) !=
          1 ||
      EVP_EncryptUpdate(cipher.get(), nullptr, &done, bytes_of(about), size_of(about)) != 1 ||
      EVP_EncryptUpdate(cipher.get(), bytes_of(out, kNonceBytes), &done, bytes_of(bytes),
                        size_of(bytes)) != 1 ||
      EVP_EncryptFinal_ex(cipher.get(), bytes_of(out, kNonceBytes), &done) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                          bytes_of(out, kNonceBytes + bytes.size())) != 1) {
    fail("OpenSSL cannot seal");
  }
  return out;
}

core::Result<std::string> unseal(const SealingKey& key, std::string_view sealed,
                                 std::string_view about) {
  const core::Error wrong{core::Errc::Checksum, "sealed under another key, or changed since"};
  if (sealed.size() < kNonceBytes + kTagBytes) return wrong;
  const auto body = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(kNonceBytes + body.size()));
  std::string out(body.size(), '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int done = 0;
  if (EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes_of(sealed)) !=
          1 ||
      EVP_DecryptUpdate(cipher.get(), nullptr, &done, bytes_of(about), size_of(about)) != 1 ||
      EVP_DecryptUpdate(cipher.get(), bytes_of(out), &done, bytes_of(body), size_of(body)) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, bytes_of(tag)) != 1 ||
      EVP_DecryptFinal_ex(cipher.get(), bytes_of(out), &done) != 1) {
    return wrong;
  }
  return out;
}

}  // namespace rowtrail::store
