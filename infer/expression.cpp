#include "infer/expression.h"

#include "infer/functions.h"
#include "infer/regex.h"

#include <array>

#include <fmt/format.h>

namespace rowtrail::infer {

Expression::Expression() = default;
Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;

std::uint64_t Expression::mentions(std::uint32_t at) const {
  const Node& node = nodes[at];
  std::uint64_t bits = 0;
  if (node.kind == NodeKind::Variable) bits |= std::uint64_t{1} << node.payload;
  if (node.kind == NodeKind::Column) bits |= std::uint64_t{1} << node.variable;
  for (std::uint32_t n = 0; n < node.child_count; ++n) bits |= mentions(child(node, n));
  return bits;
}

std::string_view operator_text(Operator op) {
  static constexpr std::array<std::string_view, 12> kTexts = {
      "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in"};
  return kTexts[static_cast<std::size_t>(op)];
}

namespace {

std::string no_overload(const Node& node, const Expression& expression, std::string_view left,
                        std::string_view right) {
  switch (node.kind) {
    case NodeKind::Binary:
      return fmt::format("cannot apply '{}' to {} and {}",
                         operator_text(static_cast<Operator>(node.sub)), left, right);
    case NodeKind::Negate:
      return fmt::format("cannot negate {}", left);
    case NodeKind::Not:
    case NodeKind::And:
    case NodeKind::Or:
    case NodeKind::Conditional:
      return fmt::format("a condition must be bool, not {}", left);
    case NodeKind::Call:
      return fmt::format("{}() does not take {}", expression.names[node.payload], left);
    case NodeKind::RowFunction:
      return fmt::format("delta() of '{}' is not defined for {}", expression.names[node.payload],
                         left);
    case NodeKind::Index:
      return fmt::format("cannot index {} with {}", left, right);
    case NodeKind::Select:
    case NodeKind::Has:
      return fmt::format("{} has no field '{}'", left, expression.names[node.payload]);
    case NodeKind::Macro:
      return fmt::format("the macro does not take {}", left);
    default:
      return fmt::format("no such overload for {}", left);
  }
}

}  // namespace

std::string describe(const Value& error, const Expression& expression) {
  const std::uint32_t at = error.size == 0 ? expression.root : error.size - 1;
  const Node& node = expression.nodes[at];
  const auto left = kind_name(static_cast<Kind>(error.style));
  const auto right = kind_name(static_cast<Kind>(error.extra));
  const bool named = node.kind == NodeKind::Column || node.kind == NodeKind::Select ||
                     node.kind == NodeKind::RowFunction || node.kind == NodeKind::Has;
  const std::string name = named ? " '" + expression.names[node.payload] + "'" : "";
  switch (static_cast<ErrorCode>(error.scale)) {
    case ErrorCode::NoOverload:
      return no_overload(node, expression, left, right);
    case ErrorCode::NoSuchKey:
      return "no such key" + name;
    case ErrorCode::NoSuchColumn:
      return "the table has no column" + name;
    case ErrorCode::NotLogged:
      return "the row image does not hold column" + name;
    case ErrorCode::Unavailable:
      return "the value of column" + name + " is not known";
    case ErrorCode::NoImage:
      return "the row has no such image (before of an insert, after of a delete)";
    case ErrorCode::NullRow:
      return "the clause bound no row; test it with has(clause)";
    case ErrorCode::DivideByZero:
      return "division by zero";
    case ErrorCode::Overflow:
      return "the result is out of range";
    case ErrorCode::IndexRange:
      return "the index is out of range";
    case ErrorCode::BadValue:
      return fmt::format("the {} cannot be converted", left);
    case ErrorCode::BadRegex:
      return "the regular expression is wrong";
    case ErrorCode::RepeatedKey:
      return "a key stands twice in the map";
    case ErrorCode::Limit:
      return "the evaluation costs too much or makes too large a value";
  }
  return "error";
}

}  // namespace rowtrail::infer
