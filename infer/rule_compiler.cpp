// One YAML document → one Rule.
#include "infer/rule_yaml.h"
#include "infer/suggestion.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

using Names = std::vector<std::string_view>;

constexpr std::pair<std::string_view, OpMask> kOps[] = {
    {"insert", op_bit(normalize::Op::Insert)},
    {"update", op_bit(normalize::Op::Update)},
    {"delete", op_bit(normalize::Op::Delete)},
    {"truncate", op_bit(normalize::Op::Truncate)},
    {"ddl", op_bit(normalize::Op::Ddl)},
    {"snapshot", op_bit(normalize::Op::Snapshot)},
    {"any",
     op_bit(normalize::Op::Insert) | op_bit(normalize::Op::Update) | op_bit(normalize::Op::Delete)},
};

bool glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool parse_number(std::string_view text, std::uint32_t& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc{} && end == text.data() + text.size() && !text.empty();
}

/// `1`, `0..1`, `1..n`.
bool parse_count(std::string_view text, std::uint32_t& min, std::uint32_t& max) {
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) {
    if (!parse_number(text, min)) return false;
    max = min;
    return max > 0;
  }
  if (!parse_number(text.substr(0, dots), min)) return false;
  const auto upper = text.substr(dots + 2);
  if (upper == "n") {
    max = kUnlimited;
    return true;
  }
  return parse_number(upper, max) && max >= min && max > 0;
}

class Compiler {
 public:
  Compiler(const RuleDocument& document, std::uint32_t& next_slot, Rule& rule)
      : document_(document), next_slot_(next_slot), rule_(rule) {}

  bool run(const YAML::Node& root);

 private:
  void head(const YAML::Node& root);
  void clauses(const YAML::Node& match);
  void clause(const YAML::Node& name, const YAML::Node& body);
  void forbid(const YAML::Node& list);
  void when(std::size_t clause, const YAML::Node& text);
  void where(const YAML::Node& text);
  void emit(const YAML::Node& node);
  void objects(const YAML::Node& node);
  void object(const std::string& type, const YAML::Node& node);
  void summary(const YAML::Node& node);
  void tests(const YAML::Node& list);
  /// Compiles into `expression`; `current` is the clause that bare before and after mean.
  bool expression(const YAML::Node& node, std::string_view what, int current, Expression& out);
  void place(std::uint32_t expression, std::uint32_t node, int current, const YAML::Node& where);
  void place_conjuncts(std::uint32_t expression, std::uint32_t node, int current,
                       const YAML::Node& where);
  void fail(const YAML::Node& node, std::string message) {
    ok_ = false;
    document_.error(node.Mark(), std::move(message));
  }

  const RuleDocument& document_;
  std::uint32_t& next_slot_;
  Rule& rule_;
  std::vector<Variable> variables_;
  bool ok_ = true;
};

bool Compiler::expression(const YAML::Node& node, std::string_view what, int current,
                          Expression& out) {
  if (!node.IsScalar()) {
    fail(node, fmt::format("{} must be an expression", what));
    return false;
  }
  auto variables = variables_;
  if (current >= 0) {  // the row under test is one row, whatever the clause's count
    auto& own = variables[static_cast<std::size_t>(current)];
    own.is_row = true;
    own.is_list = false;
  }
  std::vector<SyntaxError> errors;
  if (compile(node.Scalar(), {variables, current}, next_slot_, out, errors)) return true;
  ok_ = false;
  for (const auto& error : errors) document_.error_in(node, error.offset, error.message);
  return false;
}

void Compiler::place(std::uint32_t expression, std::uint32_t node, int current,
                     const YAML::Node& where) {
  const auto& compiled = rule_.conditions[expression];
  const auto mentions = compiled.mentions(node) |
                        (current >= 0 ? std::uint64_t{1} << static_cast<unsigned>(current) : 0);
  if (mentions == 0) {  // a constant: decided with the first clause
    rule_.clauses.front().bound.push_back({expression, node});
    return;
  }
  const auto last = static_cast<std::size_t>(63 - std::countl_zero(mentions));
  auto& clause = rule_.clauses[last];
  const auto own_bit = std::uint64_t{1} << last;
  if (current >= 0 && static_cast<std::size_t>(current) != last &&
      rule_.clauses[static_cast<std::size_t>(current)].is_list()) {
    fail(where,
         fmt::format("a clause with several rows cannot refer to '{}', which is bound later; "
                     "move '{}' in front of it",
                     clause.name, clause.name));
    return;
  }
  const bool speaks_of_row =
      static_cast<int>(last) == current || (!clause.is_list() && clause.min > 0);
  if (!speaks_of_row) {
    clause.bound.push_back({expression, node});
    return;
  }
  if (mentions == own_bit) {
    clause.local.push_back({expression, node});
    return;
  }
  clause.row.push_back({expression, node});
  const auto& tree = compiled.nodes[node];
  if (tree.kind != NodeKind::Binary || static_cast<Operator>(tree.sub) != Operator::Equal) return;
  const auto left = compiled.child(tree, 0);
  const auto right = compiled.child(tree, 1);
  // Rows hash by what the other side will be, when one side is of this row alone.
  if (compiled.mentions(left) == own_bit && (compiled.mentions(right) & own_bit) == 0) {
    clause.joins.push_back({expression, left, right});
  } else if (compiled.mentions(right) == own_bit && (compiled.mentions(left) & own_bit) == 0) {
    clause.joins.push_back({expression, right, left});
  }
}

void Compiler::place_conjuncts(std::uint32_t expression, std::uint32_t node, int current,
                               const YAML::Node& where) {
  const auto& tree = rule_.conditions[expression].nodes[node];
  if (tree.kind != NodeKind::And) {
    place(expression, node, current, where);
    return;
  }
  for (std::uint32_t n = 0; n < tree.child_count; ++n) {
    place_conjuncts(expression, rule_.conditions[expression].child(tree, n), current, where);
  }
}

void Compiler::when(std::size_t clause, const YAML::Node& text) {
  Expression compiled;
  if (!expression(text, "when", static_cast<int>(clause), compiled)) return;
  rule_.conditions.push_back(std::move(compiled));
  const auto index = static_cast<std::uint32_t>(rule_.conditions.size() - 1);
  place_conjuncts(index, rule_.conditions[index].root, static_cast<int>(clause), text);
}

void Compiler::where(const YAML::Node& text) {
  Expression compiled;
  if (!expression(text, "where", -1, compiled)) return;
  rule_.conditions.push_back(std::move(compiled));
  const auto index = static_cast<std::uint32_t>(rule_.conditions.size() - 1);
  place_conjuncts(index, rule_.conditions[index].root, -1, text);
}

void Compiler::clause(const YAML::Node& name, const YAML::Node& body) {
  static constexpr std::string_view kMembers[] = {"table", "op", "when", "count"};
  if (!body.IsMap()) {
    fail(body, "a clause is a mapping: {table: db.table, op: insert, when: \"…\"}");
    return;
  }
  document_.check_members(body, kMembers);
  Clause out;
  out.name = document_.text(name, "a clause's name");
  if (body["table"]) {
    out.table = parse_table(document_.text(body["table"], "table"));
  } else {
    fail(body, fmt::format("clause '{}' has no table", out.name));
  }
  if (!parse_ops(document_, body["op"], out.ops)) ok_ = false;
  if (body["count"] && !parse_count(document_.text(body["count"], "count"), out.min, out.max)) {
    fail(body["count"], "count is a number or a range: 1, 0..1, 1..n, 2..5");
  }
  Variable variable;
  variable.name = out.name;
  variable.is_list = out.is_list();
  variable.is_row = !out.is_list();
  variables_.push_back(variable);
  rule_.clauses.push_back(std::move(out));
}

void Compiler::clauses(const YAML::Node& match) {
  if (!match || !match.IsMap() || match.size() == 0) {
    fail(match ? match : YAML::Node(), "match needs at least one clause");
    return;
  }
  if (match.size() > kClausesMax) {
    fail(match, fmt::format("more than {} clauses", kClausesMax));
    return;
  }
  for (const auto& pair : match) clause(pair.first, pair.second);
  if (rule_.clauses.front().min == 0) fail(match, "the first clause cannot be optional");
  std::size_t index = 0;
  for (const auto& pair : match) {
    if (pair.second.IsMap() && pair.second["when"]) when(index, pair.second["when"]);
    ++index;
  }
}

void Compiler::forbid(const YAML::Node& list) {
  static constexpr std::string_view kMembers[] = {"table", "op", "when"};
  if (!list.IsSequence()) {
    fail(list, "forbid is a list: [{table: db.table}]");
    return;
  }
  for (const auto& entry : list) {
    if (!entry.IsMap() || !entry["table"]) {
      fail(entry, "an entry of forbid needs a table");
      continue;
    }
    document_.check_members(entry, kMembers);
    Forbidden out;
    out.table = parse_table(document_.text(entry["table"], "table"));
    out.ops = kOps[6].second;
    if (entry["op"] && !parse_ops(document_, entry["op"], out.ops)) ok_ = false;
    if (entry["when"]) {
      // The forbidden row is one more variable behind the clauses.
      variables_.push_back({"row", true, false});
      Expression compiled;
      const int current = static_cast<int>(variables_.size() - 1);
      if (expression(entry["when"], "when", current, compiled)) {
        rule_.conditions.push_back(std::move(compiled));
        out.when = static_cast<std::uint32_t>(rule_.conditions.size() - 1);
      }
      variables_.pop_back();
    }
    rule_.forbidden.push_back(std::move(out));
  }
}

void Compiler::object(const std::string& type, const YAML::Node& node) {
  if (node.IsSequence()) {
    for (const auto& entry : node) object(type, entry);
    return;
  }
  ObjectExpression out;
  out.type = type;
  if (node.IsMap()) {
    static constexpr std::string_view kMembers[] = {"id", "as"};
    document_.check_members(node, kMembers);
    if (!node["id"]) {
      fail(node, "an object needs an id: {id: from.after.location_id, as: source}");
      return;
    }
    if (node["as"]) out.role = document_.text(node["as"], "as");
    if (expression(node["id"], "id", -1, out.id)) rule_.objects.push_back(std::move(out));
    return;
  }
  if (expression(node, "an object's id", -1, out.id)) rule_.objects.push_back(std::move(out));
}

void Compiler::objects(const YAML::Node& node) {
  if (!node.IsMap()) {
    fail(node, "objects is a mapping from type to id: {product: from.after.product_id}");
    return;
  }
  for (const auto& pair : node) object(document_.text(pair.first, "an object's type"), pair.second);
}

void Compiler::summary(const YAML::Node& node) {
  const auto text = document_.text(node, "summary");
  std::vector<std::string> names = {"actor"};
  for (const auto& object : rule_.objects) {
    names.push_back(object.type);
    if (!object.role.empty()) names.push_back(object.type + "." + object.role);
  }
  for (const auto& attribute : rule_.attributes) names.push_back(attribute.name);
  const Names known(names.begin(), names.end());
  std::size_t at = 0;
  while (at < text.size()) {
    const auto open = text.find('{', at);
    if (open == std::string::npos) break;
    if (open > at) rule_.summary.push_back({text.substr(at, open - at), false});
    const auto close = text.find('}', open);
    if (close == std::string::npos) {
      document_.error_in(node, static_cast<std::uint32_t>(open), "'{' without '}'");
      ok_ = false;
      return;
    }
    auto name = text.substr(open + 1, close - open - 1);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      document_.error_in(node, static_cast<std::uint32_t>(open + 1),
                         fmt::format("the summary names '{}', which is no object or attribute{}",
                                     name, did_you_mean(name, known)));
      ok_ = false;
    }
    rule_.summary.push_back({std::move(name), true});
    at = close + 1;
  }
  if (at < text.size()) rule_.summary.push_back({text.substr(at), false});
}

void Compiler::emit(const YAML::Node& node) {
  static constexpr std::string_view kMembers[] = {"objects", "actor", "attributes", "summary"};
  if (!node) return;
  if (!node.IsMap()) {
    fail(node, "emit is a mapping of objects, actor, attributes and summary");
    return;
  }
  document_.check_members(node, kMembers);
  if (node["objects"]) objects(node["objects"]);
  if (node["actor"]) expression(node["actor"], "actor", -1, rule_.actor);
  if (node["attributes"]) {
    if (!node["attributes"].IsMap()) {
      fail(node["attributes"], "attributes is a mapping from name to expression");
      return;
    }
    for (const auto& pair : node["attributes"]) {
      AttributeExpression out;
      out.name = document_.text(pair.first, "an attribute's name");
      normalize::append_json_string(out.key, out.name);
      out.key += ':';
      if (expression(pair.second, "an attribute", -1, out.value)) {
        rule_.attributes.push_back(std::move(out));
      }
    }
  }
  if (node["summary"]) summary(node["summary"]);
}

void Compiler::tests(const YAML::Node& list) {
  if (!list.IsSequence()) {
    fail(list, "tests is a list: [{changes: […], expect: […]}]");
    return;
  }
  static constexpr std::string_view kMembers[] = {"name", "changes", "query", "expect"};
  for (const auto& entry : list) {
    if (!entry.IsMap() || !entry["changes"] || !entry["expect"]) {
      fail(entry, "a test has changes and expect");
      continue;
    }
    document_.check_members(entry, kMembers);
    rule_.tests.push_back({document_.line_of(entry), YAML::Dump(entry)});
  }
}

void Compiler::head(const YAML::Node& root) {
  for (const auto& [name, target] : {std::pair{"id", &rule_.info.id},
                                     {"title", &rule_.info.title},
                                     {"event", &rule_.info.event}}) {
    if (root[name]) {
      *target = document_.text(root[name], name);
    } else {
      fail(root, fmt::format("the rule has no {}", name));
    }
  }
  if (root["severity"]) {
    const auto severity = parse_severity(document_.text(root["severity"], "severity"));
    if (severity) {
      rule_.severity = *severity;
    } else {
      fail(root["severity"], severity.error().message);
    }
  }
  if (root["priority"]) {
    const auto text = document_.text(root["priority"], "priority");
    const auto [end, code] =
        std::from_chars(text.data(), text.data() + text.size(), rule_.priority);
    if (code != std::errc{} || end != text.data() + text.size()) {
      fail(root["priority"], "priority is a whole number");
    }
  }
}

bool Compiler::run(const YAML::Node& root) {
  static constexpr std::string_view kMembers[] = {
      "id",    "title",  "description", "event", "severity", "priority", "tags",
      "match", "forbid", "where",       "emit",  "tests",    "correlate"};
  if (!root.IsMap()) {
    fail(root, "a rule is a mapping with id, title, event, match and emit");
    return false;
  }
  document_.check_members(root, kMembers);
  head(root);
  if (root["correlate"]) {
    fail(root["correlate"], "correlate (events over time) is not available in this version");
    return false;
  }
  clauses(root["match"]);
  if (!ok_) return false;
  if (root["forbid"]) forbid(root["forbid"]);
  if (root["where"]) where(root["where"]);
  emit(root["emit"]);
  if (root["tests"]) tests(root["tests"]);
  return ok_;
}

}  // namespace

bool TablePattern::matches(std::string_view database_name, std::string_view table_name) const {
  return glob(table, table_name) && glob(database, database_name);
}

TablePattern parse_table(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return {"*", std::string(text)};
  return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

bool parse_ops(const RuleDocument& document, const YAML::Node& node, OpMask& ops) {
  if (!node) {
    ops = kOps[6].second;
    return true;
  }
  if (node.IsSequence()) {
    bool ok = true;
    for (const auto& entry : node) {
      OpMask one = 0;
      ok = parse_ops(document, entry, one) && ok;
      ops = static_cast<OpMask>(ops | one);
    }
    return ok;
  }
  const auto name = document.text(node, "op");
  Names known;
  for (const auto& [op, mask] : kOps) {
    if (op == name) {
      ops = mask;
      return true;
    }
    known.push_back(op);
  }
  document.error(node.Mark(), fmt::format("unknown op '{}'{}; it is one of {}", name,
                                          did_you_mean(name, known), fmt::join(known, ", ")));
  return false;
}

bool load_rule(const RuleDocument& document, const YAML::Node& root, std::string_view /*text*/,
               std::uint32_t& next_slot, Rule& rule) {
  return Compiler(document, next_slot, rule).run(root);
}

}  // namespace rowtrail::infer
