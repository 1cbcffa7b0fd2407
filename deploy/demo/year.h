// Days of the pharmacy on a clock of their own: an ordinary day's work, some of it what it should
// not be. Needs a user that may set the session's clock (SESSION_VARIABLES_ADMIN) and one
// connection, since time only goes forward.
#pragma once

#include <cstdint>
#include <string>

#include "deploy/demo/clerk.h"
#include "deploy/demo/ledger.h"

namespace rowtrail::demo {

struct YearOptions {
  std::uint64_t days = 0;                // 0: the real clock
  std::string first_day = "2027-01-04";  // ahead of the set-up, since event time only grows
  double per_day = 150;                  // transactions of an ordinary weekday
  double misdeeds = 0;                   // cases a day, once learned_days have passed
  std::uint64_t learned_days = 60;
  std::string answer_key;  // ndjson: class, day, who, and the GTIDs of each case
};

/// Returns the transactions committed. Same seed, same year.
std::uint64_t live_through(const ServerAddress& server, const Catalogue& catalogue, Ledger& ledger,
                           std::uint64_t seed, const YearOptions& options);

}  // namespace rowtrail::demo
