#include "pipeline/config.h"

#include "normalize/normalize.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace rowtrail::pipeline {
namespace {

using core::Errc;
using core::Error;
using Kind = ConfigOption::Kind;
using Values = std::vector<std::string>;

/// An option that is a member of the configuration and nothing more.
ConfigOption text(std::string_view name, std::string_view meaning, std::string_view example,
                  std::string& (*member)(Config&)) {
  const auto set = [member](Values values, Config& config) -> core::Result<> {
    member(config) = std::move(values.front());
    return {};
  };
  const auto show = [member](const Config& config) {
    Config copy = config;
    return member(copy).empty() ? Values{} : Values{member(copy)};
  };
  return {name, Kind::Text, meaning, example, set, show};
}

ConfigOption list(std::string_view name, std::string_view meaning, std::string_view example,
                  Values& (*member)(Config&)) {
  const auto set = [member](Values values, Config& config) -> core::Result<> {
    member(config) = std::move(values);
    return {};
  };
  const auto show = [member](const Config& config) {
    Config copy = config;
    return member(copy);
  };
  return {name, Kind::List, meaning, example, set, show};
}

core::Result<> set_password_file(Values values, Config& config) {
  auto password = read_secret(values.front());
  if (!password) return password.error();
  config.source.server.password = std::move(*password);
  config.source.password_file = std::move(values.front());
  return {};
}

core::Result<> set_mask(Values values, Config& config) {
  std::vector<normalize::MaskRule> rules;
  for (const auto& value : values) {
    auto rule = normalize::MaskRule::parse(value);
    if (!rule) return rule.error();
    rules.push_back(std::move(*rule));
  }
  config.mask_rules = std::move(rules);
  config.mask = std::move(values);
  return {};
}

core::Result<> set_mask_key_file(Values values, Config& config) {
  auto key = read_secret(values.front());
  if (!key) return key.error();
  config.mask_key = std::move(*key);
  config.mask_key_file = std::move(values.front());
  return {};
}

core::Result<> set_url(Values values, Config& config) {
  return set_source_url(values.front(), config.source);
}

core::Result<> set_requests_per_minute(Values values, Config& config) {
  std::uint64_t number = 0;
  const auto& text = values.front();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return core::Error{core::Errc::Malformed,
                       fmt::format("'{}' is not a number; 0 means no limit", text)};
  }
  config.requests_per_minute = number;
  return {};
}

const std::vector<ConfigOption>& options() {
  static const std::vector<ConfigOption> table = {
      text("source.name", "What the source is called in the record; the host's name otherwise.",
           "pharmacy", [](Config& c) -> std::string& { return c.source.name; }),
      {"source.url", Kind::Text, "The server to read from; a password has no place in it.",
       "mysql://rowtrail@db1:3306/?tls_ca=/etc/ssl/db-ca.pem", set_url,
       [](const Config& c) { return c.source.url.empty() ? Values{} : Values{c.source.url}; }},
      {"source.password_file", Kind::Text,
       "File whose first line is the password; a bare name is a systemd credential.",
       "source-password", set_password_file,
       [](const Config& c) {
         return c.source.password_file.empty() ? Values{} : Values{c.source.password_file};
       }},
      text("source.start",
           "Where a new log begins: now, earliest, a GTID set or FILE:POSITION. A log that has "
           "records goes on from them.",
           "now", [](Config& c) -> std::string& { return c.source.start; }),
      text("store", "Where the log is kept: sqlite:///FILE or postgresql://USER@HOST/DB?log=NAME.",
           "sqlite:///var/lib/rowtrail/rowtrail.db",
           [](Config& c) -> std::string& { return c.store_url; }),
      text("keys", "Folder of the log's signing key; beside a SQLite store otherwise.",
           "/var/lib/rowtrail/keys", [](Config& c) -> std::string& { return c.keys; }),
      {"heads", Kind::Sinks,
       "Where signed tree heads go: a list of sinks, each a file, syslog, webhook or witness "
       "(security.md).",
       "[{file: /mnt/worm/heads}]", nullptr, nullptr},
      list("rules", "Rule files, or folders of them.", "/etc/rowtrail/rules",
           [](Config& c) -> Values& { return c.rules; }),
      text("listen", "Address of the HTTP API and the dashboard.", "127.0.0.1:8765",
           [](Config& c) -> std::string& { return c.listen; }),
      text("token_file", "Where the API's token is kept; made at the first start, mode 0600.",
           "/var/lib/rowtrail/token", [](Config& c) -> std::string& { return c.token_file; }),
      list("hosts", "Names under which browsers may reach the HTTP API, beside localhost.",
           "rowtrail.example", [](Config& c) -> Values& { return c.hosts; }),
      {"requests_per_minute", Kind::Text,
       "How many requests one token has a minute, or one address without a token (1200000); 0: any "
       "number.",
       "6000", set_requests_per_minute,
       [](const Config& c) {
         return c.requests_per_minute ? Values{std::to_string(*c.requests_per_minute)} : Values{};
       }},
      list("actor_columns", "Columns that say who changed a row, before those that are guessed.",
           "modified_by", [](Config& c) -> Values& { return c.actor_columns; }),
      {"mask", Kind::List,
       "Columns whose values stay out of the record: DATABASE.TABLE.COLUMN or COLUMN$.JSON.PATH, "
       "'*' "
       "for any text, then drop, redact, hash, last4 or keep (security.md).",
       "pharmacy.patient.ssn hash", set_mask, [](const Config& c) { return c.mask; }},
      {"mask_key_file", Kind::Text,
       "File whose first line is the key of masked columns that are hashed; a bare name is a "
       "systemd "
       "credential.",
       "/etc/rowtrail/mask.key", set_mask_key_file,
       [](const Config& c) {
         return c.mask_key_file.empty() ? Values{} : Values{c.mask_key_file};
       }},
  };
  return table;
}

struct SinkOption {
  std::string_view name;
  std::function<void(const YAML::Node&, Config&)> set;
};

/// Of the sink that the list ends with.
const std::vector<SinkOption>& head_options() {
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
  static const std::vector<SinkOption> options = {
      {"file", target(HeadSink::Kind::File)},
      {"syslog", target(HeadSink::Kind::Syslog)},
      {"webhook", target(HeadSink::Kind::Webhook)},
      {"witness", target(HeadSink::Kind::Witness)},
      {"token_file",
       [](const YAML::Node& n, Config& c) {
         auto token = read_secret(n.as<std::string>());
         if (!token) throw std::invalid_argument(token.error().message);
         c.heads.back().token = std::move(*token);
         c.heads.back().token_file = n.as<std::string>();
       }},
      {"cosigned",
       [](const YAML::Node& n, Config& c) { c.heads.back().file = n.as<std::string>(); }},
      {"every_s",
       [](const YAML::Node& n, Config& c) { c.heads.back().every_s = n.as<std::uint32_t>(); }},
  };
  return options;
}

/// What is wrong is thrown as YAML::RepresentationException with its place.
void set_heads(const YAML::Node& node, Config& config) {
  const auto refuse = [](const YAML::Node& at, const std::string& what) {
    throw YAML::RepresentationException(at.Mark(), what);
  };
  if (!node.IsSequence()) refuse(node, "heads must be a list of sinks");
  for (const auto& sink : node) {
    config.heads.emplace_back();
    if (!sink.IsMap()) refuse(sink, "a sink of heads must be a mapping");
    for (const auto& pair : sink) {
      const auto key = pair.first.as<std::string>();
      std::vector<std::string_view> names;
      for (const auto& option : head_options()) names.push_back(option.name);
      const auto found = std::find(names.begin(), names.end(), key);
      if (found == names.end()) {
        refuse(pair.first,
               fmt::format("unknown option '{}'; known here: {}", key, fmt::join(names, " ")));
      }
      try {
        head_options()[static_cast<std::size_t>(found - names.begin())].set(pair.second, config);
      } catch (const std::invalid_argument& error) {
        refuse(pair.second, key + ": " + error.what());
      }
    }
    if (config.heads.back().target.empty()) {
      refuse(sink, "each sink names a file, syslog, webhook or witness");
    }
  }
}

std::string at(const std::string& path, const YAML::Mark& mark, std::string_view what) {
  return fmt::format("{}:{}:{}: {}", path, mark.line + 1, mark.column + 1, what);
}

/// The names one level below `prefix`: "source", "store" …; "url", "name" … below "source.".
std::vector<std::string_view> names_below(std::string_view prefix) {
  std::vector<std::string_view> names;
  for (const auto& option : options()) {
    if (!option.name.starts_with(prefix)) continue;
    auto name = option.name.substr(prefix.size());
    name = name.substr(0, name.find('.'));
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names;
}

/// One file's reading: what is wrong is gathered, so that it can be mended in one go.
class Reader {
 public:
  Reader(std::string path, Config& config) : path_(std::move(path)), config_(config) {}

  void read() {
    try {
      const auto root = YAML::LoadFile(path_);
      if (!root.IsNull()) section(root, "");
    } catch (const YAML::BadFile&) {
      errors.push_back(fmt::format("cannot read the config file {}", path_));
    } catch (const YAML::Exception& error) {
      fail(error.mark, error.msg);
    }
  }

  std::vector<std::string> errors;

 private:
  void fail(const YAML::Mark& mark, std::string_view what) {
    errors.push_back(at(path_, mark, what));
  }

  void section(const YAML::Node& node, const std::string& prefix) {
    if (!node.IsMap()) {
      fail(node.Mark(),
           fmt::format("{} must be a mapping of options",
                       prefix.empty() ? "the file" : prefix.substr(0, prefix.size() - 1)));
      return;
    }
    std::vector<std::string> seen;
    for (const auto& pair : node) {
      const auto key = pair.first.IsScalar() ? pair.first.as<std::string>() : std::string("?");
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
        fail(pair.first.Mark(), fmt::format("'{}' is given twice", key));
        continue;
      }
      seen.push_back(key);
      member(pair.first.Mark(), prefix, key, pair.second);
    }
  }

  void member(const YAML::Mark& mark, const std::string& prefix, const std::string& key,
              const YAML::Node& value) {
    const auto name = prefix + key;
    for (const auto& option : options()) {
      if (option.name != name) continue;
      if (option.kind == Kind::Sinks) return set_heads(value, config_);
      return assign(option, key, value);
    }
    const auto names = names_below(prefix);
    if (std::find(names.begin(), names.end(), key) != names.end()) {
      return section(value, name + ".");
    }
    const auto near = core::nearest(key, names);
    fail(mark, fmt::format("unknown option '{}'; {}", key,
                           near.empty() ? fmt::format("known here: {}", fmt::join(names, ", "))
                                        : fmt::format("did you mean '{}'?", near)));
  }

  void assign(const ConfigOption& option, const std::string& key, const YAML::Node& value) {
    Values values;
    if (value.IsScalar()) {
      values.push_back(value.as<std::string>());
    } else if (option.kind == Kind::List && value.IsSequence()) {
      for (const auto& item : value) {
        if (!item.IsScalar()) return fail(item.Mark(), key + " must be a list of texts");
        values.push_back(item.as<std::string>());
      }
    } else {
      return fail(value.Mark(), fmt::format("{} must be a {}", key,
                                            option.kind == Kind::List ? "list of texts" : "text"));
    }
    if (auto set = option.set(std::move(values), config_); !set) {
      fail(value.Mark(), fmt::format("{}: {}", key, set.error().message));
    }
  }

  std::string path_;
  Config& config_;
};

/// JSON's way of writing a text is YAML's too.
std::string scalar(std::string_view value) {
  std::string out;
  normalize::append_json_string(out, value);
  return out;
}

std::string sinks_yaml(const Config& config) {
  std::string out = config.heads.empty() ? "" : "heads:\n";
  for (const auto& sink : config.heads) {
    out += fmt::format("  - {}: {}\n    every_s: {}\n", sink_name(sink.kind), scalar(sink.target),
                       sink.every_s);
    if (!sink.file.empty()) out += fmt::format("    cosigned: {}\n", scalar(sink.file));
    if (!sink.token_file.empty()) {
      out += fmt::format("    token_file: {}\n", scalar(sink.token_file));
    }
  }
  return out;
}

}  // namespace

std::string ConfigOption::environment() const {
  std::string out = "ROWTRAIL_";
  for (const char c : name) {
    out += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return out;
}

std::span<const ConfigOption> config_options() {
  return options();
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
  std::vector<std::string> files = {path};
  std::error_code none;
  const auto folder = std::filesystem::path(path).parent_path() / "conf.d";
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin() + 1, files.end());
  std::string errors;
  for (const auto& file : files) {
    Reader reader(file, config);
    reader.read();
    for (const auto& error : reader.errors) errors += (errors.empty() ? "" : "\n") + error;
  }
  if (!errors.empty()) return Error{Errc::Invalid, errors};
  return {};
}

core::Result<> load_environment(Config& config) {
  for (const auto& option : options()) {
    const char* value = std::getenv(option.environment().c_str());
    if (value == nullptr || option.kind == Kind::Sinks) continue;
    if (auto set = option.set({value}, config); !set) {
      return Error{Errc::Invalid,
                   fmt::format("${}: {}", option.environment(), set.error().message)};
    }
  }
  return {};
}

std::string config_yaml(const Config& config) {
  std::string out;
  std::string_view open;
  for (const auto& option : options()) {
    if (option.kind == Kind::Sinks) {
      out += sinks_yaml(config);
      continue;
    }
    const auto values = option.show(config);
    if (values.empty()) continue;
    const auto dot = option.name.find('.');
    const auto section = dot == std::string_view::npos ? "" : option.name.substr(0, dot);
    if (section != open && !section.empty()) out += fmt::format("{}:\n", section);
    open = section;
    out += fmt::format("{}{}:", section.empty() ? "" : "  ",
                       option.name.substr(section.empty() ? 0 : dot + 1));
    if (option.kind == Kind::Text) {
      out += fmt::format(" {}\n", scalar(values.front()));
      continue;
    }
    out += '\n';
    for (const auto& value : values) {
      out += fmt::format("{}  - {}\n", section.empty() ? "" : "  ", scalar(value));
    }
  }
  return out;
}

std::string config_schema() {
  const auto property = [](const ConfigOption& option, std::string_view name) {
    const std::string_view type = option.kind == Kind::Text ? R"("type":"string")"
                                  : option.kind == Kind::Sinks
                                      ? R"("type":"array","items":{"type":"object"})"
                                      : R"("type":["string","array"],"items":{"type":"string"})";
    return fmt::format(R"({}:{{{},"description":{},"examples":[{}]}})", scalar(name), type,
                       scalar(option.meaning), scalar(option.example));
  };
  std::string out =
      R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"rowtrail.yaml",)"
      R"("type":"object","additionalProperties":false,"properties":{)";
  std::string separator;
  for (const auto name : names_below("")) {
    out += separator;
    separator = ",";
    std::string inner;
    for (const auto& option : options()) {
      if (option.name == name) out += property(option, name);
      if (!option.name.starts_with(fmt::format("{}.", name))) continue;
      inner += (inner.empty() ? "" : ",") + property(option, option.name.substr(name.size() + 1));
    }
    if (!inner.empty()) {
      out +=
          fmt::format(R"({}:{{"type":"object","additionalProperties":false,"properties":{{{}}}}})",
                      scalar(name), inner);
    }
  }
  return out + "}}\n";
}

std::string config_markdown() {
  std::string out = "| option | environment | meaning | example |\n|---|---|---|---|\n";
  for (const auto& option : options()) {
    const bool variable = option.kind != Kind::Sinks;
    out += fmt::format(
        "| `{}`{} | {} | {} | `{}` |\n", option.name, option.kind == Kind::Text ? "" : " (list)",
        variable ? fmt::format("`{}`", option.environment()) : "", option.meaning, option.example);
  }
  return out;
}

std::string_view sink_name(HeadSink::Kind kind) {
  constexpr std::string_view kNames[] = {"file", "syslog", "webhook", "witness"};
  return kNames[static_cast<std::size_t>(kind)];
}

core::Result<> set_source_url(std::string_view url, SourceConfig& source) {
  auto server = binlog::parse_server_url(url);
  if (!server) return server.error();
  server->password = source.server.password;
  source.server = std::move(*server);
  source.url = url;
  return {};
}

}  // namespace rowtrail::pipeline
