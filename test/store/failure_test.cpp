// What an unavailable store says: one clear message, no secret in it, and whether waiting can help.
#include "store/url.h"
#include "test/store/support.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

namespace rowtrail::store::test {
namespace {

struct Told {
  core::Area area = core::Area::Usage;
  bool retryable = false;
  std::string message;
};

Told opening(const std::string& url, bool write = true) {
  try {
    if (write) {
      (void)open_writer(url);
    } else {
      (void)open_reader(url);
    }
  } catch (const core::Failure& failure) {
    return {failure.area(), failure.retryable(), failure.what()};
  }
  FAIL("it opened");
  return {};
}

void says(const Told& told, core::Area area, bool retryable, const std::string& piece) {
  INFO(told.message);
  CHECK(told.area == area);
  CHECK(told.retryable == retryable);
  CHECK(told.message.find(piece) != std::string::npos);
  CHECK(told.message.find("secret") == std::string::npos);
  CHECK(told.message.find('\n') == std::string::npos);
}

/// postgresql://USER:PASSWORD@HOST:PORT/DATABASE of the test server, with some of it replaced.
std::string postgres_url(const std::string& user, const std::string& password,
                         const std::string& host, const std::string& port,
                         const std::string& database) {
  return fmt::format("postgresql://{}{}{}@{}:{}/{}", user, password.empty() ? "" : ":", password,
                     host, port, database);
}
std::string environment(const char* name) {
  (void)postgres_place();  // fails with a message when there is no server
  return std::getenv(name);
}

TEST_CASE("store: URLs that cannot be used are refused as usage") {
  using core::Area;
  says(opening("mysql://x"), Area::Usage, false, "sqlite:// or postgresql://");
  says(opening("/var/lib/rowtrail.db"), Area::Usage, false, "sqlite:// or postgresql://");
  says(opening("sqlite://"), Area::Usage, false, "names no file");
  says(opening("sqlite:///a%2"), Area::Usage, false, "%25");
  says(opening("postgresql://u:secret%@host/d"), Area::Usage, false, "percent-encode");
  says(opening("postgresql://u:secret@host/d?nonsense=1"), Area::Usage, false, "percent-encode");
  says(opening("postgresql://u@host/d?log=a%20b"), Area::Usage, false, "log's name");
  says(opening("postgresql://u@host/d?password_file=/nowhere"), Area::Usage, false, "/nowhere");
}

TEST_CASE("store: what is displayed of a URL holds no secret") {
  CHECK(Url::parse("postgresql://u:secret@h:1/d?log=x&password=secret&sslmode=require").display ==
        "postgresql://u@h:1/d?log=x&sslmode=require");
  CHECK(Url::parse("postgres://u:se:cr@et@h/d").display == "postgresql://u@h/d");
  CHECK(Url::parse("postgresql:///d?sslpassword=secret").display == "postgresql:///d");
  CHECK(Url::parse("sqlite:///a%20b.db").path == "/a b.db");
  CHECK(Url::parse("postgresql://h/d?log=x&sslmode=require&connect_timeout=3").connection ==
        "postgresql://h/d?sslmode=require&connect_timeout=3");
}

TEST_CASE("store: SQLite files that cannot be opened say why") {
  using core::Area;
  const auto place = sqlite_place();
  says(opening(place->url(), false), Area::Store, false, "there is no log");
  says(opening("sqlite:///no/such/folder/x.db"), Area::Store, false, "/no/such/folder");
  const auto file = Url::parse(place->url()).path;
  std::ofstream(file) << std::string(5000, 'x');
  says(opening(place->url()), Area::Store, false, "not a sound SQLite database");
  std::filesystem::remove(file);

  place->sql("CREATE TABLE theirs (x)");
  says(opening(place->url(), false), Area::Store, true, "holds no log");
  (void)open_writer(place->url());
  place->sql("UPDATE meta SET value = '999'");
  says(opening(place->url()), Area::Store, false, "newer rowtrail");
  says(opening(place->url(), false), Area::Store, false, "newer rowtrail");
}

TEST_CASE("store: SQLite keeps records from being changed") {
  const auto place = sqlite_place();
  write(*open_writer(place->url()), 1, 2);
  for (const std::string table : {"\"transaction\"", "change", "event", "event_object"}) {
    CHECK_THROWS_WITH(place->sql("UPDATE " + table + " SET seq = seq + 100"),
                      Catch::Contains("append-only"));
    CHECK_THROWS_WITH(place->sql("DELETE FROM " + table), Catch::Contains("append-only"));
  }
}

TEST_CASE("store: a full disk under SQLite is told, and the log goes on when there is room") {
  const auto place = sqlite_place();
  auto writer = open_writer(place->url());
  write(*writer, 1, 1);
  const auto file = Url::parse(place->url()).path;
  // A file that may not grow past its size stands for a full disk.
  struct rlimit limit {};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const auto before = limit;
  limit.rlim_cur = 256 * 1024;
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  Told told;
  try {
    write(*writer, 2, 2000);
  } catch (const core::Failure& failure) {
    told = {failure.area(), failure.retryable(), failure.what()};
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, old_handler);
  INFO(told.message);
  CHECK(told.retryable);
  CHECK(told.message.find(file) != std::string::npos);
  writer.reset();
  writer = open_writer(place->url());
  const auto done = open_reader(place->url())->status().transactions;
  CHECK(done >= 1);
  CHECK(writer->source_state("pharmacy").position.pos == position_after(done).pos);
  write(*writer, done + 1, done + 5);
  CHECK(open_reader(place->url())->status().transactions == done + 5);
}

TEST_CASE("store: Postgres that cannot be reached says why and whether to wait") {
  using core::Area;
  const auto host = environment("ROWTRAIL_POSTGRES_HOST");
  const auto port = environment("ROWTRAIL_POSTGRES_PORT");
  const auto user = environment("ROWTRAIL_POSTGRES_USER");
  const auto password = environment("ROWTRAIL_POSTGRES_PASSWORD");
  says(opening(postgres_url(user, "secret", host, port, "postgres")), Area::Store, false,
       "password");
  says(opening(postgres_url("nobody", "secret", host, port, "postgres")), Area::Store, false,
       "password");
  says(opening(postgres_url(user, password, host, port, "nothing")), Area::Store, false,
       "does not exist");
  says(opening(postgres_url(user, password, "no.such.host.invalid", port, "x")), Area::Store, false,
       "check the host");
  says(opening(postgres_url(user, password, host, "1", "x")), Area::Store, true, "running there");
  // A user who may not create the tables.
  says(opening(postgres_url(user, password, host, port, "postgres")), Area::Store, false,
       "lacks a permission");
  ::unsetenv("PGPASSWORD");
  says(opening(postgres_url(user, "", host, port, "postgres")), Area::Store, false, "password");
}

TEST_CASE("store: a Postgres password comes from a file or the environment too") {
  const auto place = postgres_place();
  const auto password = environment("ROWTRAIL_POSTGRES_PASSWORD");
  auto url = place->url();
  url.erase(url.find(":" + password), password.size() + 1);
  const auto file =
      std::filesystem::temp_directory_path() / fmt::format("rowtrail-password-{}", ::getpid());
  std::ofstream(file) << password << "\n";
  write(*open_writer(url + "&password_file=" + file.string()), 1, 1);
  std::filesystem::remove(file);
  ::setenv("PGPASSWORD", password.c_str(), 1);
  write(*open_writer(url), 2, 2);
  ::unsetenv("PGPASSWORD");
  CHECK(open_reader(place->url())->status().transactions == 2);
}

TEST_CASE("store: a Postgres connection that is cut is told as worth waiting for") {
  const auto place = postgres_place();
  auto writer = open_writer(place->url());
  const auto reader = open_reader(place->url());
  write(*writer, 1, 1);
  Batch batch;
  batch.reset(writer->next_seq());
  plain(2).into(batch);
  writer->append(batch);
  place->sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      "WHERE application_name = 'rowtrail' AND datname = current_database()");
  try {
    writer->commit("pharmacy", position_after(2), 0);
    FAIL("it committed");
  } catch (const core::Failure& failure) {
    INFO(failure.what());
    CHECK(failure.retryable());
  }
  writer.reset();
  // The reader connects anew by itself.
  CHECK(reader->status().transactions == 1);
  writer = open_writer(place->url());
  write(*writer, 2, 2);
  CHECK(reader->status().transactions == 2);
}

TEST_CASE("store: many logs live in one Postgres database") {
  const auto place = postgres_place();
  const auto other_url = with_log(place->url(), "other-log");
  const auto one = open_writer(place->url());
  const auto other = open_writer(other_url);
  write(*one, 1, 7);
  write(*other, 1, 3);
  write(*one, 8, 8);
  const auto reader = open_reader(place->url());
  const auto other_reader = open_reader(other_url);
  CHECK(reader->status().transactions == 8);
  CHECK(other_reader->status().transactions == 3);
  CHECK(events(*reader).size() == 8);
  CHECK(events(*other_reader).size() == 3);
  Filter filter;
  filter.table = "sale";
  CHECK(changes(*other_reader, filter).size() == 1);
  CHECK(reader->status().origin != other_reader->status().origin);
  CHECK(other_reader->status().origin.starts_with("other-log/"));
}

}  // namespace
}  // namespace rowtrail::store::test
