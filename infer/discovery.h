// What a transaction that no rule knows is called: a stable type by its signature, a readable
// title, the objects its rows are. Private to the engine.
#pragma once

#include "infer/infer.h"

#include <map>

namespace rowtrail::infer {

/// Fills type, title, summary, objects, attributes and evidence.
void discover(const normalize::Transaction& transaction, BusinessEvent& event);

/// Rows by table and operation, of a transaction that came in parts.
using BulkCounts = std::map<std::pair<std::string, normalize::Op>, std::uint64_t>;
void count_rows(const normalize::Transaction& part, BulkCounts& counts);
void describe_bulk(const BulkCounts& counts, BusinessEvent& event);

}  // namespace rowtrail::infer
