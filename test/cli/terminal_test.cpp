#include "cli/terminal.h"

#include <catch2/catch.hpp>

using namespace rowtrail::cli;

TEST_CASE("terminal: text is cut by code points with an ellipsis") {
  CHECK(fit("Müller", 6) == "Müller");
  CHECK(fit("Müllerin", 6) == "Mülle…");
  CHECK(fit("", 3).empty());
  CHECK(display_width("Mü…") == 3);
}

TEST_CASE("terminal: a hostile value cannot send control codes") {
  CHECK(fit("a\x1b[2Jb\n\x7f", 20) == "a [2Jb  ");
}

TEST_CASE("terminal: colour codes take no width") {
  CHECK(display_width("\x1b[31mred\x1b[0m") == 3);
}
