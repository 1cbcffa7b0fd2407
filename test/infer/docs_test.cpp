#include "infer/functions.h"
#include "infer/infer.h"

#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace rowtrail::infer;

namespace {

std::string manual() {
  std::ifstream file(ROWTRAIL_SOURCE "/docs/rules.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("docs: every function stands in docs/rules.md with its signature") {
  const std::string text = manual();
  for (const Function& function : functions()) {
    const auto line = fmt::format("\n{}\n", function.signature);
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("docs: the first rule of docs/rules.md loads and passes its tests") {
  const std::string text = manual();
  const auto begin = text.find("```yaml\nid:") + 8;
  const auto rules = load_rules_text(text.substr(begin, text.find("```", begin) - begin), "rules");
  for (const auto& error : rules.errors) FAIL(error.text());
  const auto results = run_rule_tests(rules);
  REQUIRE(!results.empty());
  for (const auto& result : results) {
    INFO(result.detail);
    CHECK(result.passed);
  }
}
