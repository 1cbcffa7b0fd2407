#include "pipeline/capture.h"
#include <catch2/catch.hpp>

using rowtrail::pipeline::compare_positions;

TEST_CASE("positions: file numbers count as numbers, not as text") {
  CHECK(compare_positions("binlog.000009", 200, "binlog.000010", 4) < 0);
  CHECK(compare_positions("binlog.999999", 4, "binlog.1000000", 4) < 0);
  CHECK(compare_positions("binlog.000010", 4, "binlog.000010", 4) == 0);
  CHECK(compare_positions("binlog.000010", 5, "binlog.000010", 4) > 0);
}

TEST_CASE("positions: beyond 4 GiB they still compare") {
  CHECK(compare_positions("b.1", 5'000'000'000, "b.1", 4'999'999'999) > 0);
}
