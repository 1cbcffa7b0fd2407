// Error and log: the only things every other folder needs. Three kinds of error, three tools:
// bad bytes or bad input travel as Result<T>; an unavailable world is thrown as Failure and caught
// by the supervisor (pipeline/) or by main; our own mistakes are assert()ed.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

namespace rowtrail::core {

enum class Errc : std::uint8_t {
  Truncated,    // fewer bytes than the format promises
  Malformed,    // bytes or text that the format does not allow
  Unsupported,  // valid, but not understood by this version
  Checksum,     // CRC32 does not match
  Limit,        // a named maximum was exceeded
  NotFound,
  Invalid,  // input by a person (option, rule, query) that cannot be used
};

/// What went wrong with some input. `message` says what happened, where, and what to do about it.
struct Error {
  Errc code = Errc::Malformed;
  std::string message;
};

/// For test frameworks, which print what they compare.
template <class Char, class Traits>
std::basic_ostream<Char, Traits>& operator<<(std::basic_ostream<Char, Traits>& out,
                                             const Error& error) {
  return out << error.message.c_str();
}

/// Which side of the world failed; decides the exit code (Usage 2, Source 3, Store 4).
enum class Area : std::uint8_t { Usage = 2, Source = 3, Store = 4 };

/// The world is unavailable or refuses us. `retryable` tells the supervisor whether waiting can
/// help.
class Failure : public std::runtime_error {
 public:
  Failure(Area area, bool retryable, const std::string& message)
      : std::runtime_error(message), area_(area), retryable_(retryable) {}
  [[nodiscard]] Area area() const noexcept { return area_; }
  [[nodiscard]] bool retryable() const noexcept { return retryable_; }

 private:
  Area area_;
  bool retryable_;
};

/// Called by Result::value() on an error: a caller that did not check gets an exception, not UB.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location& /*where*/) {
  throw std::runtime_error(error.message);
}

template <class T = void>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
  using Base = boost::system::result<T, Error>;

 public:
  using Base::Base;
};

enum class Level : std::uint8_t { Debug, Info, Warn, Error };

/// Format and threshold of the process's log, which goes to standard error.
struct LogOptions {
  Level level = Level::Info;
  bool json = false;  // one JSON object a line, for journals
};

void configure_log(const LogOptions& options);

/// One line to the log. Never pass a row value or a secret.
void log(Level level, std::string_view message);

/// The candidate nearest to a misspelt word ("did you mean …?"), or empty when none is near.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> candidates);

}  // namespace rowtrail::core
