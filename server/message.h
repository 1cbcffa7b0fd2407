// Requests and responses as handlers see them: plain values, no socket and no Beast, so that every
// route is tested as a function.
#pragma once

#include "store/store.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rowtrail::server {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;
  std::string target;  // as sent
  std::vector<Header> headers;
  std::string body;
  std::string peer;  // the client's address; of IPv6 its /64

  /// Value of the first header of this name (any case), or empty.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
  [[nodiscard]] std::size_t header_count(std::string_view name) const noexcept;
};

enum class Pull : std::uint8_t { More, End };
/// Appends the next piece of a long body to `out`. Called again when the piece before has left for
/// the client, so a slow client slows the reading; runs on a store thread, never twice at once.
using BodySource = std::function<Pull(store::Reader& reader, std::string& out)>;

/// An answer without end: events as server-sent events, from after `after_seq` (now, when it is not
/// set) on.
struct Live {
  store::Filter filter;
  std::optional<std::uint64_t> after_seq;
  bool quote_integers = false;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::vector<Header> headers;
  std::string body;
  BodySource stream;         // when set, `body` is unused and the answer is sent in chunks
  std::optional<Live> live;  // likewise

  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
  void set_header(std::string_view name, std::string value);
};

/// ASCII case-insensitive equality, as header names and schemes want it.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// RFC 9110 If-None-Match with weak comparison: a list of tags, or `*`.
[[nodiscard]] bool matches_etag(std::string_view header, std::string_view etag);

}  // namespace rowtrail::server
