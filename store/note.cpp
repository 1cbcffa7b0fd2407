#include "store/note.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

namespace rowtrail::store {
namespace {

constexpr char kEd25519 = 1;
constexpr std::size_t kSignatureBytes = 64;
/// C2SP signed-note asks for 16 at least.
constexpr int kSignaturesMax = 100;
constexpr std::size_t kNoteBytesMax = 1024 * 1024;
/// A proof carries its record's payload; OpenSSL counts in int.
constexpr std::size_t kBase64BytesMax = 1024 * 1024 * 1024;
constexpr std::string_view kPrivatePrefix = "PRIVATE+KEY+";
constexpr std::string_view kDash = "\u2014 ";

struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

core::Error malformed(std::string message) {
  return {core::Errc::Malformed, std::move(message)};
}

std::string_view view(const std::array<std::uint8_t, 32>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// First four bytes of SHA-256(name ‖ LF ‖ 0x01 ‖ public key).
std::uint32_t key_id(std::string_view name, std::string_view public_key) {
  const auto hash = sha256(fmt::format("{}\n{}{}", name, kEd25519, public_key));
  return std::uint32_t{hash[0]} << 24 | std::uint32_t{hash[1]} << 16 | std::uint32_t{hash[2]} << 8 |
         hash[3];
}

bool is_name(std::string_view name) {
  return !name.empty() && std::none_of(name.begin(), name.end(), [](char c) {
    return c == '+' || static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
  });
}

struct KeyText {
  std::string_view name;
  std::uint32_t id;
  std::string key;  // 32 bytes
};
core::Result<KeyText> parse_key(std::string_view text) {
  const auto first = text.find('+');
  const auto second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return malformed("a key has the form name+id+base64");
  const auto name = text.substr(0, first);
  const auto id_text = text.substr(first + 1, second - first - 1);
  std::uint32_t id = 0;
  const auto parsed = std::from_chars(id_text.data(), id_text.data() + id_text.size(), id, 16);
  if (!is_name(name) || id_text.size() != 8 || parsed.ptr != id_text.data() + 8) {
    return malformed("a key has the form name+id+base64");
  }
  auto key = from_base64(text.substr(second + 1));
  if (!key || key->size() != 33 || (*key)[0] != kEd25519) {
    return malformed("the key is not an Ed25519 key");
  }
  return KeyText{name, id, key->substr(1)};
}

bool verifies(std::string_view public_key, std::string_view text, std::string_view signature) {
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(public_key),
                                            public_key.size()));
  const Context context(EVP_MD_CTX_new());
  return key && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                          text.size()) == 1;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(bytes),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

core::Result<std::string> from_base64(std::string_view text) {
  const auto wrong = malformed("not base64");
  if (text.size() % 4 != 0 || text.size() > kBase64BytesMax) return wrong;
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(text),
                                   static_cast<int>(text.size()));
  if (size < 0) return wrong;
  const auto padding = static_cast<std::size_t>(std::count(text.begin(), text.end(), '='));
  if (padding > 2 || padding > out.size()) return wrong;
  out.resize(out.size() - padding);
  // Only one text stands for these bytes.
  if (to_base64(out) != text) return wrong;
  return out;
}

std::string checkpoint_text(const TreeHead& head) {
  return fmt::format("{}\n{}\n{}\n", head.origin, head.size, to_base64(view(head.root)));
}

core::Result<TreeHead> parse_checkpoint(std::string_view text) {
  const auto wrong = malformed("a tree head has three lines: origin, size and root");
  std::array<std::string_view, 3> lines;
  for (auto& line : lines) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos || end == 0) return wrong;
    line = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  TreeHead head;
  head.origin = lines[0];
  const auto* end = lines[1].data() + lines[1].size();
  const auto parsed = std::from_chars(lines[1].data(), end, head.size);
  if (parsed.ec != std::errc() || parsed.ptr != end ||
      (lines[1].size() > 1 && lines[1][0] == '0')) {
    return wrong;
  }
  const auto root = from_base64(lines[2]);
  if (!root || root->size() != sizeof(Hash)) return wrong;
  std::copy(root->begin(), root->end(), head.root.begin());
  return head;
}

core::Result<VerifierKey> VerifierKey::parse(std::string_view vkey) {
  const auto key = parse_key(vkey);
  if (!key) return key.error();
  if (key_id(key->name, key->key) != key->id) return malformed("the key's id is not its key's");
  VerifierKey out;
  out.name_ = key->name;
  out.id_ = key->id;
  std::copy(key->key.begin(), key->key.end(), out.public_.begin());
  return out;
}

core::Result<std::string> VerifierKey::open(std::string_view note) const {
  const auto gap = note.rfind("\n\n");
  if (gap == std::string_view::npos || note.size() > kNoteBytesMax || note.back() != '\n') {
    return malformed("not a signed note: text, an empty line, signature lines");
  }
  const auto text = note.substr(0, gap + 1);
  auto lines = note.substr(gap + 2);
  for (int count = 0; !lines.empty() && count < kSignaturesMax; ++count) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() + 1);
    if (!line.starts_with(kDash)) return malformed("a signature line does not begin with a dash");
    const auto space = line.rfind(' ');
    if (line.substr(kDash.size(), std::max(space, kDash.size()) - kDash.size()) != name_) continue;
    const auto signature = from_base64(line.substr(space + 1));
    if (!signature || signature->size() != 4 + kSignatureBytes) continue;
    std::uint32_t id = 0;
    for (std::size_t i = 0; i < 4; ++i) id = id << 8 | static_cast<std::uint8_t>((*signature)[i]);
    if (id != id_) continue;
    if (!verifies(view(public_), text, std::string_view(*signature).substr(4))) {
      return core::Error{core::Errc::Checksum, "the signature of " + name_ + " is wrong"};
    }
    return std::string(text);
  }
  return core::Error{core::Errc::NotFound, "the note is not signed by " + name_};
}

SigningKey SigningKey::generate(const std::string& name) {
  SigningKey key;
  key.name_ = name;
  if (!is_name(name) ||
      RAND_priv_bytes(key.seed_.data(), static_cast<int>(key.seed_.size())) != 1) {
    throw core::Failure(core::Area::Usage, false, "cannot make a signing key named " + name);
  }
  return key;
}

core::Result<SigningKey> SigningKey::parse(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (!text.starts_with(kPrivatePrefix)) return malformed("a private key begins with PRIVATE+KEY+");
  const auto parsed = parse_key(text.substr(kPrivatePrefix.size()));
  if (!parsed) return parsed.error();
  SigningKey key;
  key.name_ = parsed->name;
  std::copy(parsed->key.begin(), parsed->key.end(), key.seed_.begin());
  if (key_id(key.name_, view(key.public_key())) != parsed->id) {
    return malformed("the key's id is not its key's");
  }
  return key;
}

std::array<std::uint8_t, 32> SigningKey::public_key() const {
  const Key key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.data(), seed_.size()));
  std::array<std::uint8_t, 32> out{};
  auto size = out.size();
  EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size);
  return out;
}

std::string SigningKey::private_text() const {
  const auto id = key_id(name_, view(public_key()));
  return fmt::format("{}{}+{:08x}+{}", kPrivatePrefix, name_, id,
                     to_base64(kEd25519 + std::string(view(seed_))));
}

std::string SigningKey::vkey() const {
  const auto key = public_key();
  return fmt::format("{}+{:08x}+{}", name_, key_id(name_, view(key)),
                     to_base64(kEd25519 + std::string(view(key))));
}

std::string SigningKey::sign(std::string_view text) const {
  const Key key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.data(), seed_.size()));
  const Context context(EVP_MD_CTX_new());
  std::string signature(kSignatureBytes, '\0');
  auto size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(text), text.size()) != 1) {
    throw core::Failure(core::Area::Store, false, "OpenSSL cannot sign with Ed25519");
  }
  const auto id = key_id(name_, view(public_key()));
  std::string stamped;
  for (int shift = 24; shift >= 0; shift -= 8) stamped += static_cast<char>(id >> shift);
  return fmt::format("{}\n{}{} {}\n", text, kDash, name_, to_base64(stamped + signature));
}

}  // namespace rowtrail::store
