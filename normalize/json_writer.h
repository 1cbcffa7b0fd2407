// Appends JSON to a std::string as fast as the text can be copied. Every change of every source
// passes through here, so pieces are copied 16 bytes at a time into room that was made beforehand.
// Private to normalize/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace rowtrail::normalize {

/// "00" "01" … "99".
inline constexpr std::array<char, 200> kDigitPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs.at(2 * i) = static_cast<char>('0' + i / 10);
    pairs.at(2 * i + 1) = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

/// Writes between need(n) and the next need(); writers returning char* take the place to write at.
class JsonWriter {
 public:
  /// Longest scalar: a double is 24 characters, a timestamp with quotes 29, a u64 20.
  static constexpr std::size_t kScalarMax = 48;
  /// copy_padded() reads and writes up to this much beyond the text.
  static constexpr std::size_t kPadding = 16;

  explicit JsonWriter(std::string& out) : out_(out), p_(out.data() + out.size()), end_(p_) {}
  ~JsonWriter() { out_.resize(static_cast<std::size_t>(p_ - out_.data())); }
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  /// Makes room for `bytes` more.
  void need(std::size_t bytes) {
    if (static_cast<std::size_t>(end_ - p_) < bytes) grow(bytes);
  }

  void raw(std::string_view text) {
    need(text.size());
    std::memcpy(p_, text.data(), text.size());
    p_ += text.size();
  }
  void raw(char c) {
    need(1);
    *p_++ = c;
  }

  // The next four want room made by the caller.
  void put(char c) { *p_++ = c; }
  /// `size` bytes at `text`, with kPadding readable bytes behind them and room for as many.
  void copy_padded(const char* text, std::size_t size) {
    for (std::size_t at = 0; at < size; at += kPadding) {
      std::memcpy(p_ + at, text + at, kPadding);
    }
    p_ += size;
  }
  template <std::size_t N>
  void put(const char (&literal)[N]) {
    std::memcpy(p_, literal, N - 1);
    p_ += N - 1;
  }
  /// Bytes in the string so far.
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(p_ - out_.data()); }
  /// Takes back the last byte.
  void drop_last() { --p_; }
  /// Makes an object or array of what was written from `start` on, each member behind a comma.
  void enclose(std::size_t start, char open, char close) {
    need(2);
    if (size() == start) ++p_;
    out_[start] = open;
    *p_++ = close;
  }

  void uint(std::uint64_t value);
  void integer(std::int64_t value);
  void number(double value);  // finite
  void number(float value);
  /// Two digits, value below 100.
  void pair(std::uint32_t value) {
    std::memcpy(p_, &kDigitPairs[2 * (value % 100)], 2);
    p_ += 2;
  }

  /// A JSON string with quotes. Makes its own room.
  void string(std::string_view text);
  void base64(std::string_view bytes);
  void hex(std::string_view bytes);

 private:
  void grow(std::size_t bytes);
  void escaped(const char* text, std::size_t size);
  const char* escape_one(const char* text, const char* end);

  std::string& out_;
  char* p_;
  char* end_;
};

/// Length of the UTF-8 sequence at `text`, 1 to 4, or 0 when it is not one (RFC 3629).
[[nodiscard]] std::size_t utf8_length(const char* text, const char* end);
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace rowtrail::normalize
