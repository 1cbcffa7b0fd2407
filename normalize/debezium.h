// Changes as Debezium's MySQL and MariaDB connectors give them with JSON converters and schemas
// off, so that what reads those can read this: envelope and value mapping are those of its manual
// with the options' defaults (docs/capture.md lists where we differ).
#pragma once

#include "normalize/transaction.h"

#include <cstdint>
#include <string>

namespace rowtrail::normalize {

class DebeziumWriter {
 public:
  /// Appends the message of `change`, a line each: two of them when the key moved (a delete and a
  /// create). Changes come in the order of their transactions. `now_us`: when they were processed.
  void append(std::string& out, const Transaction& transaction, const Change& change,
              std::int64_t now_us);

 private:
  void begin(const Transaction& transaction);
  void envelope(std::string& out, const Change& change, std::string_view op, bool with_before,
                bool with_after, std::int64_t now_us) const;
  void source(std::string& out, const Change& change) const;

  std::string transaction_;  // id of the one that the pieces below are of
  std::string shared_;       // of `source`, up to the database
  std::string times_;        // between database and table
  std::string place_;        // between table and row
  std::string thread_;
  std::string query_;  // of the statement whose changes come
};

}  // namespace rowtrail::normalize
