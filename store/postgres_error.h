// What a failing Postgres says, turned into a Failure that tells the operator what to do and the
// supervisor whether waiting can help.
#pragma once

#include "store/url.h"

#include <string>
#include <string_view>

namespace rowtrail::store {

/// An error of the server with its SQLSTATE ("" when there is none).
[[noreturn]] void fail_postgres(const Url& url, std::string_view state, std::string_view message);
/// The connection could not be made, or was lost.
[[noreturn]] void fail_postgres_connection(const Url& url, std::string_view message);

[[nodiscard]] std::string first_line(std::string_view message);

}  // namespace rowtrail::store
