// Who did it: the rule's word, a comment in the SQL (sqlcommenter), a column such as updated_by.
// Private to the engine.
#pragma once

#include "infer/infer.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::infer {

/// The actor named by a comment `/*actor='anna',route='%2Fsales'*/`, lenient about who wrote it.
[[nodiscard]] std::optional<std::string> actor_in_comment(std::string_view sql);
/// In any statement of the transaction.
[[nodiscard]] std::optional<std::string> actor_in_statements(
    const normalize::Transaction& transaction);
/// In one of the named columns, the newest row first; `rows` are indexes of changes.
[[nodiscard]] std::optional<std::string> actor_in_columns(const normalize::Transaction& transaction,
                                                          std::span<const std::uint32_t> rows,
                                                          const std::vector<std::string>& columns);

}  // namespace rowtrail::infer
