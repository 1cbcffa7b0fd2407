// Names → variables, columns, functions. What a rule cannot mean is said here, with a suggestion.
#include "infer/expression.h"
#include "infer/functions.h"
#include "infer/regex.h"
#include "infer/suggestion.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

constexpr std::array<std::string_view, 6> kRowFields = {"before", "after",    "op",
                                                        "table",  "database", "sql"};

bool is_row_field(std::string_view name) {
  return std::find(kRowFields.begin(), kRowFields.end(), name) != kRowFields.end();
}

class Binder {
 public:
  Binder(Expression& expression, const Scope& scope, std::uint32_t& next_slot,
         std::vector<SyntaxError>& errors)
      : out_(expression), scope_(scope), next_slot_(next_slot), errors_(errors) {}

  void run() { visit(out_.root); }

 private:
  using Index = std::uint32_t;

  void fail(std::uint32_t offset, std::string message) {
    errors_.push_back({offset, std::move(message)});
  }

  void visit(Index at);
  void identifier(Index at);
  void unknown(std::uint32_t offset, const std::string& name);
  void select(Index at);
  void row_function(Index at);
  void call(Index at);
  void macro(Index at);
  void compile_regex(Index at);
  Index add_variable(std::uint32_t offset, std::uint16_t variable);
  void set_child(Index at, Index child);
  [[nodiscard]] Node& node(Index at) { return out_.nodes[at]; }
  [[nodiscard]] const Variable* variable_at(Index at) {
    return node(at).kind == NodeKind::Variable ? &scope_.variables[node(at).payload] : nullptr;
  }

  Expression& out_;
  const Scope& scope_;
  std::uint32_t& next_slot_;
  std::vector<SyntaxError>& errors_;
  std::vector<std::string> locals_;
};

void Binder::visit(Index at) {
  const NodeKind kind = node(at).kind;
  if (kind == NodeKind::Identifier) return identifier(at);
  if (kind == NodeKind::Macro) return macro(at);
  for (std::uint32_t n = 0; n < node(at).child_count; ++n) visit(out_.child(node(at), n));
  if (kind == NodeKind::Select || kind == NodeKind::Has) return select(at);
  if (kind == NodeKind::RowFunction) return row_function(at);
  if (kind == NodeKind::Call) return call(at);
  if (kind == NodeKind::IsBound && node(out_.child(node(at), 0)).kind == NodeKind::Local) {
    fail(node(at).offset, "has() takes a clause or a field, as in has(x.after.note)");
  }
}

Binder::Index Binder::add_variable(std::uint32_t offset, std::uint16_t variable) {
  Node added;
  added.kind = NodeKind::Variable;
  added.offset = offset;
  added.payload = variable;
  out_.nodes.push_back(added);
  return static_cast<Index>(out_.nodes.size() - 1);
}

void Binder::set_child(Index at, Index child) {
  node(at).first_child = static_cast<std::uint32_t>(out_.children.size());
  node(at).child_count = 1;
  out_.children.push_back(child);
}

void Binder::identifier(Index at) {
  const std::string name = out_.names[node(at).payload];
  for (std::size_t n = locals_.size(); n-- > 0;) {
    if (locals_[n] != name) continue;
    node(at).kind = NodeKind::Local;
    node(at).payload = static_cast<std::uint32_t>(n);
    return;
  }
  for (std::size_t n = 0; n < scope_.variables.size(); ++n) {
    if (scope_.variables[n].name != name) continue;
    node(at).kind = NodeKind::Variable;
    node(at).payload = static_cast<std::uint32_t>(n);
    return;
  }
  if (is_row_field(name) && scope_.current >= 0) {
    const Index row = add_variable(node(at).offset, static_cast<std::uint16_t>(scope_.current));
    node(at).kind = NodeKind::Select;
    set_child(at, row);
    node(at).slot = next_slot_++;
    return;
  }
  if (const auto type = type_named(name)) {
    Value value;
    value.kind = Kind::Type;
    value.u = static_cast<std::uint64_t>(*type);
    out_.constants.push_back(value);
    node(at).kind = NodeKind::Constant;
    node(at).payload = static_cast<std::uint32_t>(out_.constants.size() - 1);
    return;
  }
  unknown(node(at).offset, name);
}

void Binder::unknown(std::uint32_t offset, const std::string& name) {
  if (is_row_field(name) && !scope_.variables.empty()) {
    return fail(offset, fmt::format("'{0}' needs a clause here: write '{1}.{0}'", name,
                                    scope_.variables[0].name));
  }
  std::vector<std::string_view> known;
  for (const auto& variable : scope_.variables) known.emplace_back(variable.name);
  for (const auto& local : locals_) known.emplace_back(local);
  if (scope_.current >= 0) known.insert(known.end(), {"before", "after"});
  const auto similar = did_you_mean(name, known);
  if (similar.empty() && scope_.current >= 0) {
    return fail(offset, fmt::format("no clause '{0}'; a column is written 'after.{0}'", name));
  }
  fail(offset,
       fmt::format("no {} '{}'{}", scope_.variables.empty() ? "name" : "clause", name, similar));
}

void Binder::select(Index at) {
  node(at).slot = next_slot_++;
  const Index target = out_.child(node(at), 0);
  const std::string& field = out_.names[node(at).payload];
  if (const Variable* variable = variable_at(target); variable != nullptr && variable->is_row) {
    if (variable->is_list) {
      return fail(
          node(at).offset,
          fmt::format("'{0}' is a list of rows; write '{0}.all(x, x.{1})', map or '{0}[0].{1}'",
                      variable->name, field));
    }
    if (is_row_field(field)) return;
    const auto similar = did_you_mean(field, kRowFields);
    return fail(node(at).offset,
                similar.empty()
                    ? fmt::format("a row has no '{0}'; a column is written '{1}.after.{0}'", field,
                                  variable->name)
                    : fmt::format("a row has no '{}'{}", field, similar));
  }
  // clause.after.column is one step at run time.
  const Node& inner = node(target);
  if (node(at).kind != NodeKind::Select || inner.kind != NodeKind::Select) return;
  const Variable* row = variable_at(out_.child(inner, 0));
  const std::string& side = out_.names[inner.payload];
  if (row == nullptr || !row->is_row || (side != "before" && side != "after")) return;
  node(at).kind = NodeKind::Column;
  node(at).sub = static_cast<std::uint8_t>(side == "before" ? Side::Before : Side::After);
  node(at).variable = static_cast<std::uint16_t>(node(out_.child(inner, 0)).payload);
  node(at).child_count = 0;
}

void Binder::row_function(Index at) {
  node(at).slot = next_slot_++;
  static constexpr std::array<std::string_view, 3> kNames = {"delta", "changed", "old"};
  const auto name = kNames[node(at).sub];
  if (node(at).child_count == 0) {
    if (scope_.current >= 0) {
      set_child(at, add_variable(node(at).offset, static_cast<std::uint16_t>(scope_.current)));
      return;
    }
    return fail(node(at).offset,
                fmt::format("{}() needs a clause here{}", name,
                            scope_.variables.empty()
                                ? ""
                                : fmt::format(": write '{}.{}({})'", scope_.variables[0].name, name,
                                              out_.names[node(at).payload])));
  }
  const Variable* variable = variable_at(out_.child(node(at), 0));
  if (variable != nullptr && variable->is_list) {
    fail(node(at).offset, fmt::format("'{0}' is a list of rows; write '{0}.map(x, x.{1}({2}))'",
                                      variable->name, name, out_.names[node(at).payload]));
  }
}

void Binder::call(Index at) {
  const bool member = node(at).variable == 1;
  const std::string& name = out_.names[node(at).payload];
  const int found = find_function(name, member, node(at).child_count);
  node(at).variable = 0;
  if (found >= 0) {
    node(at).sub = static_cast<std::uint8_t>(found);
    if (name == "matches") compile_regex(at);
    return;
  }
  std::vector<std::string_view> known;
  for (const auto& function : functions()) {
    if (function.name == name) {
      return fail(node(at).offset, fmt::format("{}() is called as {}", name, function.signature));
    }
    known.push_back(function.name);
  }
  known.insert(known.end(),
               {"has", "delta", "changed", "old", "all", "exists", "exists_one", "filter", "map"});
  fail(node(at).offset, fmt::format("no function '{}'{}", name, did_you_mean(name, known)));
}

void Binder::compile_regex(Index at) {
  const Node& pattern = node(out_.child(node(at), 1));
  if (pattern.kind != NodeKind::Constant) return;
  const Value& constant = out_.constants[pattern.payload];
  if (constant.kind != Kind::String) return;
  std::string error;
  auto regex = Regex::compile(constant.text(), error);
  if (!regex) return fail(pattern.offset, "the regular expression is wrong: " + error);
  out_.regexes.push_back(std::move(regex));
  node(at).slot = static_cast<std::uint32_t>(out_.regexes.size());
}

void Binder::macro(Index at) {
  visit(out_.child(node(at), 0));
  const Index range = out_.child(node(at), 0);
  const Variable* variable = variable_at(range);
  if (variable != nullptr && variable->is_row && !variable->is_list) {
    fail(node(range).offset,
         fmt::format("'{}' is one row, not a list; give its clause a count such as 1..n",
                     variable->name));
  }
  locals_.push_back(out_.names[node(at).payload]);
  node(at).variable = static_cast<std::uint16_t>(locals_.size() - 1);
  out_.locals = std::max(out_.locals, static_cast<std::uint32_t>(locals_.size()));
  for (std::uint32_t n = 1; n < node(at).child_count; ++n) visit(out_.child(node(at), n));
  locals_.pop_back();
}

}  // namespace

void bind(Expression& expression, const Scope& scope, std::uint32_t& next_slot,
          std::vector<SyntaxError>& errors) {
  Binder(expression, scope, next_slot, errors).run();
}

bool compile(std::string_view text, const Scope& scope, std::uint32_t& next_slot,
             Expression& expression, std::vector<SyntaxError>& errors) {
  SyntaxError error;
  if (!parse(text, expression, error)) {
    errors.push_back(std::move(error));
    return false;
  }
  const std::size_t before = errors.size();
  bind(expression, scope, next_slot, errors);
  return errors.size() == before;
}

}  // namespace rowtrail::infer
