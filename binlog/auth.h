// The authentication methods of both server families, pure: salt and password in, answer out. What
// may be sent where is decided here and nowhere else: a password goes out readable only over a unix
// socket or TLS, for mysql_clear_password only over TLS whose server was verified, and sealed with
// RSA only for a key that the operator pinned (a key the server offers itself proves nothing).
#pragma once

#include "binlog/cursor.h"
#include "core/core.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rowtrail::binlog {

struct AuthContext {
  std::string_view password;
  bool local_socket = false;
  bool encrypted = false;         // TLS is up
  bool verified = false;          // … and the server's certificate was checked against a CA
  std::string_view server_key{};  // pinned RSA public key, PEM; empty: none
};

struct AuthMethod {
  std::string_view name;
  bool starts_at_greeting;  // works with the greeting's salt of 20 bytes and tells no secret
  /// The answer to the salt that came with the greeting or the switch to this method.
  core::Result<std::string> (*first)(const AuthContext& context, ByteView salt);
  /// The answer to what the server said next; nullopt: nothing to send, its verdict follows.
  core::Result<std::optional<std::string>> (*more)(const AuthContext& context, ByteView salt,
                                                   ByteView data);
};

/// Every method rowtrail speaks, one row each.
[[nodiscard]] std::span<const AuthMethod> auth_methods() noexcept;
/// Null when rowtrail does not speak it.
[[nodiscard]] const AuthMethod* find_auth_method(std::string_view name) noexcept;

// The computations below the methods; open to tests.
[[nodiscard]] std::string native_password_answer(std::string_view password, ByteView salt);
[[nodiscard]] std::string caching_sha2_answer(std::string_view password, ByteView salt);
/// The password and its NUL, xored with the salt and sealed with RSA-OAEP for `key_pem`.
[[nodiscard]] core::Result<std::string> rsa_sealed_password(std::string_view password,
                                                            ByteView salt,
                                                            std::string_view key_pem);
/// Ed25519 over `message` where the password of any length stands in for the 32-byte seed, as
/// MariaDB's client_ed25519 has it (OpenSSL signs with 32-byte seeds only). 64 bytes.
[[nodiscard]] std::string ed25519_password_signature(std::string_view password, ByteView message);
/// PARSEC's answer: `client_nonce` and the signature over both nonces.
[[nodiscard]] core::Result<std::string> parsec_answer(std::string_view password,
                                                      ByteView server_nonce, ByteView client_nonce,
                                                      ByteView parameters);

}  // namespace rowtrail::binlog
