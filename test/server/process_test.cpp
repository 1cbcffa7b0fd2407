// /v1/process on a small history made by hand, and /v1/rules.
#include <algorithm>

#include "fixture.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace rowtrail;
using namespace rowtrail::server;
using namespace rowtrail::server::testing;

namespace {

struct Step {
  std::int64_t second;
  std::string type, objects;  // objects as "sale 1,product 7"
};

/// The steps as events, newest first as a store gives them.
struct Steps : MemoryReader {
  explicit Steps(std::vector<Step> steps) : MemoryReader(0), steps_(std::move(steps)) {}
  void events(const store::Filter& filter, const store::Page& page,
              const store::Visitor<store::StoredEvent>& visit) override {
    std::uint64_t left = page.limit;
    for (std::size_t i = steps_.size(); i-- > 0 && left > 0;) {
      if (!filter.type.empty() && filter.type != steps_[i].type) continue;
      --left;
      store::StoredEvent event;
      event.seq = i;
      event.time_us = kNow + steps_[i].second * 1'000'000;
      event.type = steps_[i].type;
      event.payload = R"({"type":"x","objects":[)";
      std::string list = steps_[i].objects;
      while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        const auto space = list.find(' ');
        event.payload += fmt::format(R"({{"type":"{}","id":"{}"}},)", list.substr(0, space),
                                     list.substr(space + 1, comma - space - 1));
        list.erase(0, comma + 1);
      }
      if (event.payload.ends_with(',')) event.payload.pop_back();
      event.payload += "]}";
      if (!visit(event)) return;
    }
  }
  std::vector<Step> steps_;
};

Response process_of(const std::vector<Step>& steps, const std::string& query) {
  App app(test_options());
  Steps reader(steps);
  return app.respond(get("/v1/process" + query), &reader);
}

}  // namespace

TEST_CASE("process: paths, times and variants of the objects of one type") {
  const std::vector<Step> steps = {
      {0, "made", "sale 1,product 7"},  {10, "made", "sale 2,product 7"},
      {20, "paid", "sale 1"},           {60, "paid", "sale 2,sale 2"},
      {70, "sent", "sale 1,product 7"}, {90, "made", "sale 3,product 7"},
  };
  const auto map = json(process_of(steps, "?object_type=sale"));
  CHECK(text(map, "events") == "6");
  CHECK(map["complete"].GetBool());
  CHECK(text(map, "objects") == "3");
  REQUIRE(map["paths"].Size() == 2);
  CHECK(text(map["paths"][0], "from") == "made");
  CHECK(text(map["paths"][0], "to") == "paid");
  CHECK(text(map["paths"][0], "count") == "2");
  CHECK(std::stod(text(map["paths"][0], "median_s")) == 50);  // of 20 and 50, the upper
  CHECK(text(map["paths"][1], "to") == "sent");
  CHECK(text(map["paths"][1], "example") == "1");
  REQUIRE(map["variants"].Size() == 3);
  CHECK(text(map, "variants_distinct") == "3");
  CHECK_FALSE(map["variants"][0]["cut"].GetBool());
  REQUIRE(map["activities"].Size() == 3);
  for (const auto& activity : map["activities"].GetArray()) {
    if (text(activity, "type") != "made") continue;
    CHECK(text(activity, "events") == "3");
    CHECK(text(activity, "first") == "3");
    CHECK(text(activity, "last") == "1");
  }
  // Filters narrow the events that are walked; the product sees one event of many without end.
  CHECK(json(process_of(steps, "?object_type=sale&type=made"))["paths"].Empty());
  CHECK(text(json(process_of(steps, "")), "object_type") == "sale");
  CHECK(text(json(process_of(steps, "?object_type=patient")), "objects") == "0");
  CHECK(text(json(process_of({}, "")), "object_type").empty());
}

TEST_CASE("process: what is not looked at or listed is said") {
  std::vector<Step> steps;
  for (int i = 0; i < 50'001; ++i) steps.push_back({i, "touched", "product 7"});
  const auto map = json(process_of(steps, ""));
  CHECK(text(map, "events") == "50000");
  CHECK_FALSE(map["complete"].GetBool());
  REQUIRE(map["variants"].Size() == 1);
  CHECK(map["variants"][0]["activities"].Size() == 40);
  CHECK(map["variants"][0]["cut"].GetBool());
  steps.clear();
  for (int i = 0; i < 300; ++i) steps.push_back({i, "step" + std::to_string(i), "product 7"});
  const auto wide = json(process_of(steps, ""));
  CHECK(text(wide, "paths_distinct") == "299");
  CHECK(wide["paths"].Size() == 200);
}

TEST_CASE("rules: their text, and how often each type occurs") {
  Site site;
  const auto answer = json(site.ask("/v1/rules"));
  REQUIRE(answer["rules"].Size() == 2);
  CHECK(text(answer["rules"][1], "id") == "stock-transfer");
  CHECK(text(answer["rules"][1], "text") == "id: stock-transfer\nevent: inventory.transfer\n");
  CHECK(text(answer["rules"][0], "recorded_at").ends_with('Z'));
  CHECK(text(answer["types"][0], "events") == "250");
}
