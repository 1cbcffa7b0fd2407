// What a transaction that no rule knows is called: a stable type by its signature, a readable
// title, the objects its rows are. Private to the engine.
#pragma once

#include "infer/infer.h"

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace rowtrail::infer {

/// Names the algorithm in events: another version may give other types and signatures.
inline constexpr std::string_view kDiscoveryVersion = "00000001";

class Discovery {
 public:
  /// Fills everything but time and actor.
  void describe(const normalize::Transaction& transaction, BusinessEvent& event);

 private:
  /// Rows that look alike: same table, operation, changed columns, signs and transitions.
  struct Shape {
    const normalize::Change* first = nullptr;
    std::uint32_t rows = 0;
    std::uint32_t referenced = 0;  // rows of other tables that carry a key of these
    std::vector<std::uint32_t> changed;
  };

  void find_shapes(const normalize::Transaction& transaction);
  void count_references(const normalize::Transaction& transaction);
  [[nodiscard]] const Shape& leading() const;
  [[nodiscard]] std::string signature() const;

  std::vector<Shape> shapes_;                           // in the order of their first rows
  std::unordered_map<std::string, std::uint32_t> ids_;  // binary form of a shape → its number
  std::vector<std::uint32_t> shape_of_;                 // by row
  std::string key_;
};

/// Rows by table and operation, of a transaction that came in parts.
using BulkCounts = std::map<std::pair<std::string, normalize::Op>, std::uint64_t>;
void count_rows(const normalize::Transaction& part, BulkCounts& counts);
void describe_bulk(const BulkCounts& counts, BusinessEvent& event);

}  // namespace rowtrail::infer
