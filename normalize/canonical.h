// The one canonical text of Transactions, Changes, schemas and Gaps (docs/format.md): UTF-8 JSON,
// members in a fixed order, no spaces, minimal escapes. The same input gives the same bytes,
// forever: the log's digests are taken over them. Every function appends to `out` and leaves what
// was there.
#pragma once

#include "core/core.h"
#include "normalize/transaction.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::normalize {

/// `text` as a JSON string with quotes: only '"', '\\' and control characters are escaped. Bytes
/// that are not UTF-8 become U+FFFD, so the output is always valid.
void append_json_string(std::string& out, std::string_view text);

/// One cell as the JSON of DESIGN section 5. Kinds that plain JSON cannot say yield null; their
/// content stands in the Change's `cells`, which append_change writes.
void append_cell(std::string& out, const binlog::Cell& cell, const binlog::Column& column);

/// `{"id":7}`: the key columns of an image of `change`; "null" when the table has no key or the
/// image is empty. A key column that the after image did not log is unchanged: the before image has
/// it.
void append_key(std::string& out, const Change& change, std::span<const binlog::Cell> image);

/// The key that `change` moved its row away from, as append_key() writes it; nothing when the key
/// stayed.
void append_old_key(std::string& out, const Change& change);

/// The row left its key: append_old_key() would write one.
[[nodiscard]] bool key_moved(const Change& change);

/// SQL text of the statement that `change` of `transaction` begins; empty when it was not logged.
[[nodiscard]] std::string_view statement_text(const Transaction& transaction, const Change& change);

/// Payload of a change record.
void append_change(std::string& out, const Change& change);

/// Payload of a transaction record: what its Changes share. Of a transaction in parts, the first
/// part's: statements that begin in a later part stand on their first Change.
void append_transaction(std::string& out, const Transaction& transaction);

/// Payload of a table_schema record.
void append_schema(std::string& out, const std::string& source, const VersionedSchema& schema);

/// Payload of a gap record.
void append_gap(std::string& out, const Transaction& transaction, const Gap& gap);

}  // namespace rowtrail::normalize
