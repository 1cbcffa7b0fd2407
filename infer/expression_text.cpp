// Compiled expressions as text again, for explanations: one conjunct of a condition has no text of
// its own.
#include "infer/expression.h"

#include <array>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

class Printer {
 public:
  Printer(const Expression& expression, std::span<const std::string_view> names)
      : expression_(expression), names_(names) {}

  std::string text(std::uint32_t at) {
    const Node& node = expression_.nodes[at];
    switch (node.kind) {
      case NodeKind::Constant:
        return show(expression_.constants[node.payload]);
      case NodeKind::Identifier:
        return name(node);
      case NodeKind::Local:
        return node.payload < locals_.size() ? locals_[node.payload] : "?";
      case NodeKind::Variable:
        return std::string(names_[node.payload]);
      case NodeKind::Column:
        return dotted(names_[node.variable]) +
               (static_cast<Side>(node.sub) == Side::Before ? "before." : "after.") + name(node);
      case NodeKind::RowFunction:
        return row_function(node);
      case NodeKind::Select:
        return dotted(child(node, 0)) + name(node);
      case NodeKind::Has:
        return fmt::format("has({}.{})", child(node, 0), name(node));
      case NodeKind::IsBound:
        return fmt::format("has({})", child(node, 0));
      case NodeKind::Index:
        return fmt::format("{}[{}]", child(node, 0), child(node, 1));
      case NodeKind::List:
        return fmt::format("[{}]", children(node, 0, ", "));
      case NodeKind::Map:
        return map(node);
      case NodeKind::And:
        return children(node, 0, " && ");
      case NodeKind::Or:
        return children(node, 0, " || ");
      case NodeKind::Not:
        return "!" + operand(node, 0);
      case NodeKind::Negate:
        return "-" + operand(node, 0);
      case NodeKind::Conditional:
        return fmt::format("{} ? {} : {}", operand(node, 0), operand(node, 1), operand(node, 2));
      case NodeKind::Binary:
        return fmt::format("{} {} {}", operand(node, 0),
                           operator_text(static_cast<Operator>(node.sub)), operand(node, 1));
      case NodeKind::Call:
        return fmt::format("{}({})", name(node), children(node, 0, ", "));
      case NodeKind::Macro:
        return macro(node);
    }
    return "?";
  }

 private:
  [[nodiscard]] const std::string& name(const Node& node) const {
    return expression_.names[node.payload];
  }
  std::string child(const Node& node, std::uint32_t n) { return text(expression_.child(node, n)); }
  /// A row without a name is the one being tested.
  static std::string dotted(std::string_view row) {
    return row.empty() ? std::string() : std::string(row) + ".";
  }
  /// In parentheses where it is an operation itself.
  std::string operand(const Node& node, std::uint32_t n) {
    const NodeKind kind = expression_.nodes[expression_.child(node, n)].kind;
    const bool wrapped = kind == NodeKind::Binary || kind == NodeKind::And ||
                         kind == NodeKind::Or || kind == NodeKind::Conditional;
    return wrapped ? "(" + child(node, n) + ")" : child(node, n);
  }
  std::string children(const Node& node, std::uint32_t first, std::string_view separator) {
    const bool wrapped = node.kind == NodeKind::And || node.kind == NodeKind::Or;
    std::string out;
    for (std::uint32_t n = first; n < node.child_count; ++n) {
      if (n > first) out += separator;
      out += wrapped ? operand(node, n) : child(node, n);
    }
    return out;
  }
  std::string row_function(const Node& node) {
    static constexpr std::array<std::string_view, 3> kNames = {"delta", "changed", "old"};
    return fmt::format("{}{}({})", dotted(child(node, 0)), kNames[node.sub], name(node));
  }
  std::string map(const Node& node) {
    std::string out = "{";
    for (std::uint32_t n = 0; n + 1 < node.child_count; n += 2) {
      if (n > 0) out += ", ";
      out += child(node, n) + ": " + child(node, n + 1);
    }
    return out + "}";
  }
  std::string macro(const Node& node) {
    static constexpr std::array<std::string_view, 6> kNames = {"all",    "exists", "exists_one",
                                                               "filter", "map",    "map"};
    const std::string range = child(node, 0);
    locals_.push_back(name(node));
    const std::string body = children(node, 1, ", ");
    locals_.pop_back();
    return fmt::format("{}.{}({}, {})", range, kNames[node.sub], name(node), body);
  }

  const Expression& expression_;
  std::span<const std::string_view> names_;
  std::vector<std::string> locals_;
};

void collect(const Expression& expression, std::uint32_t at, std::vector<std::uint32_t>& out) {
  const Node& node = expression.nodes[at];
  const bool of_row = node.kind == NodeKind::Column || node.kind == NodeKind::RowFunction ||
                      (node.kind == NodeKind::Select &&
                       expression.nodes[expression.child(node, 0)].kind == NodeKind::Variable);
  if (of_row) {
    out.push_back(at);
    return;
  }
  // What a macro's body says is about its local, which has no value out here.
  const std::uint32_t children = node.kind == NodeKind::Macro ? 1 : node.child_count;
  for (std::uint32_t n = 0; n < children; ++n) collect(expression, expression.child(node, n), out);
}

}  // namespace

std::string text_of(const Expression& expression, std::uint32_t node,
                    std::span<const std::string_view> names) {
  return Printer(expression, names).text(node);
}

std::vector<std::uint32_t> operands_of(const Expression& expression, std::uint32_t node) {
  std::vector<std::uint32_t> out;
  collect(expression, node, out);
  return out;
}

}  // namespace rowtrail::infer
