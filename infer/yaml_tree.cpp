#include "infer/yaml_tree.h"

#include <istream>
#include <streambuf>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace rowtrail::infer {
namespace {

/// Stops the parser; carries the diagnostic.
struct Refused {
  YAML::Mark mark;
  const char* message;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::uint32_t first_line) : first_line_(first_line) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{mark, "aliases are not allowed in rules; write it out"};
  }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    throw Refused{mark, "anchors are not allowed in rules"};
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_anchor(mark, anchor);
    add(make(YamlNode::Type::Null, mark), mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_anchor(mark, anchor);
    YamlNode node = make(YamlNode::Type::Scalar, mark);
    node.quoted = tag == "!";
    node.forced_text = tag == "tag:yaml.org,2002:str";
    if (!node.quoted && !node.forced_text && (value == "null" || value == "~" || value.empty())) {
      node.type = YamlNode::Type::Null;
    }
    node.text = value;
    add(std::move(node), mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_anchor(mark, anchor);
    open(make(YamlNode::Type::Sequence, mark), mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_anchor(mark, anchor);
    open(make(YamlNode::Type::Map, mark), mark);
  }
  void OnMapEnd() override { close(); }

  YamlNode root;

 private:
  static void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) throw Refused{mark, "anchors are not allowed in rules"};
  }
  YamlNode make(YamlNode::Type type, const YAML::Mark& mark) {
    if (++nodes_ > kYamlNodesMax) throw Refused{mark, "too many nodes"};
    YamlNode node;
    node.type = type;
    node.line = first_line_ + static_cast<std::uint32_t>(mark.line);
    node.column = static_cast<std::uint32_t>(mark.column) + 1;
    return node;
  }
  void open(YamlNode node, const YAML::Mark& mark) {
    if (static_cast<int>(open_.size()) >= kYamlDepthMax) throw Refused{mark, "nested too deeply"};
    open_.push_back(std::move(node));
    marks_.push_back(mark);
  }
  void close() {
    YamlNode node = std::move(open_.back());
    const YAML::Mark mark = marks_.back();
    open_.pop_back();
    marks_.pop_back();
    add(std::move(node), mark);
  }
  void add(YamlNode node, const YAML::Mark& mark) {
    if (open_.empty()) {
      root = std::move(node);
      return;
    }
    YamlNode& parent = open_.back();
    const bool is_key =
        parent.type == YamlNode::Type::Map && parent.keys.size() == parent.items.size();
    if (!is_key) {
      parent.items.push_back(std::move(node));
      return;
    }
    const bool named = node.is_scalar() || (node.is_null() && !node.text.empty());
    if (!named) throw Refused{mark, "a key must be a plain name"};
    if (parent.find(node.text) != nullptr) throw Refused{mark, "the key stands twice"};
    parent.keys.push_back(std::move(node));
  }

  std::uint32_t first_line_;
  std::size_t nodes_ = 0;
  std::vector<YamlNode> open_;
  std::vector<YAML::Mark> marks_;
};

/// yaml-cpp reads streams; this one reads from memory without a copy.
class MemoryBuffer : public std::streambuf {
 public:
  explicit MemoryBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // never written through: no put area
    setg(begin, begin, begin + text.size());
  }
};

bool begins_document(std::string_view line) {
  return line.starts_with("---") &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

bool is_blank(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto first = text.substr(0, end).find_first_not_of(" \t\r");
    if (first != std::string_view::npos && first < end && text[first] != '#') return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (std::size_t n = 0; n < keys.size(); ++n) {
    if (keys[n].text == key) return n < items.size() ? &items[n] : &keys[n];
  }
  return nullptr;
}

std::vector<YamlDocument> split_documents(std::string_view text) {
  std::vector<YamlDocument> documents;
  std::size_t start = 0;
  std::uint32_t start_line = 1;
  std::uint32_t line_number = 1;
  const auto finish = [&](std::size_t end) {
    const std::string_view document = text.substr(start, end - start);
    if (!is_blank(document)) documents.push_back({document, start_line});
  };
  for (std::size_t at = 0; at < text.size(); ++line_number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::size_t next = std::min(end + 1, text.size());
    if (begins_document(text.substr(at, end - at))) {
      finish(at);
      start = next;
      start_line = line_number + 1;
    }
    at = next;
  }
  finish(text.size());
  return documents;
}

bool parse_yaml(const YamlDocument& document, YamlNode& root, Diagnostic& error) {
  const auto report = [&](const YAML::Mark& mark, std::string message) {
    error.line = document.first_line + static_cast<std::uint32_t>(std::max(mark.line, 0));
    error.column = static_cast<std::uint32_t>(std::max(mark.column, 0)) + 1;
    error.message = std::move(message);
    return false;
  };
  MemoryBuffer buffer(document.text);
  std::istream stream(&buffer);
  TreeBuilder builder(document.first_line);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return report({}, "the document is empty");
  } catch (const Refused& refused) {
    return report(refused.mark, refused.message);
  } catch (const YAML::Exception& failure) {
    return report(failure.mark, "YAML: " + failure.msg);
  }
  root = std::move(builder.root);
  return true;
}

}  // namespace rowtrail::infer
