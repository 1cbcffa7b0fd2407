#include "deploy/demo/year.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "deploy/demo/misdeeds.h"
#include "deploy/demo/sql_text.h"
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace rowtrail::demo {
namespace {

constexpr std::int64_t kDay = 86'400;

class Year {
 public:
  Year(const ServerAddress& server, const Catalogue& catalogue, Ledger& ledger, std::uint64_t seed,
       const YearOptions& options)
      : connection_(server),
        catalogue_(catalogue),
        ledger_(ledger),
        seed_(seed),
        options_(options) {
    connection_.execute("USE pharmacy");
    connection_.execute("SET time_zone = '+00:00'");
    const auto first = connection_.query(
        fmt::format("SELECT UNIX_TIMESTAMP({})", connection_.quote(options.first_day)));
    midnight_ = integer(first.at(0).at(0).value_or("0"));
    if (midnight_ == 0) throw std::runtime_error("--first-day is no date: " + options.first_day);
    clerk_ = std::make_unique<Clerk>(connection_, catalogue_, 0, 1);
    if (options.answer_key.empty()) return;
    answers_.reset(std::fopen(options.answer_key.c_str(), "w"));
    if (!answers_) throw std::runtime_error("cannot write " + options.answer_key);
  }

  std::uint64_t live() {
    for (std::uint64_t day = 0; day < options_.days; ++day, midnight_ += kDay) live_day(day);
    return transactions_;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  // A weekday's share of an ordinary day, from 1970-01-01, a Thursday.
  static constexpr std::array<double, 7> kWeek{1.0, 1.1, 0.6, 0.0, 1.2, 1.0, 0.95};

  void set_clock(std::int64_t second, std::uint64_t microsecond) {
    connection_.execute(fmt::format(
        "SET timestamp = {}.{:06}, @@session.original_commit_timestamp = {}", midnight_ + second,
        microsecond, (midnight_ + second) * 1'000'000 + static_cast<std::int64_t>(microsecond)));
  }

  // Two peaks, in the morning and after work.
  static std::int64_t opening_time(Random& random) {
    const std::int64_t peak = random.chance(0.5) ? 10 * 3600 + 1800 : 16 * 3600;
    const std::int64_t spread = random.between(-5400, 5400) + random.between(-5400, 5400);
    return std::clamp<std::int64_t>(peak + spread, 8 * 3600, 19 * 3600);
  }

  void live_day(std::uint64_t day) {
    Random random(seed_ + 7919, day);
    const double share = kWeek.at(static_cast<std::size_t>(midnight_ / kDay % 7));
    const auto count = static_cast<std::uint64_t>(
        options_.per_day * share * (0.85 + 0.003 * static_cast<double>(random.below(101))));
    std::vector<std::int64_t> seconds(count);
    for (auto& second : seconds) second = opening_time(random);
    std::sort(seconds.begin(), seconds.end());
    auto work = seconds.begin();
    const auto work_until = [&](std::int64_t until) {
      for (; work != seconds.end() && *work <= until; ++work) do_work(*work);
    };
    if (day >= options_.learned_days && share > 0) {
      double left = options_.misdeeds;
      for (; left >= 1; left -= 1) misbehave(random, work_until);
      if (random.chance(left)) misbehave(random, work_until);
    }
    work_until(kDay);
  }

  void do_work(std::int64_t second) {
    const auto number = ++number_;
    Random random(seed_, number);
    set_clock(second, number % 1'000'000);
    connection_.begin();
    try {
      finish(clerk_->act(random, number));
    } catch (const OutOfStock& shortage) {
      connection_.rollback();
      connection_.begin();
      finish(clerk_->receive_goods(random, shortage.location_id, shortage.product_ids));
    }
  }

  void finish(const Outcome& outcome) {
    const auto gtid = connection_.commit();
    outcome.committed();
    ledger_.write(outcome.deeds, gtid);
    ++transactions_;
  }

  // The newest transaction of this server, the only one that writes.
  std::string last_gtid() {
    const auto executed = connection_.query("SELECT @@global.gtid_executed");
    std::string set = executed.at(0).at(0).value_or("");
    const auto colon = set.find(':');
    const auto dash = set.find('-', colon == std::string::npos ? set.size() : colon);
    return dash == std::string::npos ? set : set.substr(0, colon + 1) + set.substr(dash + 1);
  }

  template <class WorkUntil>
  void misbehave(Random& random, const WorkUntil& work_until) {
    const auto& misdeed = misdeeds()[cases_++ % misdeeds().size()];
    std::vector<std::string> gtids;
    std::int64_t first = -1;
    Scene scene{connection_, catalogue_, random, ++number_,
                [&](std::int64_t second, const std::vector<std::string>& statements) {
                  work_until(second);
                  if (first < 0) first = second;
                  set_clock(second, ++number_ % 1'000'000);
                  connection_.begin();
                  for (const auto& statement : statements) connection_.execute(statement);
                  gtids.push_back(connection_.commit());
                  if (gtids.back().empty()) gtids.back() = last_gtid();  // DDL commits by itself
                  ++transactions_;
                }};
    const std::string actor = misdeed.act(scene);
    if (actor == "-" || gtids.empty() || !answers_) return;
    fmt::print(answers_.get(),
               "{{\"class\":\"{}\",\"day\":{},\"second\":{},\"actor\":\"{}\",\"transactions\":"
               "[\"{}\"]}}\n",
               misdeed.name, midnight_ / kDay, first, actor, fmt::join(gtids, "\",\""));
  }

  Connection connection_;
  const Catalogue& catalogue_;
  Ledger& ledger_;
  std::uint64_t seed_;
  const YearOptions& options_;
  std::unique_ptr<Clerk> clerk_;
  std::unique_ptr<std::FILE, Close> answers_;
  std::int64_t midnight_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t transactions_ = 0;
  std::uint64_t cases_ = 0;
};

}  // namespace

std::uint64_t live_through(const ServerAddress& server, const Catalogue& catalogue, Ledger& ledger,
                           std::uint64_t seed, const YearOptions& options) {
  return Year(server, catalogue, ledger, seed, options).live();
}

}  // namespace rowtrail::demo
