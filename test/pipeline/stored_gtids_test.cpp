#include "pipeline/state.h"
#include <catch2/catch.hpp>

using namespace rowtrail;

TEST_CASE("stored GTIDs: none without GTIDs, and of either family with them") {
  binlog::Position position;
  CHECK_FALSE(pipeline::stored_gtids(position));
  position.gtid_set = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5";
  REQUIRE(pipeline::stored_gtids(position));
  CHECK(pipeline::stored_gtids(position)->text() == position.gtid_set);
  position.gtid_set = "0-1-42";
  REQUIRE(pipeline::stored_gtids(position));
  CHECK(pipeline::stored_gtids(position)->flavor() == binlog::Flavor::MariaDb);
}

TEST_CASE("stored GTIDs: a damaged set stops instead of being forgotten") {
  binlog::Position position;
  position.gtid_set = "3e11fa47-71ca:1-5";
  try {
    (void)pipeline::stored_gtids(position);
    FAIL("it was taken");
  } catch (const core::Failure& failure) {
    CHECK(failure.area() == core::Area::Store);
    CHECK_FALSE(failure.retryable());
  }
}
