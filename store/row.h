// One row of a table: the keys it goes by, its history, and what it was at a time. Written on top
// of a Reader, for the API, the command line and agents alike. Included by store/store.h.
#pragma once

#include "core/core.h"
#include "normalize/normalize.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::store {

class Reader;
struct Page;
struct StoredChange;

/// A row as the log knows it. The same key can have several texts: `7` of a URL may be an integer
/// or a string, and a key column may have had another name.
struct RowKey {
  std::string source, database, table;
  std::vector<std::string> keys;  // canonical JSON objects, as the `pk` of changes
};

/// Finds the row that `key` means: the value of a one-column key ("7"), a JSON array in key order,
/// or the key object itself. An empty source will do while only one source has the table. Errors
/// say what the log does hold.
core::Result<RowKey> find_row(Reader& reader, const std::string& source,
                              const std::string& database, const std::string& table,
                              std::string_view key);

/// Changes that made, moved (also away) or removed the row, not after `at_us`, in the page's order.
void row_changes(Reader& reader, const RowKey& row, std::optional<std::int64_t> at_us,
                 const Page& page, const std::function<bool(const StoredChange&)>& visit);

/// How a RowState is known.
enum class RowBasis : std::uint8_t {
  AfterImage,   // the last change up to the time left the row like this
  BeforeImage,  // the first change ever seen, after the time, found it like this
  Gone,         // deleted, moved to another key, or its table emptied or dropped
  NotYet,       // the first change ever seen, after the time, inserted it
};
[[nodiscard]] std::string_view row_basis_name(RowBasis basis);

struct RowState {
  RowBasis basis = RowBasis::NotYet;
  std::uint64_t seq = 0;     // of the change that tells
  std::string committed_at;  // when that was
  std::string row;           // JSON object; empty unless there was a row
  std::string cells;         // JSON object of what plain JSON cannot say, by column; or empty
  bool complete = true;      // false: the log has no image of some columns
  std::uint64_t ddl = 0;     // newest ddl of the table between the change and the time; 0: none
  [[nodiscard]] bool exists() const { return !row.empty(); }
};

/// The row as it was after everything committed up to `at_us`; now, when that is not set. The row
/// must have been found. Throws core::Failure (Area::Store) for damaged records.
[[nodiscard]] RowState row_at(Reader& reader, const RowKey& row, std::optional<std::int64_t> at_us);

}  // namespace rowtrail::store
