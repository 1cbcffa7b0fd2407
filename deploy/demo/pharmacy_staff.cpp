// pharmacy_staff: the simulated staff of the demo's pharmacy. Works on a MySQL or MariaDB server
// through ordinary SQL and writes a ledger of what it did.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "deploy/demo/clerk.h"
#include "deploy/demo/database.h"
#include "deploy/demo/ledger.h"
#include "deploy/demo/set_up.h"
#include "deploy/demo/year.h"
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

namespace rowtrail::demo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kNapMax{50};  // how long a stop request may go unseen
constexpr int kTriesMax = 50;
constexpr int kExitServer = 3;

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler sets it

struct Options {
  ServerAddress server;
  std::string password_file;
  bool init = false;
  std::uint64_t seed = 1;
  double rate = 20;
  double seconds = std::numeric_limits<double>::infinity();
  std::uint64_t transactions = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t row_changes = std::numeric_limits<std::uint64_t>::max();
  unsigned staff = 4;
  unsigned days = 0;
  double rollbacks = 0.02;
  double noise = 0;
  std::string ledger;
  bool append = false;
  YearOptions year;
};

struct Counts {
  std::atomic<std::uint64_t> transactions{0};
  std::atomic<std::uint64_t> rows{0};
  std::atomic<std::uint64_t> rolled_back{0};
  std::atomic<std::uint64_t> retried{0};
};

// When each transaction of several days was made: most during opening hours, fewer at weekends, no
// two days alike; the last of them now.
class Calendar {
 public:
  Calendar(unsigned days, std::uint64_t transactions, std::uint64_t seed)
      : transactions_(transactions) {
    constexpr double kOfHour[24] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.4, 2, 6, 9,   10,  9,
                                    7,   6,   7,   8,   9,   10,  8,   4, 1, 0.4, 0.2, 0.1};
    constexpr double kOfWeekday[7] = {1, 1, 0.6, 0.15, 1.1, 1, 1};  // 1970-01-01 was a Thursday
    const auto now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
    first_hour_ = static_cast<std::int64_t>(now.count() / 3600) - 24 * std::int64_t{days} + 1;
    double sum = 0;
    for (std::int64_t hour = first_hour_; hour < first_hour_ + 24 * std::int64_t{days}; ++hour) {
      const auto day = static_cast<std::uint64_t>(hour / 24);
      Random random(seed, day);
      const double of_day = 0.8 + static_cast<double>(random.between(0, 40)) / 100;
      double share = kOfHour[hour % 24] * kOfWeekday[day % 7] * of_day;
      const double left = now.count() / 3600 - static_cast<double>(hour);
      last_hour_ = std::min(1.0, left);
      share *= last_hour_;
      ends_.push_back(sum += share);
    }
  }

  std::int64_t time_us(std::uint64_t number) const {
    const double at =
        ends_.back() * (static_cast<double>(number) + 0.5) / static_cast<double>(transactions_);
    const auto hour = std::upper_bound(ends_.begin(), ends_.end(), at) - ends_.begin();
    const double begin = hour == 0 ? 0 : ends_[static_cast<std::size_t>(hour - 1)];
    double of_hour = (at - begin) / (ends_[static_cast<std::size_t>(hour)] - begin);
    if (hour + 1 == std::ssize(ends_)) of_hour *= last_hour_;
    return static_cast<std::int64_t>((static_cast<double>(first_hour_ + hour) + of_hour) * 3.6e9);
  }

 private:
  std::uint64_t transactions_;
  std::int64_t first_hour_ = 0;
  double last_hour_ = 1;      // how much of it is over
  std::vector<double> ends_;  // of each hour, in shares of the work
};

// One clerk's working day: transactions index, index + staff, index + 2 staff, … each when it is
// due.
class Shift {
 public:
  Shift(const Options& options, const Catalogue& catalogue, const Calendar* calendar,
        Ledger& ledger, Counts& counts, std::uint64_t index)
      : options_(options),
        calendar_(calendar),
        ledger_(ledger),
        counts_(counts),
        index_(index),
        connection_(options.server) {
    connection_.execute("USE pharmacy");
    clerk_ = std::make_unique<Clerk>(connection_, catalogue, index, options.staff);
  }

  void work(Clock::time_point start) {
    const Clock::time_point end =
        start + std::chrono::duration_cast<Clock::duration>(
                    std::chrono::duration<double>(std::min(options_.seconds, 1e9)));
    for (std::uint64_t number = index_; number < options_.transactions; number += options_.staff) {
      const Clock::time_point due =
          options_.rate <= 0
              ? start
              : start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                            static_cast<double>(number) / options_.rate));
      if (!wait_until(std::min(due, end)) || Clock::now() >= end) return;
      if (counts_.rows >= options_.row_changes) return;
      do_transaction(number);
    }
  }

 private:
  // With a calendar, also what NOW() gives and when the binlog says it was committed; the server
  // forgets the latter with every transaction.
  void begin(std::uint64_t number) {
    if (calendar_ != nullptr) {
      const std::int64_t time_us = calendar_->time_us(number);
      connection_.execute(fmt::format("SET timestamp = {}.{:06}, original_commit_timestamp = {}",
                                      time_us / 1'000'000, time_us % 1'000'000, time_us));
    }
    connection_.begin();
  }

  static bool wait_until(Clock::time_point due) {
    while (!stop_requested) {
      const auto left = due - Clock::now();
      if (left <= Clock::duration::zero()) return true;
      std::this_thread::sleep_for(std::min<Clock::duration>(left, kNapMax));
    }
    return false;
  }

  void do_transaction(std::uint64_t number) {
    for (int tries = 1;; ++tries) {
      Random random(options_.seed, number);
      try {
        begin(number);
        finish(clerk_->act(random, number), random.chance(options_.rollbacks));
        if (options_.noise > 0 && random.chance(options_.noise)) {
          begin(number);
          clerk_->make_noise(random);
          connection_.commit();
          counts_.rows += connection_.rows_changed();
        }
        return;
      } catch (const OutOfStock& shortage) {
        connection_.rollback();
        ++counts_.rolled_back;
        restock(random, number, shortage);
        return;
      } catch (const SqlError& error) {
        if (!error.worth_retrying() || tries == kTriesMax) throw;
        connection_.rollback();
        ++counts_.retried;
      }
    }
  }

  void restock(Random& random, std::uint64_t number, const OutOfStock& shortage) {
    for (int tries = 1;; ++tries) {
      try {
        begin(number);
        finish(clerk_->receive_goods(random, shortage.location_id, shortage.product_ids), false);
        return;
      } catch (const SqlError& error) {
        if (!error.worth_retrying() || tries == kTriesMax) throw;
        connection_.rollback();
        ++counts_.retried;
      }
    }
  }

  void finish(const Outcome& outcome, bool change_of_mind) {
    if (change_of_mind) {
      connection_.rollback();
      ++counts_.rolled_back;
      return;
    }
    const std::string gtid = connection_.commit();
    outcome.committed();
    ledger_.write(outcome.deeds, gtid);
    ++counts_.transactions;
    counts_.rows += connection_.rows_changed();
  }

  const Options& options_;
  const Calendar* calendar_;
  Ledger& ledger_;
  Counts& counts_;
  std::uint64_t index_;
  Connection connection_;
  std::unique_ptr<Clerk> clerk_;
};

void print_progress(const Counts& counts, const Ledger& ledger, Clock::time_point start,
                    bool last) {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  const std::uint64_t transactions = counts.transactions;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (!terminal && !last) return;
  fmt::print(stderr,
             "{}pharmacy: {:.1f} s, {} transactions ({:.0f}/s), {} row changes, {} events in the "
             "ledger, {} rolled back, {} retried{}",
             terminal ? "\r\033[K" : "", elapsed, transactions,
             static_cast<double>(transactions) / std::max(elapsed, 0.001), counts.rows.load(),
             ledger.deeds_written(), counts.rolled_back.load(), counts.retried.load(),
             last ? "\n" : "");
}

int run(const Options& options) {
  Ledger ledger(options.ledger, options.append);
  Connection connection(options.server);
  if (options.init) {
    fmt::print(stderr, "pharmacy: {}\n",
               set_up(connection) ? "created" : "is there already; kept as it is");
  }
  connection.execute("USE pharmacy");
  const Catalogue catalogue = Catalogue::load(connection);

  if (options.year.days > 0) {
    const auto done = live_through(options.server, catalogue, ledger, options.seed, options.year);
    fmt::print(stderr, "pharmacy: {} days, {} transactions\n", options.year.days, done);
    return 0;
  }

  std::optional<Calendar> calendar;
  if (options.days > 0) calendar.emplace(options.days, options.transactions, options.seed);
  Counts counts;
  std::vector<std::unique_ptr<Shift>> shifts;
  for (unsigned i = 0; i < options.staff; ++i) {
    shifts.push_back(std::make_unique<Shift>(options, catalogue, calendar ? &*calendar : nullptr,
                                             ledger, counts, i));
  }
  std::atomic<unsigned> working{options.staff};
  std::atomic<bool> failed{false};
  const Clock::time_point start = Clock::now();
  std::vector<std::thread> threads;
  threads.reserve(shifts.size());
  for (const auto& shift : shifts) {
    threads.emplace_back([&, worker = shift.get()] {
      try {
        worker->work(start);
      } catch (const std::exception& error) {
        fmt::print(stderr, "\npharmacy_staff: {}\n", error.what());
        failed = true;
        stop_requested = true;
      }
      --working;
    });
  }
  while (working > 0) {
    std::this_thread::sleep_for(kNapMax);
    print_progress(counts, ledger, start, false);
  }
  for (std::thread& thread : threads) thread.join();
  print_progress(counts, ledger, start, true);
  return failed ? kExitServer : 0;
}

void read_password(Options& options) {
  if (!options.password_file.empty()) {
    std::ifstream file(options.password_file);
    if (!std::getline(file, options.server.password)) {
      throw std::runtime_error("cannot read the password file " + options.password_file);
    }
  } else if (const char* password = std::getenv("ROWTRAIL_MYSQL_APP_PASSWORD")) {
    options.server.password = password;
  }
}

void describe(CLI::App& app, Options& options) {
  app.add_option("--host", options.server.host, "Server, over TLS")
      ->envname("ROWTRAIL_MYSQL_HOST")
      ->capture_default_str();
  app.add_option("--port", options.server.port, "Its port")
      ->envname("ROWTRAIL_MYSQL_PORT")
      ->capture_default_str();
  app.add_option("--socket", options.server.socket, "Its unix socket, instead of host and port");
  app.add_option("--user", options.server.user, "User with all rights in the database pharmacy")
      ->envname("ROWTRAIL_MYSQL_APP_USER")
      ->capture_default_str();
  app.add_option("--password-file", options.password_file,
                 "File with the password (else the environment's ROWTRAIL_MYSQL_APP_PASSWORD)");
  app.add_option("--ca", options.server.ca_file,
                 "CA that the server's certificate is verified with");
  app.add_flag("--init", options.init, "Create the pharmacy if it is not there");
  app.add_option("--seed", options.seed, "Same seed, same choices of each clerk")
      ->capture_default_str();
  app.add_option("--rate", options.rate, "Transactions a second in all; 0: as fast as possible")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "Stop after so many seconds");
  auto* transactions =
      app.add_option("--transactions", options.transactions,
                     "Stop after so many transactions; 0 with --init only creates");
  app.add_option("--days", options.days,
                 "Date the transactions as if made over so many days up to now, at opening hours; "
                 "with --transactions and --rate 0, and a MySQL user with SESSION_VARIABLES_ADMIN")
      ->check(CLI::Range(1, 366))
      ->needs(transactions);
  app.add_option("--row-changes", options.row_changes, "Stop after about so many row changes");
  app.add_option("--staff", options.staff, "Clerks, each with a connection")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--rollbacks", options.rollbacks, "Share of transactions rolled back on purpose")
      ->capture_default_str();
  app.add_option("--noise", options.noise,
                 "Share of transactions followed by maintenance that the ledger does not know")
      ->capture_default_str();
  app.add_option("--ledger", options.ledger, "Write what was done to this file, as ndjson");
  app.add_option(
      "--simulated-days", options.year.days,
      "So many days on a clock of their own, as fast as possible, by one clerk; the user "
      "must be allowed to set the session's clock (SESSION_VARIABLES_ADMIN)");
  app.add_option("--first-day", options.year.first_day, "The first of them")->capture_default_str();
  app.add_option("--per-day", options.year.per_day, "Transactions of an ordinary weekday")
      ->capture_default_str();
  app.add_option("--inject", options.year.misdeeds,
                 "Cases a day of what should not be done, after --learned-days");
  app.add_option("--learned-days", options.year.learned_days, "Days without them at the beginning")
      ->capture_default_str();
  app.add_option("--answer-key", options.year.answer_key,
                 "Write these cases to this file, as ndjson");
  app.add_flag("--append", options.append, "Append to the ledger instead of starting it anew");
}

void request_stop(int) {
  stop_requested = true;
}

}  // namespace
}  // namespace rowtrail::demo

int main(int argc, char** argv) {
  using namespace rowtrail::demo;
  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
  CLI::App app{"The simulated staff of the demo's pharmacy"};
  Options options;
  describe(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    read_password(options);
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "pharmacy_staff: {}\n", error.what());
    return kExitServer;
  }
}
