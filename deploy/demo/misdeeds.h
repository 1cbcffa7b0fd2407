// What somebody does in the pharmacy that they should not, for measuring whether it is noticed: one
// table of classes, each a few transactions of plain SQL, as the application or a database client
// would send them. The answer key says what was done; rowtrail never sees it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "deploy/demo/clerk.h"
#include "deploy/demo/random.h"

namespace rowtrail::demo {

// Where a misdeed happens. `transaction` sets the clock to `second` of the day, runs the statements
// and commits, and keeps the GTID for the answer key.
struct Scene {
  Connection& db;
  const Catalogue& catalogue;
  Random& random;
  std::uint64_t number;  // sets its names apart
  std::function<void(std::int64_t second, const std::vector<std::string>& statements)> transaction;
};

struct Misdeed {
  const char* name;
  // Returns who did it, empty when nobody's name is on it, or "-" when there was no occasion.
  std::string (*act)(Scene& scene);
};
std::span<const Misdeed> misdeeds();

}  // namespace rowtrail::demo
