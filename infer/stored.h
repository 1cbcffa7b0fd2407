// Records of a store → the Transaction as the rules saw it when it was captured: for explanations,
// backtests and learning. What the record does not hold (masked, too large, of unknown sign) is a
// value that cannot be read, as it was then. Included by infer/infer.h.
#pragma once

#include "core/core.h"
#include "normalize/normalize.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::infer {

/// A layout as its record tells it: names and labels, and what its cells are.
struct StoredLayout {
  binlog::TableSchema schema;
  std::vector<binlog::CellKind> kinds;  // by column
};

/// The table layouts of one source, read when a Change first needs them.
class StoredLayouts {
 public:
  /// Payloads of the table_schema records of a table.
  using Load = std::function<std::vector<std::string>(const std::string& database,
                                                      const std::string& table)>;
  explicit StoredLayouts(Load load) : load_(std::move(load)) {}

  core::Result<const StoredLayout*> find(const std::string& database, const std::string& table,
                                         std::uint32_t version);

 private:
  using Versions = std::map<std::uint32_t, std::unique_ptr<const StoredLayout>>;
  Load load_;
  std::map<std::string, Versions> tables_;  // "database\0table"
};

/// Fills everything but the Changes from a transaction record's payload. Event time is
/// committed_at.
core::Result<> read_transaction(std::string_view payload, normalize::Transaction& transaction);
/// Appends a change record's payload. `layouts` must outlive the transaction.
core::Result<> read_change(std::string_view payload, StoredLayouts& layouts,
                           normalize::Transaction& transaction);

}  // namespace rowtrail::infer
