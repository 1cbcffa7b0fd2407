#include "store/url.h"

#include "core/core.h"

#include <algorithm>
#include <vector>

namespace rowtrail::store {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw core::Failure(core::Area::Usage, false, message);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0)
      refuse("the store URL has a '%' that two hex digits do not follow; write it as %25");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

void parse_sqlite(std::string_view rest, Url& url) {
  url.engine = Engine::Sqlite;
  url.path = percent_decode(rest);
  if (url.path.empty()) refuse("the store URL names no file; write sqlite:///path/rowtrail.db");
  if (url.path.find('\0') != std::string::npos) refuse("the store URL's path contains a NUL");
  url.display = "sqlite://" + url.path;
}

void check_log_name(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  if (name.empty() || name.size() > Url::kLogNameMax || !plain) {
    refuse("the log's name in the store URL has to be 1 to 100 letters, digits, '.', '_' or '-'");
  }
}

/// Drops our own parameters and keeps libpq's; a password in the query is not displayed.
void parse_parameters(std::string_view query, Url& url) {
  char connection_separator = '?';
  char display_separator = '?';
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view name = parameter.substr(0, equals);
    const std::string_view value = parameter.substr(std::min(equals + 1, parameter.size()));
    if (name == "log") {
      url.log = percent_decode(value);
      check_log_name(url.log);
    } else if (name == "password_file") {
      url.password_file = percent_decode(value);
      continue;
    } else {
      url.connection.append(1, connection_separator).append(parameter);
      connection_separator = '&';
    }
    if (name.find("password") != std::string_view::npos) continue;
    url.display.append(1, display_separator).append(parameter);
    display_separator = '&';
  }
}

void parse_postgres(std::string_view rest, Url& url) {
  url.engine = Engine::Postgres;
  const std::size_t question = std::min(rest.find('?'), rest.size());
  const std::string_view place = rest.substr(0, question);
  const std::size_t authority_end = std::min(place.find('/'), place.size());
  const std::size_t at = place.substr(0, authority_end).rfind('@');
  std::string shown(place);
  if (at != std::string_view::npos) {
    const std::size_t colon = std::min(place.find(':'), at);
    shown = std::string(place.substr(0, colon)) + std::string(place.substr(at));
  }
  url.connection = "postgresql://" + std::string(place);
  url.display = "postgresql://" + shown;
  parse_parameters(rest.substr(std::min(question + 1, rest.size())), url);
}

}  // namespace

Url Url::parse(std::string_view text) {
  Url url;
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (!text.starts_with(scheme)) continue;
    parse_postgres(text.substr(scheme.size()), url);
    return url;
  }
  constexpr std::string_view kSqlite = "sqlite://";
  if (!text.starts_with(kSqlite)) {
    refuse(
        "the store URL has to begin with sqlite:// or postgresql://, "
        "like sqlite:///var/lib/rowtrail/rowtrail.db");
  }
  parse_sqlite(text.substr(kSqlite.size()), url);
  return url;
}

}  // namespace rowtrail::store
