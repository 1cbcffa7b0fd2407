// Events and cells as text for goldens: every kind, every field, long values shortened to their
// size and CRC. Not the canonical form, which is normalize/'s.
#pragma once

#include "binlog/binlog.h"

#include <string>

namespace rowtrail::test {

std::string render_cell(const binlog::Cell& cell, const binlog::Column& column);
/// One line an event and one a row; the decoder's error, if any, is the last line.
std::string render_file(const std::string& path);

}  // namespace rowtrail::test
