// Reads our own JSON back: a strict scanner over text that must outlive it. No tree, no copies
// except of strings that are asked for. Private to normalize/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::normalize {

/// The first thing that is not as asked for fails the scanner; everything after it fails too, so a
/// caller checks ok() once.
class JsonScanner {
 public:
  /// MySQL nests JSON 100 deep; a change holds it two deeper.
  static constexpr int kDepthMax = 128;

  explicit JsonScanner(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  [[nodiscard]] bool ok() const { return !failed_; }
  [[nodiscard]] bool at_end() const { return !failed_ && at_ == end_; }
  [[nodiscard]] const char* position() const { return at_; }

  /// Is this the text that comes? If so it is taken.
  bool take(std::string_view text);
  /// As take(), but fails the scanner when it is not.
  void expect(std::string_view text);

  /// Any value, checked; its text.
  std::string_view value();
  /// A string, checked; its text with quotes.
  std::string_view string_token();
  /// A string's value.
  std::string string();
  /// An unsigned integer of at most `max`.
  std::uint64_t uint(std::uint64_t max);
  /// `"name":` for the next member of an object whose '{' was taken; false at the '}', which is
  /// taken.
  bool next_member(std::string& name);

  void fail() {
    failed_ = true;
    at_ = end_;
  }

 private:
  void skip_value(int depth);
  void skip_container(char close, bool named, int depth);
  void skip_string();
  void skip_number();
  void skip_digits();
  [[nodiscard]] char peek() const { return at_ == end_ ? '\0' : *at_; }

  const char* at_;
  const char* end_;
  bool failed_ = false;
  bool first_ = true;  // for next_member(): no comma expected
};

}  // namespace rowtrail::normalize
