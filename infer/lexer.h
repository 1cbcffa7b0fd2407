// Text of an expression → tokens, by the lexis of CEL (google/cel-spec, doc/langdef.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::infer {

enum class TokenKind : std::uint8_t {
  End,
  Identifier,  // also the reserved words: only the parser knows where they are allowed
  Int,
  UInt,
  Double,
  String,
  Bytes,
  Symbol,  // text is one of  ( ) [ ] { } . , : ? ! - + * / % < <= > >= == != && || =
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::uint32_t offset = 0;
  std::string_view text;  // as written
  std::string value;      // String and Bytes: escapes replaced
};

struct SyntaxError {
  std::uint32_t offset = 0;  // byte in the expression
  std::string message;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  /// False on an error.
  [[nodiscard]] bool next(Token& token, SyntaxError& error);

 private:
  void skip_space();
  bool number(Token& token, SyntaxError& error);
  bool string(Token& token, SyntaxError& error, bool raw, bool bytes, std::size_t prefix);
  bool escape(std::string& value, bool bytes, SyntaxError& error);
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool fail(SyntaxError& error, std::size_t offset, std::string message) const;

  std::string_view text_;
  std::size_t at_ = 0;
};

void append_utf8(std::string& out, std::uint32_t code_point);
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace rowtrail::infer
