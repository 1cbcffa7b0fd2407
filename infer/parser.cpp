#include "infer/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

struct BinaryOperator {
  std::string_view text;
  Operator op;
  int precedence;
};
constexpr std::array<BinaryOperator, 11> kBinary = {{
    {"==", Operator::Equal, 1},
    {"!=", Operator::NotEqual, 1},
    {"<", Operator::Less, 1},
    {"<=", Operator::LessEqual, 1},
    {">", Operator::Greater, 1},
    {">=", Operator::GreaterEqual, 1},
    {"+", Operator::Add, 2},
    {"-", Operator::Subtract, 2},
    {"*", Operator::Multiply, 3},
    {"/", Operator::Divide, 3},
    {"%", Operator::Remainder, 3},
}};
constexpr int kHighestPrecedence = 3;

constexpr std::array<std::string_view, 17> kReserved = {
    "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
    "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};
constexpr std::array<std::string_view, 4> kKeywords = {"true", "false", "null", "in"};

template <class Table>
bool contains(const Table& table, std::string_view word) {
  return std::find(table.begin(), table.end(), word) != table.end();
}

const BinaryOperator* binary_operator(const Token& token) {
  static constexpr BinaryOperator kIn = {"in", Operator::In, 1};
  if (token.kind == TokenKind::Identifier) return token.text == "in" ? &kIn : nullptr;
  if (token.kind != TokenKind::Symbol) return nullptr;
  for (const auto& candidate : kBinary) {
    if (candidate.text == token.text) return &candidate;
  }
  return nullptr;
}

std::string quoted(const Token& token) {
  return token.kind == TokenKind::End ? "the end" : fmt::format("'{}'", token.text);
}

}  // namespace

Parser::MaybeNode Parser::fail(std::uint32_t offset, std::string message) {
  if (error_.message.empty()) error_ = {offset, std::move(message)};
  return std::nullopt;
}

bool Parser::advance() {
  return lexer_.next(token_, error_);
}

bool Parser::expect(std::string_view symbol, std::string_view where) {
  if (at(symbol)) return advance();
  (void)fail(token_.offset,
             fmt::format("expected '{}' {}, found {}", symbol, where, quoted(token_)));
  return false;
}

Parser::MaybeNode Parser::add(NodeKind kind, std::uint32_t offset, std::span<const Index> children,
                              std::uint8_t sub, std::uint32_t payload) {
  if (out_.nodes.size() >= kExpressionNodesMax) return fail(offset, "the expression is too large");
  Node node;
  node.kind = kind;
  node.sub = sub;
  node.offset = offset;
  node.payload = payload;
  node.first_child = static_cast<std::uint32_t>(out_.children.size());
  node.child_count = static_cast<std::uint32_t>(children.size());
  for (const Index child : children) {
    node.depth = std::max(node.depth, out_.nodes[child].depth + 1);
    out_.children.push_back(child);
  }
  if (node.depth > kExpressionDepthMax) return fail(offset, "the expression is nested too deeply");
  out_.nodes.push_back(node);
  return static_cast<Index>(out_.nodes.size() - 1);
}

Parser::MaybeNode Parser::constant(std::uint32_t offset, Value value) {
  out_.constants.push_back(value);
  return add(NodeKind::Constant, offset, {}, 0,
             static_cast<std::uint32_t>(out_.constants.size() - 1));
}

std::uint32_t Parser::name(std::string_view text) {
  out_.names.emplace_back(text);
  return static_cast<std::uint32_t>(out_.names.size() - 1);
}

Value Parser::stored_text(Kind kind, std::string text) {
  out_.texts.push_back(std::make_unique<std::string>(std::move(text)));
  return make_text(kind, *out_.texts.back());
}

bool Parser::run() {
  if (!advance()) return false;
  if (token_.kind == TokenKind::End) {
    (void)fail(0, "the expression is empty");
    return false;
  }
  const auto root = expression();
  if (!root) return false;
  if (token_.kind != TokenKind::End) {
    (void)fail(token_.offset, fmt::format("unexpected {}", quoted(token_)));
    return false;
  }
  out_.root = *root;
  return true;
}

Parser::MaybeNode Parser::expression() {
  if (++nesting_ > kExpressionDepthMax) {
    return fail(token_.offset, "the expression is nested too deeply");
  }
  const std::uint32_t offset = token_.offset;
  auto condition = logical(NodeKind::Or);
  if (condition && at("?")) {
    if (!advance()) return std::nullopt;
    const auto yes = logical(NodeKind::Or);
    if (!yes || !expect(":", "of the conditional")) return std::nullopt;
    const auto no = expression();
    if (!no) return std::nullopt;
    condition = add(NodeKind::Conditional, offset, std::array{*condition, *yes, *no});
  }
  --nesting_;
  return condition;
}

Parser::MaybeNode Parser::logical(NodeKind kind) {
  const bool is_or = kind == NodeKind::Or;
  const std::uint32_t offset = token_.offset;
  std::vector<Index> operands;
  for (;;) {
    const auto operand = is_or ? logical(NodeKind::And) : binary(1);
    if (!operand) return std::nullopt;
    operands.push_back(*operand);
    if (!at(is_or ? "||" : "&&")) break;
    if (!advance()) return std::nullopt;
  }
  return operands.size() == 1 ? MaybeNode(operands[0]) : add(kind, offset, operands);
}

Parser::MaybeNode Parser::binary(int precedence) {
  if (precedence > kHighestPrecedence) return unary();
  auto left = binary(precedence + 1);
  while (left) {
    const BinaryOperator* op = binary_operator(token_);
    if (op == nullptr || op->precedence != precedence) break;
    const std::uint32_t offset = token_.offset;
    if (!advance()) return std::nullopt;
    const auto right = binary(precedence + 1);
    if (!right) return std::nullopt;
    left =
        add(NodeKind::Binary, offset, std::array{*left, *right}, static_cast<std::uint8_t>(op->op));
  }
  return left;
}

Parser::MaybeNode Parser::unary() {
  if (at("-")) return negated();
  std::vector<std::uint32_t> nots;
  while (at("!")) {
    nots.push_back(token_.offset);
    if (!advance()) return std::nullopt;
  }
  auto operand = member();
  for (; operand && !nots.empty(); nots.pop_back()) {
    operand = add(NodeKind::Not, nots.back(), std::array{*operand});
  }
  return operand;
}

Parser::MaybeNode Parser::negated() {
  std::vector<std::uint32_t> minuses;
  while (at("-")) {
    minuses.push_back(token_.offset);
    if (!advance()) return std::nullopt;
  }
  MaybeNode operand;
  if (token_.kind == TokenKind::Int || token_.kind == TokenKind::Double) {
    operand = number(true);  // so that the smallest int can be written
    minuses.pop_back();
    while (operand && (at(".") || at("[")))
      return fail(token_.offset, "write '-(…)' before a member");
  } else {
    operand = member();
  }
  for (; operand && !minuses.empty(); minuses.pop_back()) {
    operand = add(NodeKind::Negate, minuses.back(), std::array{*operand});
  }
  return operand;
}

Parser::MaybeNode Parser::member() {
  auto target = primary();
  while (target) {
    const std::uint32_t offset = token_.offset;
    if (at(".")) {
      if (!advance()) return std::nullopt;
      target = after_dot(*target);
    } else if (at("[")) {
      if (!advance()) return std::nullopt;
      const auto index = expression();
      if (!index || !expect("]", "after the index")) return std::nullopt;
      target = add(NodeKind::Index, offset, std::array{*target, *index});
    } else {
      break;
    }
  }
  return target;
}

Parser::MaybeNode Parser::after_dot(Index target) {
  const std::uint32_t offset = token_.offset;
  if (token_.kind != TokenKind::Identifier || contains(kKeywords, token_.text)) {
    return fail(offset, fmt::format("expected a name after '.', found {}", quoted(token_)));
  }
  const std::string_view selector = token_.text;
  if (!advance()) return std::nullopt;
  if (at("(")) return call(selector, offset, target);
  return add(NodeKind::Select, offset, std::array{target}, 0, name(selector));
}

Parser::MaybeNode Parser::primary() {
  if (token_.kind == TokenKind::Identifier) return identifier();
  if (token_.kind != TokenKind::Symbol && token_.kind != TokenKind::End) return literal(false);
  if (at("(")) return parenthesis();
  if (at("[")) return list();
  if (at("{")) return map();
  if (at(".")) {  // the root scope: the only one there is
    if (!advance()) return std::nullopt;
    if (token_.kind == TokenKind::Identifier) return identifier();
  }
  return fail(token_.offset, fmt::format("expected a value, found {}", quoted(token_)));
}

Parser::MaybeNode Parser::parenthesis() {
  if (!advance()) return std::nullopt;
  const auto inner = expression();
  if (!inner || !expect(")", "to close the parenthesis")) return std::nullopt;
  return inner;
}

Parser::MaybeNode Parser::identifier() {
  const std::uint32_t offset = token_.offset;
  const std::string_view word = token_.text;
  if (word == "in") return fail(offset, "expected a value before 'in'");
  if (contains(kReserved, word)) return fail(offset, fmt::format("'{}' is a reserved word", word));
  if (!advance()) return std::nullopt;
  if (word == "true" || word == "false") return constant(offset, make_bool(word == "true"));
  if (word == "null") return constant(offset, Value{});
  if (at("(")) return call(word, offset, std::nullopt);
  if (at("{")) return fail(token_.offset, "messages cannot be built; write a map {…}");
  return add(NodeKind::Identifier, offset, {}, 0, name(word));
}

bool Parser::arguments(std::string_view closing, std::vector<Index>& out) {
  if (!advance()) return false;
  while (!at(closing)) {
    const auto item = expression();
    if (!item) return false;
    out.push_back(*item);
    if (!at(",")) break;
    if (!advance()) return false;
    if (closing == ")" && at(closing)) {
      (void)fail(token_.offset, "expected an argument after ','");
      return false;
    }
  }
  return expect(closing, closing == ")" ? "after the arguments" : "after the items");
}

Parser::MaybeNode Parser::list() {
  const std::uint32_t offset = token_.offset;
  std::vector<Index> items;
  if (!arguments("]", items)) return std::nullopt;
  return add(NodeKind::List, offset, items);
}

Parser::MaybeNode Parser::map() {
  const std::uint32_t offset = token_.offset;
  std::vector<Index> items;
  if (!advance()) return std::nullopt;
  while (!at("}")) {
    const auto key = expression();
    if (!key || !expect(":", "after the key")) return std::nullopt;
    const auto value = expression();
    if (!value) return std::nullopt;
    items.push_back(*key);
    items.push_back(*value);
    if (!at(",")) break;
    if (!advance()) return std::nullopt;
  }
  if (!expect("}", "after the entries")) return std::nullopt;
  return add(NodeKind::Map, offset, items);
}

Parser::MaybeNode Parser::literal(bool negative) {
  const std::uint32_t offset = token_.offset;
  if (token_.kind != TokenKind::String && token_.kind != TokenKind::Bytes) return number(negative);
  const Kind kind = token_.kind == TokenKind::String ? Kind::String : Kind::Bytes;
  const Value value = stored_text(kind, std::move(token_.value));
  if (!advance()) return std::nullopt;
  return constant(offset, value);
}

Parser::MaybeNode Parser::number(bool negative) {
  const std::uint32_t offset = token_.offset;
  const TokenKind kind = token_.kind;
  std::string text(negative ? 1 : 0, '-');
  text += token_.text;
  if (!advance()) return std::nullopt;
  if (kind == TokenKind::Double)
    return constant(offset, make_double(std::strtod(text.c_str(), nullptr)));
  int base = 10;
  const std::size_t prefix =
      text.find("0x") != std::string::npos ? text.find("0x") : text.find("0X");
  if (prefix != std::string::npos) {
    text.erase(prefix, 2);
    base = 16;
  }
  const char* end = text.data() + text.size();
  if (kind == TokenKind::UInt) {
    std::uint64_t number = 0;
    if (std::from_chars(text.data(), end, number, base).ec != std::errc()) {
      return fail(offset, "the number does not fit in 64 bits");
    }
    return constant(offset, make_uint(number));
  }
  std::int64_t number = 0;
  if (std::from_chars(text.data(), end, number, base).ec != std::errc()) {
    return fail(offset, "the number does not fit in a signed integer of 64 bits");
  }
  return constant(offset, make_int(number));
}

Parser::MaybeNode Parser::call(std::string_view function, std::uint32_t offset,
                               MaybeNode receiver) {
  std::vector<Index> all;
  if (receiver) all.push_back(*receiver);
  if (!arguments(")", all)) return std::nullopt;
  const std::span<const Index> given(all.data() + (receiver ? 1 : 0),
                                     all.size() - (receiver ? 1 : 0));
  if (!receiver && function == "has") return has(offset, given);
  if (function == "delta" || function == "changed" || function == "old") {
    return row_function(function, offset, receiver, given);
  }
  static constexpr struct {
    std::string_view name;
    std::size_t arguments;
    MacroKind kind;
  } kMacros[] = {{"all", 2, MacroKind::All},
                 {"exists", 2, MacroKind::Exists},
                 {"exists_one", 2, MacroKind::ExistsOne},
                 {"existsOne", 2, MacroKind::ExistsOne},
                 {"filter", 2, MacroKind::Filter},
                 {"map", 2, MacroKind::Map},
                 {"map", 3, MacroKind::FilterMap}};
  for (const auto& candidate : kMacros) {
    if (receiver && candidate.name == function && candidate.arguments == given.size()) {
      return macro(candidate.kind, offset, all);
    }
  }
  if (!receiver && contains(kReserved, function)) {
    return fail(offset, fmt::format("'{}' is a reserved word", function));
  }
  // variable: 1 for a member call, until the binder finds the function
  const auto node = add(NodeKind::Call, offset, all, 0, name(function));
  if (node && receiver) out_.nodes[*node].variable = 1;
  return node;
}

Parser::MaybeNode Parser::macro(MacroKind kind, std::uint32_t offset, std::span<const Index> all) {
  const Node& variable = out_.nodes[all[1]];
  if (variable.kind != NodeKind::Identifier) {
    return fail(variable.offset, "expected a plain name for the macro's variable");
  }
  const std::uint32_t variable_name = variable.payload;
  std::vector<Index> children{all[0]};
  children.insert(children.end(), all.begin() + 2, all.end());
  return add(NodeKind::Macro, offset, children, static_cast<std::uint8_t>(kind), variable_name);
}

Parser::MaybeNode Parser::row_function(std::string_view function, std::uint32_t offset,
                                       MaybeNode receiver, std::span<const Index> arguments) {
  if (arguments.size() != 1) {
    return fail(offset, fmt::format("{}() takes one column name", function));
  }
  const Node& argument = out_.nodes[arguments[0]];
  std::string column;
  if (argument.kind == NodeKind::Identifier) {
    column = out_.names[argument.payload];
  } else if (argument.kind == NodeKind::Constant &&
             out_.constants[argument.payload].kind == Kind::String) {
    column = out_.constants[argument.payload].text();
  } else {
    return fail(argument.offset,
                fmt::format("{}() takes a column name, as in {}(quantity)", function, function));
  }
  const auto kind = function == "delta"
                        ? RowFunctionKind::Delta
                        : (function == "old" ? RowFunctionKind::Old : RowFunctionKind::Changed);
  const std::uint32_t payload = name(column);
  const auto sub = static_cast<std::uint8_t>(kind);
  if (receiver) return add(NodeKind::RowFunction, offset, std::array{*receiver}, sub, payload);
  return add(NodeKind::RowFunction, offset, {}, sub, payload);
}

Parser::MaybeNode Parser::has(std::uint32_t offset, std::span<const Index> arguments) {
  if (arguments.size() == 1) {
    const Node argument = out_.nodes[arguments[0]];
    if (argument.kind == NodeKind::Select) {
      return add(NodeKind::Has, offset, std::array{out_.child(argument, 0)}, 0, argument.payload);
    }
    if (argument.kind == NodeKind::Identifier) {
      return add(NodeKind::IsBound, offset, std::array{arguments[0]});
    }
  }
  return fail(offset, "has() takes a clause or a field, as in has(doc) or has(doc.after.note)");
}

bool parse(std::string_view text, Expression& expression, SyntaxError& error) {
  expression = Expression();
  expression.text = text;
  error = {};
  if (text.size() > kExpressionBytesMax) {
    error = {0, fmt::format("the expression is longer than {} bytes", kExpressionBytesMax)};
    return false;
  }
  Parser parser(expression.text, expression, error);
  return parser.run();
}

}  // namespace rowtrail::infer
