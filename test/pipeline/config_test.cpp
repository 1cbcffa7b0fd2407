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
      {"stor: x\n", ":1:1: unknown option 'stor'"},
      {"source:\n  nam: x\n", ":2:3: unknown option 'nam'"},
      {"source:\n  url: http://x\n", ":2:8: url: "},
      {"source: 7\n", ":1:9: "},
      {"store: [a, b]\n", ":1:8: "},
      {"store: x\n  y: z\n", ":2:"},
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
