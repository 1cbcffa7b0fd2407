// Bytes that lie in the store but must not be read there: AES-256-GCM with a key derived from the
// log's signing key, which lives outside the store.
//
//   ┌ nonce 12 ┬ ciphertext ┬ tag 16 ┐
#pragma once

#include "core/core.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::store {

using SealingKey = std::array<std::uint8_t, 32>;

/// A key of its own for each `purpose` (HKDF-SHA256).
[[nodiscard]] SealingKey derive_key(std::string_view secret, std::string_view purpose);

/// `about` names what the bytes are; they open only under the same name.
[[nodiscard]] std::string seal(const SealingKey& key, std::string_view bytes,
                               std::string_view about);
[[nodiscard]] core::Result<std::string> unseal(const SealingKey& key, std::string_view sealed,
                                               std::string_view about);

}  // namespace rowtrail::store
