// What a server's error means for the operator: one message that says what happened, where and what
// to do, and whether waiting can help. Every code with advice is one row of a table.
#pragma once

#include "binlog/handshake.h"
#include "core/core.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::binlog {

/// What was being done when the server refused.
enum class Stage : std::uint8_t { Login, Statement, Register, Dump };

/// Where and as whom: "127.0.0.1:3306" or "socket /run/mysqld/mysqld.sock".
struct Peer {
  std::string where;
  std::string user;
};

[[nodiscard]] core::Failure explain(const ServerError& error, Stage stage, const Peer& peer);

/// Error 1236 because the binlog or the transactions asked for are no longer there.
[[nodiscard]] bool is_purged(const ServerError& error) noexcept;

}  // namespace rowtrail::binlog
