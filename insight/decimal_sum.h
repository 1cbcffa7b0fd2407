// Adds decimals as written, exactly: at most 9 digits behind the point and 38 in all; what does not
// fit says so instead of being rounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::insight {

class DecimalSum {
 public:
  /// False when `text` is no plain decimal ("-12.50", "7") or does not fit; the sum is unchanged.
  [[nodiscard]] bool add(std::string_view text);
  [[nodiscard]] std::string text() const;

 private:
  static constexpr int kScale = 9;
  __extension__ using Wide = __int128;
  Wide sum_ = 0;
  int scale_ = 0;  // most digits behind the point seen
};

}  // namespace rowtrail::insight
