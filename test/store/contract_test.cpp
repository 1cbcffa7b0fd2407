// The one contract of a store, on both kinds: what is written comes back, whole commits or nothing,
// one writer, readers that see commits only.
#include "test/store/support.h"

#include <algorithm>
#include <limits>

#include <catch2/catch.hpp>

namespace rowtrail::store::test {
namespace {

constexpr auto kHigh = std::numeric_limits<std::uint64_t>::max();

TEST_CASE("store: a fresh log is empty and has an origin") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    CHECK(writer->next_seq() == 0);
    CHECK(writer->recorded_rules().empty());
    CHECK(writer->source_state("pharmacy").position.empty());
    const auto reader = open_reader(place.url());
    const auto status = reader->status();
    CHECK(status.size == 0);
    CHECK(status.origin.find('/') != std::string::npos);
    CHECK(status.origin.size() > 36);
    CHECK(status.sources.empty());
    CHECK(events(*reader).empty());
    CHECK(changes(*reader).empty());
  });
}

TEST_CASE("store: records come back in the order and with the numbers they were given") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    write(*writer, 6, 6);
    CHECK(writer->next_seq() == 5);  // transaction, three changes, event
    const auto reader = open_reader(place.url());
    const auto stored = changes(*reader, {}, {{}, {}, true, 0});
    REQUIRE(stored.size() == 3);
    CHECK(stored[0].seq == 1);
    CHECK(stored[2].seq == 3);
    CHECK(stored[1].transaction_seq == 0);
    std::string expected;
    const auto made = plain(6);
    normalize::append_change(expected, made.transaction->changes[1]);
    CHECK(stored[1].payload == expected);
    expected.clear();
    normalize::append_transaction(expected, *made.transaction);
    CHECK(stored[1].transaction_payload == expected);
    expected.clear();
    infer::append_event(expected, made.events[0], *made.transaction);
    CHECK(stored[1].event_payload == expected);

    const auto event = reader->event(4);
    REQUIRE(event);
    CHECK(event->payload == expected);
    CHECK(event->type == "sale.made");
    CHECK(event->actor == "ben");
    CHECK(event->transaction_seq == 0);
    CHECK(event->time_us == made.transaction->committed_at_us);
    CHECK_FALSE(reader->event(3));
    CHECK_FALSE(reader->event(kHigh));

    const auto status = reader->status();
    CHECK(status.size == 5);
    CHECK(status.transactions == 1);
    CHECK(status.changes == 3);
    CHECK(status.events == 1);
    REQUIRE(status.sources.size() == 1);
    CHECK(status.sources[0].position.gtid_set == position_after(6).gtid_set);
    CHECK(status.sources[0].committed_us > 1'700'000'000'000'000);
  });
}

TEST_CASE("store: a transaction is found by its id, its changes by ordinal") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    write(*writer, 1, 8);
    const auto reader = open_reader(place.url());
    const auto id = plain(6).transaction->id;
    const auto found = reader->transaction("pharmacy", id);
    REQUIRE(found);
    CHECK(reader->transaction_changes(found->seq, {}).size() == 3);
    const auto some = reader->transaction_changes(found->seq, {2, 0});
    REQUIRE(some.size() == 2);
    CHECK(some[0].seq == found->seq + 1);
    CHECK(some[1].seq == found->seq + 3);
    CHECK(reader->transaction_changes(found->seq, {7}).empty());
    const auto of_it = reader->transaction_events(found->seq);
    REQUIRE(of_it.size() == 1);
    CHECK(of_it[0].type == "sale.made");
    CHECK_FALSE(reader->transaction("other", id));
    CHECK_FALSE(reader->transaction("pharmacy", "none"));
    CHECK(reader->transaction_events(found->seq + 1).empty());
  });
}

TEST_CASE("store: position, schemas and rules are there after reopening") {
  on_both([](Place& place) {
    binlog::Position position{"binlog.000009", kHigh - 1, "uuid:1-7", "server", kHigh};
    {
      const auto writer = open_writer(place.url());
      Batch batch;
      batch.reset(writer->next_seq());
      infer::RuleInfo rule;
      rule.id = "stock-transfer";
      rule.version = "9f2c41d0";
      rule.text = "id: stock-transfer\n";
      batch.add_rule(rule, 17);
      Made made(1);
      made.insert(table(), 1, "a").event("x");
      made.transaction->schemas[0].is_new = true;
      made.transaction->schemas[0].version = 4;
      made.into(batch);
      writer->append(batch);
      writer->commit("pharmacy", position, 42);
      writer->commit("second", {"f", 4, "", "", 0}, -1);
    }
    const auto writer = open_writer(place.url());
    CHECK(writer->next_seq() == 5);  // rule, schema, transaction, change, event
    CHECK(writer->recorded_rules() == std::vector<std::string>{"stock-transfer@9f2c41d0"});
    const auto state = writer->source_state("pharmacy");
    CHECK(state.position.file == position.file);
    CHECK(state.position.pos == position.pos);
    CHECK(state.position.gtid_set == position.gtid_set);
    CHECK(state.position.server_uuid == position.server_uuid);
    CHECK(state.position.format_created == position.format_created);
    CHECK(state.event_time_us == 42);
    REQUIRE(state.schemas.size() == 1);
    CHECK(state.schemas[0].database == "pharmacy");
    CHECK(state.schemas[0].table == "stock");
    CHECK(state.schemas[0].layout_hash == table()->layout_hash);
    CHECK(state.schemas[0].version == 4);
    CHECK(writer->source_state("second").event_time_us == -1);
    CHECK(writer->source_state("second").schemas.empty());
  });
}

TEST_CASE("store: what is not committed is not there") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    write(*writer, 1, 2);
    const auto reader = open_reader(place.url());
    const auto before = dump(*reader);
    const auto size = writer->next_seq();

    Batch batch;
    batch.reset(size);
    plain(3).into(batch);
    // A table that only the rolled back batch has: its number must not survive.
    Made fresh(4);
    fresh.insert(table("other", "fresh"), 1, "x").event("fresh.made");
    fresh.into(batch);
    writer->append(batch);
    CHECK(writer->next_seq() == batch.next_seq());
    CHECK(dump(*reader) == before);
    writer->rollback();
    CHECK(writer->next_seq() == size);
    CHECK(dump(*reader) == before);
    CHECK(reader->status().size == size);
    CHECK(writer->source_state("pharmacy").position.pos == position_after(2).pos);

    batch.reset(size);
    plain(3).into(batch);
    writer->append(batch);
    batch.reset(writer->next_seq());
    fresh.into(batch);
    writer->append(batch);
    writer->commit("pharmacy", position_after(4), 1);
    Filter filter;
    filter.database = "other";
    CHECK(changes(*reader, filter).size() == 1);
    CHECK(reader->status().transactions == 4);
  });
}

TEST_CASE("store: a writer that goes away with an open transaction leaves nothing of it") {
  on_both([](Place& place) {
    {
      const auto writer = open_writer(place.url());
      write(*writer, 1, 1);
      Batch batch;
      batch.reset(writer->next_seq());
      plain(2).into(batch);
      writer->append(batch);
    }
    const auto writer = open_writer(place.url());
    CHECK(writer->next_seq() == 3);
    write(*writer, 2, 2);
    CHECK(open_reader(place.url())->status().transactions == 2);
  });
}

TEST_CASE("store: a second writer is refused and told what to do") {
  on_both([](Place& place) {
    auto first = open_writer(place.url());
    write(*first, 1, 1);
    try {
      const auto second = open_writer(place.url());
      FAIL("a second writer was let in");
    } catch (const core::Failure& failure) {
      CHECK(failure.area() == core::Area::Store);
      const std::string message = failure.what();
      INFO(message);
      CHECK(message.find("already has a writer") != std::string::npos);
      CHECK(message.find("stop") != std::string::npos);
    }
    write(*first, 2, 2);
    first.reset();
    const auto second = open_writer(place.url());
    write(*second, 3, 3);
    CHECK(open_reader(place.url())->status().transactions == 3);
  });
}

TEST_CASE("store: a writer whose lease was taken cannot commit") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    write(*writer, 1, 1);
    place.sql("UPDATE lease SET epoch = epoch + 1");
    CHECK_THROWS_AS(write(*writer, 2, 2), core::Failure);
    CHECK(open_reader(place.url())->status().transactions == 1);
  });
}

TEST_CASE("store: a transaction in parts and slices is one transaction") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    const auto stock = table();
    Batch batch;
    batch.reset(0);
    Made part(1);
    for (int i = 0; i < 10; ++i) part.insert(stock, i, "first part");
    part.transaction->last_part = false;
    std::size_t next = 0;
    do {
      next = batch.add(*part.transaction, next, 1, {}, {});
      writer->append(batch);
      batch.reset(batch.next_seq());
    } while (next < part.transaction->changes.size());

    Made rest(1);
    rest.transaction->first_part = false;
    for (int i = 10; i < 15; ++i) rest.insert(stock, i, "second part");
    for (auto& change : rest.transaction->changes) change.ordinal += 10;
    rest.event("bulk.load", "anna");
    rest.into(batch);
    writer->append(batch);
    const auto reader = open_reader(place.url());
    CHECK(changes(*reader).empty());
    writer->commit("pharmacy", position_after(1), 1);

    const auto found = reader->transaction("pharmacy", part.transaction->id);
    REQUIRE(found);
    const auto stored = reader->transaction_changes(found->seq, {});
    REQUIRE(stored.size() == 15);
    CHECK(stored[12].transaction_seq == found->seq);
    CHECK(stored[12].payload.find("\"ordinal\":12") != std::string::npos);
    CHECK(stored[0].event_payload.find("bulk.load") != std::string::npos);
    CHECK(reader->transaction_changes(found->seq, {12, 14}).size() == 2);
    CHECK(reader->status().transactions == 1);
  });
}

TEST_CASE("store: text of every kind comes back byte for byte") {
  on_both([](Place& place) {
    const std::string nul("a\0b", 3);
    const std::string strange =
        "emoji 🩺, \"quotes\", back\\slash, tab\t, line\n, \x01, é, ' ; --";
    const auto writer = open_writer(place.url());
    Batch batch;
    batch.reset(0);
    Made made(1);
    made.insert(table("da\"ta'base", "tä ble"), 7, strange + nul);
    made.event("it's.a \"type\"", strange + nul,
               {{"prod\"uct", nul, "role's"}, {"🩺", strange, ""}});
    made.into(batch);
    const auto payload = std::string(batch.text(batch.changes[0].payload));
    const auto event_payload = std::string(batch.text(batch.events[0].payload));
    writer->append(batch);
    writer->commit("pharmacy", position_after(1), 1);

    const auto reader = open_reader(place.url());
    Filter filter;
    filter.database = "da\"ta'base";
    filter.table = "tä ble";
    const auto stored = changes(*reader, filter);
    REQUIRE(stored.size() == 1);
    CHECK(stored[0].payload == payload);
    filter = {};
    filter.object_type = "prod\"uct";
    filter.object_id = nul;
    filter.actor = strange + nul;
    filter.type = "it's.a \"type\"";
    const auto of_it = events(*reader, filter);
    REQUIRE(of_it.size() == 1);
    CHECK(of_it[0].payload == event_payload);
    filter.object_id = "a";
    CHECK(events(*reader, filter).empty());
  });
}

TEST_CASE("store: payloads of 5 MB, and none at all, pass") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    Batch batch;
    batch.reset(0);
    const std::string large(5'000'000, 'x');
    Made made(1);
    made.insert(table(), 1, large).insert(table(), 2, "small").insert(table(), 3, large);
    made.event("large");
    made.into(batch);
    writer->append(batch);
    batch.reset(batch.next_seq());
    Made empty(2);
    empty.event("nothing.happened");
    empty.into(batch);
    writer->append(batch);
    writer->commit("pharmacy", position_after(2), 1);
    const auto reader = open_reader(place.url());
    const auto stored = changes(*reader);
    REQUIRE(stored.size() == 3);
    CHECK(stored[0].payload.size() > 5'000'000);
    CHECK(stored[0].payload.find(large) != std::string::npos);
    CHECK(reader->status().transactions == 2);
  });
}

TEST_CASE(
    "store: one object in two roles is one entry; a large ordinal and a table without a key pass") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    auto keyless = std::make_shared<binlog::TableSchema>(*table("pharmacy", "audit"));
    keyless->primary_key.clear();
    Batch batch;
    batch.reset(0);
    Made made(1);
    made.insert(keyless, 1, "no key");
    made.transaction->changes[0].ordinal = 4'000'000'000U;
    made.event("moved", "", {{"location", "1", "source"}, {"location", "1", "target"}});
    made.into(batch);
    CHECK(batch.changes[0].pk.size == 0);
    writer->append(batch);
    writer->commit("pharmacy", position_after(1), 1);
    const auto reader = open_reader(place.url());
    Filter filter;
    filter.object_type = "location";
    filter.object_id = "1";
    CHECK(events(*reader, filter).size() == 1);
    REQUIRE(changes(*reader, filter).size() == 1);
    CHECK(place.sql("SELECT role FROM event_object ORDER BY log_id DESC LIMIT 1") ==
          std::vector<std::string>{"source,target"});
    const auto row = changes(*reader)[0];
    CHECK(reader->transaction_changes(row.transaction_seq, {4'000'000'000U}).size() <= 1);
  });
}

TEST_CASE("store: anomalies are records of their own, and what detectors remember is kept") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    Batch batch;
    batch.reset(0);
    Made made(1);
    made.insert(table(), 1, "a").event("x", "anna");
    made.into(batch);
    batch.add_anomaly({7, infer::Severity::High, "actor-rate", "anna", "2", R"({"a":1})"});
    REQUIRE(batch.anomalies.size() == 1);
    writer->append(batch);
    CHECK(writer->detector_state("pharmacy").empty());
    writer->save_detector_state("pharmacy", std::string("\0one", 4), true);
    writer->save_detector_state("pharmacy", "two", false);
    writer->commit("pharmacy", position_after(1), 1);
    CHECK(writer->detector_state("pharmacy") ==
          std::vector<std::string>{std::string("\0one", 4), "two"});
    writer->save_detector_state("pharmacy", "lost", true);
    writer->rollback();
    CHECK(writer->detector_state("pharmacy").size() == 2);
    writer->save_detector_state("pharmacy", "three", true);
    writer->commit_records();
    CHECK(writer->detector_state("pharmacy") == std::vector<std::string>{"three"});
    CHECK(writer->detector_state("other").empty());

    const auto reader = open_reader(place.url());
    const auto found = [&](const Filter& filter) {
      std::size_t count = 0;
      reader->anomalies(filter, {}, [&](const StoredAnomaly& stored) {
        CHECK(stored.seq == 3);
        CHECK(stored.evidence == "2");
        CHECK(stored.payload == R"({"a":1})");
        ++count;
        return true;
      });
      return count;
    };
    Filter filter;
    CHECK(found(filter) == 1);
    filter.source = "pharmacy";
    filter.type = "actor-rate";
    filter.actor = "anna";
    filter.severity = "high";
    filter.transaction = made.transaction->id;
    filter.since_us = 7;
    filter.until_us = 8;
    CHECK(found(filter) == 1);
    filter.severity = "low";
    CHECK(found(filter) == 0);
    REQUIRE(reader->anomaly(3));
    CHECK_FALSE(reader->anomaly(2));
    writer->publish_head(true);
    CHECK(reader->proof(3));
  });
}

TEST_CASE("store: gaps are records of their own") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    Batch batch;
    batch.reset(0);
    Made made(1);
    made.insert(table(), 1, "a");
    normalize::Gap gap;
    gap.kind = normalize::GapKind::PartialImage;
    gap.database = "pharmacy";
    gap.table = "stock";
    gap.reason = "columns are missing";
    made.transaction->gaps.push_back(gap);
    made.event("x");
    made.into(batch);
    REQUIRE(batch.gaps.size() == 1);
    CHECK(batch.gaps[0].seq == 2);
    CHECK(batch.events[0].seq == 3);
    writer->append(batch);
    writer->commit("pharmacy", position_after(1), 1);
    const std::map<std::string, std::uint64_t> counts = {{"partial_image", 1}};
    CHECK(writer->source_state("pharmacy").gaps == counts);
    CHECK(writer->source_state("other").gaps.empty());
    const auto reader = open_reader(place.url());
    CHECK(reader->status().gaps == 1);
    CHECK(reader->status().gaps_by_kind == counts);
    const auto found = [&](const Filter& filter) {
      std::vector<std::uint64_t> seqs;
      reader->gaps(filter, {}, [&](const StoredGap& stored) {
        CHECK(stored.payload == batch.text(batch.gaps[0].payload));
        seqs.push_back(stored.seq);
        return true;
      });
      return seqs;
    };
    const std::vector<std::uint64_t> it = {2};
    const auto time = batch.gaps[0].time_us;
    Filter filter;
    CHECK(found(filter) == it);
    filter.source = "pharmacy";
    filter.database = "pharmacy";
    filter.table = "stock";
    filter.transaction = made.transaction->id;
    filter.since_us = time;
    filter.until_us = time + 1;
    CHECK(found(filter) == it);
    Filter other;
    other.source = "other";
    CHECK(found(other).empty());
    other = {};
    other.table = "sale";
    CHECK(found(other).empty());
    other = {};
    other.transaction = "no such";
    CHECK(found(other).empty());
    other = {};
    other.until_us = time;
    CHECK(found(other).empty());
    CHECK(reader->counts(0, std::numeric_limits<std::int64_t>::max()).gaps == 1);
    CHECK(reader->transaction_changes(0, {}).size() == 1);
  });
}

TEST_CASE("store: a reader that stops early, or throws, can be asked again") {
  on_both([](Place& place) {
    const auto writer = open_writer(place.url());
    Batch batch;
    batch.reset(0);
    Made made(1);
    for (int i = 0; i < 5000; ++i) made.insert(table(), i, "row");
    made.event("bulk");
    made.into(batch);
    writer->append(batch);
    writer->commit("pharmacy", position_after(1), 1);
    const auto reader = open_reader(place.url());
    int seen = 0;
    reader->changes({}, {{}, {}, true, 0}, [&](const StoredChange&) { return ++seen < 3; });
    CHECK(seen == 3);
    CHECK_THROWS_AS(
        reader->changes({}, {{}, {}, true, 0},
                        [](const StoredChange&) -> bool { throw std::out_of_range("x"); }),
        std::out_of_range);
    CHECK(changes(*reader, {}, {{}, {}, true, 0}).size() == 5000);
  });
}

}  // namespace
}  // namespace rowtrail::store::test
