// Short digests that name rule versions and signatures.
#pragma once

#include <string>
#include <string_view>

namespace rowtrail::infer {

/// The first 8 hex digits of the SHA-256 of `bytes`.
[[nodiscard]] std::string sha256_hex8(std::string_view bytes);

/// The first 32.
[[nodiscard]] std::string sha256_hex32(std::string_view bytes);

}  // namespace rowtrail::infer
