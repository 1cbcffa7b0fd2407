// int(), uint(), double(), decimal(), string(), bytes(), bool(), timestamp(), duration(), type().
#pragma once

#include "infer/functions.h"

namespace rowtrail::infer {

[[nodiscard]] Value convert_int(Arguments arguments, binlog::Arena& arena);
[[nodiscard]] Value convert_uint(Arguments arguments, binlog::Arena& arena);
[[nodiscard]] Value convert_double(Arguments arguments, binlog::Arena& arena);
[[nodiscard]] Value convert_decimal(Arguments arguments, binlog::Arena& arena);
[[nodiscard]] Value convert_string(Arguments arguments, binlog::Arena& arena);
[[nodiscard]] Value convert_bytes(Arguments arguments, binlog::Arena& arena);
[[nodiscard]] Value convert_bool(Arguments arguments, binlog::Arena& arena);
[[nodiscard]] Value convert_timestamp(Arguments arguments, binlog::Arena& arena);
[[nodiscard]] Value convert_duration(Arguments arguments, binlog::Arena& arena);
[[nodiscard]] Value type_of(Arguments arguments, binlog::Arena& arena);

}  // namespace rowtrail::infer
