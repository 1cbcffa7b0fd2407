#include "normalize/transaction.h"

#include <array>
#include <cassert>

namespace rowtrail::normalize {
namespace {

/// What one Transaction may keep for its successors: a bulk load must not stay resident.
constexpr std::size_t kKeptElements = 4096;

template <class T>
void clear_bounded(std::vector<T>& vector) {
  if (vector.capacity() > kKeptElements) {
    std::vector<T>().swap(vector);
  } else {
    vector.clear();
  }
}

}  // namespace

std::string_view op_name(Op op) {
  static constexpr std::array<std::string_view, 6> kNames = {"insert",   "update", "delete",
                                                             "truncate", "ddl",    "snapshot"};
  return kNames.at(static_cast<std::size_t>(op));
}

std::string_view gap_kind_name(GapKind kind) {
  static constexpr std::array<std::string_view, 9> kNames = {
      "statement_dml", "rolled_back",   "unfinished_transaction",
      "partial_image", "unknown_names", "xa_unknown",
      "rule_failed",   "rule_conflict", "rules_not_evaluated"};
  return kNames.at(static_cast<std::size_t>(kind));
}

void Transaction::reset() {
  source.clear();
  id.clear();
  gtid = {};
  file.clear();
  start_pos = end_pos = 0;
  committed_at_us = event_time_us = 0;
  committed_at_has_fraction = false;
  server_id = thread_id = 0;
  first_part = last_part = true;
  clear_bounded(changes);
  clear_bounded(statements);
  clear_bounded(schemas);
  clear_bounded(gaps);
  xa = XaPhase::None;
  xid.clear();
  std::string().swap(xa_events);
  std::string().swap(xa_tables);
  arena.reset();
  wire_bytes = 0;
}

std::size_t Transaction::memory_bytes() const noexcept {
  std::size_t bytes = sizeof(*this) + arena.capacity() + xa_events.capacity() +
                      xa_tables.capacity() + changes.capacity() * sizeof(Change) +
                      statements.capacity() * sizeof(Statement) +
                      schemas.capacity() * sizeof(VersionedSchema) + gaps.capacity() * sizeof(Gap);
  for (const Gap& gap : gaps) bytes += gap.sql.capacity() + gap.reason.capacity();
  return bytes;
}

}  // namespace rowtrail::normalize
