#include "binlog/json_tree.h"

#include "binlog/jsonb.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace rowtrail::binlog {
namespace {

class TreeParser {
 public:
  explicit TreeParser(std::string_view text) : rest_(text) {}

  bool document(JsonNode& out) { return value(out, 0) && rest_.empty(); }

 private:
  [[nodiscard]] bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// A string with its quotes.
  bool string(std::string_view& out) {
    if (rest_.empty() || rest_.front() != '"') return false;
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return false;
    out = rest_.substr(0, end + 1);
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool value(JsonNode& out, unsigned depth) {
    if (depth > kJsonDepthMax || rest_.empty()) return false;
    if (take('[')) return container(out, JsonNode::Kind::Array, ']', depth);
    if (take('{')) return container(out, JsonNode::Kind::Object, '}', depth);
    if (rest_.front() == '"') return string(out.text);
    const auto end = std::min(rest_.find_first_of(",]}"), rest_.size());
    out.text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return !out.text.empty();
  }

  bool container(JsonNode& out, JsonNode::Kind kind, char close, unsigned depth) {
    out.kind = kind;
    if (take(close)) return true;
    do {
      if (kind == JsonNode::Kind::Object) {
        if (!string(out.keys.emplace_back()) || !take(':')) return false;
      }
      if (!value(out.children.emplace_back(), depth + 1)) return false;
    } while (take(','));
    return take(close);
  }

  std::string_view rest_;
};

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6);
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12);
    put(0x80U | (code >> 6 & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | code >> 18);
    put(0x80U | (code >> 12 & 0x3FU));
    put(0x80U | (code >> 6 & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

/// Code point of the four hexadecimal digits at the front, which are consumed; or 0.
std::uint32_t take_hex(std::string_view& text) {
  std::uint32_t code = 0;
  const auto digits = text.substr(0, 4);
  std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  text.remove_prefix(digits.size());
  return code;
}

}  // namespace

std::ptrdiff_t JsonNode::find(std::string_view key) const noexcept {
  const auto found = std::find(keys.begin(), keys.end(), key);
  return found == keys.end() ? -1 : found - keys.begin();
}

void JsonNode::insert_member(std::string_view key, JsonNode value) {
  const auto name = unquote_json(key);
  const auto before = [&name](std::string_view other_key) {
    const auto other = unquote_json(other_key);
    return other.size() != name.size() ? other.size() < name.size() : other < name;
  };
  const auto place = std::find_if_not(keys.begin(), keys.end(), before) - keys.begin();
  keys.insert(keys.begin() + place, key);
  children.insert(children.begin() + place, std::move(value));
}

bool parse_json_tree(std::string_view text, JsonNode& out) {
  return TreeParser(text).document(out);
}

void append_json_tree(JsonText& out, const JsonNode& node) {
  if (node.kind == JsonNode::Kind::Scalar) return out.put(node.text);
  const bool is_object = node.kind == JsonNode::Kind::Object;
  out.put(is_object ? '{' : '[');
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    if (i > 0) out.put(',');
    if (is_object) {
      out.put(node.keys[i]);
      out.put(':');
    }
    append_json_tree(out, node.children[i]);
  }
  out.put(is_object ? '}' : ']');
}

namespace {

/// The code point behind `\u`, of one escape or of a surrogate pair.
std::uint32_t take_code_point(std::string_view& rest) {
  const auto code = take_hex(rest);
  if (code < 0xD800 || code >= 0xDC00 || rest.substr(0, 2) != "\\u") return code;
  rest.remove_prefix(2);
  return 0x10000 + ((code - 0xD800) << 10) + ((take_hex(rest) - 0xDC00) & 0x3FFU);
}

}  // namespace

std::string unquote_json(std::string_view quoted) {
  std::string out;
  if (quoted.size() < 2) return out;
  auto rest = quoted.substr(1, quoted.size() - 2);
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c != '\\' || rest.empty()) {
      out += c;
      continue;
    }
    const char escaped = rest.front();
    rest.remove_prefix(1);
    switch (escaped) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u':
        append_utf8(out, take_code_point(rest));
        break;
      default:
        out += escaped;
        break;
    }
  }
  return out;
}

std::string_view quote_json(std::string_view text, Arena& arena) {
  JsonText out(arena, text.size() + 16, text.size() * 8 + 64);
  out.put_string(text);
  return out.finish();
}

}  // namespace rowtrail::binlog
