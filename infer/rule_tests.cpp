// Runs the tests inside rules: first the rule alone, then together with every other rule loaded.
#include "infer/decimal.h"
#include "infer/rule.h"
#include "infer/suggestion.h"
#include "infer/test_rows.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace rowtrail::infer {
namespace {

using Json = rapidjson::Document;
constexpr std::array<std::string_view, 6> kExpectKeys = {"event",      "objects", "actor",
                                                         "attributes", "summary", "severity"};
constexpr unsigned kJsonFlags = rapidjson::kParseNumbersAsStringsFlag;

/// What an expected scalar and an actual one are compared by: 5 equals "5", 12.50 equals "12.5".
bool same_text(const std::string& expected, const std::string& got) {
  if (expected == got) return true;
  binlog::Arena arena;
  const Value a = parse_decimal(expected, arena);
  const Value b = parse_decimal(got, arena);
  return !a.is_error() && !b.is_error() && decimal_compare(a, b) == 0;
}

std::string json_text(const rapidjson::Value& value) {
  if (value.IsString()) return {value.GetString(), value.GetStringLength()};
  if (value.IsNull()) return "null";
  if (value.IsBool()) return value.GetBool() ? "true" : "false";
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return buffer.GetString();
}

std::string yaml_text(const YamlNode& node) {
  if (node.is_null()) return "null";
  if (node.is_scalar()) return node.text;
  std::string out = node.type == YamlNode::Type::Map ? "{" : "[";
  for (std::size_t n = 0; n < node.items.size(); ++n) {
    if (n > 0) out += ", ";
    if (node.type == YamlNode::Type::Map) out += node.keys[n].text + ": ";
    out += yaml_text(node.items[n]);
  }
  return out + (node.type == YamlNode::Type::Map ? "}" : "]");
}

bool same_value(const YamlNode& expected, const rapidjson::Value& got) {
  if (expected.type == YamlNode::Type::Sequence) {
    if (!got.IsArray() || got.Size() != expected.items.size()) return false;
    for (rapidjson::SizeType n = 0; n < got.Size(); ++n) {
      if (!same_value(expected.items[n], got[n])) return false;
    }
    return true;
  }
  if (expected.type == YamlNode::Type::Map) {
    if (!got.IsObject() || got.MemberCount() != expected.items.size()) return false;
    return std::all_of(got.MemberBegin(), got.MemberEnd(), [&](const auto& member) {
      const YamlNode* value = expected.find(member.name.GetString());
      return value != nullptr && same_value(*value, member.value);
    });
  }
  if (got.IsArray() || got.IsObject()) return false;
  return same_text(yaml_text(expected), json_text(got));
}

std::string object_text(const ObjectRef& object) {
  return object.type + " " + object.id + (object.role.empty() ? "" : " as " + object.role);
}

std::string objects_text(const std::vector<ObjectRef>& objects) {
  std::vector<std::string> texts;
  for (const ObjectRef& object : objects) texts.push_back(object_text(object));
  std::sort(texts.begin(), texts.end());
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// Objects in the shape of `emit.objects`, with ids instead of expressions.
std::vector<ObjectRef> expected_objects(const YamlNode& objects) {
  std::vector<ObjectRef> out;
  for (std::size_t n = 0; n < objects.keys.size(); ++n) {
    const auto add = [&](const YamlNode& node) {
      ObjectRef object{objects.keys[n].text, yaml_text(node), {}};
      if (node.type == YamlNode::Type::Map) {
        const YamlNode* id = node.find("id");
        const YamlNode* role = node.find("as");
        object.id = id != nullptr ? yaml_text(*id) : "";
        object.role = role != nullptr ? role->text : "";
      }
      out.push_back(std::move(object));
    };
    if (objects.items[n].type == YamlNode::Type::Sequence) {
      for (const YamlNode& item : objects.items[n].items) add(item);
    } else if (!objects.items[n].is_null()) {
      add(objects.items[n]);
    }
  }
  return out;
}

/// Each expected object is one of the event's; one without a role stands for any role.
bool same_objects(const std::vector<ObjectRef>& expected, std::vector<ObjectRef> got) {
  if (expected.size() != got.size()) return false;
  return std::all_of(expected.begin(), expected.end(), [&](const ObjectRef& wanted) {
    const auto found = std::find_if(got.begin(), got.end(), [&](const ObjectRef& object) {
      return object.type == wanted.type && same_text(wanted.id, object.id) &&
             (wanted.role.empty() || wanted.role == object.role);
    });
    if (found == got.end()) return false;
    got.erase(found);
    return true;
  });
}

/// Compares one event; `detail` gets a line for each difference.
class Comparison {
 public:
  Comparison(const YamlNode& expected, const BusinessEvent& event, std::string& detail)
      : expected_(expected), event_(event), detail_(detail) {}

  void run() {
    text("event", event_.type);
    text("summary", event_.summary);
    text("severity", std::string(severity_name(event_.severity)));
    actor();
    objects();
    attributes();
  }

 private:
  void differ(std::string_view what, std::string_view wanted, std::string_view got) {
    detail_ += fmt::format("    {}\n      expected: {}\n      got:      {}\n", what, wanted, got);
  }
  void text(std::string_view name, const std::string& got) {
    const YamlNode* wanted = expected_.find(name);
    if (wanted != nullptr && wanted->text != got) differ(name, wanted->text, got);
  }
  void actor() {
    const YamlNode* wanted = expected_.find("actor");
    if (wanted == nullptr) return;
    if (wanted->type == YamlNode::Type::Map) {
      const std::pair<std::string_view, const std::string*> members[] = {
          {"id", &event_.actor.id},
          {"via", &event_.actor.via},
          {"confidence", &event_.actor.confidence}};
      for (const auto& [name, got] : members) {
        const YamlNode* value = wanted->find(name);
        const std::string text = value == nullptr || value->is_null() ? "" : value->text;
        if (value != nullptr && text != *got) differ(fmt::format("actor.{}", name), text, *got);
      }
      return;
    }
    const std::string id = wanted->is_null() ? "" : wanted->text;
    if (id != event_.actor.id) {
      differ("actor", id.empty() ? "unknown" : id,
             event_.actor.id.empty() ? "unknown" : event_.actor.id);
    }
  }
  void objects() {
    const YamlNode* wanted = expected_.find("objects");
    if (wanted == nullptr) return;
    const auto expected = expected_objects(*wanted);
    if (same_objects(expected, event_.objects)) return;
    differ("objects", objects_text(expected), objects_text(event_.objects));
  }
  void attributes() {
    const YamlNode* wanted = expected_.find("attributes");
    if (wanted == nullptr) return;
    Json got;
    got.Parse<kJsonFlags>(event_.attributes.c_str());
    for (std::size_t n = 0; n < wanted->keys.size(); ++n) {
      const auto& name = wanted->keys[n].text;
      const auto member = got.IsObject() ? got.FindMember(name.c_str()) : got.MemberEnd();
      if (!got.IsObject() || member == got.MemberEnd()) {
        differ("attributes." + name, yaml_text(wanted->items[n]), "no such attribute");
      } else if (!same_value(wanted->items[n], member->value)) {
        differ("attributes." + name, yaml_text(wanted->items[n]), json_text(member->value));
      }
    }
  }

  const YamlNode& expected_;
  const BusinessEvent& event_;
  std::string& detail_;
};

std::string event_line(const BusinessEvent& event) {
  return fmt::format("{} ({}) {}", event.type, objects_text(event.objects), event.attributes);
}

std::vector<BusinessEvent> events_of(Engine& engine, const TestRows& rows,
                                     std::vector<normalize::Gap>& gaps) {
  std::vector<BusinessEvent> events;
  engine.infer(rows.transaction(), events, gaps);
  std::erase_if(events, [](const BusinessEvent& event) { return event.rule_id == "auto"; });
  return events;
}

void check_expectations(const YamlNode& expect, std::string& detail) {
  for (const YamlNode& expected : expect.items) {
    if (expected.type != YamlNode::Type::Map) {
      detail += fmt::format("    line {}: an expectation is a map: {{event: …}}\n", expected.line);
    }
    for (const YamlNode& key : expected.keys) {
      if (std::find(kExpectKeys.begin(), kExpectKeys.end(), key.text) != kExpectKeys.end())
        continue;
      detail += fmt::format("    line {}: no field '{}' in an expectation{}\n", key.line, key.text,
                            did_you_mean(key.text, kExpectKeys));
    }
  }
}

void compare_all(const YamlNode& expect, const std::vector<BusinessEvent>& events,
                 std::string& detail) {
  if (events.size() != expect.items.size()) {
    detail += fmt::format("    expected {} event{}, got {}\n", expect.items.size(),
                          expect.items.size() == 1 ? "" : "s", events.size());
    for (const BusinessEvent& event : events) detail += "      got: " + event_line(event) + "\n";
    return;
  }
  for (std::size_t n = 0; n < events.size(); ++n) {
    std::string differences;
    Comparison(expect.items[n], events[n], differences).run();
    if (!differences.empty() && events.size() > 1)
      detail += fmt::format("    event {} of {}\n", n + 1, events.size());
    detail += differences;
  }
}

class TestRun {
 public:
  explicit TestRun(const LoadedRules& rules) : together_(rules.rules, {}) {}

  std::string run(const Rule& rule, Engine& alone, const YamlNode& test) {
    static const YamlNode kNothing;
    std::string detail;
    std::vector<Diagnostic> errors;
    const TestRows rows(test, errors);
    for (const Diagnostic& error : errors)
      detail += fmt::format("    line {}: {}\n", error.line, error.message);
    const YamlNode* found = test.find("expect");
    const YamlNode& expect = found != nullptr ? *found : kNothing;
    check_expectations(expect, detail);
    if (!detail.empty()) return detail;
    std::vector<normalize::Gap> gaps;
    alone.set_recorded_gaps({});
    compare_all(expect, events_of(alone, rows, gaps), detail);
    if (!detail.empty()) {
      for (const auto& gap : gaps) detail += "    note: " + gap.reason + "\n";
      return detail;
    }
    // With all rules loaded the rule's events must still come.
    const auto events = events_of(together_, rows, gaps);
    const auto own = std::count_if(events.begin(), events.end(), [&](const BusinessEvent& event) {
      return event.rule_id == rule.id;
    });
    if (static_cast<std::size_t>(own) == expect.items.size()) return detail;
    detail += fmt::format(
        "    passes alone, but with all rules loaded {} of {} events come; other rules took the "
        "rows:\n",
        own, expect.items.size());
    for (const BusinessEvent& event : events) {
      if (event.rule_id != rule.id)
        detail += fmt::format("      rule {}: {}\n", event.rule_id, event_line(event));
    }
    return detail;
  }

 private:
  Engine together_;
};

}  // namespace

std::vector<TestResult> run_rule_tests(const LoadedRules& rules) {
  std::vector<TestResult> results;
  if (!rules.rules) return results;
  TestRun tests(rules);
  for (const auto& rule : rules.rules->rules) {
    if (rule->tests.items.empty()) continue;
    Engine alone(load_rules_text(rule->text, rule->file).rules, {});
    std::size_t number = 0;
    for (const YamlNode& test : rule->tests.items) {
      TestResult result{rule->id, ++number, false, {}, rule->file, test.line};
      result.detail = tests.run(*rule, alone, test);
      result.passed = result.detail.empty();
      results.push_back(std::move(result));
    }
  }
  return results;
}

}  // namespace rowtrail::infer
