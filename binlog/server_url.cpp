#include "binlog/source.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

// RFC 3986 has no word for several hosts in one authority, which is why the URL is taken apart here
// and not by Boost.URL.
namespace rowtrail::binlog {
namespace {

using core::Errc;
using core::Error;
using core::Result;

constexpr std::size_t kUrlBytesMax = 8192;
constexpr std::size_t kHostsMax = 16;

Error invalid(std::string message) {
  return {Errc::Invalid, "source URL: " + std::move(message)};
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) {
      return invalid(fmt::format("'%' in '{}' is not followed by two hexadecimal digits", text));
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct TlsName {
  std::string_view name;
  TlsMode mode;
};
constexpr std::array kTlsNames{
    TlsName{"disabled", TlsMode::Disabled}, TlsName{"preferred", TlsMode::Preferred},
    TlsName{"required", TlsMode::Required}, TlsName{"verify-ca", TlsMode::VerifyCa},
    TlsName{"verify-identity", TlsMode::VerifyIdentity}};

template <auto Field>
bool set_text(ServerOptions& options, const std::string& value) {
  options.*Field = value;
  return !value.empty();
}
template <auto Field>
bool set_number(ServerOptions& options, const std::string& value) {
  const auto parsed = number<std::uint32_t>(value);
  if (parsed) options.*Field = *parsed;
  return parsed.has_value();
}
bool set_tls(ServerOptions& options, const std::string& value) {
  const auto* found = std::ranges::find(kTlsNames, value, &TlsName::name);
  if (found == kTlsNames.end()) return false;
  options.tls = found->mode;
  return true;
}

struct Parameter {
  std::string_view name;
  bool (*set)(ServerOptions& options, const std::string& value);
  std::string_view wants;
};
constexpr std::string_view kFile = "a file";
constexpr std::string_view kNumber = "a number";
constexpr std::array kParameters{
    Parameter{"tls", set_tls, "disabled, preferred, required, verify-ca or verify-identity"},
    Parameter{"tls_ca", set_text<&ServerOptions::tls_ca>, kFile},
    Parameter{"tls_cert", set_text<&ServerOptions::tls_cert>, kFile},
    Parameter{"tls_key", set_text<&ServerOptions::tls_key>, kFile},
    Parameter{"server_public_key", set_text<&ServerOptions::server_public_key>, kFile},
    Parameter{"socket", set_text<&ServerOptions::socket>, "the path of a unix socket"},
    Parameter{"server_id", set_number<&ServerOptions::server_id>, kNumber},
    Parameter{"connect_timeout_ms", set_number<&ServerOptions::connect_timeout_ms>, kNumber},
    Parameter{"heartbeat_ms", set_number<&ServerOptions::heartbeat_ms>, kNumber},
    Parameter{"net_write_timeout_s", set_number<&ServerOptions::net_write_timeout_s>, kNumber},
};

Result<> set_parameter(ServerOptions& options, std::string_view pair) {
  const auto equals = pair.find('=');
  const auto name = pair.substr(0, equals);
  const auto* found = std::ranges::find(kParameters, name, &Parameter::name);
  if (found == kParameters.end()) {
    if (name == "password")
      return invalid(
          "a password does not belong here; give it in $ROWTRAIL_SOURCE_PASSWORD or a file");
    std::string known;
    for (const auto& one : kParameters) known += fmt::format(" {}", one.name);
    return invalid(fmt::format("unknown parameter '{}'; known are:{}", name, known));
  }
  auto value = percent_decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
  if (!value) return value.error();
  if (!found->set(options, *value)) {
    return invalid(fmt::format("{} wants {}, not '{}'", name, found->wants, *value));
  }
  return {};
}

// host, host:port, [::1], [::1]:port
Result<HostPort> parse_host(std::string_view text) {
  HostPort out;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return invalid(fmt::format("'{}' lacks its ']'", text));
    out.host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && port.front() != ':') {
      return invalid(fmt::format("'{}' after the address is not a port", port));
    }
  } else {
    const auto colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
      return invalid(fmt::format("write the IPv6 address '{}' in brackets", text));
    }
    auto host = percent_decoded(text.substr(0, colon));
    if (!host) return host.error();
    out.host = std::move(*host);
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (out.host.empty()) return invalid("a host is missing");
  if (port.size() > 1) {
    const auto parsed = number<std::uint16_t>(port.substr(1));
    if (!parsed || *parsed == 0) return invalid(fmt::format("'{}' is not a port", port.substr(1)));
    out.port = *parsed;
  }
  return out;
}

Result<> set_hosts(ServerOptions& options, std::string_view hosts) {
  std::vector<HostPort> all;
  for (bool more = true; more;) {
    const auto comma = hosts.find(',');
    auto one = parse_host(hosts.substr(0, comma));
    if (!one) return one.error();
    all.push_back(std::move(*one));
    more = comma != std::string_view::npos;
    if (more) hosts.remove_prefix(comma + 1);
    if (all.size() > kHostsMax) return invalid(fmt::format("more than {} hosts", kHostsMax));
  }
  options.host = all.front().host;
  options.port = all.front().port;
  options.failover.assign(all.begin() + 1, all.end());
  return {};
}

Result<> set_user(ServerOptions& options, std::string_view user) {
  if (user.find(':') != std::string_view::npos) {
    return invalid(
        "it holds a password, which the process list and the shell's history would show; write the "
        "user alone and give the password in $ROWTRAIL_SOURCE_PASSWORD or a file "
        "(--source-password-file, password_file in the configuration)");
  }
  auto decoded = percent_decoded(user);
  if (!decoded) return decoded.error();
  options.user = std::move(*decoded);
  return {};
}

}  // namespace

Result<ServerOptions> parse_server_url(std::string_view url) {
  if (url.size() > kUrlBytesMax) return invalid(fmt::format("longer than {} bytes", kUrlBytesMax));
  std::string_view rest;
  for (const std::string_view scheme : {"mysql://", "mariadb://"}) {
    if (url.starts_with(scheme)) rest = url.substr(scheme.size());
  }
  if (rest.data() == nullptr) {
    return invalid("it begins with mysql:// or mariadb://, as in mysql://rowtrail@db1:3306/");
  }
  ServerOptions options;
  const auto query = rest.find('?');
  auto parameters = query == std::string_view::npos ? std::string_view() : rest.substr(query + 1);
  rest = rest.substr(0, query);
  const auto at = rest.rfind('@');
  if (at != std::string_view::npos) {
    if (auto set = set_user(options, rest.substr(0, at)); !set) return set.error();
    rest.remove_prefix(at + 1);
  }
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos && slash + 1 < rest.size()) {
    return invalid(
        fmt::format("'{}' names a database, but a source is a whole server; choose tables "
                    "in the configuration",
                    rest.substr(slash)));
  }
  while (!parameters.empty()) {
    const auto end = parameters.find('&');
    if (auto set = set_parameter(options, parameters.substr(0, end)); !set) return set.error();
    parameters = end == std::string_view::npos ? "" : parameters.substr(end + 1);
  }
  rest = rest.substr(0, slash);
  if (rest.empty() && !options.socket.empty()) return options;
  if (auto set = set_hosts(options, rest); !set) return set.error();
  return options;
}

}  // namespace rowtrail::binlog
