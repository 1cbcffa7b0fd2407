// Ed25519 (RFC 8032) with a secret of any length, for MariaDB's client_ed25519. OpenSSL offers no
// curve arithmetic for it, so the few operations stand here on its BIGNUMs: points in extended
// coordinates, one complete addition formula (RFC 8032, 5.1.4), a Montgomery ladder. Two scalar
// multiplications a login, some milliseconds.
#include "binlog/auth.h"

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include <openssl/bn.h>
#include <openssl/evp.h>

namespace rowtrail::binlog {
namespace {

struct BnFree {
  void operator()(BIGNUM* number) const noexcept { BN_clear_free(number); }
  void operator()(BN_CTX* context) const noexcept { BN_CTX_free(context); }
};

class Number {
 public:
  Number() : value_(BN_new()) {
    if (!value_) throw std::bad_alloc();
  }
  explicit Number(const char* hex) {
    BIGNUM* parsed = nullptr;
    BN_hex2bn(&parsed, hex);
    value_.reset(parsed);
    if (!value_) throw std::bad_alloc();
  }
  /// Little-endian bytes, as everywhere in Ed25519.
  explicit Number(std::string_view bytes)
      : value_(BN_lebin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                           static_cast<int>(bytes.size()), nullptr)) {
    if (!value_) throw std::bad_alloc();
  }
  [[nodiscard]] BIGNUM* get() const noexcept { return value_.get(); }

  [[nodiscard]] std::string bytes() const {
    std::string out(32, '\0');
    BN_bn2lebinpad(get(), reinterpret_cast<unsigned char*>(out.data()),
                   static_cast<int>(out.size()));
    return out;
  }

 private:
  std::unique_ptr<BIGNUM, BnFree> value_;
};

struct Point {
  Number x, y, z, t;  // x/z, y/z are the affine coordinates; t = xy/z
};

class Curve {
 public:
  Curve() : context_(BN_CTX_new()) {
    if (!context_) throw std::bad_alloc();
  }

  [[nodiscard]] std::string encoded_multiple_of_base(std::string_view scalar) {
    Point low;
    BN_one(low.y.get());
    BN_one(low.z.get());
    Point high{Number("216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A"),
               Number("6666666666666666666666666666666666666666666666666666666666666658"),
               Number("01"), Number()};
    multiply(high.t, high.x, high.y);
    for (std::size_t i = scalar.size() * 8; i-- > 0;) {
      const bool is_set = ((static_cast<unsigned char>(scalar[i / 8]) >> (i % 8)) & 1U) != 0;
      if (is_set) std::swap(low, high);
      high = sum(low, high);
      low = sum(low, low);
      if (is_set) std::swap(low, high);
    }
    return encoded(low);
  }

  /// (a * b + c) mod the order of the base point.
  [[nodiscard]] std::string scalar_multiply_add(std::string_view a, std::string_view b,
                                                std::string_view c) {
    Number result;
    BN_mod_mul(result.get(), Number(a).get(), Number(b).get(), order_.get(), context_.get());
    BN_mod_add(result.get(), result.get(), Number(c).get(), order_.get(), context_.get());
    return result.bytes();
  }
  [[nodiscard]] std::string scalar_reduce(std::string_view wide) {
    Number result;
    BN_nnmod(result.get(), Number(wide).get(), order_.get(), context_.get());
    return result.bytes();
  }

 private:
  void multiply(const Number& to, const Number& a, const Number& b) {
    BN_mod_mul(to.get(), a.get(), b.get(), prime_.get(), context_.get());
  }
  [[nodiscard]] Number add(const Number& a, const Number& b) {
    Number to;
    BN_mod_add(to.get(), a.get(), b.get(), prime_.get(), context_.get());
    return to;
  }
  [[nodiscard]] Number subtract(const Number& a, const Number& b) {
    Number to;
    BN_mod_sub(to.get(), a.get(), b.get(), prime_.get(), context_.get());
    return to;
  }
  [[nodiscard]] Number product(const Number& a, const Number& b) {
    Number to;
    multiply(to, a, b);
    return to;
  }

  [[nodiscard]] Point sum(const Point& p, const Point& q) {
    const auto a = product(subtract(p.y, p.x), subtract(q.y, q.x));
    const auto b = product(add(p.y, p.x), add(q.y, q.x));
    const auto c = product(product(p.t, twice_d_), q.t);
    const auto zz = product(p.z, q.z);
    const auto d = add(zz, zz);
    const auto e = subtract(b, a);
    const auto f = subtract(d, c);
    const auto g = add(d, c);
    const auto h = add(b, a);
    return {product(e, f), product(g, h), product(f, g), product(e, h)};
  }

  [[nodiscard]] std::string encoded(const Point& p) {
    Number inverse;
    BN_mod_inverse(inverse.get(), p.z.get(), prime_.get(), context_.get());
    const auto x = product(p.x, inverse);
    auto out = product(p.y, inverse).bytes();
    if (BN_is_odd(x.get()) != 0) out.back() = static_cast<char>(out.back() | 0x80);
    return out;
  }

  std::unique_ptr<BN_CTX, BnFree> context_;
  Number prime_{"7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFED"};
  Number order_{"1000000000000000000000000000000014DEF9DEA2F79CD65812631A5CF5D3ED"};
  Number twice_d_{"2406D9DC56DFFCE7198E80F2EEF3D13000E0149A8283B156EBD69B9426B2F159"};
};

std::string sha512(std::string_view text) {
  std::string out(64, '\0');
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr,
             EVP_sha512(), nullptr);
  return out;
}

}  // namespace

std::string ed25519_password_signature(std::string_view password, ByteView message) {
  const auto expanded = sha512(password);
  auto secret = expanded.substr(0, 32);
  secret.front() = static_cast<char>(secret.front() & 0xF8);
  secret.back() = static_cast<char>((secret.back() & 0x3F) | 0x40);

  Curve curve;
  const auto text = std::string(as_text(message));
  const auto nonce = curve.scalar_reduce(sha512(expanded.substr(32) + text));
  auto commitment = curve.encoded_multiple_of_base(nonce);
  const auto public_key = curve.encoded_multiple_of_base(secret);
  const auto challenge = curve.scalar_reduce(sha512(commitment + public_key + text));
  return commitment + curve.scalar_multiply_add(challenge, secret, nonce);
}

}  // namespace rowtrail::binlog
