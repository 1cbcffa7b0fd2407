#include "pipeline/config.h"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <stdlib.h>

using namespace rowtrail;

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/rowtrail-config.XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name) << text;
    return path + "/" + name;
  }
  std::string path;
};

}  // namespace

TEST_CASE("config: every option reaches its place") {
  const Folder folder;
  const auto secret = folder.write("secret", "hunter2\n");
  pipeline::Config config;
  const auto loaded = pipeline::load_config(
      folder.write(
          "c.yaml",
          "source:\n  name: pharmacy\n  url: mysql://u@db1:3307\n  password_file: " + secret +
              "\n  start: earliest\nstore: sqlite:///x.db\nrules: [a, b]\n"
              "listen: 127.0.0.1:1\ntoken_file: t\nactor_columns: [by]\n"),
      config);
  REQUIRE(loaded);
  CHECK(config.source.name == "pharmacy");
  CHECK(config.source.server.host == "db1");
  CHECK(config.source.server.port == 3307);
  CHECK(config.source.server.password == "hunter2");
  CHECK(config.source.start == "earliest");
  CHECK(config.store_url == "sqlite:///x.db");
  CHECK(config.rules == std::vector<std::string>{"a", "b"});
  CHECK(config.listen == "127.0.0.1:1");
  CHECK(config.token_file == "t");
  CHECK(config.actor_columns == std::vector<std::string>{"by"});
}

TEST_CASE("config: the order of url and password_file does not matter") {
  const Folder folder;
  const auto secret = folder.write("secret", "s");
  pipeline::Config config;
  REQUIRE(pipeline::load_config(
      folder.write("c.yaml", "source:\n  password_file: " + secret + "\n  url: mysql://u@h\n"),
      config));
  CHECK(config.source.server.password == "s");
  CHECK(config.source.server.user == "u");
}

TEST_CASE("config: an error names file, line and column") {
  const Folder folder;
  const std::pair<const char*, const char*> cases[] = {
      {"stor: x\n", ":1:1: unknown option 'stor'; did you mean 'store'?"},
      {"source:\n  nam: x\n", ":2:3: unknown option 'nam'"},
      {"source:\n  url: http://x\n", ":2:8: url: "},
      {"source: 7\n", ":1:9: "},
      {"store: [a, b]\n", ":1:8: "},
      {"store: x\n  y: z\n", ":2:"},
      {"zzzzzzzzzzz: 1\n", "known here: source, store, keys"},
      {"listen: a\nlisten: b\n", ":2:1: 'listen' is given twice"},
      {"rules: [[a]]\n", ":1:9: rules must be a list of texts"},
      {"source:\n  url: {a: b}\n", ":2:8: url must be a text"},
  };
  for (const auto& [text, expected] : cases) {
    pipeline::Config config;
    const auto loaded = pipeline::load_config(folder.write("bad.yaml", text), config);
    INFO(text);
    REQUIRE_FALSE(loaded);
    CHECK_THAT(loaded.error().message, Catch::Contains("bad.yaml") && Catch::Contains(expected));
  }
}

TEST_CASE("config: missing files are errors with their names") {
  pipeline::Config config;
  const auto loaded = pipeline::load_config("/nowhere/c.yaml", config);
  REQUIRE_FALSE(loaded);
  CHECK_THAT(loaded.error().message, Catch::Contains("/nowhere/c.yaml"));
  const auto secret = pipeline::read_secret("/nowhere/secret");
  REQUIRE_FALSE(secret);
  CHECK_THAT(secret.error().message, Catch::Contains("/nowhere/secret"));
}

TEST_CASE("config: all errors of all files come at once") {
  const Folder folder;
  std::filesystem::create_directory(folder.path + "/conf.d");
  const auto path = folder.write("c.yaml", "stor: x\nlisen: y\n");
  folder.write("conf.d/10.yaml", "source: {nam: z}\n");
  pipeline::Config config;
  const auto loaded = pipeline::load_config(path, config);
  REQUIRE_FALSE(loaded);
  CHECK_THAT(loaded.error().message, Catch::Contains("c.yaml:1:1: ") &&
                                         Catch::Contains("c.yaml:2:1: ") &&
                                         Catch::Contains("10.yaml:1:10: "));
}

TEST_CASE("config: conf.d goes over the file in the order of names, the environment over both") {
  const Folder folder;
  std::filesystem::create_directory(folder.path + "/conf.d");
  const auto path = folder.write("c.yaml", "store: sqlite:///a\nlisten: a\nkeys: a\n");
  folder.write("conf.d/20.yaml", "listen: c\n");
  folder.write("conf.d/10.yaml", "listen: b\nkeys: b\n");
  folder.write("conf.d/30.txt", "listen: d\n");
  pipeline::Config config;
  REQUIRE(pipeline::load_config(path, config));
  CHECK(config.store_url == "sqlite:///a");
  CHECK(config.listen == "c");
  CHECK(config.keys == "b");
  setenv("ROWTRAIL_KEYS", "e", 1);
  const auto loaded = pipeline::load_environment(config);
  unsetenv("ROWTRAIL_KEYS");
  REQUIRE(loaded);
  CHECK(config.keys == "e");
  setenv("ROWTRAIL_SOURCE_URL", "http://x", 1);
  const auto refused = pipeline::load_environment(config);
  unsetenv("ROWTRAIL_SOURCE_URL");
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains("$ROWTRAIL_SOURCE_URL"));
}

TEST_CASE("config: what is shown reads back as the same, and holds no secret") {
  const Folder folder;
  const auto secret = folder.write("secret", "hunter2\n");
  pipeline::Config config;
  REQUIRE(pipeline::load_config(
      folder.write("c.yaml", "source:\n  url: mysql://u@h\n  password_file: " + secret +
                                 "\nrules: ['a: b', \"c \\\" d\"]\nkeys: '#x'\n"),
      config));
  const auto shown = pipeline::config_yaml(config);
  CHECK(shown.find("hunter2") == std::string::npos);
  pipeline::Config again;
  REQUIRE(pipeline::load_config(folder.write("again.yaml", shown), again));
  CHECK(pipeline::config_yaml(again) == shown);
  CHECK(again.rules == std::vector<std::string>{"a: b", "c \" d"});
  CHECK(again.keys == "#x");
  CHECK(again.source.server.password == "hunter2");
}

TEST_CASE("docs: the options in docs/configuration.md are those of the table") {
  const std::string path = std::string(ROWTRAIL_SOURCE) + "/docs/configuration.md";
  std::ifstream file(path);
  const std::string before(std::istreambuf_iterator<char>(file), {});
  const auto mark = before.find("<!-- From here on generated");
  REQUIRE(mark != std::string::npos);
  const auto wanted =
      before.substr(0, before.find('\n', mark) + 1) + "\n" + pipeline::config_markdown();
  if (std::getenv("ROWTRAIL_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << wanted;
    return;
  }
  CHECK(before == wanted);
}
