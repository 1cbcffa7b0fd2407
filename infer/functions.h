// The functions of expressions, one row each. Binder, evaluator and docs/rules.md follow this
// table.
#pragma once

#include "infer/value.h"

#include <optional>
#include <span>
#include <string_view>

namespace rowtrail::infer {

using Arguments = std::span<const Value>;

struct Function {
  std::string_view name;
  bool member;  // called as x.f(…): argument 0 is x
  std::uint8_t arguments_min;
  std::uint8_t arguments_max;  // with the receiver
  Value (*call)(Arguments arguments, binlog::Arena& arena);
  std::string_view signature;  // for people
};

[[nodiscard]] std::span<const Function> functions();
/// The row for a call with this many arguments (receiver included), or -1.
[[nodiscard]] int find_function(std::string_view name, bool member, std::size_t arguments);

/// A type's name as a value: int, string, timestamp …
[[nodiscard]] std::optional<Kind> type_named(std::string_view name);

}  // namespace rowtrail::infer
