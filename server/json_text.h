// Edits of JSON texts that were rendered elsewhere, without parsing their values into anything.
#pragma once

#include <string>
#include <string_view>

namespace rowtrail::server {

/// Turns integers beyond ±(2^53−1), which JavaScript would round, into strings; in place, from byte
/// `start` of `text` on. The text must be valid JSON.
void quote_large_integers(std::string& text, std::size_t start);

/// `text` as a JSON string, quotes included.
void append_json_string(std::string& out, std::string_view text);

}  // namespace rowtrail::server
