// Writer and Reader over any Database.
#pragma once

#include "store/database.h"
#include "store/store.h"

#include <memory>
#include <string>

namespace rowtrail::store {

[[nodiscard]] std::unique_ptr<Writer> make_writer(std::unique_ptr<Database> db, const Url& url,
                                                  WriterOptions options);
[[nodiscard]] std::unique_ptr<Reader> make_reader(std::unique_ptr<Database> db, const Url& url);

/// The log of this name, 0 when the store has none.
[[nodiscard]] std::int64_t find_log(Database& db, const std::string& name);

}  // namespace rowtrail::store
