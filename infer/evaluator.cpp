#include "infer/evaluator.h"

#include "infer/functions.h"
#include "infer/operators.h"
#include "infer/regex.h"
#include "infer/row.h"

#include <array>

namespace rowtrail::infer {
namespace {

/// A text or list that is read or made costs a step for so many bytes or items.
constexpr std::uint32_t kUnitsPerStep = 16;

std::uint64_t size_cost(const Value& value) {
  const bool sized = value.kind == Kind::String || value.kind == Kind::Bytes ||
                     value.kind == Kind::List || value.kind == Kind::Map;
  return sized ? value.size / kUnitsPerStep : 0;
}

Value not_bool(const Value& value) {
  return value.is_error() ? value : make_error(ErrorCode::NoOverload, value.kind);
}

}  // namespace

Value Evaluator::evaluate(const Expression& expression, std::uint32_t node,
                          std::span<const Value> variables, binlog::Arena& arena) {
  expression_ = &expression;
  variables_ = variables;
  arena_ = &arena;
  if (locals_.size() < expression.locals) locals_.resize(expression.locals);
  return eval(node);
}

Value Evaluator::eval(Index at) {
  if (budget_ == 0) {
    Value error = make_error(ErrorCode::Limit);
    error.size = at + 1;
    return error;
  }
  --budget_;
  const Node& node = expression_->nodes[at];
  Value result;
  switch (node.kind) {
    case NodeKind::Constant:
      return expression_->constants[node.payload];
    case NodeKind::Local:
      return locals_[node.payload];
    case NodeKind::Variable:
      return variables_[node.payload];
    case NodeKind::Identifier:
      return make_error(ErrorCode::NoSuchKey);
    case NodeKind::Column:
      result = column(node);
      break;
    case NodeKind::RowFunction:
      result = row_function(node);
      break;
    case NodeKind::Select:
      result = select(node);
      break;
    case NodeKind::Has:
      result = has(node);
      break;
    case NodeKind::IsBound:
      result = is_bound(node);
      break;
    case NodeKind::And:
    case NodeKind::Or:
      result = logical(node);
      break;
    case NodeKind::Not:
    case NodeKind::Negate:
      result = negation(node);
      break;
    case NodeKind::Conditional: {
      const Value condition = eval_child(node, 0);
      if (condition.kind == Kind::Bool) return eval_child(node, condition.b ? 1 : 2);
      result = not_bool(condition);
      break;
    }
    case NodeKind::Binary:
      result = binary(node);
      break;
    case NodeKind::Index:
      result = subscript(node);
      break;
    case NodeKind::Call:
      result = call(node);
      break;
    case NodeKind::List:
      result = list(node);
      break;
    case NodeKind::Map:
      result = map(node);
      break;
    case NodeKind::Macro:
      result = macro(node);
      break;
  }
  if (budget_ == 0) result = make_error(ErrorCode::Limit);
  if (result.is_error() && result.size == 0) result.size = at + 1;
  return result;
}

int Evaluator::find_column(const Node& node, const normalize::Change& change) {
  if (change.schema == nullptr) return -1;
  ColumnSlot& slot = slots_[node.slot];
  if (!slot.known || slot.layout_hash != change.schema->layout_hash) {
    slot.layout_hash = change.schema->layout_hash;
    slot.column = change.schema->find(expression_->names[node.payload]);
    slot.known = true;
  }
  return slot.column;
}

Value Evaluator::column(const Node& node) {
  const Value& row = variables_[node.variable];
  if (row.kind != Kind::Row) return make_error(ErrorCode::NullRow);
  return column_value(*row.change, static_cast<Side>(node.sub), find_column(node, *row.change),
                      *arena_, sight_);
}

Value Evaluator::row_function(const Node& node) {
  const Value row = eval_child(node, 0);
  if (row.is_error()) return row;
  if (row.is_null()) return make_error(ErrorCode::NullRow);
  if (row.kind != Kind::Row) return make_error(ErrorCode::NoOverload, row.kind);
  const int index = find_column(node, *row.change);
  switch (static_cast<RowFunctionKind>(node.sub)) {
    case RowFunctionKind::Delta:
      return column_delta(*row.change, index, *arena_, sight_);
    case RowFunctionKind::Changed:
      return column_changed(*row.change, index, sight_);
    case RowFunctionKind::Old:
      if (row.change->before.empty()) return {};
      return column_value(*row.change, Side::Before, index, *arena_, sight_);
  }
  return {};
}

Value Evaluator::select_field(const Node& node, const Value& target) {
  const std::string& field = expression_->names[node.payload];
  if (target.kind == Kind::Map) {
    const Value* found = find_key(target, make_string(field), budget_);
    return found != nullptr ? *found : make_error(ErrorCode::NoSuchKey);
  }
  if (target.kind == Kind::Image) {
    return column_value(*target.change, static_cast<Side>(target.scale),
                        find_column(node, *target.change), *arena_, sight_);
  }
  if (target.kind != Kind::Row) {
    return make_error(target.is_null() ? ErrorCode::NullRow : ErrorCode::NoOverload, target.kind);
  }
  const normalize::Change& change = *target.change;
  if (field == "before" || field == "after") {
    const Side side = field == "before" ? Side::Before : Side::After;
    if ((side == Side::Before ? change.before : change.after).empty()) return {};
    Value image = target;
    image.kind = Kind::Image;
    image.scale = static_cast<std::uint8_t>(side);
    return image;
  }
  if (field == "op") return make_string(normalize::op_name(change.op));
  if (field == "table") return make_string(change.table);
  if (field == "database") return make_string(change.database);
  if (field == "sql") return make_string(change.sql);
  return make_error(ErrorCode::NoSuchKey);
}

Value Evaluator::select(const Node& node) {
  const Value target = eval_child(node, 0);
  return target.is_error() ? target : select_field(node, target);
}

Value Evaluator::has(const Node& node) {
  const Value target = eval_child(node, 0);
  if (target.is_error()) return target;
  if (target.is_null()) return make_bool(false);
  if (target.kind == Kind::Image) {
    const int column = find_column(node, *target.change);
    const auto* cell =
        column < 0 ? nullptr
                   : cell_of(*target.change, static_cast<Side>(target.scale), column, sight_);
    return make_bool(cell != nullptr && cell->kind != binlog::CellKind::Absent);
  }
  const Value field = select_field(node, target);
  if (!field.is_error()) return make_bool(target.kind != Kind::Row || !field.is_null());
  return static_cast<ErrorCode>(field.scale) == ErrorCode::NoSuchKey ? make_bool(false) : field;
}

Value Evaluator::is_bound(const Node& node) {
  const Value target = eval_child(node, 0);
  if (target.is_error()) return target;
  return make_bool(!target.is_null() && (target.kind != Kind::List || target.size > 0));
}

Value Evaluator::logical(const Node& node) {
  const bool decisive = node.kind == NodeKind::Or;  // the value that settles it whatever the others
  Value error;
  for (std::uint32_t n = 0; n < node.child_count; ++n) {
    const Value operand = eval_child(node, n);
    if (operand.kind == Kind::Bool) {
      if (operand.b == decisive) return operand;
    } else if (!error.is_error()) {
      error = not_bool(operand);
    }
  }
  return error.is_error() ? error : make_bool(!decisive);
}

Value Evaluator::negation(const Node& node) {
  const Value operand = eval_child(node, 0);
  if (operand.is_error()) return operand;
  if (node.kind == NodeKind::Negate) return negate(operand, *arena_);
  return operand.kind == Kind::Bool ? make_bool(!operand.b) : not_bool(operand);
}

Value Evaluator::binary(const Node& node) {
  const Value left = eval_child(node, 0);
  if (left.is_error()) return left;
  const Value right = eval_child(node, 1);
  if (right.is_error()) return right;
  spend(size_cost(left) + size_cost(right));
  const auto op = static_cast<Operator>(node.sub);
  if (op == Operator::In) {
    if (right.kind == Kind::Image && left.kind == Kind::String) {
      const auto* schema = right.change->schema;
      return make_bool(schema != nullptr && schema->find(left.text()) >= 0);
    }
    return membership(left, right, budget_);
  }
  return op >= Operator::Equal ? relation(op, left, right, budget_)
                               : arithmetic(op, left, right, *arena_);
}

Value Evaluator::subscript(const Node& node) {
  const Value container = eval_child(node, 0);
  if (container.is_error()) return container;
  const Value key = eval_child(node, 1);
  if (key.is_error()) return key;
  if (container.kind == Kind::Image && key.kind == Kind::String) {
    const auto* schema = container.change->schema;
    const int column = schema != nullptr ? schema->find(key.text()) : -1;
    return column_value(*container.change, static_cast<Side>(container.scale), column, *arena_,
                        sight_);
  }
  return index(container, key, budget_);
}

Value Evaluator::call(const Node& node) {
  std::array<Value, 32> arguments;
  for (std::uint32_t n = 0; n < node.child_count; ++n) {
    arguments[n] = eval_child(node, n);
    if (arguments[n].is_error()) return arguments[n];
    spend(size_cost(arguments[n]));
  }
  if (node.slot > 0 && arguments[0].kind == Kind::String) {
    return make_bool(expression_->regexes[node.slot - 1]->matches(arguments[0].text()));
  }
  const Function& function = functions()[node.sub];
  if (function.name == "matches") spend(kRegexBytesMax);  // a pattern that is compiled every time
  if (arguments[0].kind == Kind::List) spend(arguments[0].size);
  return function.call({arguments.data(), node.child_count}, *arena_);
}

Value Evaluator::list(const Node& node) {
  const auto items = arena_->make_span<Value>(node.child_count);
  for (std::uint32_t n = 0; n < node.child_count; ++n) {
    items[n] = eval_child(node, n);
    if (items[n].is_error()) return items[n];
  }
  return make_list(items);
}

Value Evaluator::map(const Node& node) {
  const auto items = arena_->make_span<Value>(node.child_count);
  Value made = make_list(items);
  made.kind = Kind::Map;
  made.size = 0;
  for (std::uint32_t n = 0; n < node.child_count; n += 2) {
    const Value key = eval_child(node, n);
    if (key.is_error()) return key;
    const bool allowed = key.kind == Kind::Int || key.kind == Kind::UInt ||
                         key.kind == Kind::Bool || key.kind == Kind::String;
    if (!allowed) return make_error(ErrorCode::NoOverload, key.kind);
    if (find_key(made, key, budget_) != nullptr) return make_error(ErrorCode::RepeatedKey);
    const Value value = eval_child(node, n + 1);
    if (value.is_error()) return value;
    items[n] = key;
    items[n + 1] = value;
    ++made.size;
  }
  return made;
}

Value Evaluator::macro(const Node& node) {
  const Value range = eval_child(node, 0);
  if (range.is_error()) return range;
  const bool is_map = range.kind == Kind::Map;
  if (range.kind != Kind::List && !is_map) return make_error(ErrorCode::NoOverload, range.kind);
  const std::size_t stride = is_map ? 2 : 1;  // a map gives its keys
  const auto kind = static_cast<MacroKind>(node.sub);
  const bool collects =
      kind == MacroKind::Filter || kind == MacroKind::Map || kind == MacroKind::FilterMap;
  return collects ? collect(node, items_of(range), stride)
                  : quantify(node, items_of(range), stride);
}

Value Evaluator::quantify(const Node& node, std::span<const Value> items, std::size_t stride) {
  const auto kind = static_cast<MacroKind>(node.sub);
  const bool decisive = kind == MacroKind::Exists;
  std::size_t matches = 0;
  Value error;
  for (std::size_t n = 0; n < items.size() && budget_ > 0; n += stride) {
    locals_[node.variable] = items[n];
    const Value found = eval_child(node, 1);
    if (found.kind != Kind::Bool) {
      if (!error.is_error()) error = not_bool(found);
      continue;
    }
    if (kind == MacroKind::ExistsOne) {
      matches += found.b ? 1U : 0U;
    } else if (found.b == decisive) {
      return found;
    }
  }
  if (budget_ == 0) return make_error(ErrorCode::Limit);
  if (error.is_error()) return error;
  return make_bool(kind == MacroKind::ExistsOne ? matches == 1 : !decisive);
}

Value Evaluator::collect(const Node& node, std::span<const Value> items, std::size_t stride) {
  const auto kind = static_cast<MacroKind>(node.sub);
  const bool filters = kind != MacroKind::Map;
  const std::size_t count = items.size() / stride;
  spend(count / 4);  // the room for the result
  if (budget_ == 0) return make_error(ErrorCode::Limit);
  const auto out = arena_->make_span<Value>(count);
  std::size_t used = 0;
  for (std::size_t n = 0; n < items.size(); n += stride) {
    locals_[node.variable] = items[n];
    if (filters) {
      const Value keep = eval_child(node, 1);
      if (keep.kind != Kind::Bool) return not_bool(keep);
      if (!keep.b) continue;
    }
    Value result = items[n];
    if (kind != MacroKind::Filter) result = eval_child(node, filters ? 2 : 1);
    if (result.is_error()) return result;
    out[used++] = result;
  }
  return make_list(out.first(used));
}

}  // namespace rowtrail::infer
