// Rate limits: a minute's requests, by token and by address.
#include "server/rate.h"

#include "fixture.h"
#include <catch2/catch.hpp>

using namespace rowtrail;
using namespace rowtrail::server;
using namespace rowtrail::server::testing;

TEST_CASE(
    "rate: a caller has its number a window, whatever others ask, and a new one in the next") {
  RateLimiter limiter(2);
  const std::int64_t start = 7 * kRateWindowUs;
  CHECK(limiter.count("a", start).left == 1);
  CHECK(limiter.count("a", start + 1).allowed);
  const auto third = limiter.count("a", start + 15'000'000);
  CHECK_FALSE(third.allowed);
  CHECK(third.left == 0);
  CHECK(third.seconds == 45);
  CHECK(limiter.count("b", start + 2).allowed);
  CHECK(limiter.count("a", start + kRateWindowUs).allowed);
  RateLimiter unlimited(0);
  for (int i = 0; i < 10; ++i) CHECK(unlimited.count("a", start).allowed);
}

TEST_CASE("rate: more callers than are kept share one window") {
  RateLimiter limiter(1);
  for (std::size_t i = 0; i < kRateCallersMax; ++i) {
    CHECK(limiter.count(std::to_string(i), 1).allowed);
  }
  CHECK(limiter.count("late", 1).allowed);
  CHECK_FALSE(limiter.count("later", 1).allowed);
}

TEST_CASE("rate: answers say what is left, and beyond it 429 with when to come back") {
  Options options = test_options();
  options.limits.requests_per_minute = 2;
  Site site(options);
  const Response first = site.ask("/v1/events?limit=1");
  CHECK(first.status == 200);
  CHECK(first.header("RateLimit-Policy") == "\"default\";q=2;w=60");
  CHECK(first.header("RateLimit") == "\"default\";r=1;t=20");
  CHECK(site.ask("/v1/nothing-here").status == 404);  // no token is looked at: by address
  CHECK(site.ask("/v1/events/1000000").status == 404);
  const Response third = site.ask("/v1/events");
  CHECK(third.status == 429);
  CHECK(third.header("Retry-After") == "20");
  CHECK(problem_of(third) == "/problems/too-many-requests");
}

TEST_CASE("rate: wrong tokens are counted by address, and never against those who have one") {
  Options options = test_options();
  options.limits.refusals_per_minute = 3;
  Site site(options);
  const auto from = [&](const char* peer, const char* token) {
    Request request;
    request.method = "GET";
    request.target = "/v1/events";
    request.peer = peer;
    request.headers = {{"Host", "localhost"}, {"Authorization", std::string("Bearer ") + token}};
    return site.ask(std::move(request)).status;
  };
  for (int i = 0; i < 3; ++i) CHECK(from("192.0.2.1", "rt_guess") == 401);
  CHECK(from("192.0.2.1", "rt_guess") == 429);
  CHECK(from("192.0.2.2", "rt_guess") == 401);
  CHECK(from("192.0.2.1", "rt_test") == 200);
}
