// Which columns are masked, and how. Rules of inference see raw values in their conditions, in
// memory; everything else, from the record to a log line, has what stands here in their place.
#pragma once

#include "binlog/binlog.h"
#include "core/core.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::normalize {

enum class MaskAction : std::uint8_t {
  Keep,    // not masked, whatever comes later or by default
  Drop,    // as if it were not logged
  Redact,  // null, and a note in `cells`
  Hash,    // keyed: equal values stay equal
  Last4,   // of text and numbers of eight characters or more the last four
};
[[nodiscard]] std::string_view mask_action_name(MaskAction action);

/// database.table.column, each with '*' for any text; letter case does not matter. With a path only
/// what stands there in a JSON document is masked.
struct MaskRule {
  std::string database, table, column;  // lower case
  std::vector<std::string> path;        // member names, "*" for any
  MaskAction action = MaskAction::Redact;

  /// "pharmacy.patient.ssn redact", "shop.payment.details$.card.number last4".
  static core::Result<MaskRule> parse(std::string_view text);
};

/// The masked columns of one layout.
struct MaskedColumn {
  std::uint32_t column = 0;
  MaskAction action = MaskAction::Redact;
  std::vector<const MaskRule*> paths;  // empty: the whole value
};
using MaskPlan = std::vector<MaskedColumn>;

class Mask {
 public:
  /// The first rule that fits a column counts, then the names that credentials have. `key` is for
  /// Hash. Throws core::Failure (Area::Usage) when it is needed and empty.
  Mask(std::vector<MaskRule> rules, std::string key);

  [[nodiscard]] MaskPlan plan(const binlog::TableSchema& schema) const;
  /// `image` with the columns of `plan` masked, in `arena`.
  [[nodiscard]] std::span<const binlog::Cell> apply(const MaskPlan& plan,
                                                    const binlog::TableSchema& schema,
                                                    std::span<const binlog::Cell> image,
                                                    binlog::Arena& arena) const;
  /// Does this SQL text name a masked table or column? When in doubt it does.
  [[nodiscard]] bool mentions(std::string_view sql) const;

 private:
  struct Word {
    std::string text;
    bool begins = false, ends = false;  // at the edge of a name
  };
  void add_word(std::string_view glob);
  [[nodiscard]] std::string replacement(MaskAction action, std::string_view text) const;
  void mask_cell(const MaskedColumn& how, const binlog::Column& column, binlog::Cell& cell,
                 binlog::Arena& arena) const;
  bool mask_json(const MaskedColumn& how, binlog::Cell& cell, binlog::Arena& arena) const;

  std::vector<MaskRule> rules_;
  std::string key_;
  std::vector<Word> words_;
};

}  // namespace rowtrail::normalize
