// What the anomaly detectors see of a transaction: names as 64-bit hashes, counts and a few
// numbers. Small enough to be kept with every commit, so that a restart can show the detectors the
// same things again; the texts, which only sentences need, stand beside the hashes and are not kept
// (but for types of events, which may be missed later). Private to insight/.
#pragma once

#include "infer/infer.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::insight {

/// Stable: the hashes are part of what is stored.
[[nodiscard]] std::uint64_t hash_of(std::string_view text);
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = (a ^ (b + 0x9E3779B97F4A7C15ULL + (a << 6) + (a >> 2))) * 0xFF51AFD7ED558CCDULL;
  x ^= x >> 32;
  x *= 0xC4CEB9FE1A85EC53ULL;
  return x ^ (x >> 29);
}

struct Name {
  std::uint64_t hash = 0;  // 0: there is none
  std::string_view text;   // empty when shown again after a restart
};

struct ObservedObject {
  Name type, id;
};
struct ObservedEvent {
  std::uint64_t seq = 0;
  Name type, actor;
  bool discovered = false;  // no rule named it
  std::uint32_t objects_begin = 0, objects_end = 0;
};
struct ObservedRows {
  Name table;
  normalize::Op op = normalize::Op::Insert;
  std::uint32_t rows = 0;
};
enum class ValueKind : std::uint8_t {
  Amount,      // of a new row
  Difference,  // new - old of a changed one
  Lag,         // hours from a date in a new row to its commit
};
struct ObservedValue {
  ValueKind kind = ValueKind::Amount;
  Name column;   // "price.amount"
  Name subject;  // "price.product_id": the row it belongs to; none: only the column counts
  std::int64_t subject_id = 0;
  std::uint64_t pool = 0;  // all subjects of that column
  double value = 0;
};
enum class FlagKind : std::uint8_t {
  SameHand,    // two columns that say who did what name the same person
  Transition,  // a labelled column went from one label to another
  Unbalanced,  // differences of one column that add up to more or less than nothing
};
struct ObservedFlag {
  FlagKind kind = FlagKind::SameHand;
  Name about;             // a column
  Name what;              // the second column, or the label before
  std::string_view then;  // the label after
  bool set = false;
};

struct Observation {
  std::int64_t time_us = 0;
  std::uint32_t changes = 0;
  std::uint32_t gaps = 0;
  Name statement;  // the first ddl or truncate
  Name gap;        // kind of the first gap
  bool truncate = false;
  std::vector<ObservedEvent> events;
  std::vector<ObservedObject> objects;
  std::vector<ObservedRows> rows;
  std::vector<ObservedValue> values;
  std::vector<ObservedFlag> flags;

  void clear();
  void save(std::string& out) const;
  [[nodiscard]] bool load(std::string_view& bytes);
};

/// Makes observations. Texts point into the transaction, the events and this observer.
class Observer {
 public:
  const Observation& observe(const normalize::Transaction& transaction,
                             const std::vector<infer::BusinessEvent>& events,
                             std::uint64_t first_event_seq, std::size_t rule_gaps);

 private:
  struct Column {
    std::uint32_t index = 0;
    std::uint64_t hash = 0;
    std::string text;  // "table.column"
  };
  /// Which columns of a layout are looked at.
  struct Plan {
    std::uint64_t table = 0;
    std::string table_text;
    std::vector<Column> amounts, dates, labels, references, persons;
  };
  const Plan& plan_of(const binlog::TableSchema& schema);
  void add_events(const std::vector<infer::BusinessEvent>& events, std::uint64_t first_seq);
  void add_rows(const normalize::Change& change);
  void add_values(const normalize::Change& change, const Plan& plan);
  void add_flags(const normalize::Change& change, const Plan& plan);
  void add_balance();

  struct Balance {
    std::uint64_t column = 0;
    std::string_view text;
    std::uint32_t rows = 0;
    double sum = 0;
  };

  std::map<std::uint64_t, Plan> plans_;  // by layout hash
  std::vector<Balance> balances_;
  Observation out_;
};

}  // namespace rowtrail::insight
