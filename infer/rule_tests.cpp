// Runs the tests inside rules: first the rule alone, then together with every other rule loaded.
#include "infer/correlator.h"
#include "infer/decimal.h"
#include "infer/rule.h"
#include "infer/suggestion.h"
#include "infer/temporal.h"
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

/// Runs the `events` of a test through a rule over time.
class TimeTest {
 public:
  TimeTest(const CompiledRules& rules, std::string& detail)
      : detail_(detail),
        evaluator_(rules.slots),
        emitter_(evaluator_, note()),
        correlator_(rules, evaluator_, emitter_, note()) {
    transaction_.source = "test";
  }

  std::vector<BusinessEvent> run(const YamlNode& events) {
    std::vector<BusinessEvent> out;
    for (const YamlNode& item : events.items) {
      std::vector<BusinessEvent> taken;
      const auto time = check(item) ? time_of(item) : std::nullopt;
      if (!time) return out;
      transaction_.event_time_us = std::max(transaction_.event_time_us, *time);
      transaction_.id = fmt::format("test:{}", ++number_);
      if (item.find("event") != nullptr) taken.push_back(event_of(item, *time));
      const std::size_t own = taken.size();
      correlator_.take(transaction_, 0, taken);
      std::move(taken.begin() + static_cast<std::ptrdiff_t>(own), taken.end(),
                std::back_inserter(out));
    }
    return out;
  }

 private:
  Emitter::NoteError note() {
    return [this](const Rule&, const std::string& text) { notes_ += "    note: " + text + "\n"; };
  }
  bool fail(const YamlNode& node, const std::string& text) {
    detail_ += fmt::format("    line {}: {}\n", node.line, text);
    return false;
  }
  bool check(const YamlNode& item) {
    static constexpr std::array<std::string_view, 5> kKeys = {"at", "event", "objects", "actor",
                                                              "attributes"};
    if (item.type != YamlNode::Type::Map)
      return fail(item, "an event is a map: {at: 1h, event: …}");
    for (const YamlNode& key : item.keys) {
      if (std::find(kKeys.begin(), kKeys.end(), key.text) != kKeys.end()) continue;
      return fail(
          key, fmt::format("no field '{}' in an event{}", key.text, did_you_mean(key.text, kKeys)));
    }
    return true;
  }
  /// RFC 3339, or time since the beginning.
  std::optional<std::int64_t> time_of(const YamlNode& item) {
    constexpr std::int64_t kStart_us = 1'767'225'600'000'000;  // 2026-01-01T00:00:00Z
    const YamlNode* at = item.find("at");
    const std::string text = at == nullptr ? "0s" : at->text;
    if (const auto point = parse_timestamp(text)) return point->i * 1'000'000 + point->size / 1000;
    if (const auto span = parse_duration(text)) return kStart_us + span->i / 1000;
    fail(*at, "at is a time, or how long after the beginning: 2026-01-02T10:00:00Z, 49h, 1h30m");
    return std::nullopt;
  }
  static BusinessEvent event_of(const YamlNode& item, std::int64_t time_us) {
    BusinessEvent event;
    event.type = item.find("event")->text;
    event.time_us = time_us;
    event.time_has_fraction = time_us % 1'000'000 != 0;
    if (const YamlNode* objects = item.find("objects")) event.objects = expected_objects(*objects);
    const YamlNode* actor = item.find("actor");
    if (actor != nullptr && !actor->is_null()) event.actor = {actor->text, "comment", "exact"};
    if (const YamlNode* attributes = item.find("attributes")) {
      event.attributes.clear();
      append_json(event.attributes, *attributes);
    }
    return event;
  }

  std::string& detail_;
  std::string notes_;
  Evaluator evaluator_;
  Emitter emitter_;
  Correlator correlator_;
  normalize::Transaction transaction_;
  std::size_t number_ = 0;
};

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

std::string run_time_test(const Rule& rule, const YamlNode& test) {
  static const YamlNode kNothing;
  std::string detail;
  const YamlNode* expect = test.find("expect");
  const YamlNode* events = test.find("events");
  check_expectations(expect != nullptr ? *expect : kNothing, detail);
  const auto alone = load_rules_text(rule.text, rule.file);
  const auto made = TimeTest(*alone.rules, detail).run(events != nullptr ? *events : kNothing);
  if (detail.empty()) compare_all(expect != nullptr ? *expect : kNothing, made, detail);
  return detail;
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
      result.detail = rule->correlate ? run_time_test(*rule, test) : tests.run(*rule, alone, test);
      result.passed = result.detail.empty();
      results.push_back(std::move(result));
    }
  }
  return results;
}

}  // namespace rowtrail::infer
