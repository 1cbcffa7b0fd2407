// Words for discovered events: nouns from table names, verbs from what happened to a row.
#pragma once

#include <string>
#include <string_view>

namespace rowtrail::infer {

/// "companies" → "company", "sales" → "sale", "address" and "status" stay; lower case.
[[nodiscard]] std::string singular(std::string_view table);
/// Letters, digits, '_' and '-' as they are, everything else '_': a type stands in URLs.
[[nodiscard]] std::string word(std::string_view text);
/// "sale_created" → "Sale created".
[[nodiscard]] std::string title_of(std::string_view name);
/// Tables that record what happened elsewhere: logs, audits, histories.
[[nodiscard]] bool is_log_table(std::string_view table);
/// Columns that change with every write and mean nothing by themselves: updated_at, version.
[[nodiscard]] bool is_audit_column(std::string_view column);
/// Columns whose number is what the row is about: quantity, balance. "stock_decreased" needs no
/// more.
[[nodiscard]] bool is_amount_column(std::string_view column);
/// Columns that hold where a row stands: status, state.
[[nodiscard]] bool is_status_column(std::string_view column);
/// Columns that mark a row as deleted: deleted_at, is_deleted.
[[nodiscard]] bool is_deletion_column(std::string_view column);

}  // namespace rowtrail::infer
