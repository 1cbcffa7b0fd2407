#include "binlog/decoder.h"
#include "binlog/source.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "stream.h"
#include <catch2/catch.hpp>
#include <unistd.h>

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace)
using namespace rowtrail::test;    // NOLINT(google-build-using-namespace)
using rowtrail::core::Errc;

namespace {

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    std::string name = (std::filesystem::temp_directory_path() / "rowtrail.XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << content;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string golden_path(std::string_view name) {
  return std::string(ROWTRAIL_TEST_DATA "/golden/").append(name).append(".binlog");
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

rowtrail::core::Error first_error(Source& source) {
  while (true) {
    const auto raw = source.next();
    if (!raw) return raw.error();
    REQUIRE_FALSE(raw->empty());
  }
}

}  // namespace

TEST_CASE("file source: several files in order, each named") {
  const auto source = open_file_source({golden_path("integers"), golden_path("decimals")});
  std::vector<std::string> names;
  std::size_t count = 0;
  while (true) {
    const auto raw = source->next();
    REQUIRE(raw.has_value());
    if (raw->empty()) break;
    if (auto name = source->take_new_file(); !name.empty()) names.push_back(name);
    ++count;
  }
  CHECK(names == std::vector<std::string>{"integers.binlog", "decimals.binlog"});
  CHECK(count == read_golden("integers").size() + read_golden("decimals").size());
}

TEST_CASE("file source: starting inside a file still gives the format description first") {
  const auto events = read_golden("integers");
  std::uint64_t pos = 4;
  for (std::size_t i = 0; i < 4; ++i) pos += events[i].size();
  const auto source = open_file_source({golden_path("integers")}, pos);
  Decoder decoder;
  std::vector<std::uint64_t> starts;
  for (int i = 0; i < 2; ++i) {
    const auto raw = source->next();
    REQUIRE(raw.has_value());
    if (auto name = source->take_new_file(); !name.empty()) {
      decoder.set_position(name, source->new_file_pos());
    }
    const auto event = decoder.decode(*raw);
    REQUIRE(event.has_value());
    starts.push_back(event->start);
  }
  CHECK(starts == std::vector<std::uint64_t>{4, pos});
}

TEST_CASE("file source: a file cut off inside its last event says so, with file and position") {
  const auto whole = content(golden_path("integers"));
  const auto last = read_golden("integers").back().size();
  for (std::size_t cut = 1; cut < last; ++cut) {
    const TemporaryFile file(whole.substr(0, whole.size() - cut));
    const auto source = open_file_source({file.path()});
    const auto error = first_error(*source);
    CHECK(error.code == Errc::Truncated);
    CHECK_THAT(error.message,
               Catch::StartsWith(file.path() + ":" + std::to_string(whole.size() - last) + ": "));
  }
}

TEST_CASE("file source: what is not a binlog is refused") {
  for (const auto* start : {"", "fe", "SQL dump",
                            "\xFE"
                            "bi"}) {
    const TemporaryFile file(start);
    const auto source = open_file_source({file.path()});
    CHECK(first_error(*source).code == Errc::Malformed);
  }
}

TEST_CASE("file source: an encrypted binlog is refused with advice") {
  const TemporaryFile file(
      "\xFD"
      "bin and then cipher text");
  const auto source = open_file_source({file.path()});
  CHECK_THAT(first_error(*source).message,
             Catch::Contains("encrypted") && Catch::Contains("mysqlbinlog"));
}

TEST_CASE("file source: a size that cannot be is an error, not an allocation") {
  auto whole = content(golden_path("integers"));
  whole.replace(4 + 9, 4, "\xFF\xFF\xFF\xFF");
  const TemporaryFile file(whole);
  const auto source = open_file_source({file.path()});
  CHECK_THAT(first_error(*source).message, Catch::Contains(":4: an event of 4294967295 bytes"));
}

TEST_CASE("file source: a missing file is a failure of the source") {
  const auto source = open_file_source({"no/such/file"});
  CHECK_THROWS_AS(source->next(), rowtrail::core::Failure);
}

TEST_CASE("file source: stop ends the stream") {
  const auto source = open_file_source({golden_path("integers")});
  source->stop();
  const auto raw = source->next();
  REQUIRE(raw.has_value());
  CHECK(raw->empty());
}
