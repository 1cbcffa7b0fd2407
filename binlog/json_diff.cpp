#include "binlog/json_diff.h"

#include "binlog/charset.h"
#include "binlog/json_tree.h"
#include "binlog/jsonb.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace rowtrail::binlog {
namespace {

enum class Operation : std::uint8_t { Replace = 0, Insert = 1, Remove = 2 };

struct Leg {
  bool is_member = false;
  std::string_view key;   // member: canonical text
  std::size_t index = 0;  // array cell
  bool from_end = false;  // [last-index]

  /// Position in an array of `size`, which may be its end or past it.
  [[nodiscard]] std::size_t position(std::size_t size) const noexcept {
    if (!from_end) return std::min(index, size);
    return index < size ? size - index - 1 : 0;
  }
  [[nodiscard]] bool is_within(std::size_t size) const noexcept { return index < size; }
};

core::Error malformed(const char* what) {
  return {core::Errc::Malformed, what};
}

bool parse_cell(std::string_view& path, Leg& leg) {
  const auto end = path.find(']');
  if (end == std::string_view::npos) return false;
  auto text = path.substr(1, end - 1);
  path.remove_prefix(end + 1);
  constexpr std::string_view kLast = "last";
  if (text.substr(0, kLast.size()) == kLast) {
    leg.from_end = true;
    text.remove_prefix(kLast.size());
    if (text.empty()) return true;
    if (text.front() != '-') return false;
    text.remove_prefix(1);
  }
  const auto* const stop = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), stop, leg.index);
  return error == std::errc{} && at == stop;
}

bool parse_member(std::string_view& path, Leg& leg, Arena& arena) {
  leg.is_member = true;
  path.remove_prefix(1);
  if (path.empty() || path.front() != '"') {
    const auto end = std::min(path.find_first_of(".["), path.size());
    leg.key = quote_json(path.substr(0, end), arena);
    path.remove_prefix(end);
    return end > 0;
  }
  std::size_t end = 1;
  while (end < path.size() && path[end] != '"') end += path[end] == '\\' ? 2 : 1;
  if (end >= path.size()) return false;
  leg.key = quote_json(unquote_json(path.substr(0, end + 1)), arena);
  path.remove_prefix(end + 1);
  return true;
}

bool parse_path(std::string_view path, Arena& arena, std::vector<Leg>& legs) {
  if (path.empty() || path.front() != '$' || !is_utf8(as_bytes(path))) return false;
  path.remove_prefix(1);
  legs.clear();
  while (!path.empty()) {
    auto& leg = legs.emplace_back();
    const bool parsed = path.front() == '.'   ? parse_member(path, leg, arena)
                        : path.front() == '[' ? parse_cell(path, leg)
                                              : false;
    if (!parsed) return false;
  }
  return !legs.empty();  // the whole document is never changed by a diff
}

JsonNode* child_at(JsonNode& node, const Leg& leg) {
  if (leg.is_member) {
    if (node.kind != JsonNode::Kind::Object) return nullptr;
    const auto index = node.find(leg.key);
    return index < 0 ? nullptr : &node.children[static_cast<std::size_t>(index)];
  }
  const auto size = node.children.size();
  if (node.kind != JsonNode::Kind::Array || !leg.is_within(size)) return nullptr;
  return &node.children[leg.position(size)];
}

bool insert(JsonNode& parent, const Leg& leg, JsonNode value) {
  if (leg.is_member) {
    if (parent.kind != JsonNode::Kind::Object || parent.find(leg.key) >= 0) return false;
    parent.insert_member(leg.key, std::move(value));
    return true;
  }
  if (parent.kind != JsonNode::Kind::Array) return false;
  const auto place = leg.position(parent.children.size());
  parent.children.insert(parent.children.begin() + static_cast<std::ptrdiff_t>(place),
                         std::move(value));
  return true;
}

bool remove(JsonNode& parent, const Leg& leg) {
  const auto* child = child_at(parent, leg);
  if (child == nullptr) return false;
  const auto place = child - parent.children.data();
  parent.children.erase(parent.children.begin() + place);
  if (leg.is_member) parent.keys.erase(parent.keys.begin() + place);
  return true;
}

bool apply(JsonNode& document, Operation operation, const std::vector<Leg>& legs, JsonNode value) {
  JsonNode* parent = &document;
  for (std::size_t i = 0; i + 1 < legs.size() && parent != nullptr; ++i) {
    parent = child_at(*parent, legs[i]);
  }
  if (parent == nullptr) return false;
  switch (operation) {
    case Operation::Replace: {
      auto* const old = child_at(*parent, legs.back());
      if (old == nullptr) return false;
      *old = std::move(value);
      return true;
    }
    case Operation::Insert:
      return insert(*parent, legs.back(), std::move(value));
    case Operation::Remove:
      return remove(*parent, legs.back());
  }
  return false;
}

}  // namespace

core::Result<std::string_view> apply_json_diff(std::string_view document, ByteView diff,
                                               Arena& arena) {
  JsonNode root;
  if (!parse_json_tree(document, root)) return malformed("the document before the diff is no JSON");
  std::size_t bytes_max = document.size();
  std::vector<Leg> legs;
  Cursor in(diff);
  while (!in.at_end()) {
    const auto operation = in.u8();
    const auto path = in.text(in.lenenc());
    JsonNode value;
    if (operation > static_cast<std::uint8_t>(Operation::Remove)) {
      return malformed("a JSON diff has an unknown operation");
    }
    if (operation != static_cast<std::uint8_t>(Operation::Remove)) {
      const auto jsonb = in.take(in.lenenc());
      const auto text = jsonb_to_text(jsonb, arena);
      if (!text) return text.error();
      if (!parse_json_tree(*text, value)) return malformed("a value of a JSON diff is no JSON");
      bytes_max += text->size();
    }
    if (!in.ok()) return malformed("a JSON diff is cut short");
    if (!parse_path(path, arena, legs)) return malformed("a JSON diff has a malformed path");
    for (const auto& leg : legs) bytes_max += leg.key.size() + 2;
    if (!apply(root, static_cast<Operation>(operation), legs, std::move(value))) {
      return malformed("a JSON diff does not fit the document it changes");
    }
  }
  JsonText out(arena, bytes_max + 64, bytes_max * 2 + 256);
  append_json_tree(out, root);
  return out.finish();
}

}  // namespace rowtrail::binlog
