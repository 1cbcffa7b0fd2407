#include "pipeline/config.h"

#include "core/nearest.h"
#include "normalize/normalize.h"

#include <algorithm>
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
template <auto Get>
ConfigOption text(std::string_view name, std::string_view meaning, std::string_view example) {
  return {name,
          Kind::Text,
          meaning,
          example,
          [](Values values, Config& config) -> core::Result<> {
            Get(config) = std::move(values.front());
            return {};
          },
          [](const Config& config) {
            const std::string& value = Get(const_cast<Config&>(config));  // NOLINT: only read
            return value.empty() ? Values{} : Values{value};
          }};
}

template <auto Get>
ConfigOption list(std::string_view name, std::string_view meaning, std::string_view example) {
  return {name,
          Kind::List,
          meaning,
          example,
          [](Values values, Config& config) -> core::Result<> {
            Get(config) = std::move(values);
            return {};
          },
          [](const Config& config) {
            return Get(const_cast<Config&>(config));  // NOLINT: only read
          }};
}

core::Result<> set_password_file(Values values, Config& config) {
  auto password = read_secret(values.front());
  if (!password) return password.error();
  config.source.server.password = std::move(*password);
  config.source.password_file = std::move(values.front());
  return {};
}

core::Result<> set_url(Values values, Config& config) {
  return set_source_url(values.front(), config.source);
}

const std::vector<ConfigOption>& options() {
  static const std::vector<ConfigOption> table = {text <
                                                      [](Config & c) -> auto& {return c.source.name;
}
> ("source.name", "What the source is called in the record; the host's name otherwise.",
   "pharmacy"),
    {"source.url",
     Kind::Text,
     "The server to read from. A password has no place in it; parameters are in the guide.",
     "mysql://rowtrail@db1:3306/?tls_ca=/etc/ssl/db-ca.pem",
     set_url,
     [](const Config& c) { return c.source.url.empty() ? Values{} : Values{c.source.url}; }},
    {"source.password_file",
     Kind::Text,
     "File whose first line is the password; a bare name is a systemd credential.",
     "source-password",
     set_password_file,
     [](const Config& c) {
       return c.source.password_file.empty() ? Values{} : Values{c.source.password_file};
     }},
    text < [](Config& c) -> auto& {
  return c.source.start;
}
> ("source.start",
   "Where a new log begins: now, earliest, a GTID set or FILE:POSITION. A log that has "
   "records goes on from them.",
   "now"),
    text < [](Config& c) -> auto& {
  return c.store_url;
}
> ("store", "Where the log is kept: sqlite:///FILE or postgresql://USER@HOST/DB?log=NAME.",
   "sqlite:///var/lib/rowtrail/rowtrail.db"),
    text < [](Config& c) -> auto& {
  return c.keys;
}
> ("keys", "Folder of the log's signing key; beside a SQLite store otherwise.",
   "/var/lib/rowtrail/keys"),
    list < [](Config& c) -> auto& {
  return c.rules;
}
> ("rules", "Rule files, or folders of them.", "/etc/rowtrail/rules"), text < [
](Config& c) -> auto& {
  return c.listen;
}
> ("listen", "Address of the HTTP API and the dashboard.", "127.0.0.1:8765"), text < [
](Config& c) -> auto& {
  return c.token_file;
}
> ("token_file", "Where the API's token is kept; made at the first start, mode 0600.",
   "/var/lib/rowtrail/token"),
    list < [](Config& c) -> auto& {
  return c.actor_columns;
}
> ("actor_columns", "Columns that say who changed a row, before those that are guessed.",
   "modified_by"),
};  // namespace
return table;
}  // namespace rowtrail::pipeline

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
      if (option.name == name) return assign(option, key, value);
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
    if (value == nullptr) continue;
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
    const std::string_view type = option.kind == Kind::Text
                                      ? R"("type":"string")"
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
    out += fmt::format("| `{}`{} | `{}` | {} | `{}` |\n", option.name,
                       option.kind == Kind::List ? " (list)" : "", option.environment(),
                       option.meaning, option.example);
  }
  return out;
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
