// What a Session keeps while it sends events as they happen.
#pragma once

#include "server/session.h"

#include <array>
#include <optional>

#include <boost/asio/steady_timer.hpp>

namespace rowtrail::server {

struct Session::LiveState {
  LiveState(boost::asio::io_context& io, Live wanted) : live(std::move(wanted)), heartbeat(io) {}

  Live live;
  boost::asio::steady_timer heartbeat;
  std::optional<Feed::Id> subscription;
  bool busy = false;                 // a piece is being read or written
  std::array<char, 256> unexpected;  // a client has nothing to say while it listens
};

}  // namespace rowtrail::server
