// A writer killed at random moments, ten times over: what is left is always a prefix of whole
// commits that ends where the position says, and going on from there gives the log of an
// undisturbed run.
#include "test/store/support.h"

#include <chrono>
#include <random>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rowtrail::store::test {
namespace {

constexpr int kKills = 10;

std::uint64_t transactions_in(const binlog::Position& position) {
  const auto dash = position.gtid_set.rfind('-');
  return position.gtid_set.empty() ? 0 : std::stoull(position.gtid_set.substr(dash + 1));
}

/// A killed writer's connection takes a moment to end at the server.
std::unique_ptr<Writer> open_when_free(const std::string& url) {
  for (int attempt = 0;; ++attempt) {
    try {
      return open_writer(url);
    } catch (const core::Failure& failure) {
      if (attempt == 100) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

/// Goes on where the log stands, in commits of one to five transactions, until it is killed.
[[noreturn]] void write_until_killed(const std::string& url, unsigned seed) {
  try {
    std::mt19937 random(seed);
    const auto writer = open_when_free(url);
    auto number = transactions_in(writer->source_state("pharmacy").position);
    Batch batch;
    for (;;) {
      for (auto left = random() % 5 + 1; left > 0; --left) {
        batch.reset(writer->next_seq());
        plain(++number).into(batch);
        writer->append(batch);
      }
      writer->commit("pharmacy", position_after(number), plain(number).transaction->event_time_us);
    }
  } catch (const std::exception& error) {
    ::write(2, error.what(), std::string_view(error.what()).size());
  }
  ::_exit(1);
}

std::string undisturbed(std::uint64_t transactions) {
  const auto place = sqlite_place();
  const auto writer = open_writer(place->url());
  Batch batch;
  for (std::uint64_t number = 1; number <= transactions; ++number) {
    batch.reset(writer->next_seq());
    plain(number).into(batch);
    writer->append(batch);
  }
  writer->commit("pharmacy", position_after(transactions), 0);
  return dump(*open_reader(place->url()));
}

TEST_CASE("store: killed at random moments, a log is a prefix of whole commits") {
  on_both([](Place& place) {
    std::mt19937 random(20261124);
    (void)open_writer(place.url());
    std::uint64_t last = 0;
    for (int kill_number = 0; kill_number < kKills; ++kill_number) {
      const auto seed = static_cast<unsigned>(random());
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) write_until_killed(place.url(), seed);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 150'000 + 10'000));
      ::kill(child, SIGKILL);
      int status = 0;
      ::waitpid(child, &status, 0);
      REQUIRE(WIFSIGNALED(status));

      const auto writer = open_when_free(place.url());
      const auto done = transactions_in(writer->source_state("pharmacy").position);
      const auto reader = open_reader(place.url());
      REQUIRE(dump(*reader) == undisturbed(done));
      REQUIRE(reader->status().transactions == done);
      REQUIRE(done >= last);
      last = done;
    }
    CHECK(last > 0);
  });
}

TEST_CASE("store: a reader beside a writer sees whole commits only") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    std::jthread reading([url = place.url()](const std::stop_token& stop) {
      const auto reader = open_reader(url);
      std::size_t least = 0;
      while (!stop.stop_requested()) {
        // Each commit holds one transaction of each: never one without the other, never fewer.
        const auto list = events(*reader, {}, {{}, {}, true, 0});
        if (list.size() % 2 != 0 || list.size() < least) std::abort();
        least = list.size();
      }
    });
    Batch batch;
    for (std::uint64_t number = 1; number < 400; number += 2) {
      for (const auto each : {number, number + 1}) {
        batch.reset(writer->next_seq());
        plain(each).into(batch);
        writer->append(batch);
      }
      writer->commit("pharmacy", position_after(number + 1), 0);
    }
    reading.request_stop();
    reading.join();
    CHECK(events(*open_reader(place.url()), {}, {{}, {}, true, 0}).size() == 400);
  });
}

}  // namespace
}  // namespace rowtrail::store::test
