// Are a record's typed columns what its payload says? The payload is in the tree, the columns are
// not: a false one would hide a record from a query. Pure.
#pragma once

#include "store/batch.h"
#include "store/database.h"
#include "store/tree.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <rapidjson/document.h>

namespace rowtrail::store {

/// What one record table holds beside seq, time_us, payload and salt.
struct KindColumns {
  Kind kind;
  const char* table;
  const char* columns;
};
[[nodiscard]] std::span<const KindColumns> kind_columns();
[[nodiscard]] std::string_view kind_name(Kind kind);

/// What a table number stands for, with the piece of canonical text that its Changes share.
struct NumberedTable {
  std::string source, database, table;
  std::string head;  // ,"database":"d","table":"t","op":"
};

/// The transaction that a record belongs to: the last one before it.
struct TransactionPlace {
  std::uint64_t seq = 0;
  std::string source;
  bool known = false;
};

/// Position of the fixed columns in every select of `kind_columns()`; the others follow.
inline constexpr int kSeqColumn = 0;
inline constexpr int kTimeColumn = 1;
inline constexpr int kPayloadColumn = 2;
inline constexpr int kSaltColumn = 3;
inline constexpr int kFirstColumn = 4;

/// Checks records of one thread. Each check returns what is wrong, for people; empty when nothing
/// is.
class ColumnCheck {
 public:
  explicit ColumnCheck(const std::unordered_map<std::int64_t, NumberedTable>& tables)
      : tables_(tables) {}

  /// `transaction` is the one the record belongs to; kinds outside transactions ignore it.
  [[nodiscard]] std::string check(Kind kind, const Row& row, const TransactionPlace& transaction);
  /// After an event was checked: what the rows of event_object must be, one hash for all.
  [[nodiscard]] const Hash& objects() const noexcept { return objects_; }
  /// The hash over no object.
  [[nodiscard]] static Hash no_objects();
  /// Adds one row of event_object to the hash of those before it.
  static void add_object(Hash& hash, std::int64_t ordinal, std::string_view type,
                         std::string_view id, std::string_view role);

 private:
  std::string change(const Row& row, const TransactionPlace& transaction);
  std::string explain_change(const Row& row);
  std::string event(const Row& row, const TransactionPlace& transaction);
  bool parse(std::string_view payload);
  [[nodiscard]] std::string_view text(const char* member) const;
  /// Notes a difference between a column and what it must be.
  void text_column(const char* column, std::string_view is, std::string_view must);
  void number_column(const char* column, std::int64_t is, std::int64_t must);
  void evidence_column(std::string_view seqs, std::uint64_t before);
  void belongs(const Row& row, const TransactionPlace& transaction);

  const std::unordered_map<std::int64_t, NumberedTable>& tables_;
  rapidjson::Document json_;
  std::string wrong_;
  std::string expected_;  // scratch
  Hash objects_{};
};

}  // namespace rowtrail::store
