// Who did it: the rule's word, a comment in the SQL (sqlcommenter), a column such as updated_by.
// Private to the engine.
#pragma once

#include "infer/infer.h"
#include "infer/matcher.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rowtrail::infer {

/// The actor named by a comment such as `/*actor='anna',route='%2Fsales'*/` anywhere in a
/// statement, under the first of `keys` that it has; lenient about who wrote it.
[[nodiscard]] std::optional<std::string> actor_in_comment(std::string_view sql,
                                                          const std::vector<std::string>& keys);

class ActorFinder {
 public:
  explicit ActorFinder(const EngineOptions& options) : options_(options) {}

  void begin(const normalize::Transaction& transaction);
  /// The actor of an event over these rows; `named` is the rule's word, empty when it has none.
  /// Without rows, the whole transaction is meant.
  [[nodiscard]] Actor find(Rows rows, const std::string& named);

 private:
  const std::optional<std::string>& in_statement(std::size_t index);
  std::optional<std::string> in_comments(Rows rows);
  std::optional<std::string> in_columns(Rows rows);
  std::optional<std::string> in_column(const normalize::Change& change, const std::string& name);

  const EngineOptions& options_;
  const normalize::Transaction* transaction_ = nullptr;
  // Read once, when first needed; statements of a transaction can be many.
  std::vector<std::optional<std::optional<std::string>>> statements_;
  std::optional<std::optional<std::string>> anywhere_;
  binlog::Arena arena_;
};

}  // namespace rowtrail::infer
