#include "core/core.h"

#include <catch2/catch.hpp>

using namespace rowtrail::core;

TEST_CASE("result: an unchecked error throws its message") {
  const Result<int> result = Error{Errc::Malformed, "here and why"};
  REQUIRE_FALSE(result);
  CHECK_THROWS_WITH(result.value(), "here and why");
}

TEST_CASE("failure: area is the exit code") {
  CHECK(static_cast<int>(Failure(Area::Usage, false, "").area()) == 2);
  CHECK(static_cast<int>(Failure(Area::Source, true, "").area()) == 3);
  CHECK(static_cast<int>(Failure(Area::Store, true, "").area()) == 4);
  CHECK(Failure(Area::Store, true, "").retryable());
}
