// Payloads read back: joining a change with its transaction into the line people see, and taking a
// change apart. The input comes from a store, so it is checked: strict, bounded, never trusted.
#pragma once

#include "core/core.h"
#include "normalize/transaction.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::normalize {

/// A transaction record's payload, taken apart once and joined with many changes. Views point into
/// the payload, which must outlive it.
class TransactionPayload {
 public:
  static core::Result<TransactionPayload> parse(std::string_view payload);

  /// Appends the line: members in the order of DESIGN section 5. `actor_json` may be empty.
  core::Result<> append_joined(std::string& out, std::uint64_t seq, std::string_view change,
                               std::string_view actor_json) const;

 private:
  struct Query {
    std::uint64_t ordinal;
    std::string_view members;  // ,"query":"…"
  };
  std::string_view identity_;   // "source":…,"transaction":…
  std::string_view place_;      // ,"position":…,"committed_at":…
  std::string_view session_;    // ,"server_id":…,"thread_id":…
  std::vector<Query> queries_;  // by ordinal
};

/// The same for one change: change payload, its transaction's payload, its event's actor.
core::Result<> append_joined_change(std::string& out, std::uint64_t seq, std::string_view change,
                                    std::string_view transaction, std::string_view actor_json);

/// A payload that stands alone (a gap) as people see it: its members behind `seq`.
core::Result<> append_numbered(std::string& out, std::uint64_t seq, std::string_view payload);

/// One member of an object: its name, and the JSON text of its value, which points into the
/// payload.
struct Member {
  std::string name;
  std::string_view json;
};
using Members = std::vector<Member>;

struct ParsedChange {
  std::uint32_t ordinal = 0;
  std::uint32_t statement = 0;  // its own ordinal when it begins a statement
  std::uint32_t schema_version = 0;
  Op op = Op::Insert;
  std::string database;
  std::string table;
  std::optional<Members> pk, old_pk;  // none: null or not there
  std::optional<Members> old_row, new_row;
  std::vector<std::string> changed;
  std::string sql;  // ddl, truncate, or the statement a Change of a later part begins
  Members cells;    // what plain JSON cannot say: "new.col" → {"wire":…}
};

/// What a statement does to one table: its rows, its definition, or neither.
enum class TableFate : std::uint8_t { Untouched, Altered, Gone };

/// `default_database` qualifies the names that the statement leaves bare.
TableFate table_fate(std::string_view sql, std::string_view default_database,
                     std::string_view database, std::string_view table);

/// Takes a change record's payload apart. Views point into `payload`.
core::Result<ParsedChange> parse_change(std::string_view payload);

/// The layout a gap's payload is about; 0: none.
[[nodiscard]] std::uint32_t gap_schema_version(std::string_view payload);

/// The value of a JSON string given with its quotes. An error when it is not one.
core::Result<std::string> parse_json_string(std::string_view json);

}  // namespace rowtrail::normalize
