#include "fixture.h"

#include "server/time_text.h"

#include <algorithm>

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace rowtrail::server::testing {
namespace {

std::string transaction_payload(std::uint64_t number, std::uint64_t count) {
  const std::int64_t time =
      kNow + (static_cast<std::int64_t>(number) - static_cast<std::int64_t>(count)) * 1'000'000;
  return fmt::format(
      R"({{"source":"pharmacy","transaction":"gtid:{}","position":{{"file":"binlog.000003","pos":{}}},)"
      R"("committed_at":"{}","server_id":1,"thread_id":47}})",
      number, 1000 + number, format_time(time));
}

/// Visits numbers 0..count-1 in the page's order, as seqs 4*number+offset.
template <class Visit>
void walk(std::uint64_t count, std::uint64_t offset, const store::Page& page, Visit visit) {
  std::uint64_t left = page.limit == 0 ? count : page.limit;
  for (std::uint64_t i = 0; i < count && left > 0; ++i) {
    const std::uint64_t number = page.ascending ? i : count - 1 - i;
    const std::uint64_t seq = 4 * number + offset;
    if (page.after_seq && seq <= *page.after_seq) continue;
    if (page.before_seq && seq >= *page.before_seq) continue;
    bool counted = false;
    if (!visit(number, counted)) return;
    if (counted) --left;
  }
}

}  // namespace

MemoryReader::MemoryReader(std::uint64_t count) : count_(count) {}

MemoryReader::MemoryReader(std::uint64_t first_count, const std::atomic<std::uint64_t>& count)
    : count_(first_count), live_count_(&count) {}

void MemoryReader::check() const {
  if (broken) throw core::Failure(core::Area::Store, true, "the disk is gone");
}

store::StoredEvent MemoryReader::make_event(std::uint64_t number) const {
  store::StoredEvent event;
  event.seq = 4 * number + 3;
  event.transaction_seq = 4 * number;
  event.time_us =
      kNow + (static_cast<std::int64_t>(number) - static_cast<std::int64_t>(count_)) * 1'000'000;
  event.type = "inventory.transfer";
  event.actor = number % 2 == 0 ? "anna" : "ben";
  event.payload = fmt::format(
      R"({{"type":"inventory.transfer","time":"{}","source":"pharmacy","transaction":"gtid:{}",)"
      R"("title":"Stock transfer","summary":"Moved {} of product {}","severity":"info",)"
      R"("objects":[{{"type":"product","id":"{}"}}],)"
      R"("actor":{{"id":"{}","via":"column","confidence":"heuristic"}},)"
      R"("attributes":{{"quantity":{},"big":18446744073709551615}},)"
      R"("rule":{{"id":"stock-transfer","version":"9f2c41d0"}},"evidence":[0,1]}})",
      format_time(event.time_us), number, number, number % 3, number % 3, event.actor, number);
  return event;
}

store::StoredChange MemoryReader::make_change(std::uint64_t number, std::uint32_t ordinal) const {
  store::StoredChange change;
  change.seq = 4 * number + 1 + ordinal;
  change.transaction_seq = 4 * number;
  change.payload = fmt::format(
      R"({{"ordinal":{},"database":"pharmacy","table":"stock","op":"update","pk":{{"id":{}}},)"
      R"("old":{{"id":{},"quantity":12}},"new":{{"id":{},"quantity":7}},"changed":["quantity"],)"
      R"("schema_version":1}})",
      ordinal, ordinal, ordinal, ordinal);
  change.transaction_payload = transaction_payload(number, count_);
  change.event_payload = make_event(number).payload;
  return change;
}

void MemoryReader::events(const store::Filter& filter, const store::Page& page,
                          const store::Visitor<store::StoredEvent>& visit) {
  check();
  walk(size(), 3, page, [&](std::uint64_t number, bool& counted) {
    const auto event = make_event(number);
    const bool left_out =
        std::any_of(filter.exclude.begin(), filter.exclude.end(), [&](const auto& excluded) {
          return excluded.second == (excluded.first == "actor" ? event.actor : event.type);
        });
    const bool fits =
        !left_out && (filter.actor.empty() || filter.actor == event.actor) &&
        (filter.type.empty() || filter.type == event.type) &&
        (filter.object_type.empty() || filter.object_type == "product") &&
        (filter.object_id.empty() || filter.object_id == std::to_string(number % 3)) &&
        (!filter.since_us || event.time_us >= *filter.since_us) &&
        (!filter.until_us || event.time_us < *filter.until_us);
    if (!fits) return true;
    counted = true;
    return visit(event);
  });
}

void MemoryReader::changes(const store::Filter& filter, const store::Page& page,
                           const store::Visitor<store::StoredChange>& visit) {
  check();
  const std::uint64_t total = 2 * size();
  std::uint64_t left = page.limit == 0 ? total : page.limit;
  for (std::uint64_t i = 0; i < total && left > 0; ++i) {
    const std::uint64_t index = page.ascending ? i : total - 1 - i;
    const auto change = make_change(index / 2, static_cast<std::uint32_t>(index % 2));
    if (page.after_seq && change.seq <= *page.after_seq) continue;
    if (page.before_seq && change.seq >= *page.before_seq) continue;
    if (!filter.transaction.empty() && filter.transaction != fmt::format("gtid:{}", index / 2)) {
      continue;
    }
    if (filter.old_pk || filter.statements) continue;
    if (filter.pk && *filter.pk != fmt::format("{{\"id\":{}}}", index % 2)) continue;
    --left;
    if (!visit(change)) return;
  }
}

void MemoryReader::gaps(const store::Filter& filter, const store::Page& page,
                        const store::Visitor<store::StoredGap>& visit) {
  check();
  walk(size(), 0, page, [&](std::uint64_t number, bool& counted) {
    if (number % 10 != 0 || (!filter.table.empty() && filter.table != "stock")) return true;
    counted = true;
    return visit(
        {4 * number,
         fmt::format(R"({{"kind":"partial_image",{},"ordinal":0,"database":"pharmacy",)"
                     R"("table":"stock","reason":"columns are missing","advice":"log all"}})",
                     R"("source":"pharmacy","transaction":"gtid:0",)"
                     R"("position":{"file":"binlog.000003","pos":1000},)"
                     R"("committed_at":"2026-11-25T09:00:00Z")")});
  });
}

namespace {

store::StoredAnomaly make_anomaly(std::uint64_t number) {
  store::StoredAnomaly anomaly;
  anomaly.seq = 4 * number;
  anomaly.severity = infer::Severity::Medium;
  anomaly.detector = "actor-rate";
  anomaly.actor = "anna";
  anomaly.evidence = "3,7";
  anomaly.payload =
      R"({"detector":"actor-rate","title":"Somebody does more than usual",)"
      R"("time":"2026-11-25T09:00:00.000000Z","source":"pharmacy","transaction":"gtid:0",)"
      R"("severity":"medium","summary":"anna: stock.corrected 9 times today; usual 0–1",)"
      R"("actor":"anna","surprise":4.20,"probability":6e-05,"numbers":{"count":9},"events":[1,2]})";
  return anomaly;
}

}  // namespace

void MemoryReader::anomalies(const store::Filter& filter, const store::Page& page,
                             const store::Visitor<store::StoredAnomaly>& visit) {
  check();
  walk(size(), 0, page, [&](std::uint64_t number, bool& counted) {
    if (number % 10 != 0 || (!filter.type.empty() && filter.type != "actor-rate")) return true;
    counted = true;
    return visit(make_anomaly(number));
  });
}

std::optional<store::StoredAnomaly> MemoryReader::anomaly(std::uint64_t seq) {
  check();
  if (seq % 40 != 0 || seq / 4 >= size()) return std::nullopt;
  return make_anomaly(seq / 4);
}

std::vector<store::StoredAdminAction> MemoryReader::admin_actions(const std::string& type) {
  check();
  if (type != "acknowledge") return {};
  return {
      {41, 0, type, R"({"type":"acknowledge","anomaly":40,"by":"greta","note":"stocktaking"})"}};
}

std::optional<store::StoredEvent> MemoryReader::event(std::uint64_t seq) {
  check();
  if (seq % 4 != 3 || seq / 4 >= size()) return std::nullopt;
  return make_event(seq / 4);
}

std::vector<store::StoredChange> MemoryReader::transaction_changes(
    std::uint64_t transaction_seq, const std::vector<std::uint32_t>& ordinals) {
  check();
  std::vector<store::StoredChange> found;
  for (const std::uint32_t ordinal :
       ordinals.empty() ? std::vector<std::uint32_t>{0, 1} : ordinals) {
    found.push_back(make_change(transaction_seq / 4, ordinal));
  }
  return found;
}

std::optional<store::StoredTransaction> MemoryReader::transaction(const std::string& source,
                                                                  const std::string& id) {
  check();
  for (std::uint64_t number = 0; number < size(); ++number) {
    if (source == "pharmacy" && id == fmt::format("gtid:{}", number)) {
      return store::StoredTransaction{4 * number, transaction_payload(number, count_)};
    }
  }
  return std::nullopt;
}

std::vector<store::StoredEvent> MemoryReader::transaction_events(std::uint64_t transaction_seq) {
  check();
  return {make_event(transaction_seq / 4)};
}

// Summaries are tested on real stores (test/insight); no route reads these.
std::vector<store::Tally> MemoryReader::tally(const store::TallyQuery& /*query*/) {
  return {};
}
bool MemoryReader::seen_before(store::Dimension /*dimension*/, const std::string& /*name*/,
                               const std::string& /*detail*/, std::int64_t /*time_us*/) {
  return false;
}
std::optional<std::pair<std::int64_t, std::int64_t>> MemoryReader::event_span() {
  return std::nullopt;
}

std::vector<store::StoredSchema> MemoryReader::schemas(const std::string& source,
                                                       const std::string& database,
                                                       const std::string& table) {
  check();
  if ((!source.empty() && source != "pharmacy") || database != "pharmacy" || table != "stock") {
    return {};
  }
  return {{0, kNow, "pharmacy",
           R"({"source":"pharmacy","database":"pharmacy","table":"stock","version":1,)"
           R"("layout":"00","names_known":true,"columns":[{"name":"id","type":"int",)"
           R"("nullable":false},{"name":"quantity","type":"int","nullable":false}],)"
           R"("primary_key":["id"]})"}};
}

std::vector<store::StoredRule> MemoryReader::rule_versions() {
  check();
  return {
      {0, kNow,
       R"({"id":"stock-transfer","version":"00000000","title":"Transfer","event":"x","text":"id: old"})"},
      {1, kNow,
       R"({"id":"stock-transfer","version":"9f2c41d0","title":"Stock transfer",)"
       R"("event":"inventory.transfer","text":"id: stock-transfer\nevent: inventory.transfer\n"})"}};
}

std::vector<store::TypeCount> MemoryReader::types() {
  check();
  if (size() == 0) return {};
  return {{"inventory.transfer", size(), 3, 4 * size() - 1}};
}

store::Counts MemoryReader::counts(std::int64_t /*since_us*/, std::int64_t /*until_us*/) {
  check();
  return {};
}

store::LogStatus MemoryReader::status() {
  check();
  store::LogStatus status;
  status.origin = "test/0";
  status.size = 4 * size();
  status.gaps = 25;
  status.gaps_by_kind = {{"partial_image", 25}};
  return status;
}

std::string MemoryReader::tree_head() {
  check();
  return "main/0\n600\nAAAA\n\n\u2014 main/0 AAAA\n";
}

std::optional<std::string> MemoryReader::tile(int level, std::uint64_t index, std::uint64_t width) {
  check();
  const std::uint64_t hashes = std::uint64_t{600} >> (8 * level);
  if (index * 256 + width > hashes) return std::nullopt;
  return fmt::format("tile {} {} {}", level, index, width);
}

std::optional<std::string> MemoryReader::entries(std::uint64_t bundle, std::uint64_t width) {
  check();
  if (bundle * 256 + width > 600) return std::nullopt;
  return fmt::format("entries {} {}", bundle, width);
}

std::optional<std::string> MemoryReader::proof(std::uint64_t seq) {
  check();
  if (seq >= 600) return std::nullopt;
  return fmt::format("c2sp.org/tlog-proof@v1\nextra AAAA\nindex {}\nBBBB\nCCCC\n\n{}", seq,
                     tree_head());
}

Options test_options() {
  Options options;
  options.listen = "127.0.0.1:0";
  options.tokens = {std::string(kToken)};
  options.now_us = [] { return kNow; };
  return options;
}

Request get(std::string target, std::vector<Header> more) {
  Request request;
  request.method = "GET";
  request.target = std::move(target);
  request.headers = {{"Host", "127.0.0.1:8765"},
                     {"Authorization", "Bearer " + std::string(kToken)}};
  request.headers.insert(request.headers.end(), more.begin(), more.end());
  return request;
}

rapidjson::Document json(const Response& response) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseNumbersAsStringsFlag>(response.body.data(), response.body.size());
  INFO(response.body);
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

std::vector<std::uint64_t> seqs(const Response& response, const char* member) {
  std::vector<std::uint64_t> found;
  const auto document = json(response);
  REQUIRE(document.HasMember(member));
  for (const auto& row : document[member].GetArray()) {
    found.push_back(std::stoull(row["seq"].GetString()));
  }
  return found;
}

std::string text(const rapidjson::Value& object, const char* member) {
  REQUIRE(object.HasMember(member));
  REQUIRE(object[member].IsString());
  return object[member].GetString();
}

std::string problem_of(const Response& response) {
  CHECK(response.content_type == "application/problem+json");
  const auto document = json(response);
  CHECK(text(document, "status") == std::to_string(response.status));
  CHECK_FALSE(text(document, "title").empty());
  return text(document, "type");
}

}  // namespace rowtrail::server::testing
