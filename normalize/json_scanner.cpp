#include "normalize/json_scanner.h"

#include "normalize/json_writer.h"

#include <charconv>

namespace rowtrail::normalize {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The value of four hexadecimal digits, or -1.
int hex4(const char* digits) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(digits[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0 | point >> 6);
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
  }
  put(0x80 | (point & 0x3F));
}

/// `\uXXXX` at `text`, two of them for a pair of surrogates; `text` moves behind. The scanner has
/// checked the digits; a lone surrogate becomes U+FFFD.
std::uint32_t unicode_escape(const char*& text, const char* end) {
  const auto first = static_cast<std::uint32_t>(hex4(text + 2));
  text += 6;
  if (first < 0xD800 || first > 0xDFFF) return first;
  if (first < 0xDC00 && end - text >= 6 && text[0] == '\\' && text[1] == 'u') {
    const auto second = static_cast<std::uint32_t>(hex4(text + 2));
    if (second >= 0xDC00 && second <= 0xDFFF) {
      text += 6;
      return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    }
  }
  return 0xFFFD;
}

/// The value of a string token that the scanner has checked.
std::string unescape(std::string_view token) {
  std::string out;
  const char* at = token.data() + 1;
  const char* const end = token.data() + token.size() - 1;
  out.reserve(static_cast<std::size_t>(end - at));
  while (at != end) {
    if (*at != '\\') {
      out += *at++;
    } else if (at[1] == 'u') {
      append_utf8(out, unicode_escape(at, end));
    } else {
      static constexpr std::string_view kFrom = "bfnrt";
      static constexpr std::string_view kTo = "\b\f\n\r\t";
      const std::size_t index = kFrom.find(at[1]);
      out += index == std::string_view::npos ? at[1] : kTo[index];
      at += 2;
    }
  }
  return out;
}

}  // namespace

bool JsonScanner::take(std::string_view text) {
  if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(text)) return false;
  at_ += text.size();
  return true;
}

void JsonScanner::expect(std::string_view text) {
  if (!take(text)) fail();
}

std::string_view JsonScanner::value() {
  const char* const start = at_;
  skip_value(0);
  if (failed_) return {};
  return {start, static_cast<std::size_t>(at_ - start)};
}

std::string_view JsonScanner::string_token() {
  const char* const start = at_;
  skip_string();
  if (failed_) return {};
  return {start, static_cast<std::size_t>(at_ - start)};
}

std::string JsonScanner::string() {
  const std::string_view token = string_token();
  return failed_ ? std::string() : unescape(token);
}

std::uint64_t JsonScanner::uint(std::uint64_t max) {
  std::uint64_t value = 0;
  const auto [rest, code] = std::from_chars(at_, end_, value);
  const bool leading_zero = rest - at_ > 1 && *at_ == '0';
  if (code != std::errc() || leading_zero || value > max) {
    fail();
    return 0;
  }
  at_ = rest;
  return value;
}

bool JsonScanner::next_member(std::string& name) {
  const bool first = first_;
  first_ = false;
  if (take("}")) {
    first_ = true;
    return false;
  }
  if (!first) expect(",");
  name = string();
  expect(":");
  return ok();
}

void JsonScanner::skip_value(int depth) {
  if (depth > kDepthMax) return fail();
  switch (peek()) {
    case '{':
      return skip_container('}', true, depth);
    case '[':
      return skip_container(']', false, depth);
    case '"':
      return skip_string();
    case 't':
      return expect("true");
    case 'f':
      return expect("false");
    case 'n':
      return expect("null");
    default:
      return skip_number();
  }
}

void JsonScanner::skip_container(char close, bool named, int depth) {
  ++at_;
  if (peek() == close) {
    ++at_;
    return;
  }
  while (!failed_) {
    if (named) {
      skip_string();
      expect(":");
    }
    skip_value(depth + 1);
    if (failed_) return;
    if (peek() == close) {
      ++at_;
      return;
    }
    expect(",");
  }
}

void JsonScanner::skip_string() {
  if (peek() != '"') return fail();
  ++at_;
  while (at_ != end_) {
    const auto c = static_cast<unsigned char>(*at_);
    if (c == '"') {
      ++at_;
      return;
    }
    if (c < 0x20) return fail();
    if (c >= 0x80) {
      const std::size_t length = utf8_length(at_, end_);
      if (length == 0) return fail();
      at_ += length;
    } else if (c == '\\') {
      if (end_ - at_ < 2) return fail();
      const bool unicode = at_[1] == 'u';
      if (unicode && (end_ - at_ < 6 || hex4(at_ + 2) < 0)) return fail();
      if (!unicode && std::string_view("\"\\/bfnrt").find(at_[1]) == std::string_view::npos)
        return fail();
      at_ += unicode ? 6 : 2;
    } else {
      ++at_;
    }
  }
  fail();
}

void JsonScanner::skip_digits() {
  if (!is_digit(peek())) return fail();
  while (is_digit(peek())) ++at_;
}

void JsonScanner::skip_number() {
  take("-");
  if (!take("0")) skip_digits();
  if (take(".")) skip_digits();
  if (take("e") || take("E")) {
    if (!take("+")) take("-");
    skip_digits();
  }
}

}  // namespace rowtrail::normalize
