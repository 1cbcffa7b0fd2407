// A JSON document taken apart: containers as trees, scalars as slices of the canonical text they
// came from. For the rare case that a document must be changed; reading never builds one.
#pragma once

#include "binlog/arena.h"
#include "binlog/json_text.h"

#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::binlog {

struct JsonNode {
  enum class Kind : std::uint8_t { Scalar, Array, Object };
  Kind kind = Kind::Scalar;
  std::string_view text;               // Scalar: as it is printed
  std::vector<std::string_view> keys;  // Object: canonical text, quotes included
  std::vector<JsonNode> children;

  /// Index of an object's member, or -1.
  [[nodiscard]] std::ptrdiff_t find(std::string_view key) const noexcept;
  /// Puts a member where MySQL keeps it: shorter keys first, then by bytes.
  void insert_member(std::string_view key, JsonNode value);
};

/// Takes canonical text apart; false when it is not JSON. `text` must outlive the tree.
[[nodiscard]] bool parse_json_tree(std::string_view text, JsonNode& out);
void append_json_tree(JsonText& out, const JsonNode& node);

/// The string that a canonical JSON string (with its quotes) stands for.
[[nodiscard]] std::string unquote_json(std::string_view quoted);
/// A string as canonical text, in `arena`.
[[nodiscard]] std::string_view quote_json(std::string_view text, Arena& arena);

}  // namespace rowtrail::binlog
