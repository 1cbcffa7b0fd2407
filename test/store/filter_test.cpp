// Every filter and the paging, on both stores, against a plain loop over the same history.
#include "test/store/support.h"

#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

namespace rowtrail::store::test {
namespace {

constexpr std::uint64_t kTransactions = 60;

std::vector<std::uint64_t> seqs(const std::vector<StoredEvent>& list) {
  std::vector<std::uint64_t> out;
  for (const auto& event : list) out.push_back(event.seq);
  return out;
}
std::vector<std::uint64_t> seqs(const std::vector<StoredChange>& list) {
  std::vector<std::uint64_t> out;
  for (const auto& change : list) out.push_back(change.seq);
  return out;
}

/// The history of plain(1..kTransactions) with the seqs a log gives it.
struct Model {
  struct Entry {
    std::uint64_t number, transaction_seq, event_seq;
    Made made;
  };
  std::vector<Entry> entries;

  Model() {
    std::uint64_t seq = 0;
    for (std::uint64_t number = 1; number <= kTransactions; ++number) {
      auto made = plain(number);
      const auto transaction_seq = seq;
      seq += 1 + made.transaction->changes.size();
      entries.push_back({number, transaction_seq, seq, std::move(made)});
      ++seq;
    }
  }
  std::vector<std::uint64_t> event_seqs(const std::function<bool(const Entry&)>& wanted) const {
    std::vector<std::uint64_t> out;
    for (const auto& entry : entries) {
      if (wanted(entry)) out.push_back(entry.event_seq);
    }
    return out;
  }
  std::vector<std::uint64_t> change_seqs(
      const std::function<bool(const Entry&, const normalize::Change&)>& wanted) const {
    std::vector<std::uint64_t> out;
    for (const auto& entry : entries) {
      for (const auto& change : entry.made.transaction->changes) {
        if (wanted(entry, change)) out.push_back(entry.transaction_seq + 1 + change.ordinal);
      }
    }
    return out;
  }
};

void check_both_orders(Reader& reader, const Filter& filter,
                       const std::vector<std::uint64_t>& expected_events,
                       const std::vector<std::uint64_t>& expected_changes) {
  const Page ascending{{}, {}, true, 0};
  CHECK(seqs(events(reader, filter, ascending)) == expected_events);
  CHECK(seqs(changes(reader, filter, ascending)) == expected_changes);
  auto newest_first = expected_events;
  std::reverse(newest_first.begin(), newest_first.end());
  CHECK(seqs(events(reader, filter, {{}, {}, false, 0})) == newest_first);
  newest_first = expected_changes;
  std::reverse(newest_first.begin(), newest_first.end());
  CHECK(seqs(changes(reader, filter, {{}, {}, false, 0})) == newest_first);
}

std::int64_t id_of(const normalize::Change& change) {
  return change.after[0].i;
}

TEST_CASE("store: every filter finds what a loop over the history finds") {
  const Model model;
  using Entry = Model::Entry;
  using normalize::Change;
  const auto is_sale = [](const Entry& e) { return e.number % 2 == 0; };
  const auto all = [](const Entry&) { return true; };
  // A filter on events finds Changes through the transaction's event, and the other way round.
  struct Case {
    std::string name;
    Filter filter;
    std::function<bool(const Entry&)> event;
    std::function<bool(const Entry&, const Change&)> change;
  };
  const auto by_event = [&](std::string name, Filter filter, std::function<bool(const Entry&)> of) {
    return Case{std::move(name), std::move(filter), of,
                [of](const Entry& e, const Change&) { return of(e); }};
  };
  std::vector<Case> cases;
  cases.push_back(by_event("none", {}, all));
  Filter f;
  f.source = "pharmacy";
  cases.push_back(by_event("source", f, all));
  f.source = "elsewhere";
  cases.push_back(by_event("no source", f, [](const Entry&) { return false; }));
  f = {};
  f.type = "sale.made";
  cases.push_back(by_event("type", f, is_sale));
  f.actor = "anna";
  cases.push_back(by_event("type and actor", f, [](const Entry& e) { return e.number % 4 == 0; }));
  f = {};
  f.exclude = {{"type", "sale.made"}, {"source", "elsewhere"}};
  cases.push_back(by_event("not a type", f, [&](const Entry& e) { return !is_sale(e); }));
  f.exclude = {{"severity", "info"}};
  cases.push_back(by_event("not a severity", f, [](const Entry&) { return false; }));
  f.type = "sale.made";
  f.exclude = {{"actor", "anna"}};
  cases.push_back(by_event("not an actor", f, [](const Entry& e) { return e.number % 4 == 2; }));
  f = {};
  f.severity = "info";
  cases.push_back(by_event("severity", f, all));
  f.severity = "high";
  cases.push_back(by_event("no severity", f, [](const Entry&) { return false; }));
  f.severity = "nonsense";
  cases.push_back(by_event("unknown severity", f, [](const Entry&) { return false; }));
  f = {};
  f.object_type = "product";
  f.object_id = "3";
  cases.push_back(by_event("object", f, [](const Entry& e) { return e.number % 5 == 3; }));
  f.type = "sale.made";
  cases.push_back(
      by_event("object and type", f, [](const Entry& e) { return e.number % 10 == 8; }));
  f = {};
  f.object_type = "location";
  cases.push_back(by_event("object type", f, all));
  f.object_type = "patient";
  cases.push_back(by_event("no object type", f, [](const Entry&) { return false; }));
  f = {};
  f.object_id = "3";
  cases.push_back(by_event("object id", f, [](const Entry& e) { return e.number % 5 == 3; }));
  f = {};
  f.transaction = plain(12).transaction->id;
  cases.push_back(by_event("transaction", f, [](const Entry& e) { return e.number == 12; }));
  f.transaction = "none";
  cases.push_back(by_event("no transaction", f, [](const Entry&) { return false; }));
  f = {};
  f.text = "BY ANNA";
  cases.push_back(by_event("text", f, [](const Entry& e) { return e.number % 4 == 0; }));
  f.text = "9f2c41d0";  // in the payload, not in the summary
  cases.push_back(by_event("text elsewhere", f, [](const Entry&) { return false; }));
  f = {};
  f.since_us = plain(20).transaction->committed_at_us;
  f.until_us = plain(25).transaction->committed_at_us;
  cases.push_back(
      by_event("time", f, [](const Entry& e) { return e.number >= 20 && e.number < 25; }));
  f = {};
  f.table = "sale";
  cases.push_back(
      {"table", f, is_sale, [](const Entry&, const Change& c) { return c.table == "sale"; }});
  f.database = "pharmacy";
  f.source = "pharmacy";
  cases.push_back({"source, database and table", f, is_sale,
                   [](const Entry&, const Change& c) { return c.table == "sale"; }});
  f = {};
  f.database = "pharmacy";
  cases.push_back(by_event("database", f, all));
  f.table = "nothing";
  cases.push_back(by_event("no table", f, [](const Entry&) { return false; }));
  f = {};
  f.database = "pharmacy";
  f.table = "stock";
  f.pk = R"({"id":102})";
  cases.push_back(
      {"row", f, [](const Entry& e) { return e.number % 3 == 0 && e.number % 5 == 2; },
       [](const Entry&, const Change& c) { return c.table == "stock" && id_of(c) == 102; }});

  on_both([&](Place& place) {
    const auto writer = open_writer(place.url());
    write(*writer, 1, kTransactions);
    const auto reader = open_reader(place.url());
    for (const auto& test : cases) {
      INFO(test.name);
      check_both_orders(*reader, test.filter, model.event_seqs(test.event),
                        model.change_seqs(test.change));
    }
  });
}

TEST_CASE("store: what is excluded leaves out the changes of its transactions, and no others") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    Batch batch;
    batch.reset(writer->next_seq());
    Made both(1);  // a sale and its payment in one transaction
    both.insert(table(), 1, "a").event("sale.made", "anna").event("payment.taken", "ben");
    Made payment(2);
    payment.insert(table(), 2, "b").event("payment.taken", "ben");
    Made nothing(3);  // a change that no event speaks of
    nothing.insert(table(), 3, "c");
    for (const Made* made : {&both, &payment, &nothing}) made->into(batch);
    writer->append(batch);
    writer->commit("pharmacy", position_after(3), 0);
    const auto reader = open_reader(place.url());
    const auto kept = [&](const std::string& name, const std::string& value) {
      Filter filter;
      filter.exclude = {{name, value}};
      return seqs(changes(*reader, filter, {{}, {}, true, 0}));
    };
    const auto all = seqs(changes(*reader, {}, {{}, {}, true, 0}));
    REQUIRE(all.size() == 3);
    CHECK(kept("type", "sale.made") == std::vector<std::uint64_t>{all[1], all[2]});
    CHECK(kept("type", "payment.taken") == std::vector<std::uint64_t>{all[2]});
    CHECK(kept("actor", "anna") == std::vector<std::uint64_t>{all[1], all[2]});
    CHECK(kept("source", "pharmacy").empty());
    CHECK(kept("type", "unheard.of") == all);
  });
}

TEST_CASE("store: pages in both directions join without a seam") {
  on_both([](Place& place) {
    const Model model;
    const auto writer = open_writer(place.url());
    write(*writer, 1, kTransactions);
    const auto reader = open_reader(place.url());
    const auto expected = model.event_seqs([](const Model::Entry&) { return true; });
    for (const bool ascending : {false, true}) {
      for (const std::uint64_t limit : {1U, 7U, 60U, 100U}) {
        std::vector<std::uint64_t> got;
        Page page{{}, {}, ascending, limit};
        for (;;) {
          const auto part = seqs(events(*reader, {}, page));
          if (part.empty()) break;
          CHECK(part.size() <= limit);
          got.insert(got.end(), part.begin(), part.end());
          (ascending ? page.after_seq : page.before_seq) = part.back();
        }
        if (!ascending) std::reverse(got.begin(), got.end());
        CHECK(got == expected);
      }
    }
    // Both bounds at once, and bounds beyond what SQL counts.
    const auto between = seqs(events(*reader, {}, {expected[9], expected[13], true, 0}));
    CHECK(between == std::vector<std::uint64_t>(expected.begin() + 10, expected.begin() + 13));
    CHECK(events(*reader, {}, {{}, ~std::uint64_t{0}, false, 5}).size() == 5);
    CHECK(events(*reader, {}, {~std::uint64_t{0}, {}, true, 5}).empty());
    CHECK(changes(*reader).size() == 100);
  });
}

TEST_CASE("store: counts over a span") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    write(*writer, 1, kTransactions);
    const auto reader = open_reader(place.url());
    const auto counts = reader->counts(plain(11).transaction->committed_at_us,
                                       plain(31).transaction->committed_at_us);
    CHECK(counts.transactions == 20);
    CHECK(counts.events == 20);
    CHECK(counts.changes == 20 + 10 + 7);
    CHECK(counts.by_type ==
          std::map<std::string, std::uint64_t>{{"sale.made", 10}, {"stock.counted", 10}});
    CHECK(counts.by_actor == std::map<std::string, std::uint64_t>{{"anna", 5}, {"ben", 15}});
    CHECK(counts.by_object_type ==
          std::map<std::string, std::uint64_t>{{"location", 1}, {"product", 5}});
    REQUIRE(counts.top_objects.size() == 6);
    CHECK(counts.top_objects[0] == std::pair<std::string, std::uint64_t>{"location 1", 20});
    CHECK(counts.top_objects[1] == std::pair<std::string, std::uint64_t>{"product 0", 4});
    CHECK(reader->counts(0, 1).events == 0);
  });
}

}  // namespace
}  // namespace rowtrail::store::test
