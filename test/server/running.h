// A server on a free port over a log in memory.
#pragma once

#include "server/server.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "client.h"
#include "fixture.h"

namespace rowtrail::server::testing {

struct Running {
  explicit Running(Options options = test_options(), std::uint64_t count = 250)
      : server(with_reader(std::move(options), count)) {
    server.start();
  }
  static Options with_reader(Options options, std::uint64_t count) {
    if (!options.open_reader) {
      options.open_reader = [count] { return std::make_unique<MemoryReader>(count); };
    }
    return options;
  }
  /// One request on a connection of its own.
  Answer ask(std::string_view bytes) {
    Client client(server.port());
    client.send(bytes);
    return client.read();
  }
  bool alive() { return ask(http("GET", "/v1/events?limit=1")).status == 200; }
  Server server;
};

inline long lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

}  // namespace rowtrail::server::testing
