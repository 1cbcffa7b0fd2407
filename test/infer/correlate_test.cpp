#include "infer/correlator.h"

#include "helper.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace rowtrail::infer;
using namespace rowtrail::infer::test;
namespace normalize = rowtrail::normalize;

namespace {

class MemoryState final : public State {
 public:
  std::vector<StateRow> state_rows() override {
    std::vector<StateRow> out;
    for (const auto& [key, value] : rows_) {
      if (!value.empty()) out.push_back({key.first, key.second, value, false});
    }
    return out;
  }
  bool has_state(const std::string& rule, const std::string& key) override {
    return rows_.contains({rule, key});
  }
  void save(const std::vector<StateRow>& rows) {
    for (const auto& row : rows) {
      if (row.removed) {
        rows_.erase({row.rule, row.key});
      } else {
        rows_[{row.rule, row.key}] = row.value;
      }
    }
  }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }

 private:
  std::map<std::pair<std::string, std::string>, std::string> rows_;
};

struct Given {
  int second;
  std::string type;
  std::string order = "7";
  std::string actor = "anna";
  std::string attributes = "{}";
};

constexpr std::int64_t kStart = 1'767'225'600'000'000;

/// One writer with its correlator; restart() is what a crash leaves: the rows that were saved.
class Run {
 public:
  explicit Run(const std::string& yaml) : rules_(load_rules_text(yaml, "r.yaml")) {
    for (const auto& error : rules_.errors) FAIL(error.text());
    restart();
  }

  void restart() {
    evaluator_ = std::make_unique<Evaluator>(rules_.rules->slots);
    const auto note = [this](const Rule&, const std::string& text) { notes += text + "\n"; };
    emitter_ = std::make_unique<Emitter>(*evaluator_, note);
    correlator_ = std::make_unique<Correlator>(*rules_.rules, *evaluator_, *emitter_, note);
    correlator_->set_state(&state);
  }

  /// What follows from one event, which is a transaction of its own.
  void take(const Given& given) {
    transaction_.id = fmt::format("t:{}", ++transactions_);
    transaction_.source = "test";
    const std::int64_t time = kStart + std::int64_t{given.second} * 1'000'000;
    transaction_.event_time_us = std::max(transaction_.event_time_us, time);
    std::vector<BusinessEvent> events(given.type.empty() ? 0 : 1);
    if (!events.empty()) {
      events[0].type = given.type;
      events[0].time_us = time;
      events[0].time_has_fraction = false;
      if (!given.order.empty()) events[0].objects = {{"order", given.order, ""}};
      if (!given.actor.empty()) events[0].actor = {given.actor, "comment", "exact"};
      events[0].attributes = given.attributes;
    }
    const std::size_t own = events.size();
    correlator_->take(transaction_, 0, events);
    correlator_->set_event_seq(next_seq_);
    for (std::size_t n = own; n < events.size(); ++n) made.push_back(describe(events[n]));
    next_seq_ += events.size();
    state.save(correlator_->take_state());
  }

  std::vector<std::string> made;
  std::string notes;
  MemoryState state;

 private:
  std::string describe(const BusinessEvent& event) const {
    std::string out = fmt::format("{} at {}s", event.type, (event.time_us - kStart) / 1'000'000);
    for (const auto& object : event.objects) out += fmt::format(" {}/{}", object.type, object.id);
    if (event.attributes != "{}") out += " " + event.attributes;
    out += " because";
    for (const auto& ref : event.because) {
      const auto seq = ref.seq == kUnknownSeq ? next_seq_ + ref.index : ref.seq;
      out += fmt::format(" {}", seq);
    }
    return out;
  }

  LoadedRules rules_;
  std::unique_ptr<Evaluator> evaluator_;
  std::unique_ptr<Emitter> emitter_;
  std::unique_ptr<Correlator> correlator_;
  normalize::Transaction transaction_;
  int transactions_ = 0;
  std::uint64_t next_seq_ = 100;
};

using Made = std::vector<std::string>;

/// The same without a break and with a restart after every event; what is left behind is the same.
Made run(const std::string& yaml, const std::vector<Given>& events) {
  Run live(yaml);
  Run broken(yaml);
  for (const auto& event : events) {
    live.take(event);
    broken.take(event);
    broken.restart();
  }
  INFO(live.notes);
  CHECK(live.notes.empty());
  CHECK(broken.made == live.made);
  CHECK(broken.state.size() == live.state.size());
  return live.made;
}

std::string rule(const std::string& correlate, const std::string& rest = "") {
  return "id: r\ntitle: R\nevent: found\ncorrelate:\n" + correlate + rest;
}

const std::string kAbsent = rule(R"(
  sequence: [{event: order.paid}, {absent: order.shipped}]
  by: order
  within: 1h
)");

}  // namespace

TEST_CASE("correlate: an absence is stamped with its deadline and rests on what it waited for") {
  CHECK(run(kAbsent, {{0, "order.paid"}, {3600, "other"}, {3601, "other"}}) ==
        Made{"found at 3600s order/7 because 100"});
  SECTION("what comes at the deadline is in time") {
    CHECK(run(kAbsent, {{0, "order.paid"}, {3600, "order.shipped"}, {9000, "other"}}).empty());
  }
  SECTION("what comes for another key is not meant") {
    CHECK(run(kAbsent, {{0, "order.paid"}, {10, "order.shipped", "8"}, {9000, "other"}}) ==
          Made{"found at 3600s order/7 because 100"});
  }
  SECTION("a repeated beginning does not begin again") {
    CHECK(
        run(kAbsent, {{0, "order.paid"}, {5, "order.paid"}, {9000, "other"}, {99'000, "other"}}) ==
        Made{"found at 3600s order/7 because 100"});
  }
  SECTION("what comes too late changes nothing") {
    CHECK(
        run(kAbsent, {{0, "order.paid"}, {4000, "other"}, {1000, "order.shipped"}, {9000, "x"}}) ==
        Made{"found at 3600s order/7 because 100"});
  }
  SECTION("an absence of the event itself: a heartbeat that stops") {
    const auto beat = rule(
        "  sequence: [{event: backup.done, as: last}, {absent: backup.done}]\n"
        "  within: 1m\n");
    CHECK(run(beat, {{0, "backup.done"}, {50, "backup.done"}, {100, "backup.done"}, {170, "x"}}) ==
          Made{"found at 160s because 102"});
  }
}

TEST_CASE("correlate: a sequence is found in order, within its time, for one key") {
  const auto yaml = rule(R"(
  sequence: [{event: user.created, as: made}, {event: role.granted, as: given}, {event: user.deleted, as: gone}]
  by: order
  within: 1h
)",
                         "emit: {attributes: {by: given.actor}}\n");
  CHECK(run(yaml, {{0, "user.created"}, {1, "role.granted", "7", "otto"}, {2, "user.deleted"}}) ==
        Made{R"(found at 2s order/7 {"by":"otto"} because 100 101 102)"});
  CHECK(run(yaml, {{0, "role.granted"}, {1, "user.created"}, {2, "user.deleted"}}).empty());
  CHECK(run(yaml, {{0, "user.created"}, {1, "role.granted"}, {3601, "user.deleted"}}).empty());
  CHECK(run(yaml, {{0, "user.created"}, {1, "role.granted", "8"}, {2, "user.deleted"}}).empty());
  SECTION("what is repeated in between counts once") {
    CHECK(
        run(yaml,
            {{0, "user.created"}, {1, "role.granted"}, {1, "role.granted"}, {2, "user.deleted"}}) ==
        Made{R"(found at 2s order/7 {"by":"anna"} because 100 101 103)"});
  }
  SECTION("an event that comes late, with an older time, is before the beginning") {
    CHECK(run(yaml, {{10, "user.created"}, {5, "role.granted"}, {12, "user.deleted"}}).empty());
  }
}

TEST_CASE("correlate: until ends a sequence, an absence between two events breaks it") {
  const auto until = rule(R"(
  sequence: [{event: a}, {event: b}]
  until: c
  within: 1h
)");
  CHECK(run(until, {{0, "a"}, {1, "b"}}).size() == 1);
  CHECK(run(until, {{0, "a"}, {1, "c"}, {2, "b"}}).empty());
  CHECK(run(until, {{0, "a"}, {1, "c"}, {2, "a"}, {2, "a"}, {1, "c"}, {3, "b"}}) ==
        Made{"found at 3s because 102 105"});
  const auto between = rule(R"(
  sequence: [{event: a}, {absent: check}, {event: b}, {event: d}]
  within: 1h
)");
  CHECK(run(between, {{0, "a"}, {1, "b"}, {2, "check"}, {3, "d"}}) ==
        Made{"found at 3s because 100 101 103"});
  CHECK(run(between, {{0, "a"}, {1, "check"}, {2, "b"}, {3, "d"}}).empty());
}

TEST_CASE("correlate: overlapping sequences each have their own events") {
  const auto body = std::string(R"(
  sequence: [{event: a}, {event: b}]
  within: 10s
)");
  const std::vector<Given> given = {{0, "a"}, {1, "a"}, {1, "a"}, {5, "b"}, {20, "b"}};
  CHECK(run(rule(body), given) == Made{"found at 5s because 100 103"});
  CHECK(run(rule(body + "  overlapping: true\n"), given) == Made{"found at 5s because 100 103",
                                                                 "found at 5s because 101 103",
                                                                 "found at 5s because 102 103"});
}

TEST_CASE("correlate: the same actor, or another one") {
  const auto body = std::string(R"(
  sequence: [{event: order.created}, {event: order.approved}]
  by: order
  within: 1d
)");
  const auto same = rule(body + "  actor: same\n");
  const auto different = rule(body + "  actor: different\n");
  const std::vector<Given> alone = {
      {0, "order.created"}, {9, "order.approved"}, {9, "order.approved"}};
  const std::vector<Given> two = {{0, "order.created"}, {9, "order.approved", "7", "otto"}};
  const std::vector<Given> unknown = {{0, "order.created"}, {9, "order.approved", "7", ""}};
  CHECK(run(same, alone) == Made{"found at 9s order/7 because 100 101"});
  CHECK(run(same, two).empty());
  CHECK(run(different, alone).empty());
  CHECK(run(different, two).size() == 1);
  CHECK(run(same, unknown).empty());
  CHECK(run(different, unknown).empty());
}

TEST_CASE("correlate: a field of one event compared with that of another") {
  const auto yaml = rule(R"y(
  sequence:
    - {event: sale.made, as: sale}
    - {event: sale.refunded, as: refund, where: "decimal(refund.attributes.total) > decimal(sale.attributes.total)"}
  by: order
  within: 1d
)y",
                         R"y(where: "refund.time - sale.time < duration('1h')"
emit: {attributes: {more: decimal(refund.attributes.total) - decimal(sale.attributes.total)}}
)y");
  const auto total = [](const char* text) { return fmt::format(R"({{"total":"{}"}})", text); };
  CHECK(run(yaml, {{0, "sale.made", "7", "a", total("9.50")},
                   {60, "sale.refunded", "7", "a", total("9.51")}}) ==
        Made{R"(found at 60s order/7 {"more":"0.01"} because 100 101)"});
  CHECK(run(yaml, {{0, "sale.made", "7", "a", total("9.50")},
                   {60, "sale.refunded", "7", "a", total("9.5")}})
            .empty());
  CHECK(run(yaml,
            {{0, "sale.made", "7", "a", total("1")}, {3600, "sale.refunded", "7", "a", total("2")}})
            .empty());
}

TEST_CASE("correlate: a count in a sliding window; each event counts for one alert") {
  const auto yaml = rule(R"(
  count: login.failed
  at_least: 3
  by: actor
  within: 10s
)",
                         "emit: {attributes: {n: count}}\n");
  CHECK(run(yaml,
            {{0, "login.failed"}, {5, "login.failed"}, {9, "login.failed"}, {9, "login.failed"}}) ==
        Made{R"(found at 9s {"n":3} because 100 101 102)"});
  CHECK(
      run(yaml,
          {{0, "login.failed"}, {5, "login.failed"}, {10, "login.failed"}, {11, "login.failed"}}) ==
      Made{R"(found at 11s {"n":3} because 101 102 103)"});
  CHECK(run(yaml, {{0, "login.failed"}, {1, "login.failed", "7", "otto"}, {2, "login.failed"}})
            .empty());
  SECTION("late events count where they belong, or not at all") {
    CHECK(run(yaml, {{12, "login.failed"}, {13, "login.failed"}, {5, "login.failed"}}).size() == 1);
    CHECK(run(yaml, {{12, "login.failed"}, {13, "login.failed"}, {3, "login.failed"}}).empty());
  }
}

TEST_CASE("correlate: distinct values; the same one again does not count") {
  const auto yaml = rule(R"(
  distinct: {event: patient.read, of: event.objects.order}
  at_least: 3
  by: actor
  within: 1m
)",
                         "emit: {attributes: {n: value, last: event.objects.order}}\n");
  CHECK(run(yaml, {{0, "patient.read", "1"},
                   {1, "patient.read", "1"},
                   {2, "patient.read", "2"},
                   {1, "patient.read", "2"},
                   {9, "patient.read", "3"}}) ==
        Made{R"(found at 9s {"n":3,"last":"3"} because 101 103 104)"});
  CHECK(run(yaml, {{0, "patient.read", "1"}, {30, "patient.read", "2"}, {61, "patient.read", "3"}})
            .empty());
}

TEST_CASE("correlate: an exact sum of amounts, also those JSON writes as strings") {
  const auto yaml = rule(R"(
  sum: {event: refund, of: event.attributes.total, where: "event.attributes.total != '0.00'"}
  at_least: 0.3
  within: 1h
)",
                         "emit: {attributes: {total: value}}\n");
  const auto total = [](const char* json) { return fmt::format(R"({{"total":{}}})", json); };
  CHECK(run(yaml, {{0, "refund", "7", "a", total("\"0.10\"")},
                   {0, "refund", "7", "a", total("\"0.00\"")},
                   {5, "refund", "8", "b", total("0.2")}}) ==
        Made{R"(found at 5s {"total":"0.30"} because 100 102)"});
  CHECK(run(yaml, {{0, "refund", "7", "a", total("\"0.10\"")},
                   {3600, "refund", "7", "a", total("\"0.20\"")}})
            .empty());
}

TEST_CASE("correlate: a ratio is compared without rounding, from a minimum on") {
  const auto yaml = rule(R"(
  ratio: {of: refund, to: sale}
  at_least: 0.5
  minimum: 4
  by: actor
  within: 1h
)",
                         "emit: {attributes: {refunds: count, ratio: value}}\n");
  std::vector<Given> given = {{0, "sale"}, {1, "sale"}, {2, "refund"}, {2, "refund"}, {3, "sale"}};
  CHECK(run(yaml, given).empty());
  given.push_back({4, "sale"});
  CHECK(run(yaml, given) ==
        Made{R"(found at 4s {"refunds":2,"ratio":"0.5000"} because 100 101 102 103 104 105)"});
}

TEST_CASE("correlate: first seen in the whole life of the record") {
  const auto yaml = rule("  first_seen: login\n  by: [actor, order]\n");
  CHECK(run(yaml, {{0, "login"},
                   {1, "login"},
                   {99'999, "login", "7", "otto"},
                   {999'999, "login"},
                   {5, "login", "8"}}) == Made{"found at 0s order/7 because 100",
                                               "found at 99999s order/7 because 103",
                                               "found at 5s order/8 because 106"});
  SECTION("a changed rule knows what was seen before") {
    Run live(yaml);
    live.take({0, "login"});
    Run changed(yaml + "severity: high\n");
    changed.state = live.state;
    changed.restart();
    changed.take({9, "login"});
    CHECK(changed.made.empty());
  }
}

TEST_CASE("correlate: one rule takes the events of another, also of a deadline") {
  const auto yaml = kAbsent + "---\n" + R"(
id: second
title: Second
event: order.neglected
correlate:
  count: found
  at_least: 2
  within: 1d
emit: {attributes: {n: count}}
)";
  CHECK(
      run(yaml,
          {{0, "order.paid", "1"}, {0, "order.paid", "1"}, {5, "order.paid", "2"}, {9000, "x"}}) ==
      Made{"found at 3600s order/1 because 100", "found at 3605s order/2 because 102",
           R"(order.neglected at 3605s {"n":2} because 104 105)"});
}

TEST_CASE("correlate: what is open is bounded, and giving up is said") {
  Run live(rule("  sequence: [{event: a}, {event: b}]\n  within: 1h\n  overlapping: true\n"));
  for (std::size_t n = 0; n <= kEntriesPerKeyMax; ++n) live.take({static_cast<int>(n), "a"});
  CHECK(live.notes.find("the oldest is given up") != std::string::npos);
  live.take({2'000, "b"});
  CHECK(live.made.size() == kEntriesPerKeyMax);
  CHECK(live.made.front() == "found at 2000s because 101 1101");
  CHECK(live.state.size() == 0);
}

TEST_CASE("correlate: state of a rule that is gone or was changed is removed") {
  Run live(kAbsent);
  live.take({0, "order.paid"});
  CHECK(live.state.size() == 1);
  Run changed(kAbsent + "severity: high\n");
  changed.state = live.state;
  changed.restart();
  changed.take({9000, "x"});
  CHECK(changed.made.empty());
  CHECK(changed.state.size() == 0);
}

TEST_CASE("correlate: every mistake is said, where it is") {
  const auto has = [](const std::string& yaml, const std::string& text) {
    INFO(errors_of(yaml));
    CHECK(errors_of(yaml).find(text) != std::string::npos);
  };
  has(rule("  sequence: [{event: a}]\n  within: 1h\n"), "r.yaml:5:13: a sequence has at least two");
  has(rule("  sequence: [{event: a}, {event: b}]\n"), "there is no within");
  has(rule("  sequence: [{event: a}, {event: x.a}]\n  within: 1h\n"), "two parts are called 'a'");
  has(rule("  count: a\n  within: 1x\n  at_least: 0\n"), "r.yaml:6:11: within is a time");
  has(rule("  count: a\n  within: 1x\n  at_least: 0\n"), "r.yaml:7:13: at_least is a whole number");
  has(rule("  count: a\n  sum: b\n  within: 1h\n  at_least: 2\n"), "one of these only");
  has(rule("  first_seen: a\n  within: 1h\n"), "within is for what has an end");
  has(rule("  first_seen: a\n"), "the first time of what?");
  has(rule("  distinct: a\n  at_least: 2\n  within: 1h\n"), "there is no of");
  has(rule("  cuont: a\n"), "no field 'cuont' in correlate; did you mean 'count'?");
  has(rule("  count: {event: a, where: 'evnt.actor'}\n  within: 1h\n  at_least: 2\n"),
      "no clause 'evnt'");
  has(rule("  count: a\n  within: 1h\n  at_least: 2\n", "match: {x: {table: t}}\n"), "not both");
}

TEST_CASE("correlate: tests inside a rule run against its events") {
  const auto yaml = kAbsent + R"(
tests:
  - events:
      - {event: order.paid, objects: {order: 7}}
      - {at: 2h}
    expect: [{event: found, objects: {order: 7}}]
  - events:
      - {event: order.paid, objects: {order: 7}}
      - {at: 10m, event: order.shipped, objects: {order: 7}}
      - {at: 2h}
    expect: [{event: found}]
)";
  const auto rules = load_rules_text(yaml, "r.yaml");
  for (const auto& error : rules.errors) FAIL(error.text());
  const auto results = run_rule_tests(rules);
  REQUIRE(results.size() == 2);
  INFO(results[0].detail);
  CHECK(results[0].passed);
  CHECK_FALSE(results[1].passed);
  CHECK(results[1].detail.find("expected 1 event, got 0") != std::string::npos);
}
