#include "infer/lexer.h"

#include <array>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_word(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}
std::uint32_t hex_value(char c) {
  if (is_digit(c)) return static_cast<std::uint32_t>(c - '0');
  return static_cast<std::uint32_t>((c | 0x20) - 'a') + 10;
}

// Longest first.
constexpr std::array<std::string_view, 24> kSymbols = {
    "<=", ">=", "==", "!=", "&&", "||", "(", ")", "[", "]", "{", "}",
    ".",  ",",  ":",  "?",  "!",  "-",  "+", "*", "/", "%", "<", ">"};

constexpr std::string_view kPlainEscapes = "\\?\"'`abfnrtv";
constexpr std::string_view kPlainValues = "\\?\"'`\a\b\f\n\r\t\v";

}  // namespace

bool Lexer::fail(SyntaxError& error, std::size_t offset, std::string message) const {
  error.offset = static_cast<std::uint32_t>(offset);
  error.message = std::move(message);
  return false;
}

void Lexer::skip_space() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r') {
      ++at_;
    } else if (c == '/' && peek(1) == '/') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else {
      return;
    }
  }
}

bool Lexer::next(Token& token, SyntaxError& error) {
  skip_space();
  token.offset = static_cast<std::uint32_t>(at_);
  token.value.clear();
  token.text = {};
  token.kind = TokenKind::End;
  if (at_ == text_.size()) return true;
  const char c = peek();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number(token, error);
  // A string, with up to one of each prefix r and b.
  bool raw = false;
  bool bytes = false;
  std::size_t prefix = 0;
  for (; prefix < 2; ++prefix) {
    const char p = static_cast<char>(peek(prefix) | 0x20);
    if (p == 'r' && !raw) {
      raw = true;
    } else if (p == 'b' && !bytes) {
      bytes = true;
    } else {
      break;
    }
  }
  if (peek(prefix) == '"' || peek(prefix) == '\'') return string(token, error, raw, bytes, prefix);
  if (is_word(c)) {
    std::size_t end = at_;
    while (end < text_.size() && is_word(text_[end])) ++end;
    token.kind = TokenKind::Identifier;
    token.text = text_.substr(at_, end - at_);
    at_ = end;
    return true;
  }
  for (const std::string_view symbol : kSymbols) {
    if (!text_.substr(at_).starts_with(symbol)) continue;
    token.kind = TokenKind::Symbol;
    token.text = text_.substr(at_, symbol.size());
    at_ += symbol.size();
    return true;
  }
  if (c == '=') return fail(error, at_, "'=' compares nothing; write '=='");
  if (c == '&' || c == '|')
    return fail(error, at_, fmt::format("write '{0}{0}' for a logical operator", c));
  if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
    return fail(
        error, at_,
        fmt::format("unexpected byte 0x{:02x} outside a string", static_cast<unsigned char>(c)));
  }
  return fail(error, at_, fmt::format("unexpected '{}'", c));
}

bool Lexer::number(Token& token, SyntaxError& error) {
  std::size_t end = at_;
  token.kind = TokenKind::Int;
  if (peek() == '0' && (peek(1) | 0x20) == 'x' && is_hex(peek(2))) {
    end += 2;
    while (end < text_.size() && is_hex(text_[end])) ++end;
  } else {
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end + 1 < text_.size() && text_[end] == '.' && is_digit(text_[end + 1])) {
      token.kind = TokenKind::Double;
      ++end;
      while (end < text_.size() && is_digit(text_[end])) ++end;
    }
    if (end < text_.size() && (text_[end] | 0x20) == 'e') {
      std::size_t exponent = end + 1;
      if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
      if (exponent < text_.size() && is_digit(text_[exponent])) {
        token.kind = TokenKind::Double;
        while (exponent < text_.size() && is_digit(text_[exponent])) ++exponent;
        end = exponent;
      }
    }
  }
  token.text = text_.substr(at_, end - at_);
  if (token.kind == TokenKind::Int && end < text_.size() && (text_[end] | 0x20) == 'u') {
    token.kind = TokenKind::UInt;
    ++end;
  }
  if (end < text_.size() && is_word(text_[end])) {
    return fail(error, end, fmt::format("unexpected '{}' after a number", text_[end]));
  }
  at_ = end;
  return true;
}

bool Lexer::string(Token& token, SyntaxError& error, bool raw, bool bytes, std::size_t prefix) {
  const std::size_t start = at_;
  token.kind = bytes ? TokenKind::Bytes : TokenKind::String;
  at_ += prefix;
  const char quote = peek();
  const bool triple = peek(1) == quote && peek(2) == quote;
  const std::string_view closing = text_.substr(at_, triple ? 3 : 1);
  at_ += closing.size();
  while (!text_.substr(at_).starts_with(closing)) {
    if (at_ >= text_.size()) return fail(error, start, "the string is not closed");
    const char c = text_[at_];
    if (!triple && (c == '\n' || c == '\r')) return fail(error, start, "the string is not closed");
    if (c == '\\' && !raw) {
      if (!escape(token.value, bytes, error)) return false;
      continue;
    }
    token.value += c;
    ++at_;
  }
  at_ += closing.size();
  token.text = text_.substr(start, at_ - start);
  if (!bytes && !is_utf8(token.value)) return fail(error, start, "the string is not UTF-8");
  return true;
}

bool Lexer::escape(std::string& value, bool bytes, SyntaxError& error) {
  const std::size_t start = at_++;
  const char c = peek();
  if (const auto plain = kPlainEscapes.find(c); c != '\0' && plain != std::string_view::npos) {
    value += kPlainValues[plain];
    ++at_;
    return true;
  }
  std::uint32_t code = 0;
  std::size_t digits = 0;
  const bool octal = c >= '0' && c <= '3';
  if (octal) {
    digits = 3;
  } else if (c == 'x' || c == 'X') {
    digits = 2;
  } else if ((c == 'u' || c == 'U') && !bytes) {
    digits = c == 'u' ? 4 : 8;
  }
  if (digits == 0)
    return fail(error, start, "unknown escape sequence; write '\\\\' for a backslash");
  if (!octal) ++at_;
  for (std::size_t n = 0; n < digits; ++n, ++at_) {
    const char digit = peek();
    const bool fits = octal ? digit >= '0' && digit <= '7' : is_hex(digit);
    if (!fits) return fail(error, start, "the escape sequence is too short");
    code = code * (octal ? 8 : 16) + hex_value(digit);
  }
  if (bytes) {
    value += static_cast<char>(code);
    return true;
  }
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
    return fail(error, start, "the escape sequence is no Unicode code point");
  }
  append_utf8(value, code);
  return true;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto push = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    push(code);
  } else if (code < 0x800) {
    push(0xc0 | (code >> 6));
    push(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    push(0xe0 | (code >> 12));
    push(0x80 | ((code >> 6) & 0x3f));
    push(0x80 | (code & 0x3f));
  } else {
    push(0xf0 | (code >> 18));
    push(0x80 | ((code >> 12) & 0x3f));
    push(0x80 | ((code >> 6) & 0x3f));
    push(0x80 | (code & 0x3f));
  }
}

bool is_utf8(std::string_view text) {
  for (std::size_t n = 0; n < text.size();) {
    const auto lead = static_cast<unsigned char>(text[n]);
    if (lead < 0x80) {
      ++n;
      continue;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : (lead >= 0xe0 ? 3 : 2);
    if (lead < 0xc2 || lead > 0xf4 || n + length > text.size()) return false;
    std::uint32_t code = lead & (0xffU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[n + k]);
      if ((next & 0xc0) != 0x80) return false;
      code = (code << 6) | (next & 0x3f);
    }
    const bool shortest = length == 2 || (length == 3 ? code >= 0x800 : code >= 0x10000);
    if (!shortest || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    n += length;
  }
  return true;
}

}  // namespace rowtrail::infer
