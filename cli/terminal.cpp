#include "cli/terminal.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace rowtrail::cli {
namespace {

constexpr std::size_t kUnlimited = 1U << 20;

std::string_view code_of(Style style) {
  switch (style) {
    case Style::Plain:
      return "";
    case Style::Bold:
      return "\x1b[1m";
    case Style::Muted:
      return "\x1b[2m";
    case Style::Accent:
      return "\x1b[36m";
    case Style::Good:
      return "\x1b[32m";
    case Style::Warn:
      return "\x1b[33m";
    case Style::Bad:
      return "\x1b[31m";
  }
  return "";
}

bool continues_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const auto has = display_width(text);
  const std::string gap(width > has ? width - has : 0, ' ');
  return right ? gap + text : text + gap;
}

}  // namespace

bool is_terminal() {
  static const bool value = [] {
    const char* term = std::getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr &&
           (term == nullptr || std::string_view(term) != "dumb");
  }();
  return value;
}

std::size_t terminal_width() {
  if (!is_terminal()) return kUnlimited;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 100;
}

std::string styled(std::string_view text, Style style) {
  if (!is_terminal() || style == Style::Plain) return std::string(text);
  return fmt::format("{}{}\x1b[0m", code_of(style), text);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      while (i < text.size() && text[i] != 'm') ++i;
    } else if (!continues_code_point(text[i])) {
      ++width;
    }
  }
  return width;
}

std::string fit(std::string_view text, std::size_t columns) {
  std::string out;
  std::size_t width = 0;
  for (const char c : text) {
    if (!continues_code_point(c)) {
      if (width == columns) break;
      ++width;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  if (out.size() < text.size() && columns > 0) {
    while (!out.empty() && continues_code_point(out.back())) out.pop_back();
    if (!out.empty()) out.pop_back();
    out += "…";
  }
  return out;
}

std::string grouped(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += is_terminal() ? "\u2009" : "";
    out += digits[i];
  }
  return out;
}

void Table::print() const {
  std::vector<std::size_t> widths(header.size());
  for (std::size_t c = 0; c < header.size(); ++c) widths[c] = display_width(header[c]);
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], display_width(row[c]));
    }
  }
  std::size_t before_last = 0;
  for (std::size_t c = 0; c + 1 < header.size(); ++c) before_last += widths[c] + 2;
  const auto total = terminal_width();
  const auto last_width = total > before_last + 10 ? total - before_last : 10;
  const auto print_row = [&](const std::vector<std::string>& row, Style style) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const bool last = c + 1 == row.size();
      const bool is_right = c < right.size() && right[c];
      if (last && !is_right) {
        line += row[c].find('\x1b') == std::string::npos ? fit(row[c], last_width) : row[c];
      } else {
        line += padded(row[c], widths[c], is_right);
      }
      if (!last) line += "  ";
    }
    fmt::print("{}\n", styled(line, style));
  };
  print_row(header, Style::Muted);
  for (const auto& row : rows) print_row(row, Style::Plain);
}

}  // namespace rowtrail::cli
