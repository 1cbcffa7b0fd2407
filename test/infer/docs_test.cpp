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

TEST_CASE("docs: every whole rule of docs/rules.md loads and passes its tests") {
  constexpr std::string_view kBegin = "```yaml\nid:";
  const std::string text = manual();
  std::string all;
  for (auto at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at + 1)) {
    const auto begin = at + std::string_view("```yaml\n").size();
    all += "---\n" + text.substr(begin, text.find("```", begin) - begin);
  }
  const auto rules = load_rules_text(all, "rules");
  for (const auto& error : rules.errors) FAIL(error.text());
  CHECK(rules.infos.size() == 13);
  for (const auto& result : run_rule_tests(rules)) {
    INFO(result.rule_id << "\n" << result.detail);
    CHECK(result.passed);
  }
}
