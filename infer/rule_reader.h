// YAML document → Rule. Every error of the document is reported, each with its line and column.
#pragma once

#include "infer/rule.h"

#include <optional>
#include <string>
#include <vector>

namespace rowtrail::infer {

class RuleReader {
 public:
  RuleReader(const YamlDocument& document, const std::string& file, std::uint32_t& next_slot,
             std::vector<Diagnostic>& errors)
      : document_(document), file_(file), next_slot_(next_slot), errors_(errors) {}

  std::unique_ptr<Rule> read();

 private:
  using Member = void (RuleReader::*)(const YamlNode& node);
  struct Field {
    std::string_view name;
    Member read;
  };
  static std::span<const Field> fields();

  void fail(const YamlNode& node, std::string message);
  void fail_in_text(const YamlNode& node, const SyntaxError& error);
  bool expect(const YamlNode& node, YamlNode::Type type, std::string_view what);
  /// Reports keys of a map that are not among `known`.
  void check_keys(const YamlNode& map, std::string_view where,
                  std::span<const std::string_view> known);
  std::string text_of(const YamlNode& node, std::string_view what);

  void read_id(const YamlNode& node);
  void read_title(const YamlNode& node);
  void read_event(const YamlNode& node);
  void read_description(const YamlNode& node);
  void read_tags(const YamlNode& node);
  void read_severity(const YamlNode& node);
  void read_priority(const YamlNode& node);
  void read_match(const YamlNode& node);
  void read_forbid(const YamlNode& node);
  void read_where(const YamlNode& node);
  void read_emit(const YamlNode& node);
  void read_tests(const YamlNode& node);
  void read_correlate(const YamlNode& node);
  void read_exceptions(const YamlNode& node);

  void read_sequence(const YamlNode& node);
  void read_aggregate(const YamlNode& node);
  void read_ratio(const YamlNode& node);
  EventPattern read_pattern(const YamlNode& node, std::span<const std::string_view> keys,
                            std::string_view name);
  void compile_pattern(const YamlNode& node, EventPattern& pattern);
  void read_by(const YamlNode& node);
  void read_threshold(const YamlNode& correlate);
  std::int64_t read_within(const YamlNode& correlate);
  std::uint32_t add_name(const YamlNode& node, const std::string& name);

  std::unique_ptr<Clause> read_clause(const YamlNode& node, bool forbid);
  std::optional<TablePattern> read_table(const YamlNode& node);
  std::uint8_t read_ops(const YamlNode& node);
  void read_count(const YamlNode& node, Clause& clause);
  void compile_whens();
  void compile_expression(const YamlNode& node, const Scope& scope, Expression& out,
                          std::string_view what);
  void read_objects(const YamlNode& node);
  void read_object(const std::string& type, const YamlNode& node);
  void read_attributes(const YamlNode& node);
  void read_summary(const YamlNode& node);
  SummaryPart summary_part(const YamlNode& node, std::size_t offset, std::string_view name);
  void require(const YamlNode& root);

  const YamlDocument& document_;
  const std::string& file_;
  std::uint32_t& next_slot_;
  std::vector<Diagnostic>& errors_;
  std::unique_ptr<Rule> rule_;
  std::vector<Variable> variables_;
  std::vector<const YamlNode*> whens_;  // of match, then of forbid; null: none
};

}  // namespace rowtrail::infer
