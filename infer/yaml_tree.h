// One YAML document as a tree that remembers where everything stood. Aliases, anchors and repeated
// keys are refused; size and depth are bounded. The only file (with its .cpp) that knows yaml-cpp.
#pragma once

#include "infer/infer.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::infer {

inline constexpr std::size_t kRuleFileBytesMax = 4 * 1024 * 1024;
inline constexpr int kYamlDepthMax = 32;
inline constexpr std::size_t kYamlNodesMax = 1'000'000;

struct YamlNode {
  enum class Type : std::uint8_t { Null, Scalar, Sequence, Map };
  Type type = Type::Null;
  bool quoted = false;       // a scalar in quotes, or a block scalar
  bool block = false;        // | or >
  bool forced_text = false;  // !!str
  std::uint32_t line = 1;    // from 1
  std::uint32_t column = 1;
  std::string text;             // Scalar
  std::vector<YamlNode> items;  // Sequence; of a Map the values
  std::vector<YamlNode> keys;   // Map

  [[nodiscard]] const YamlNode* find(std::string_view key) const;
  [[nodiscard]] bool is_null() const { return type == Type::Null; }
  [[nodiscard]] bool is_scalar() const { return type == Type::Scalar; }
};

struct YamlDocument {
  std::string_view text;         // as written, without the "---" lines
  std::uint32_t first_line = 1;  // of the text in its file
};

/// Splits at the lines that begin with "---"; documents of only comments and space are left out.
[[nodiscard]] std::vector<YamlDocument> split_documents(std::string_view text);
/// False and one diagnostic (file left empty) when the document is not acceptable.
[[nodiscard]] bool parse_yaml(const YamlDocument& document, YamlNode& root, Diagnostic& error);

}  // namespace rowtrail::infer
