// The tests inside rules: rows written in YAML become a Transaction, the rule alone judges it.
#include "infer/rule_yaml.h"

#include <algorithm>
#include <map>
#include <regex>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

using binlog::Cell;
using binlog::CellKind;

bool looks_like(const std::string& text, const char* pattern) {
  return text.size() <= 64 && std::regex_match(text, std::regex(pattern));
}

/// A date, or date and time, as its packed cell; false when the text is none.
bool temporal_cell(const std::string& text, Cell& cell) {
  if (!looks_like(text, R"(\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d{1,6})?)?)")) return false;
  const auto field = [&](std::size_t at, std::size_t size) {
    return static_cast<std::uint32_t>(std::stoul(text.substr(at, size)));
  };
  binlog::DateTimeParts parts{field(0, 4), field(5, 2), field(8, 2)};
  if (text.size() == 10) {
    cell.kind = CellKind::Date;
    cell.u = std::uint64_t{parts.year} << 9 | parts.month << 5 | parts.day;
    return true;
  }
  parts.hour = field(11, 2);
  parts.minute = field(14, 2);
  parts.second = field(17, 2);
  if (text.size() > 20) {
    auto fraction = text.substr(20);
    cell.fsp = static_cast<std::uint8_t>(fraction.size());
    fraction.resize(6, '0');
    parts.microsecond = static_cast<std::uint32_t>(std::stoul(fraction));
  }
  cell.kind = CellKind::DateTime;
  cell.u = binlog::pack_datetime(parts);
  return true;
}

void set_text(Cell& cell, CellKind kind, const std::string& text, binlog::Arena& arena) {
  cell.kind = kind;
  const auto copy = arena.copy(std::string_view(text));
  cell.data = copy.data();
  cell.size = static_cast<std::uint32_t>(copy.size());
}

/// Unquoted words are read as YAML reads them; a quoted number with a point is a DECIMAL.
Cell cell_of_yaml(const YAML::Node& node, binlog::Arena& arena) {
  Cell cell;
  if (!node.IsScalar()) {
    if (node.IsNull()) {
      cell.kind = CellKind::Null;
      return cell;
    }
    YAML::Emitter json;
    json << YAML::DoubleQuoted << YAML::Flow << node;
    set_text(cell, CellKind::Json, json.c_str(), arena);
    return cell;
  }
  const auto& text = node.Scalar();
  const bool quoted = node.Tag() == "!";
  if (!quoted && (text == "true" || text == "false")) {
    cell.kind = CellKind::Int;
    cell.i = text == "true" ? 1 : 0;
  } else if (!quoted && looks_like(text, R"(-?\d{1,18})")) {
    cell.kind = CellKind::Int;
    cell.i = std::stoll(text);
  } else if (looks_like(text, R"(-?\d+\.\d+)")) {
    set_text(cell, CellKind::Decimal, text, arena);
  } else if (!temporal_cell(text, cell)) {
    set_text(cell, CellKind::Text, text, arena);
  }
  return cell;
}

class TestTransaction {
 public:
  explicit TestTransaction(const YAML::Node& test) {
    transaction.source = "test";
    transaction.id = "test:1";
    if (test["query"]) {
      transaction.statements.push_back(
          {0, transaction.arena.copy(std::string_view(test["query"].Scalar()))});
    }
    for (const auto& row : test["changes"]) add_columns(row);
    for (const auto& row : test["changes"]) add_change(row);
  }

  normalize::Transaction transaction;

 private:
  void add_columns(const YAML::Node& row) {
    auto& schema = schemas_[row["table"].Scalar()];
    if (!schema) schema = std::make_shared<binlog::TableSchema>();
    for (const auto* image : {"before", "after"}) {
      if (!row[image]) continue;
      for (const auto& pair : row[image]) {
        const auto& name = pair.first.Scalar();
        if (schema->find(name) >= 0) continue;
        binlog::Column column;
        column.name = name;
        if (name == "id") {
          schema->primary_key = {static_cast<std::uint32_t>(schema->columns.size())};
        }
        schema->columns.push_back(std::move(column));
        ++schema->layout_hash;
      }
    }
  }

  std::span<const Cell> image(const binlog::TableSchema& schema, const YAML::Node& values) {
    if (!values) return {};
    const auto cells = transaction.arena.make_span<Cell>(schema.columns.size());
    for (auto& cell : cells) cell = Cell{};
    for (const auto& pair : values) {
      const auto column = static_cast<std::size_t>(schema.find(pair.first.Scalar()));
      cells[column] = cell_of_yaml(pair.second, transaction.arena);
    }
    return cells;
  }

  void add_change(const YAML::Node& row) {
    const auto& name = row["table"].Scalar();
    const auto& schema = schemas_[name];
    // Distinct layouts need distinct hashes: the evaluator caches columns by them.
    schema->layout_hash = std::hash<std::string>{}(name) ^ (schema->layout_hash << 1) ^
                          reinterpret_cast<std::uintptr_t>(schema.get());
    normalize::Change change;
    const auto op = row["op"].Scalar();
    change.op = op == "insert"   ? normalize::Op::Insert
                : op == "delete" ? normalize::Op::Delete
                                 : normalize::Op::Update;
    change.ordinal = static_cast<std::uint32_t>(transaction.changes.size());
    const auto dot = name.find('.');
    change.schema = schema.get();
    change.database = dot == std::string::npos
                          ? std::string_view("test")
                          : transaction.arena.copy(std::string_view(name).substr(0, dot));
    change.table = transaction.arena.copy(
        std::string_view(name).substr(dot == std::string::npos ? 0 : dot + 1));
    change.before = image(*schema, row["before"]);
    change.after = image(*schema, row["after"]);
    transaction.changes.push_back(change);
  }

  std::map<std::string, std::shared_ptr<binlog::TableSchema>> schemas_;
};

/// A member of an event's attributes as text, or the whole as it stands.
std::string attribute_text(const std::string& attributes, const std::string& name) {
  const auto parsed = YAML::Load(attributes);  // JSON is YAML
  return parsed[name] ? (parsed[name].IsScalar() ? parsed[name].Scalar() : YAML::Dump(parsed[name]))
                      : "(absent)";
}

void compare(std::string& detail, const std::string& what, const std::string& expected,
             const std::string& got) {
  if (expected != got) {
    detail += fmt::format("    {}: expected {}, got {}\n", what, expected, got);
  }
}

void compare_objects(std::string& detail, const YAML::Node& expected, const BusinessEvent& event) {
  for (const auto& pair : expected) {
    std::vector<std::string> wanted;
    if (pair.second.IsSequence()) {
      for (const auto& entry : pair.second) {
        wanted.push_back(entry.IsMap() ? entry["id"].Scalar() : entry.Scalar());
      }
    } else {
      wanted.push_back(pair.second.Scalar());
    }
    std::vector<std::string> got;
    for (const auto& object : event.objects) {
      if (object.type == pair.first.Scalar()) got.push_back(object.id);
    }
    std::sort(wanted.begin(), wanted.end());
    std::sort(got.begin(), got.end());
    compare(detail, "objects " + pair.first.Scalar(), fmt::format("{}", fmt::join(wanted, ", ")),
            fmt::format("{}", fmt::join(got, ", ")));
  }
}

std::string compare_event(const YAML::Node& expected, const BusinessEvent& event) {
  std::string detail;
  if (expected["event"]) compare(detail, "event", expected["event"].Scalar(), event.type);
  if (expected["actor"]) compare(detail, "actor", expected["actor"].Scalar(), event.actor.id);
  if (expected["summary"]) compare(detail, "summary", expected["summary"].Scalar(), event.summary);
  if (expected["objects"]) compare_objects(detail, expected["objects"], event);
  if (expected["attributes"]) {
    for (const auto& pair : expected["attributes"]) {
      const auto& name = pair.first.Scalar();
      compare(detail, "attribute " + name,
              pair.second.IsScalar() ? pair.second.Scalar() : YAML::Dump(pair.second),
              attribute_text(event.attributes, name));
    }
  }
  return detail;
}

std::string run_test(const LoadedRules& alone, const RuleTest& test) {
  const auto node = YAML::Load(test.text);
  const TestTransaction built(node);
  Engine engine(alone.rules, {});
  std::vector<BusinessEvent> events;
  engine.infer(built.transaction, events);
  std::erase_if(events, [](const BusinessEvent& event) { return event.rule_id == "auto"; });
  std::string detail;
  if (events.size() != node["expect"].size()) {
    detail = fmt::format("    expected {} events, got {}\n", node["expect"].size(), events.size());
    for (const auto& error : engine.evaluation_errors()) detail += "    " + error + "\n";
    return detail;
  }
  for (std::size_t n = 0; n < events.size(); ++n) {
    detail += compare_event(node["expect"][n], events[n]);
  }
  return detail;
}

}  // namespace

std::vector<TestResult> run_rule_tests(const LoadedRules& rules) {
  std::vector<TestResult> results;
  if (!rules.rules) return results;
  for (const auto& rule : rules.rules->rules) {
    const auto alone = load_rules_text(rule.info.text, rule.info.file);
    std::size_t number = 0;
    for (const auto& test : rule.tests) {
      TestResult result{rule.info.id, ++number, false, {}, rule.info.file, test.line};
      try {
        result.detail = run_test(alone, test);
      } catch (const std::exception& error) {
        result.detail = fmt::format("    the test cannot be read: {}\n", error.what());
      }
      result.passed = result.detail.empty();
      results.push_back(std::move(result));
    }
  }
  return results;
}

}  // namespace rowtrail::infer
