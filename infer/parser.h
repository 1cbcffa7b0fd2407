// Tokens → tree, by precedence climbing over CEL's grammar.
#pragma once

#include "infer/expression.h"
#include "infer/lexer.h"

#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

namespace rowtrail::infer {

class Parser {
 public:
  Parser(std::string_view text, Expression& expression, SyntaxError& error)
      : lexer_(text), out_(expression), error_(error) {}
  bool run();

 private:
  using Index = std::uint32_t;
  using MaybeNode = std::optional<Index>;

  MaybeNode expression();
  MaybeNode logical(NodeKind kind);
  MaybeNode binary(int precedence);
  MaybeNode unary();
  MaybeNode negated();
  MaybeNode member();
  MaybeNode after_dot(Index target);
  MaybeNode primary();
  MaybeNode parenthesis();
  MaybeNode identifier();
  MaybeNode list();
  MaybeNode map();
  MaybeNode literal(bool negative);
  MaybeNode number(bool negative);
  MaybeNode call(std::string_view name, std::uint32_t offset, MaybeNode receiver);
  MaybeNode macro(MacroKind kind, std::uint32_t offset, std::span<const Index> all);
  MaybeNode row_function(std::string_view name, std::uint32_t offset, MaybeNode receiver,
                         std::span<const Index> arguments);
  MaybeNode has(std::uint32_t offset, std::span<const Index> arguments);
  bool arguments(std::string_view closing, std::vector<Index>& out);

  bool advance();
  [[nodiscard]] bool at(std::string_view symbol) const {
    return token_.kind == TokenKind::Symbol && token_.text == symbol;
  }
  bool expect(std::string_view symbol, std::string_view where);
  MaybeNode fail(std::uint32_t offset, std::string message);
  MaybeNode add(NodeKind kind, std::uint32_t offset, std::span<const Index> children,
                std::uint8_t sub = 0, std::uint32_t payload = 0);
  MaybeNode constant(std::uint32_t offset, Value value);
  std::uint32_t name(std::string_view text);
  Value stored_text(Kind kind, std::string text);

  Lexer lexer_;
  Expression& out_;
  SyntaxError& error_;
  Token token_;
  std::uint32_t nesting_ = 0;
};

}  // namespace rowtrail::infer
