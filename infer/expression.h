// A compiled expression: CEL's grammar plus rowtrail's rows (docs/rules.md). Parsed once per rule
// into a flat array of nodes, bound to the names of its rule, immutable afterwards. Evaluator runs
// it.
#pragma once

#include "infer/lexer.h"
#include "infer/value.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::infer {

// Limits on what a rule may say.
inline constexpr std::size_t kExpressionBytesMax = 16 * 1024;
inline constexpr std::uint32_t kExpressionDepthMax = 128;
inline constexpr std::size_t kExpressionNodesMax = 4096;
inline constexpr std::size_t kRegexBytesMax = 1024;
inline constexpr std::int64_t kRegexMemoryMax = 256 * 1024;

enum class NodeKind : std::uint8_t {
  Constant,     // constants[payload]
  Identifier,   // names[payload]; the binder leaves none
  Local,        // a macro's variable: locals[payload]
  Variable,     // variables[payload]: a clause's row, rows or null
  Column,       // names[payload] of one image (sub: Side) of variables[variable]; slot
  RowFunction,  // sub: RowFunctionKind of column names[payload] of child 0, a row; slot
  Select,       // child 0 . names[payload]; slot
  Has,          // has(child 0 . names[payload]); slot
  IsBound,      // has(clause): child 0 is a row, or a list that is not empty
  Index,        // child 0 [ child 1 ]
  List,
  Map,  // children: key, value, key, value …
  And,  // two or more children
  Or,
  Not,
  Negate,
  Conditional,  // child 0 ? child 1 : child 2
  Binary,       // sub: Operator
  Call,         // names[payload], bound to function sub; child 0 is the receiver of a member call
  Macro,        // sub: MacroKind; child 0 is the range; variable is the local
};

enum class Operator : std::uint8_t {
  Add,
  Subtract,
  Multiply,
  Divide,
  Remainder,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  In,
};
enum class MacroKind : std::uint8_t { All, Exists, ExistsOne, Filter, Map, FilterMap };
enum class RowFunctionKind : std::uint8_t { Delta, Changed, Old };

struct Node {
  NodeKind kind = NodeKind::Constant;
  std::uint8_t sub = 0;
  std::uint16_t variable = 0;
  std::uint32_t offset = 0;  // byte in the text where an error points to
  std::uint32_t payload = 0;
  std::uint32_t first_child = 0;  // in Expression::children
  std::uint32_t child_count = 0;
  std::uint32_t slot = 0;  // column cache of the Evaluator, unique within a set of rules
  std::uint32_t depth = 1;
};

class Regex;  // infer/regex.h

struct Expression {
  Expression();
  ~Expression();
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;

  std::string text;
  std::vector<Node> nodes;
  std::vector<std::uint32_t> children;
  std::vector<std::string> names;
  std::vector<Value> constants;
  std::vector<std::unique_ptr<std::string>> texts;  // what string constants point to
  std::unique_ptr<binlog::Arena> arena;             // wide decimals
  std::vector<std::unique_ptr<Regex>> regexes;      // of calls of matches() with a constant
  std::uint32_t root = 0;
  std::uint32_t locals = 0;  // macro variables in use at once

  [[nodiscard]] bool empty() const noexcept { return nodes.empty(); }
  [[nodiscard]] std::uint32_t child(const Node& node, std::uint32_t n) const {
    return children[node.first_child + n];
  }
  /// Variables that the tree under `node` mentions, a bit each.
  [[nodiscard]] std::uint64_t mentions(std::uint32_t node) const;
};

struct Variable {
  std::string name;
  bool is_row = true;  // false: any value (tests), or a list of rows
  bool is_list = false;
};

/// What an expression may name.
struct Scope {
  std::span<const Variable> variables;
  int current = -1;  // the variable that bare before, after, delta() mean; -1: none
};
inline constexpr std::size_t kVariablesMax = 32;

/// Syntax only. False and one error, or a tree that still has Identifier nodes.
bool parse(std::string_view text, Expression& expression, SyntaxError& error);
/// Resolves names and functions; appends every error found. `next_slot` numbers the column caches.
void bind(Expression& expression, const Scope& scope, std::uint32_t& next_slot,
          std::vector<SyntaxError>& errors);
/// Both.
bool compile(std::string_view text, const Scope& scope, std::uint32_t& next_slot,
             Expression& expression, std::vector<SyntaxError>& errors);

/// "no such overload: int + string" for an error that `expression` gave.
[[nodiscard]] std::string describe(const Value& error, const Expression& expression);
[[nodiscard]] std::string_view operator_text(Operator op);

/// The tree under `node` as text again; `names` are those of the variables.
[[nodiscard]] std::string text_of(const Expression& expression, std::uint32_t node,
                                  std::span<const std::string_view> names);
/// The columns and functions of rows under `node` whose values make its outcome.
[[nodiscard]] std::vector<std::uint32_t> operands_of(const Expression& expression,
                                                     std::uint32_t node);

}  // namespace rowtrail::infer
