#include "server/message.h"

#include <algorithm>
#include <cctype>

namespace rowtrail::server {
namespace {

std::string_view find(const std::vector<Header>& headers, std::string_view name) noexcept {
  for (const Header& header : headers) {
    if (equals_ignoring_case(header.name, name)) return header.value;
  }
  return {};
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::string_view Request::header(std::string_view name) const noexcept {
  return find(headers, name);
}

std::size_t Request::header_count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(headers.begin(), headers.end(),
                    [&](const Header& header) { return equals_ignoring_case(header.name, name); }));
}

std::string_view Response::header(std::string_view name) const noexcept {
  return find(headers, name);
}

void Response::set_header(std::string_view name, std::string value) {
  for (Header& header : headers) {
    if (equals_ignoring_case(header.name, name)) {
      header.value = std::move(value);
      return;
    }
  }
  headers.push_back({std::string(name), std::move(value)});
}

bool matches_etag(std::string_view header, std::string_view etag) {
  if (header == "*") return true;
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    std::string_view tag = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    while (tag.starts_with(' ')) tag.remove_prefix(1);
    while (tag.ends_with(' ')) tag.remove_suffix(1);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag) return true;
  }
  return false;
}

}  // namespace rowtrail::server
