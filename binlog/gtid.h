// Global transaction ids of both families, and sets of them.
//   MySQL    uuid[:tag]:number        sets: "uuid:1-5:8:tag:1-3,uuid2:1"
//   MariaDB  domain-server-sequence   sets: "0-1-42,1-7-9" (the last of each domain)
#pragma once

#include "core/core.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::binlog {

class Cursor;

enum class Flavor : std::uint8_t { MySql, MariaDb };

struct Gtid {
  static constexpr std::size_t kTagLengthMax = 32;

  Flavor flavor = Flavor::MySql;
  std::uint8_t tag_length = 0;
  std::array<std::uint8_t, 16> uuid{};          // MySQL
  std::array<char, kTagLengthMax> tag_bytes{};  // MySQL, lower case
  std::uint32_t domain = 0;                     // MariaDB
  std::uint32_t server = 0;                     // MariaDB
  std::uint64_t number = 0;                     // 0: none (anonymous)

  [[nodiscard]] bool empty() const noexcept { return number == 0; }
  [[nodiscard]] std::string_view tag() const noexcept { return {tag_bytes.data(), tag_length}; }
  [[nodiscard]] std::string text() const;
};

/// Executed transactions. Intervals are closed, sorted, disjoint and not adjacent.
class GtidSet {
 public:
  static constexpr std::size_t kTextBytesMax = 16 * 1024 * 1024;

  /// Accepts what the servers print, white space and any letter case included; "" is the empty set.
  static core::Result<GtidSet> parse(std::string_view text, Flavor flavor);

  /// The body of PREVIOUS_GTIDS (MySQL), or of GTID_LIST (MariaDB).
  static core::Result<GtidSet> decode(std::span<const std::byte> encoded,
                                      Flavor flavor = Flavor::MySql);

  void add(const Gtid& gtid);
  [[nodiscard]] bool contains(const Gtid& gtid) const;
  [[nodiscard]] bool empty() const noexcept { return mysql_.empty() && mariadb_.empty(); }
  /// Canonical: uuids sorted, lower case, no white space.
  [[nodiscard]] std::string text() const;
  /// The body of COM_BINLOG_DUMP_GTID (tagged encoding only where a tag is present).
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] Flavor flavor() const noexcept { return flavor_; }

  struct Interval {
    std::uint64_t first;
    std::uint64_t last;
  };

 private:
  struct Key {
    std::array<std::uint8_t, 16> uuid;
    std::string tag;
    auto operator<=>(const Key&) const = default;  // NOLINT(modernize-use-nullptr): <=> is 0
  };
  struct Last {
    std::uint32_t server;
    std::uint64_t number;
  };
  core::Result<> parse_mysql(std::string_view part);
  core::Result<> parse_mariadb(std::string_view part);
  bool decode_mysql(Cursor& in);
  bool decode_mariadb(Cursor& in);

  Flavor flavor_ = Flavor::MySql;
  std::map<Key, std::vector<Interval>> mysql_;
  std::map<std::uint32_t, Last> mariadb_;
};

}  // namespace rowtrail::binlog
