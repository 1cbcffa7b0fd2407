#include "infer/rule.h"

namespace rowtrail::infer {
namespace {

/// '*' matches any number of characters; linear but for the stars.
bool glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

bool TablePattern::matches(std::string_view database_name, std::string_view table_name) const {
  return glob(database, database_name) && glob(table, table_name);
}

}  // namespace rowtrail::infer
