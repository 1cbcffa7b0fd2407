// A compiled RE2 pattern. In a file of its own so that only one translation unit sees RE2's
// headers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace rowtrail::infer {

class Regex {
 public:
  /// Null and a message when the pattern is wrong or too large.
  static std::unique_ptr<Regex> compile(std::string_view pattern, std::string& error);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  /// Matches anywhere in the text.
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  struct Compiled;
  explicit Regex(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace rowtrail::infer
