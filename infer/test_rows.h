// Rows written in YAML → a Transaction, for the tests inside rules. Values are taken as the server
// would send them: 5 is an integer, 12.50 and "12.50" a DECIMAL, 2026-11-24 and longer a DATE,
// DATETIME or (with Z) TIMESTAMP, [a, b] and {a: 1} JSON, everything else text; !!str "1.10" forces
// text. A column left out of `after` is as in `before`.
#pragma once

#include "infer/yaml_tree.h"

#include <map>
#include <string>
#include <vector>

namespace rowtrail::infer {

class TestRows {
 public:
  /// `test` has `changes` and perhaps `query`. Errors are appended with line and column, file
  /// empty.
  TestRows(const YamlNode& test, std::vector<Diagnostic>& errors);

  [[nodiscard]] const normalize::Transaction& transaction() const { return transaction_; }

 private:
  void add_columns(const YamlNode& row);
  void add_change(const YamlNode& row);
  std::span<const binlog::Cell> image(const binlog::TableSchema& schema, const YamlNode* values,
                                      const YamlNode* fallback);
  binlog::Cell cell(const YamlNode& value);
  void set_text(binlog::Cell& cell, binlog::CellKind kind, std::string_view text);
  void fail(const YamlNode& node, std::string message);

  std::vector<Diagnostic>& errors_;
  normalize::Transaction transaction_;
  std::map<std::string, std::unique_ptr<binlog::TableSchema>> schemas_;
};

/// A tree as JSON; unquoted numbers and words stay what they are.
void append_json(std::string& out, const YamlNode& node);

}  // namespace rowtrail::infer
