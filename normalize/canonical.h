// The one canonical text of a Change and of a Transaction (docs/format.md): UTF-8 JSON, members in a
// fixed order, no spaces, minimal escapes. The same input gives the same bytes, forever: the log's
// digests are taken over them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/core.h"
#include "normalize/transaction.h"

namespace rowtrail::normalize {

/// `text` as a JSON string with quotes: only '"', '\\' and control characters are escaped.
void append_json_string(std::string& out, std::string_view text);

/// One cell as the JSON of DESIGN section 5. Kinds that plain JSON cannot say yield null; their
/// content is added by append_cell_note.
void append_cell(std::string& out, const binlog::Cell& cell, const binlog::Column& column);

/// `{"id":7}`: the key columns of an image; "null" when the table has no key or the image lacks it.
void append_key(std::string& out, const Change& change, std::span<const binlog::Cell> image);

/// Payload of a change record.
void append_change(std::string& out, const Change& change);

/// Payload of a transaction record: what its Changes share.
void append_transaction(std::string& out, const Transaction& transaction);

/// Payload of a table_schema record.
void append_schema(std::string& out, const std::string& source, const VersionedSchema& schema);

/// The line people see: change payload joined with its transaction's payload and event's actor.
/// `actor_json` may be empty. Inputs are payloads read back from a store.
core::Result<> append_joined_change(std::string& out, std::uint64_t seq, std::string_view change,
                                    std::string_view transaction, std::string_view actor_json);

}  // namespace rowtrail::normalize
