#include "infer/infer.h"

#include <catch2/catch.hpp>

using namespace rowtrail::infer;

TEST_CASE("rules: those of the demo's pharmacy load and pass their tests") {
  const auto rules = load_rules({ROWTRAIL_SOURCE "/deploy/demo/rules"});
  for (const auto& error : rules.errors) UNSCOPED_INFO(error.text());
  REQUIRE(rules.errors.empty());
  REQUIRE(!rules.infos.empty());
  for (const auto& result : run_rule_tests(rules)) {
    INFO(result.file << ":" << result.line << " " << result.rule_id << "\n" << result.detail);
    CHECK(result.passed);
  }
}
