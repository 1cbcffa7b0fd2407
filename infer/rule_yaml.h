// YAML nodes with the places errors point to. Private to the rule loader and the rule tests.
#pragma once

#include "infer/rule.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace rowtrail::infer {

/// One document of a rule file while it is read: collects every error.
class RuleDocument {
 public:
  RuleDocument(std::string file, std::uint32_t first_line, std::vector<Diagnostic>& errors)
      : file_(std::move(file)), first_line_(first_line), errors_(errors) {}

  void error(const YAML::Mark& mark, std::string message) const;
  /// An error inside the text of a scalar, `offset` bytes from its start.
  void error_in(const YAML::Node& scalar, std::uint32_t offset, std::string message) const;
  /// The scalar's text, or an error.
  [[nodiscard]] std::string text(const YAML::Node& node, std::string_view what) const;
  /// Reports members of a mapping that are not in `known`.
  void check_members(const YAML::Node& map, std::span<const std::string_view> known) const;
  [[nodiscard]] std::uint32_t line_of(const YAML::Node& node) const;
  [[nodiscard]] const std::string& file() const noexcept { return file_; }

 private:
  std::string file_;
  std::uint32_t first_line_;
  std::vector<Diagnostic>& errors_;
};

/// Compiles one document; false when it has errors.
bool load_rule(const RuleDocument& document, const YAML::Node& root, std::string_view text,
               std::uint32_t& next_slot, Rule& rule);

bool parse_ops(const RuleDocument& document, const YAML::Node& node, OpMask& ops);
[[nodiscard]] TablePattern parse_table(std::string_view text);

}  // namespace rowtrail::infer
