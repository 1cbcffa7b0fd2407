#include "infer/regex.h"

#include "infer/expression.h"

#include <re2/re2.h>

namespace rowtrail::infer {

struct Regex::Compiled {
  Compiled(std::string_view pattern, const re2::RE2::Options& options)
      : re(re2::StringPiece(pattern.data(), pattern.size()), options) {}
  re2::RE2 re;
};

Regex::Regex(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Regex::~Regex() = default;

std::unique_ptr<Regex> Regex::compile(std::string_view pattern, std::string& error) {
  if (pattern.size() > kRegexBytesMax) {
    error = "longer than " + std::to_string(kRegexBytesMax) + " bytes";
    return nullptr;
  }
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kRegexMemoryMax);
  auto compiled = std::make_unique<Compiled>(pattern, options);
  if (!compiled->re.ok()) {
    error = compiled->re.error();
    return nullptr;
  }
  return std::unique_ptr<Regex>(new Regex(std::move(compiled)));
}

bool Regex::matches(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->re);
}

}  // namespace rowtrail::infer
