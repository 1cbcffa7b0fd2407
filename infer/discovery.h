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

/// -1, 0, 1: sign of a numeric column's change; 0 too when it is no number.
[[nodiscard]] int delta_sign(const normalize::Change& change, std::uint32_t column);
/// A move from one label to another: an ENUM, or a short text or number in a column named status.
[[nodiscard]] bool is_transition(const normalize::Change& change, std::uint32_t column);
/// Would `column` of another table hold the key of `parent`? product_id, id_product, productid.
[[nodiscard]] bool is_reference(std::string_view column, const std::string& parent,
                                std::string_view key);

class Discovery {
 public:
  /// Fills everything but time and actor.
  void describe(const normalize::Transaction& transaction, BusinessEvent& event);

  /// Rows that look alike: same table, operation, changed columns, signs and transitions.
  struct Shape {
    const normalize::Change* first = nullptr;
    std::uint32_t rows = 0;
    std::uint32_t referenced = 0;  // rows of other tables that carry a key of these
    std::vector<std::uint32_t> changed;
  };
  void find_shapes(const normalize::Transaction& transaction);
  [[nodiscard]] const std::vector<Shape>& shapes() const noexcept { return shapes_; }
  /// The number of each row's shape.
  [[nodiscard]] const std::vector<std::uint32_t>& shape_of() const noexcept { return shape_of_; }

 private:
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
