#include "pipeline/config.h"

#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace rowtrail::pipeline {
namespace {

using core::Errc;
using core::Error;

std::vector<std::string> string_list(const YAML::Node& node) {
  if (node.IsScalar()) return {node.as<std::string>()};
  return node.as<std::vector<std::string>>();
}

/// One row per option: where it goes. Thrown std::invalid_argument and YAML errors become
/// "file:line:column: option: what".
struct Option {
  std::string_view name;
  std::function<void(const YAML::Node&, Config&)> set;
};

void set_source(const YAML::Node& node, Config& config);
void set_heads(const YAML::Node& node, Config& config);

const std::vector<Option>& top_options() {
  static const std::vector<Option> options = {
      {"source", set_source},
      {"store", [](const YAML::Node& n, Config& c) { c.store_url = n.as<std::string>(); }},
      {"keys", [](const YAML::Node& n, Config& c) { c.keys = n.as<std::string>(); }},
      {"rules", [](const YAML::Node& n, Config& c) { c.rules = string_list(n); }},
      {"listen", [](const YAML::Node& n, Config& c) { c.listen = n.as<std::string>(); }},
      {"token_file", [](const YAML::Node& n, Config& c) { c.token_file = n.as<std::string>(); }},
      {"actor_columns", [](const YAML::Node& n, Config& c) { c.actor_columns = string_list(n); }},
      {"heads", set_heads},
  };
  return options;
}

const std::vector<Option>& source_options() {
  static const std::vector<Option> options = {
      {"name", [](const YAML::Node& n, Config& c) { c.source.name = n.as<std::string>(); }},
      {"url",
       [](const YAML::Node& n, Config& c) {
         const auto name = c.source.name;
         if (auto set = set_source_url(n.as<std::string>(), c.source); !set) {
           throw std::invalid_argument(set.error().message);
         }
         if (!name.empty()) c.source.name = name;
       }},
      {"password_file",
       [](const YAML::Node& n, Config& c) {
         auto password = read_secret(n.as<std::string>());
         if (!password) throw std::invalid_argument(password.error().message);
         c.source.server.password = std::move(*password);
       }},
      {"start", [](const YAML::Node& n, Config& c) { c.source.start = n.as<std::string>(); }},
  };
  return options;
}

void apply(const YAML::Node& node, const std::vector<Option>& options, const std::string& where,
           Config& config) {
  if (!node.IsMap()) throw YAML::RepresentationException(node.Mark(), where + " must be a mapping");
  for (const auto& pair : node) {
    const auto key = pair.first.as<std::string>();
    bool known = false;
    for (const auto& option : options) {
      if (option.name != key) continue;
      known = true;
      try {
        option.set(pair.second, config);
      } catch (const std::invalid_argument& error) {
        throw YAML::RepresentationException(pair.second.Mark(), key + ": " + error.what());
      }
    }
    if (known) continue;
    std::string names;
    for (const auto& option : options) names += fmt::format(" {}", option.name);
    throw YAML::RepresentationException(
        pair.first.Mark(), fmt::format("unknown option '{}'; known here:{}", key, names));
  }
}

void set_source(const YAML::Node& node, Config& config) {
  apply(node, source_options(), "source", config);
}

/// Of the sink that the list ends with.
const std::vector<Option>& head_options() {
  const auto target = [](HeadSink::Kind kind) {
    return [kind](const YAML::Node& n, Config& c) {
      auto& sink = c.heads.back();
      if (!sink.target.empty()) throw std::invalid_argument("a sink is one of several kinds");
      sink.kind = kind;
      sink.target = n.as<std::string>();
      const bool web = kind == HeadSink::Kind::Webhook || kind == HeadSink::Kind::Witness;
      const bool url = sink.target.starts_with("http://") || sink.target.starts_with("https://");
      if (sink.target.empty() || (web && !url)) {
        throw std::invalid_argument(web ? "must be an http:// or https:// URL" : "is empty");
      }
    };
  };
  static const std::vector<Option> options = {
      {"file", target(HeadSink::Kind::File)},
      {"syslog", target(HeadSink::Kind::Syslog)},
      {"webhook", target(HeadSink::Kind::Webhook)},
      {"witness", target(HeadSink::Kind::Witness)},
      {"token_file",
       [](const YAML::Node& n, Config& c) {
         auto token = read_secret(n.as<std::string>());
         if (!token) throw std::invalid_argument(token.error().message);
         c.heads.back().token = std::move(*token);
       }},
      {"cosigned",
       [](const YAML::Node& n, Config& c) { c.heads.back().file = n.as<std::string>(); }},
      {"every_s",
       [](const YAML::Node& n, Config& c) { c.heads.back().every_s = n.as<std::uint32_t>(); }},
  };
  return options;
}

void set_heads(const YAML::Node& node, Config& config) {
  if (!node.IsSequence()) throw std::invalid_argument("must be a list of sinks");
  for (const auto& sink : node) {
    config.heads.emplace_back();
    apply(sink, head_options(), "a sink of heads", config);
    if (config.heads.back().target.empty()) {
      throw std::invalid_argument("each sink names a file, syslog, webhook or witness");
    }
  }
}

}  // namespace

std::string_view sink_name(HeadSink::Kind kind) {
  constexpr std::string_view kNames[] = {"file", "syslog", "webhook", "witness"};
  return kNames[static_cast<std::size_t>(kind)];
}

core::Result<std::string> read_secret(const std::string& path) {
  std::string full = path;
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  if (credentials != nullptr && path.find('/') == std::string::npos) {
    full = fmt::format("{}/{}", credentials, path);
  }
  std::ifstream file(full);
  if (!file) return Error{Errc::NotFound, fmt::format("cannot read the secret file {}", full)};
  std::string secret;
  std::getline(file, secret);
  if (!secret.empty() && secret.back() == '\r') secret.pop_back();
  return secret;
}

core::Result<> load_config(const std::string& path, Config& config) {
  try {
    apply(YAML::LoadFile(path), top_options(), path, config);
    return {};
  } catch (const YAML::BadFile&) {
    return Error{Errc::NotFound, fmt::format("cannot read the config file {}", path)};
  } catch (const YAML::Exception& error) {
    return Error{Errc::Invalid, fmt::format("{}:{}:{}: {}", path, error.mark.line + 1,
                                            error.mark.column + 1, error.msg)};
  }
}

core::Result<> set_source_url(std::string_view url, SourceConfig& source) {
  auto server = binlog::parse_server_url(url);
  if (!server) return server.error();
  server->password = source.server.password;
  source.server = std::move(*server);
  if (source.name.empty()) {
    source.name = source.server.socket.empty() ? source.server.host : "localhost";
  }
  return {};
}

}  // namespace rowtrail::pipeline
