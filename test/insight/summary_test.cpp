// Summaries on both stores: every number is computed again by plain SQL and by a second count made
// while the history was written, and every renderer says numbers of the sheet only.
#include "test/store/support.h"

#include <map>
#include <set>

#include "insight/decimal_sum.h"
#include "insight/insight.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <re2/re2.h>

namespace rowtrail::insight {
namespace {

using store::test::Made;
using store::test::Place;

constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr std::int64_t kDayUs = 24 * kHourUs;
constexpr std::int64_t kFirstDay = 1'789'948'800'000'000;  // 2026-09-21, a Monday

/// What the history holds, counted while it was written.
struct Ledger {
  std::map<std::int64_t, std::map<std::string, std::uint64_t>> type, actor, total;
  std::int64_t cents = 0;  // of the sales of the last day
};

/// Ten weeks of a small shop; its last day, Friday 2026-11-27, is busy, without returns, and has a
/// type, an actor and a table that were never seen before.
Ledger write_history(const std::string& url) {
  Ledger ledger;
  const auto writer = store::open_writer(url);
  store::Batch batch;
  batch.reset(writer->next_seq());
  std::uint64_t number = 0;
  const auto add = [&](std::int64_t day, std::int64_t second, const std::string& type,
                       const std::string& actor, std::int64_t cents, const std::string& table) {
    Made made(++number, kFirstDay + day * kDayUs + second * 1'000'000);
    made.insert(store::test::table("shop", table), static_cast<std::int64_t>(number), "x");
    made.event(type, actor,
               {{"product", std::to_string(number % 4), ""}, {"sale", std::to_string(number), ""}});
    made.events.back().attributes =
        fmt::format(R"({{"total":"{}.{:02}","method":"card","receipt_no":{}}})", cents / 100,
                    cents % 100, number);
    made.into(batch);
    ++ledger.type[day][type];
    ++ledger.actor[day][actor];
    ++ledger.total[day]["events"];
    if (day == 67 && type == "sale.completed") ledger.cents += cents;
  };
  for (std::int64_t day = 0; day <= 67; ++day) {
    const bool last = day == 67;
    const auto sales = (last ? 60 : 18) + day % 5;
    for (std::int64_t i = 0; i < sales; ++i) {
      add(day, 8 * 3600 + i * 500, "sale.completed", i % 3 == 0 ? "o'neill" : "anna", 1001 + i,
          "sale");
    }
    for (std::int64_t i = 0; i < 6 && !last; ++i) {
      add(day, 9 * 3600 + i, "sale.refunded", "anna", 500, "sale");
    }
    if (last) add(day, 80'000, "role.granted", "<b>eve</b>", 0, "user_role");
  }
  writer->append(batch);
  writer->commit("pharmacy", store::test::position_after(number), kFirstDay + 68 * kDayUs);
  return ledger;
}

FactSheet sheet_of(Place& place, SpanKind kind, const std::string& date) {
  const auto reader = store::open_reader(place.url());
  return make_fact_sheet(*reader, span_of(kind, date).value());
}

std::set<std::string> numbers_in(const std::string& text) {
  static const re2::RE2 digits("([0-9]+(?:\\.[0-9]+)?)");
  std::set<std::string> out;
  re2::StringPiece rest(text);
  for (std::string number; re2::RE2::FindAndConsume(&rest, digits, &number);) out.insert(number);
  return out;
}

TEST_CASE("summary: every number is what plain SQL says, on both stores") {
  store::test::on_both([](Place& place) {
    write_history(place.url());
    for (const auto kind : {SpanKind::Day, SpanKind::Week, SpanKind::Month}) {
      const auto sheet = sheet_of(place, kind, "2026-11-27");
      std::size_t asked = 0;
      for (const auto& fact : sheet.facts) {
        if (fact.query.empty()) continue;
        INFO(fact.id << ": " << fact.query);
        CHECK(place.sql(fact.query).at(0) == fact.value);
        ++asked;
      }
      CHECK(asked > 20);
    }
  });
}

TEST_CASE("summary: counts, usual and sums agree with a ledger kept while writing") {
  store::test::on_both([](Place& place) {
    const auto ledger = write_history(place.url());
    const auto sheet = sheet_of(place, SpanKind::Day, "2026-11-27");
    CHECK(sheet.reference.size() == 8);
    const auto check = [&](const std::string& id, const auto& counts, const std::string& name) {
      INFO(id);
      const auto* fact = sheet.find(id);
      REQUIRE(fact != nullptr);
      const auto on = [&](std::int64_t day) {
        const auto& of_day = counts.at(day);
        const auto found = of_day.find(name);
        return found == of_day.end() ? std::uint64_t{0} : found->second;
      };
      CHECK(fact->value == std::to_string(on(67)));
      std::multiset<std::uint64_t> before;
      for (std::int64_t week = 1; week <= 8; ++week) before.insert(on(67 - 7 * week));
      CHECK(fact->usual->min == std::to_string(*before.begin()));
      CHECK(fact->usual->max == std::to_string(*before.rbegin()));
      const auto twice = *std::next(before.begin(), 3) + *std::next(before.begin(), 4);
      CHECK(fact->usual->median == std::to_string(twice / 2) + (twice % 2 == 1 ? ".5" : ""));
    };
    check("total/events", ledger.total, "events");
    check("type/sale.completed", ledger.type, "sale.completed");
    check("type/sale.refunded", ledger.type, "sale.refunded");
    check("actor/anna", ledger.actor, "anna");
    check("actor/o'neill", ledger.actor, "o'neill");
    CHECK(sheet.find("type/sale.refunded")->value == "0");
    CHECK(sheet.find("sum/sale.completed/total")->value ==
          fmt::format("{}.{:02}", ledger.cents / 100, ledger.cents % 100));
    CHECK(sheet.find("sum/sale.completed/receipt_no") == nullptr);
    CHECK(sheet.find("new/type/role.granted") != nullptr);
    CHECK(sheet.find("new/actor/<b>eve</b>") != nullptr);
    CHECK(sheet.find("new/table/shop.user_role") != nullptr);
    CHECK(sheet.of("new").size() == 3);
    CHECK(std::find(sheet.standout.begin(), sheet.standout.end(), "type/sale.completed") !=
          sheet.standout.end());
  });
}

TEST_CASE("summary: a renderer says no number that is not in the fact sheet") {
  const auto place = store::test::sqlite_place();
  write_history(place->url());
  for (const auto kind : {SpanKind::Day, SpanKind::Week, SpanKind::Month}) {
    const auto sheet = sheet_of(*place, kind, "2026-11-27");
    const auto known = numbers_in(render_json(sheet));
    auto html = render_html(sheet);
    CHECK(html.find("<b>eve") == std::string::npos);
    CHECK(html.find("http") == std::string::npos);  // nothing loaded from anywhere
    // What is seen: no styles, no coordinates; tags, entities and the heading's digit away.
    for (const auto* hidden : {"<style>[^<]*</style>", "<[^>]*>", "&#39;"}) {
      re2::RE2::GlobalReplace(&html, hidden, " ");
    }
    for (const auto& text : {render_text(sheet), render_markdown(sheet), html}) {
      for (const auto& number : numbers_in(text)) {
        INFO(number);
        CHECK(known.contains(number));
      }
    }
  }
}

TEST_CASE("summary: an empty day and a first day say so") {
  const auto place = store::test::sqlite_place();
  write_history(place->url());
  const auto empty = sheet_of(*place, SpanKind::Day, "2026-12-24");
  CHECK(render_text(empty).find("No business event was recorded.") != std::string::npos);
  const auto first = sheet_of(*place, SpanKind::Day, "2026-09-21");
  CHECK(first.reference.empty());
  CHECK(first.of("new").empty());
  CHECK(render_text(first).find("nothing to compare with yet") != std::string::npos);
}

TEST_CASE("calendar: weeks are ISO weeks, months end where they end, bad dates are errors") {
  CHECK(span_of(SpanKind::Week, "2027-01-01").value().title == "2026-W53");
  const auto february = span_of(SpanKind::Month, "2028-02-10").value();
  CHECK(february.until_us - february.since_us == 29 * kDayUs);
  CHECK(reference_spans(february).at(1).title == "2027-12");
  CHECK(reference_spans(span_of(SpanKind::Day, "2026-11-24").value()).at(0).title == "2026-11-17");
  for (const auto* bad : {"2026-02-30", "2026-1-1", "", "tomorrow", "2026-11-24x", "+026-11-24"}) {
    INFO(bad);
    CHECK(!span_of(SpanKind::Day, bad));
  }
}

TEST_CASE("decimal sum: exact, or refused") {
  DecimalSum sum;
  for (const auto* text : {"0.1", "0.2", "-12.50", "7"}) CHECK(sum.add(text));
  CHECK(sum.text() == "-5.20");
  for (const auto* text : {"", "-", "1.", ".5", "1e3", "0.1234567891", "12345678901234567890"}) {
    INFO(text);
    CHECK(!sum.add(text));
  }
  CHECK(sum.text() == "-5.20");
}

}  // namespace
}  // namespace rowtrail::insight
