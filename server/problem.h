// Everything that can go wrong with a request, as RFC 9457 problems: one row per kind. `type` is
// /problems/<name>, a page that this server answers itself, and never changes its meaning.
#pragma once

#include "server/message.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

namespace rowtrail::server {

enum class ProblemId : std::uint8_t {
  BadRequest,
  UnknownParameter,
  InvalidParameter,
  InvalidCursor,
  Unauthorized,
  Forbidden,
  WrongOrigin,
  NoSuchRoute,
  NoSuchRecord,
  MethodNotAllowed,
  NotAcceptable,
  ContentTooLarge,
  UnsupportedMediaType,
  WrongHost,
  HeadersTooLarge,
  Internal,
  NotImplemented,
  StoreUnavailable,
  Overloaded,
};

struct ProblemKind {
  ProblemId id;
  unsigned status;
  std::string_view name;   // last part of `type`
  std::string_view title;  // the same for every occurrence
  std::string_view about;  // what to do, for people: /problems/<name>
};
[[nodiscard]] std::span<const ProblemKind> problem_kinds();
[[nodiscard]] const ProblemKind& problem_kind(ProblemId id);

struct Problem {
  ProblemId id = ProblemId::Internal;
  std::string detail;     // what is wrong with this request
  std::string hint;       // what would be right; empty: no advice
  std::string parameter;  // the parameter to blame; empty: none
};

/// A value, or the problem to answer with.
template <class T>
using Outcome = boost::system::result<T, Problem>;
[[noreturn]] void throw_exception_from_error(const Problem& problem,
                                             const boost::source_location& where);

/// The problem as application/problem+json.
[[nodiscard]] Response problem_response(const Problem& problem);

}  // namespace rowtrail::server
