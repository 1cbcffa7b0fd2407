#include "helper.h"
#include <catch2/catch.hpp>

using namespace rowtrail::infer;
using namespace rowtrail::infer::test;

namespace {

BusinessEvent sample() {
  BusinessEvent event;
  event.type = "a.b";
  event.title = "A \"quoted\" title";
  event.summary = R"(tricky ],"actor":{ text ,"evidence":[ and \)";
  event.time_us = 1'795'514'400'000'000;
  event.time_has_fraction = false;
  event.objects = {{"thing", R"(1],"actor":{"id":"eve"})", ""}};
  event.actor = {R"(an"na},"attributes":)", "comment", "exact"};
  event.attributes = R"({"evidence":[1]})";
  event.rule_id = "r";
  event.rule_version = "0123abcd";
  event.evidence = {0, 2, 10};
  return event;
}

}  // namespace

TEST_CASE("events: payload, rendered line and actor, whatever the texts hold") {
  const Changes rows("changes: []");
  const auto text = payload(sample(), rows);
  CHECK(
      text.find(
          R"({"type":"a.b","time":"2026-11-24T10:00:00Z","source":"test","transaction":"test:1",)") ==
      0);
  CHECK(text.ends_with(R"("rule":{"id":"r","version":"0123abcd"},"evidence":[0,2,10]})"));
  CHECK(actor_json(text) ==
        R"({"id":"an\"na},\"attributes\":","via":"comment","confidence":"exact"})");
  std::string line;
  REQUIRE(append_rendered_event(line, 1042, 1039, text).has_value());
  CHECK(line.find(R"({"seq":1042,"type":"a.b",)") == 0);
  CHECK(line.ends_with(R"("evidence":[1040,1042,1050]})"));
}

TEST_CASE("events: no evidence means the whole transaction, and stays empty") {
  const Changes rows("changes: []");
  auto event = sample();
  event.evidence.clear();
  std::string line;
  REQUIRE(append_rendered_event(line, 7, 3, payload(event, rows)).has_value());
  CHECK(line.ends_with(R"("evidence":[]})"));
}

TEST_CASE("events: what is no payload is an error, for every prefix too") {
  const Changes rows("changes: []");
  const auto text = payload(sample(), rows);
  for (std::size_t n = 0; n < text.size(); ++n) {
    std::string line;
    CHECK_FALSE(append_rendered_event(line, 1, 1, std::string_view(text).substr(0, n)).has_value());
    (void)actor_json(std::string_view(text).substr(0, n));
  }
  std::string line;
  CHECK_FALSE(append_rendered_event(line, 1, 1, R"({"a":1,"evidence":[x]})").has_value());
  CHECK_FALSE(append_rendered_event(line, 1, 1, R"({"a":1,"evidence":[1,]})").has_value());
}
