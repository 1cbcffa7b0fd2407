#include "binlog/auth.h"

#include <memory>

#include <catch2/catch.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

using namespace rowtrail::binlog;

namespace {

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

std::string digest(const EVP_MD* algorithm, std::string_view text) {
  std::string out(64, '\0');
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), &size,
             algorithm, nullptr);
  out.resize(size);
  return out;
}

std::string xored(std::string a, std::string_view b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<char>(a[i] ^ b[i % b.size()]);
  return a;
}

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

bool ed25519_verifies(std::string_view public_key, std::string_view message,
                      std::string_view signature) {
  const Key key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(public_key), public_key.size()),
      &EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get());
  return EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message),
                          message.size()) == 1;
}

std::string ed25519_public_key(std::string_view seed) {
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(seed), seed.size()),
                &EVP_PKEY_free);
  std::string out(32, '\0');
  std::size_t size = out.size();
  EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(out.data()), &size);
  return out;
}

const std::string kSalt = "abcdefghijklmnopqrst";

}  // namespace

// The server stores a hash of the password and checks the answer against it; so do these tests.
TEST_CASE("auth: the mysql_native_password answer passes the server's check") {
  const auto answer = native_password_answer("secret", as_bytes(kSalt));
  REQUIRE(answer.size() == 20);
  const auto stored = digest(EVP_sha1(), digest(EVP_sha1(), "secret"));
  CHECK(digest(EVP_sha1(), xored(answer, digest(EVP_sha1(), kSalt + stored))) == stored);
  CHECK(native_password_answer("", as_bytes(kSalt)).empty());
}

TEST_CASE("auth: the caching_sha2_password answer passes the server's check") {
  const auto answer = caching_sha2_answer("secret", as_bytes(kSalt));
  REQUIRE(answer.size() == 32);
  const auto stored = digest(EVP_sha256(), digest(EVP_sha256(), "secret"));
  CHECK(digest(EVP_sha256(), xored(answer, digest(EVP_sha256(), stored + kSalt))) == stored);
  CHECK(caching_sha2_answer("", as_bytes(kSalt)).empty());
}

TEST_CASE("auth: ed25519 with a 32-byte password equals RFC 8032") {
  // RFC 8032, 7.1, tests 1 and 3.
  const auto seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  CHECK(ed25519_password_signature(seed, {}) ==
        from_hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
                 "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"));
  const auto other = from_hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
  CHECK(ed25519_password_signature(other, as_bytes(from_hex("af82"))) ==
        from_hex("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
                 "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"));
  for (int i = 0; i < 8; ++i) {
    const auto some = digest(EVP_sha256(), std::to_string(i));
    const auto message = digest(EVP_sha512(), some);
    CHECK(ed25519_verifies(ed25519_public_key(some), message,
                           ed25519_password_signature(some, as_bytes(message))));
  }
}

TEST_CASE("auth: client_ed25519 signs for the key that the server stores, at any password length") {
  // MariaDB 10.11: SELECT ed25519_password('…'), without the padding that base64 would have.
  const std::pair<std::string, std::string> stored[] = {
      {"secret", "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY="},
      {"some pass phrase, long enough to exceed 32 bytes",
       "1nVbbLHYoFMYRSGytUFdAi8Kv7k0rv/O6ekyscd+uU8="},
  };
  const std::string nonce(32, 'n');
  for (const auto& [password, key] : stored) {
    std::string raw(33, '\0');
    REQUIRE(EVP_DecodeBlock(reinterpret_cast<unsigned char*>(raw.data()), octets(key),
                            static_cast<int>(key.size())) == 33);
    CHECK(ed25519_verifies(raw.substr(0, 32), nonce,
                           ed25519_password_signature(password, as_bytes(nonce))));
    CHECK_FALSE(ed25519_verifies(raw.substr(0, 32), nonce,
                                 ed25519_password_signature(password + "x", as_bytes(nonce))));
  }
}

TEST_CASE("auth: the PARSEC answer verifies with the key derived from the password") {
  const std::string server_nonce(32, 's');
  const std::string client_nonce(32, 'c');
  const std::string salt(18, 'x');
  for (int factor = 0; factor <= 3; ++factor) {
    const auto parameters = std::string("P") + static_cast<char>(factor) + salt;
    const auto answer = parsec_answer("secret", as_bytes(server_nonce), as_bytes(client_nonce),
                                      as_bytes(parameters));
    REQUIRE(answer.has_value());
    REQUIRE(answer->size() == 96);
    std::string seed(32, '\0');
    PKCS5_PBKDF2_HMAC("secret", 6, octets(salt), 18, 1024 << factor, EVP_sha512(), 32,
                      reinterpret_cast<unsigned char*>(seed.data()));
    CHECK(answer->starts_with(client_nonce));
    CHECK(ed25519_verifies(ed25519_public_key(seed), server_nonce + client_nonce,
                           answer->substr(32)));
  }
  const auto parameters = std::string("P\x04") + salt;
  CHECK(parsec_answer("x", as_bytes(server_nonce), as_bytes(client_nonce), as_bytes(parameters))
            .has_error());
  for (std::size_t cut = 0; cut < parameters.size(); ++cut) {
    CHECK(parsec_answer("x", as_bytes(server_nonce), as_bytes(client_nonce),
                        as_bytes(parameters.substr(0, cut)))
              .has_error());
  }
}

TEST_CASE("auth: RSA seals the password for the pinned key alone") {
  const Key key(EVP_RSA_gen(2048), &EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PUBKEY(bio.get(), key.get());
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  const std::string pem(text, static_cast<std::size_t>(size));

  const auto sealed = rsa_sealed_password("secret", as_bytes(kSalt), pem);
  REQUIRE(sealed.has_value());
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new(key.get(), nullptr), &EVP_PKEY_CTX_free);
  EVP_PKEY_decrypt_init(context.get());
  EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING);
  std::string plain(512, '\0');
  std::size_t length = plain.size();
  REQUIRE(EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(plain.data()), &length,
                           octets(*sealed), sealed->size()) == 1);
  plain.resize(length);
  CHECK(xored(plain, kSalt) == std::string("secret") + '\0');

  CHECK(rsa_sealed_password("secret", as_bytes(kSalt), "no key").has_error());
  CHECK(rsa_sealed_password(std::string(500, 'p'), as_bytes(kSalt), pem).has_error());
}

TEST_CASE("auth: a password is readable only on a private channel") {
  const auto salt = as_bytes(kSalt);
  const AuthContext plain{"secret"};
  const AuthContext local{"secret", true};
  const AuthContext encrypted{"secret", false, true};
  const AuthContext verified{"secret", false, true, true};
  const auto whole = std::string("secret") + '\0';

  const auto* sha2 = find_auth_method("caching_sha2_password");
  const auto full = as_bytes("\x04");
  CHECK(sha2->more(plain, salt, full).error().message.find("pin the server's RSA key") !=
        std::string::npos);
  CHECK(**sha2->more(local, salt, full) == whole);
  CHECK(**sha2->more(encrypted, salt, full) == whole);
  CHECK_FALSE(sha2->more(plain, salt, as_bytes("\x03"))->has_value());
  CHECK(sha2->more(plain, salt, as_bytes("\x05")).has_error());
  CHECK(sha2->more(verified, salt, {}).has_error());

  const auto* clear = find_auth_method("mysql_clear_password");
  CHECK(clear->first(plain, salt).has_error());
  CHECK(clear->first(encrypted, salt).has_error());
  CHECK(*clear->first(verified, salt) == whole);
  CHECK(*clear->first(local, salt) == whole);

  const auto* sha256 = find_auth_method("sha256_password");
  CHECK(sha256->first(plain, salt).has_error());
  CHECK(*sha256->first(encrypted, salt) == whole);
  CHECK(*sha256->first(local, salt) == "\x01");
  CHECK(sha256->more(plain, salt, as_bytes("a key")).has_error());
  CHECK(sha256->more(local, salt, as_bytes("no key")).has_error());
  CHECK(*sha256->first(AuthContext{""}, salt) == std::string(1, '\0'));
}

TEST_CASE("auth: a salt of the wrong size is an error for every method that uses one") {
  const AuthContext context{"secret", false, false, false, "key"};
  for (const auto& method : auth_methods()) {
    if (method.name == "mysql_clear_password") continue;
    for (const std::size_t size : {0U, 1U, 19U, 21U, 31U, 33U, 1000U}) {
      CHECK(method.first(context, as_bytes(std::string(size, 's'))).has_error());
    }
  }
  CHECK(find_auth_method("auth_gssapi_client") == nullptr);
}
