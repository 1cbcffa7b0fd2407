// Arithmetic, membership and indexing on Values, with CEL's overloads and errors. What mixes with a
// decimal becomes a decimal, exactly.
#pragma once

#include "infer/expression.h"
#include "infer/value.h"

namespace rowtrail::infer {

inline constexpr std::size_t kTextBytesMax = 1024 * 1024;  // of a text or list that `+` makes

/// Add, Subtract, Multiply, Divide, Remainder. Operands are no errors.
[[nodiscard]] Value arithmetic(Operator op, const Value& a, const Value& b, binlog::Arena& arena);
[[nodiscard]] Value negate(const Value& a, binlog::Arena& arena);
/// Equal … GreaterEqual. Comparing takes its steps from `budget`, as in equal().
[[nodiscard]] Value relation(Operator op, const Value& a, const Value& b, std::uint64_t& budget);
[[nodiscard]] Value membership(const Value& item, const Value& container, std::uint64_t& budget);
[[nodiscard]] Value index(const Value& container, const Value& key, std::uint64_t& budget);
/// The value of a map's key, or null.
[[nodiscard]] const Value* find_key(const Value& map, const Value& key, std::uint64_t& budget);

}  // namespace rowtrail::infer
