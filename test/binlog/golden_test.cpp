// Every golden: NAME.sql made NAME.binlog on a real server, NAME.txt is what the decoder sees in
// it.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "render.h"
#include <catch2/catch.hpp>

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("golden: every captured binlog decodes to its text", "[golden]") {
  const std::filesystem::path folder = ROWTRAIL_TEST_DATA "/golden";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".binlog") continue;
    ++count;
    const auto rendered = rowtrail::test::render_file(entry.path());
    auto text = entry.path();
    text.replace_extension(".txt");
    if (std::getenv("ROWTRAIL_UPDATE_GOLDEN") != nullptr) {
      std::ofstream(text, std::ios::binary) << rendered;
    }
    INFO(entry.path().filename());
    CHECK(rendered == read(text));
  }
  CHECK(count >= 8);
}
