// The `emit` part of a rule: objects, actor, attributes, summary.
#include "infer/rule_reader.h"
#include "infer/suggestion.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace rowtrail::infer {

using Type = YamlNode::Type;

void RuleReader::read_emit(const YamlNode& node) {
  if (!expect(node, Type::Map, "emit")) return;
  static constexpr std::array<std::string_view, 4> kKeys = {"objects", "actor", "attributes",
                                                            "summary"};
  check_keys(node, "emit", kKeys);
  if (const YamlNode* objects = node.find("objects")) read_objects(*objects);
  if (const YamlNode* actor = node.find("actor")) {
    compile_expression(*actor, {variables_, -1}, rule_->actor, "actor");
  }
  if (const YamlNode* attributes = node.find("attributes")) read_attributes(*attributes);
  if (const YamlNode* summary = node.find("summary")) read_summary(*summary);
}

void RuleReader::read_objects(const YamlNode& node) {
  if (node.is_null() || !expect(node, Type::Map, "objects")) return;
  for (std::size_t n = 0; n < node.keys.size(); ++n) {
    const YamlNode& value = node.items[n];
    if (value.type != Type::Sequence) {
      read_object(node.keys[n].text, value);
      continue;
    }
    for (const YamlNode& item : value.items) read_object(node.keys[n].text, item);
  }
  if (rule_->objects.size() > kListMax) fail(node, fmt::format("more than {} objects", kListMax));
}

void RuleReader::read_object(const std::string& type, const YamlNode& node) {
  ObjectSpec object;
  object.type = type;
  const YamlNode* id = &node;
  if (node.type == Type::Map) {
    static constexpr std::array<std::string_view, 2> kKeys = {"id", "as"};
    check_keys(node, "an object", kKeys);
    id = node.find("id");
    if (id == nullptr) return fail(node, "the object has no id");
    if (const YamlNode* role = node.find("as")) object.role = text_of(*role, "as");
  }
  compile_expression(*id, {variables_, -1}, object.id, "an object's id");
  rule_->objects.push_back(std::move(object));
}

void RuleReader::read_attributes(const YamlNode& node) {
  if (node.is_null() || !expect(node, Type::Map, "attributes")) return;
  if (node.keys.size() > kListMax)
    return fail(node, fmt::format("more than {} attributes", kListMax));
  for (std::size_t n = 0; n < node.keys.size(); ++n) {
    AttributeSpec attribute;
    attribute.name = node.keys[n].text;
    normalize::append_json_string(attribute.key, attribute.name);
    attribute.key += ':';
    compile_expression(node.items[n], {variables_, -1}, attribute.value, "an attribute");
    rule_->attributes.push_back(std::move(attribute));
  }
}

SummaryPart RuleReader::summary_part(const YamlNode& node, std::size_t offset,
                                     std::string_view name) {
  SummaryPart part;
  for (std::size_t n = 0; n < rule_->attributes.size(); ++n) {
    if (rule_->attributes[n].name != name) continue;
    part.kind = SummaryPart::Kind::Attribute;
    part.attribute = n;
    return part;
  }
  const auto dot = name.find('.');
  part.text = name.substr(0, dot);
  if (dot != std::string_view::npos) part.role = name.substr(dot + 1);
  const auto named = [&](const ObjectSpec& object) {
    return object.type == part.text && (part.role.empty() || object.role == part.role);
  };
  // Without objects of its own, an event over time has those it is by.
  const bool by = rule_->correlate && rule_->objects.empty() &&
                  std::any_of(rule_->correlate->by.begin(), rule_->correlate->by.end(),
                              [&](const KeyPart& key) {
                                return key.kind == KeyPart::Kind::Object && key.name == part.text &&
                                       (part.role.empty() || key.role == part.role);
                              });
  if (by || std::any_of(rule_->objects.begin(), rule_->objects.end(), named)) {
    part.kind = SummaryPart::Kind::Object;
    return part;
  }
  if (name == "actor") {
    part.kind = SummaryPart::Kind::Actor;
    return part;
  }
  std::vector<std::string> known = {"actor"};
  for (const auto& attribute : rule_->attributes) known.push_back(attribute.name);
  for (const auto& object : rule_->objects) {
    known.push_back(object.type);
    if (!object.role.empty()) known.push_back(object.type + "." + object.role);
  }
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  const auto similar = did_you_mean(name, candidates);
  fail_in_text(
      node, {static_cast<std::uint32_t>(offset),
             fmt::format("'{{{}}}' is neither an attribute nor an object of this rule{}", name,
                         similar.empty() ? fmt::format("; it has {}", fmt::join(candidates, ", "))
                                         : similar)});
  return part;
}

void RuleReader::read_summary(const YamlNode& node) {
  const std::string text = text_of(node, "summary");
  std::string plain;
  const auto flush = [&] {
    if (plain.empty()) return;
    SummaryPart part;
    part.text = std::move(plain);
    rule_->summary.push_back(std::move(part));
    plain.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if ((c == '{' || c == '}') && at + 1 < text.size() && text[at + 1] == c) {
      plain += c;
      at += 2;
    } else if (c == '{') {
      const auto end = text.find('}', at);
      if (end == std::string::npos) {
        return fail_in_text(
            node, {static_cast<std::uint32_t>(at), "'{' is not closed; write '{{' for a brace"});
      }
      flush();
      rule_->summary.push_back(
          summary_part(node, at, std::string_view(text).substr(at + 1, end - at - 1)));
      at = end + 1;
    } else if (c == '}') {
      return fail_in_text(
          node, {static_cast<std::uint32_t>(at), "'}' without '{'; write '}}' for a brace"});
    } else {
      plain += c;
      ++at;
    }
  }
  flush();
}

}  // namespace rowtrail::infer
