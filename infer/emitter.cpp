#include "infer/emitter.h"

#include <algorithm>

namespace rowtrail::infer {
namespace {

constexpr std::size_t kObjectsMax = 10'000;
constexpr std::size_t kObjectIdBytesMax = 1024;
constexpr std::size_t kSummaryBytesMax = 4096;
constexpr std::uint64_t kEmitSteps = 5'000'000;  // for each expression of `emit`

/// "1, 2, 3" for a list of scalars; otherwise the value as people read it.
std::string readable(const Value& value) {
  std::string text;
  if (value.kind != Kind::List) {
    if (!append_text(text, value)) text = value.is_null() ? "nothing" : show(value);
    return text;
  }
  for (const Value& item : items_of(value)) {
    if (!text.empty()) text += ", ";
    if (!append_text(text, item)) text += show(item);
  }
  return text;
}

}  // namespace

Value Emitter::value(const Match& match, const Expression& expression) {
  evaluator_.set_budget(kEmitSteps);
  const Value result = evaluator_.evaluate(expression, expression.root, match.variables, arena_);
  if (!result.is_error()) return result;
  // What an optional clause would have told is not known: null.
  if (static_cast<ErrorCode>(result.scale) == ErrorCode::NullRow) return {};
  note_error_(*match.rule, describe(result, expression));
  return result;
}

void Emitter::add_objects(const Match& match, const ObjectSpec& spec, BusinessEvent& event) {
  const auto add = [&](const Value& id) {
    ObjectRef object{spec.type, {}, spec.role};
    if (id.is_null() || !append_text(object.id, id) || object.id.empty()) return;
    if (object.id.size() > kObjectIdBytesMax || event.objects.size() >= kObjectsMax) return;
    const auto same = std::find(event.objects.begin(), event.objects.end(), object);
    if (same == event.objects.end()) event.objects.push_back(std::move(object));
  };
  const Value id = value(match, spec.id);
  if (id.kind != Kind::List) {
    if (!id.is_error()) add(id);
    return;
  }
  for (const Value& item : items_of(id)) add(item);
}

void Emitter::add_attributes(const Match& match, BusinessEvent& event) {
  attribute_texts_.clear();
  event.attributes = "{";
  for (const AttributeSpec& attribute : match.rule->attributes) {
    const Value result = value(match, attribute.value);
    if (event.attributes.size() > 1) event.attributes += ',';
    event.attributes += attribute.key;
    const std::size_t before = event.attributes.size();
    if (result.is_error() || !append_json(event.attributes, result)) {
      event.attributes.resize(before);
      event.attributes += "null";
      if (!result.is_error()) {
        note_error_(*match.rule, "attribute '" + attribute.name + "' is a " +
                                     std::string(kind_name(result.kind)) + ", not a value");
      }
    }
    attribute_texts_.push_back(readable(result));
  }
  event.attributes += '}';
}

BusinessEvent Emitter::emit(const Match& match, const normalize::Transaction& transaction) {
  arena_.reset();
  const Rule& rule = *match.rule;
  BusinessEvent event;
  event.type = rule.event;
  event.title = rule.title;
  event.severity = rule.severity;
  event.rule_id = rule.id;
  event.rule_version = rule.version;
  for (const ObjectSpec& object : rule.objects) add_objects(match, object, event);
  add_attributes(match, event);
  event.evidence.reserve(match.rows.size());
  for (const auto row : match.rows) event.evidence.push_back(transaction.changes[row].ordinal);
  return event;
}

std::string Emitter::actor(const Match& match) {
  std::string text;
  if (match.rule->actor.empty()) return text;
  const Value actor = value(match, match.rule->actor);
  if (!actor.is_null() && !actor.is_error()) append_text(text, actor);
  return text;
}

namespace {
/// The ids of the event's objects that the part means.
void append_objects(const SummaryPart& part, BusinessEvent& event) {
  bool first = true;
  for (const ObjectRef& object : event.objects) {
    const bool meant = part.role.empty() || object.role == part.role;
    if (object.type != part.text || !meant) continue;
    if (!first) event.summary += ", ";
    first = false;
    event.summary += object.id;
  }
}
}  // namespace

void Emitter::summarize(const Match& match, BusinessEvent& event) {
  if (match.rule->summary.empty()) {
    event.summary = event.title;
    return;
  }
  for (const SummaryPart& part : match.rule->summary) {
    if (event.summary.size() > kSummaryBytesMax) {
      event.summary.resize(kSummaryBytesMax);
      while (!event.summary.empty() && (event.summary.back() & 0xc0) == 0x80) {
        event.summary.pop_back();
      }
      if (!event.summary.empty() && (event.summary.back() & 0x80) != 0) event.summary.pop_back();
      event.summary += "…";
      return;
    }
    switch (part.kind) {
      case SummaryPart::Kind::Text:
        event.summary += part.text;
        break;
      case SummaryPart::Kind::Attribute:
        event.summary += attribute_texts_[part.attribute];
        break;
      case SummaryPart::Kind::Actor:
        event.summary += event.actor.id.empty() ? "somebody" : event.actor.id;
        break;
      case SummaryPart::Kind::Object:
        append_objects(part, event);
        break;
    }
  }
}

}  // namespace rowtrail::infer
