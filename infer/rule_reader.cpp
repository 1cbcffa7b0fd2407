#include "infer/rule_reader.h"

#include "infer/hashing.h"
#include "infer/suggestion.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

using Type = YamlNode::Type;

bool is_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

/// Names that mean something else in an expression, or nothing but confusion.
constexpr std::array<std::string_view, 11> kNoClauseNames = {
    "before", "after", "true", "false", "null", "in", "op", "table", "database", "sql", "has"};

std::string_view type_name(Type type) {
  static constexpr std::array<std::string_view, 4> kNames = {"nothing", "a text", "a list",
                                                             "a map"};
  return kNames[static_cast<std::size_t>(type)];
}

/// Does an expression of the rule look into the events it is made from?
bool uses_values(const Rule& rule) {
  const auto used = [](const Expression& expression) { return !expression.empty(); };
  const auto any = [&](const auto& list, auto member) {
    return std::any_of(list.begin(), list.end(),
                       [&](const auto& item) { return used(item.*member); });
  };
  const Correlate& correlate = *rule.correlate;
  return used(rule.where) || used(rule.actor) || any(rule.objects, &ObjectSpec::id) ||
         any(rule.attributes, &AttributeSpec::value) ||
         any(correlate.events, &EventPattern::where) ||
         std::any_of(correlate.forbidden.begin(), correlate.forbidden.end(),
                     [&](const auto& item) { return used(item.pattern.where); });
}

}  // namespace

std::span<const RuleReader::Field> RuleReader::fields() {
  static constexpr std::array kFields = std::to_array<Field>({
      {"id", &RuleReader::read_id},
      {"title", &RuleReader::read_title},
      {"event", &RuleReader::read_event},
      {"severity", &RuleReader::read_severity},
      {"priority", &RuleReader::read_priority},
      {"description", &RuleReader::read_description},
      {"tags", &RuleReader::read_tags},
      {"match", &RuleReader::read_match},
      {"forbid", &RuleReader::read_forbid},
      {"where", &RuleReader::read_where},
      {"emit", &RuleReader::read_emit},
      {"tests", &RuleReader::read_tests},
      {"correlate", &RuleReader::read_correlate},
      {"exceptions", &RuleReader::read_exceptions},
  });
  return kFields;
}

void RuleReader::fail(const YamlNode& node, std::string message) {
  errors_.push_back({file_, node.line, node.column, std::move(message)});
}

void RuleReader::fail_in_text(const YamlNode& node, const SyntaxError& error) {
  Diagnostic diagnostic{file_, node.line, node.column + error.offset, error.message};
  // Where the scalar begins: behind a quote, or on the lines after '|' and '>'.
  std::string_view text = document_.text;
  for (std::uint32_t line = document_.first_line; line < node.line; ++line) {
    text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  }
  const char first = node.column <= text.size() ? text[node.column - 1] : '\0';
  if (first == '"' || first == '\'') ++diagnostic.column;
  if (first == '|' || first == '>') {
    const std::string_view before = std::string_view(node.text).substr(0, error.offset);
    const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
    for (std::size_t n = 0; n < lines; ++n)
      text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
    const std::size_t line_start =
        before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    // What the line is indented by beyond the block belongs to the text itself.
    const std::string_view own = std::string_view(node.text).substr(line_start);
    const std::size_t own_indent = std::min(own.find_first_not_of(' '), own.size());
    const std::size_t indent = std::min(text.find_first_not_of(' '), text.size()) - own_indent;
    diagnostic.line += static_cast<std::uint32_t>(lines);
    diagnostic.column = static_cast<std::uint32_t>(indent + before.size() - line_start) + 1;
  }
  errors_.push_back(std::move(diagnostic));
}

bool RuleReader::expect(const YamlNode& node, Type type, std::string_view what) {
  if (node.type == type) return true;
  fail(node, fmt::format("{} must be {}, not {}", what, type_name(type), type_name(node.type)));
  return false;
}

void RuleReader::check_keys(const YamlNode& map, std::string_view where,
                            std::span<const std::string_view> known) {
  for (const YamlNode& key : map.keys) {
    if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
    const auto similar = did_you_mean(key.text, known);
    fail(key, fmt::format(
                  "no field '{}' in {}{}", key.text, where,
                  similar.empty() ? fmt::format("; it has {}", fmt::join(known, ", ")) : similar));
  }
}

std::string RuleReader::text_of(const YamlNode& node, std::string_view what) {
  if (!expect(node, Type::Scalar, what)) return {};
  return node.text;
}

std::unique_ptr<Rule> RuleReader::read() {
  const std::size_t errors_before = errors_.size();
  rule_ = std::make_unique<Rule>();
  rule_->file = file_;
  rule_->line = document_.first_line;
  rule_->text = document_.text;
  rule_->version = sha256_hex8(document_.text);
  YamlNode root;
  Diagnostic error;
  if (!parse_yaml(document_, root, error)) {
    error.file = file_;
    errors_.push_back(std::move(error));
    return nullptr;
  }
  if (!expect(root, Type::Map, "a rule")) return nullptr;
  rule_->line = root.line;
  std::vector<std::string_view> known;
  for (const Field& field : fields()) known.push_back(field.name);
  check_keys(root, "a rule", known);
  if (root.find("match") != nullptr && root.find("correlate") != nullptr) {
    fail(root,
         "a rule has match or correlate, not both; correlate takes the events of other rules");
  }
  // Clause names first: everything else may speak of them.
  for (const std::string_view early : {"match", "forbid"}) {
    const YamlNode* node = root.find(early);
    if (node != nullptr) early == "match" ? read_match(*node) : read_forbid(*node);
  }
  if (!variables_.empty()) compile_whens();
  if (const YamlNode* node = root.find("correlate")) read_correlate(*node);
  for (const Field& field : fields()) {
    const YamlNode* node = root.find(field.name);
    if (node != nullptr && field.name != "match" && field.name != "forbid" &&
        field.name != "correlate")
      (this->*field.read)(*node);
  }
  require(root);
  if (errors_.size() != errors_before) return nullptr;
  if (rule_->correlate) {
    rule_->correlate->needs_values = uses_values(*rule_);
    return std::move(rule_);
  }
  std::string message;
  if (!make_plan(*rule_, message)) {
    fail(*root.find("match"), message);
    return nullptr;
  }
  return std::move(rule_);
}

void RuleReader::require(const YamlNode& root) {
  for (const std::string_view name : {"id", "title", "event"}) {
    if (root.find(name) == nullptr) fail(root, fmt::format("the rule has no {}", name));
  }
  if (root.find("match") == nullptr && root.find("correlate") == nullptr) {
    fail(root,
         "the rule has no match (which rows of a transaction make this event?) and no correlate "
         "(which events over time?)");
  }
}

void RuleReader::read_id(const YamlNode& node) {
  rule_->id = text_of(node, "id");
  const bool plain = std::all_of(rule_->id.begin(), rule_->id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
  if (node.is_scalar() && (!plain || rule_->id.size() > 100)) {
    fail(node, "an id is made of letters, digits, '-', '_' and '.', at most 100");
  }
  if (rule_->id == "auto") fail(node, "the id 'auto' is taken by discovered events");
}

void RuleReader::read_title(const YamlNode& node) {
  rule_->title = text_of(node, "title");
}
void RuleReader::read_description(const YamlNode& node) {
  rule_->description = text_of(node, "description");
}

void RuleReader::read_event(const YamlNode& node) {
  rule_->event = text_of(node, "event");
  const bool plain = std::all_of(rule_->event.begin(), rule_->event.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
  if (node.is_scalar() && (!plain || rule_->event.empty() || rule_->event.size() > 100)) {
    fail(node,
         "an event type is made of letters, digits, '-', '_' and '.', as in inventory.transfer");
  }
  if (rule_->event.starts_with("auto."))
    fail(node, "types that begin with 'auto.' are for discovered events");
}

void RuleReader::read_tags(const YamlNode& node) {
  if (!expect(node, Type::Sequence, "tags")) return;
  for (const YamlNode& tag : node.items) rule_->tags.push_back(text_of(tag, "a tag"));
}

void RuleReader::read_severity(const YamlNode& node) {
  const auto severity = parse_severity(text_of(node, "severity"));
  if (severity) {
    rule_->severity = *severity;
  } else if (node.is_scalar()) {
    fail(node, severity.error().message);
  }
}

void RuleReader::read_priority(const YamlNode& node) {
  const std::string text = text_of(node, "priority");
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), rule_->priority);
  if (error != std::errc() || end != text.data() + text.size())
    fail(node, "priority must be a whole number");
}

void RuleReader::read_exceptions(const YamlNode& node) {
  fail(node, "exceptions are not available yet; add a condition to where");
}

void RuleReader::read_tests(const YamlNode& node) {
  if (!expect(node, Type::Sequence, "tests")) return;
  const std::string_view input = rule_->correlate ? "events" : "changes";
  const std::array<std::string_view, 4> keys = {"name", input, "query", "expect"};
  for (const YamlNode& test : node.items) {
    if (!expect(test, Type::Map, "a test")) continue;
    check_keys(test, "a test", keys);
    for (const std::string_view list : {input, std::string_view("expect")}) {
      const YamlNode* found = test.find(list);
      if (found == nullptr) {
        fail(test, fmt::format("the test has no {}", list));
      } else if (!found->is_null()) {
        expect(*found, Type::Sequence, list);
      }
    }
  }
  if (node.items.size() > kListMax) fail(node, fmt::format("more than {} tests", kListMax));
  rule_->tests = node;
}

void RuleReader::read_match(const YamlNode& node) {
  if (!expect(node, Type::Map, "match")) return;
  if (node.keys.size() > kVariablesMax - 1)
    return fail(node, fmt::format("more than {} clauses", kVariablesMax - 1));
  bool required = false;
  for (std::size_t n = 0; n < node.keys.size(); ++n) {
    const YamlNode& name = node.keys[n];
    const bool taken =
        std::find(kNoClauseNames.begin(), kNoClauseNames.end(), name.text) != kNoClauseNames.end();
    if (taken || !is_name(name.text)) {
      fail(
          name,
          fmt::format(
              "'{}' cannot name a clause; use letters, digits and '_', and no word of the language",
              name.text));
    }
    auto clause = read_clause(node.items[n], false);
    clause->name = name.text;
    clause->line = name.line;
    clause->column = name.column;
    required = required || clause->count_min > 0;
    variables_.push_back({name.text, true, clause->is_list()});
    rule_->match.push_back(std::move(clause));
  }
  if (!required)
    fail(node, "at least one clause must require a row (a count that begins at 1 or more)");
}

void RuleReader::read_forbid(const YamlNode& node) {
  if (!expect(node, Type::Sequence, "forbid")) return;
  if (node.items.size() > kListMax)
    return fail(node, fmt::format("more than {} forbids", kListMax));
  for (const YamlNode& item : node.items) {
    auto clause = read_clause(item, true);
    clause->line = item.line;
    clause->column = item.column;
    rule_->forbid.push_back(std::move(clause));
  }
}

std::unique_ptr<Clause> RuleReader::read_clause(const YamlNode& node, bool forbid) {
  static constexpr std::array<std::string_view, 4> kKeys = {"table", "op", "when", "count"};
  auto clause = std::make_unique<Clause>();
  whens_.push_back(nullptr);
  if (!expect(node, Type::Map, forbid ? "a forbid" : "a clause")) return clause;
  check_keys(node, forbid ? "a forbid" : "a clause", std::span(kKeys).first(forbid ? 3 : 4));
  if (const YamlNode* table = node.find("table")) {
    if (auto pattern = read_table(*table)) clause->table = std::move(*pattern);
  } else {
    fail(node, "the clause has no table");
  }
  if (const YamlNode* op = node.find("op")) clause->ops = read_ops(*op);
  if (const YamlNode* count = node.find("count"); count != nullptr && !forbid)
    read_count(*count, *clause);
  if (const YamlNode* when = node.find("when")) whens_.back() = when;
  return clause;
}

std::optional<TablePattern> RuleReader::read_table(const YamlNode& node) {
  const std::string text = text_of(node, "table");
  if (text.empty()) return std::nullopt;
  const auto dot = text.find('.');
  TablePattern pattern;
  pattern.database = dot == std::string::npos ? "*" : text.substr(0, dot);
  pattern.table = dot == std::string::npos ? text : text.substr(dot + 1);
  if (pattern.database.empty() || pattern.table.empty()) {
    fail(node, "a table is written 'database.table' or 'table'");
    return std::nullopt;
  }
  return pattern;
}

std::uint8_t RuleReader::read_ops(const YamlNode& node) {
  using normalize::Op;
  static constexpr struct {
    std::string_view name;
    std::uint8_t bits;
  } kOps[] = {{"insert", op_bit(Op::Insert)},     {"update", op_bit(Op::Update)},
              {"delete", op_bit(Op::Delete)},     {"any", kRowOps},
              {"truncate", op_bit(Op::Truncate)}, {"ddl", op_bit(Op::Ddl)}};
  std::uint8_t bits = 0;
  const auto read_one = [&](const YamlNode& item) {
    if (!expect(item, Type::Scalar, "op")) return;
    std::vector<std::string_view> known;
    for (const auto& op : kOps) {
      if (op.name == item.text) {
        bits = static_cast<std::uint8_t>(bits | op.bits);
        return;
      }
      known.push_back(op.name);
    }
    fail(item, fmt::format("no operation '{}'{}", item.text, did_you_mean(item.text, known)));
  };
  if (node.type == Type::Sequence) {
    for (const YamlNode& item : node.items) read_one(item);
  } else {
    read_one(node);
  }
  return bits;
}

void RuleReader::read_count(const YamlNode& node, Clause& clause) {
  const std::string text = text_of(node, "count");
  const auto number = [](std::string_view digits, std::uint32_t& out) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  const auto dots = text.find("..");
  bool good = false;
  if (dots == std::string::npos) {
    good = number(text, clause.count_min);
    clause.count_max = clause.count_min;
  } else {
    const std::string_view upper = std::string_view(text).substr(dots + 2);
    clause.count_max = kUnbounded;
    good = number(std::string_view(text).substr(0, dots), clause.count_min) &&
           (upper == "n" || number(upper, clause.count_max));
  }
  if (good && clause.count_max >= 1 && clause.count_min <= clause.count_max) return;
  if (node.is_scalar()) fail(node, "a count is written 1, 0..1, 1..n, 0..n or 2..5");
  clause.count_min = clause.count_max = 1;
}

void RuleReader::compile_expression(const YamlNode& node, const Scope& scope, Expression& out,
                                    std::string_view what) {
  if (node.type != Type::Scalar && !(node.is_null() && !node.text.empty())) {
    fail(node, fmt::format("{} must be an expression", what));
    return;
  }
  std::vector<SyntaxError> found;
  compile(node.text, scope, next_slot_, out, found);
  for (const SyntaxError& error : found) fail_in_text(node, error);
}

void RuleReader::compile_whens() {
  for (std::size_t n = 0; n < whens_.size(); ++n) {
    if (whens_[n] == nullptr) continue;
    // Within its own `when` a clause means the one row that is tested, whatever its count.
    std::vector<Variable> own = variables_;
    const bool is_forbid = n >= rule_->match.size();
    const std::size_t current = is_forbid ? own.size() : n;
    if (is_forbid) {
      own.push_back({"", true, false});
    } else {
      own[n].is_list = false;
    }
    Clause& clause = is_forbid ? *rule_->forbid[n - rule_->match.size()] : *rule_->match[n];
    compile_expression(*whens_[n], {own, static_cast<int>(current)}, clause.when, "when");
  }
}

void RuleReader::read_where(const YamlNode& node) {
  compile_expression(node, {variables_, -1}, rule_->where, "where");
}

std::unique_ptr<Rule> read_rule(const YamlDocument& document, const std::string& file,
                                std::uint32_t& next_slot, std::vector<Diagnostic>& errors) {
  return RuleReader(document, file, next_slot, errors).read();
}

}  // namespace rowtrail::infer
