// Signed tree heads as the world knows them: C2SP tlog-checkpoint inside a signed note, Ed25519.
//
//   pharmacy/0198c0de-…          origin, which is also the key's name
//   20852163                     size
//   CsUYapGGPo4dkMgI…            base64 of the root
//
//   — pharmacy/0198c0de-… <base64(4-byte key id ‖ signature)>
//
// Keys have the text forms of Go's note package: the private one lives in a 0600 file, never in the
// store; the public one ("vkey") is for whoever verifies.
#pragma once

#include "core/core.h"
#include "store/tree.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::store {

/// A log's root at a size.
struct TreeHead {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};
  bool operator==(const TreeHead&) const = default;
};

/// The three lines that are signed.
[[nodiscard]] std::string checkpoint_text(const TreeHead& head);
/// Reads them back; what follows them (extension lines, signatures) is ignored.
[[nodiscard]] core::Result<TreeHead> parse_checkpoint(std::string_view text);

class VerifierKey {
 public:
  /// name+8 hex digits+base64
  static core::Result<VerifierKey> parse(std::string_view vkey);
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The text of a note that carries a good signature by this key; signatures by others are
  /// ignored.
  [[nodiscard]] core::Result<std::string> open(std::string_view note) const;

 private:
  std::string name_;
  std::uint32_t id_ = 0;
  std::array<std::uint8_t, 32> public_{};
};

class SigningKey {
 public:
  static SigningKey generate(const std::string& name);
  /// PRIVATE+KEY+name+8 hex digits+base64. The error never quotes the text.
  static core::Result<SigningKey> parse(std::string_view text);
  [[nodiscard]] std::string private_text() const;
  [[nodiscard]] std::string vkey() const;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// For sealing what lies in the store (store/seal.h).
  [[nodiscard]] std::string_view secret() const noexcept {
    return {reinterpret_cast<const char*>(seed_.data()), seed_.size()};
  }
  /// `text` (ending in a line feed) with an empty line and our signature behind it.
  [[nodiscard]] std::string sign(std::string_view text) const;

 private:
  SigningKey() = default;
  [[nodiscard]] std::array<std::uint8_t, 32> public_key() const;
  std::string name_;
  std::array<std::uint8_t, 32> seed_{};
};

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Strict: padding required, nothing else allowed.
[[nodiscard]] core::Result<std::string> from_base64(std::string_view text);

}  // namespace rowtrail::store
