// A place in a source from which reading can go on: always the start of a transaction.
#pragma once

#include <cstdint>
#include <string>

namespace rowtrail::binlog {

struct Position {
  std::string file;
  std::uint64_t pos = 0;  // 64 bits of our own count: the header's 32-bit end position wraps
  std::string gtid_set;   // executed up to here, canonical text; empty when GTIDs are off
  std::string server_uuid;
  std::uint64_t format_created = 0;  // the file's format-description time: tells RESET from resume

  [[nodiscard]] bool empty() const noexcept { return file.empty() && gtid_set.empty(); }
};

}  // namespace rowtrail::binlog
