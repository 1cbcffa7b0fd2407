// Edits of JSON texts that were rendered elsewhere, without parsing their values into anything.
#pragma once

#include "normalize/normalize.h"

#include <string>
#include <string_view>
#include <utility>

namespace rowtrail::server {

/// Turns integers beyond ±(2^53−1), which JavaScript would round, into strings; in place, from byte
/// `start` of `text` on. The text must be valid JSON.
void quote_large_integers(std::string& text, std::size_t start);

/// Index after the JSON value that starts at `at`.
[[nodiscard]] std::size_t json_value_end(std::string_view text, std::size_t at);

/// Calls `visit(key, value)` with the texts of every member of a JSON object without spaces; keys
/// without their quotes, escapes as they are.
template <class Visit>
void for_each_member(std::string_view object, Visit visit) {
  std::size_t at = 1;
  while (at < object.size() && object[at] == '"') {
    const std::size_t colon = json_value_end(object, at);
    const std::size_t end = json_value_end(object, colon + 1);
    visit(object.substr(at + 1, colon - at - 2), object.substr(colon + 1, end - colon - 1));
    at = end + 1;
  }
}

/// What a JSON string says; empty for what is none.
[[nodiscard]] inline std::string string_value(std::string_view json) {
  auto value = normalize::parse_json_string(json);
  return value ? *std::move(value) : std::string();
}

/// Calls `visit(type, id)` for each object in the `objects` of an event's payload.
template <class Visit>
void for_each_object(std::string_view objects, Visit visit) {
  for (std::size_t at = 1; at < objects.size() && objects[at] == '{';) {
    const std::size_t end = json_value_end(objects, at);
    std::string type, id;
    for_each_member(objects.substr(at, end - at),
                    [&](std::string_view name, std::string_view value) {
                      if (name == "type") type = string_value(value);
                      if (name == "id") id = string_value(value);
                    });
    visit(std::move(type), std::move(id));
    at = end + 1;
  }
}

using normalize::append_json_string;

}  // namespace rowtrail::server
