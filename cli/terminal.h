// What a person sees: colour and width only where standard output is a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::cli {

enum class Style : std::uint8_t { Plain, Bold, Muted, Accent, Good, Warn, Bad };

/// True when standard output is a terminal that takes colour (NO_COLOR and TERM=dumb respected).
[[nodiscard]] bool is_terminal();
/// Columns of the terminal; a very large number in a pipe, where nothing is cut.
[[nodiscard]] std::size_t terminal_width();
/// `text` in a style, or as it is in a pipe.
[[nodiscard]] std::string styled(std::string_view text, Style style);
/// Number of columns `text` takes: code points, without colour codes.
[[nodiscard]] std::size_t display_width(std::string_view text);
/// Control characters (a hostile row value must not drive the terminal) become spaces; cut to
/// `columns` with an ellipsis.
[[nodiscard]] std::string fit(std::string_view text, std::size_t columns);
/// 1234567 → "1 234 567" with thin spaces.
[[nodiscard]] std::string grouped(std::uint64_t number);

/// Rows under a header with aligned columns; in a pipe the same without colour. Column `right` says
/// which are numbers; the last column is cut to the terminal's width.
struct Table {
  std::vector<std::string> header;
  std::vector<bool> right;
  std::vector<std::vector<std::string>> rows;
  void print() const;
};

}  // namespace rowtrail::cli
