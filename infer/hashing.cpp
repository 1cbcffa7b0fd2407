#include "infer/hashing.h"

#include <array>

#include <openssl/sha.h>

namespace rowtrail::infer {

namespace {

std::string sha256_hex(std::string_view bytes, std::size_t count) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (std::size_t n = 0; n < count; ++n) {
    text += kHex[digest[n] >> 4];
    text += kHex[digest[n] & 15];
  }
  return text;
}

}  // namespace

std::string sha256_hex8(std::string_view bytes) {
  return sha256_hex(bytes, 4);
}
std::string sha256_hex32(std::string_view bytes) {
  return sha256_hex(bytes, 16);
}

}  // namespace rowtrail::infer
