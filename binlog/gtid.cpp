#include "binlog/gtid.h"

#include "binlog/cursor.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <optional>

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

constexpr std::uint64_t kNumberMax = (std::uint64_t{1} << 63) - 2;  // GNO_END is exclusive

void append_uuid(std::string& out, const std::array<std::uint8_t, 16>& uuid) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kHex[uuid[i] >> 4U];
    out += kHex[uuid[i] & 15U];
  }
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Cuts off the part before `separator` (or all) and trims it.
std::string_view next_part(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return trim(part);
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool parse_uuid(std::string_view text, std::array<std::uint8_t, 16>& uuid) {
  const bool dashed = text.size() == 36;
  if (!dashed && text.size() != 32) return false;
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (dashed && (i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return false;
    const int high = hex_digit(text[at++]);
    const int low = hex_digit(text[at++]);
    if (high < 0 || low < 0) return false;
    uuid[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

bool parse_tag(std::string_view text, std::string& tag) {
  if (text.empty() || text.size() > Gtid::kTagLengthMax) return false;
  tag.clear();
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool is_letter = (lower >= 'a' && lower <= 'z') || lower == '_';
    if (!is_letter && (tag.empty() || lower < '0' || lower > '9')) return false;
    tag += lower;
  }
  return true;
}

std::optional<GtidSet::Interval> parse_interval(std::string_view text) {
  auto rest = text;
  const auto first = parse_number<std::uint64_t>(next_part(rest, '-'));
  const auto last =
      text.find('-') == std::string_view::npos ? first : parse_number<std::uint64_t>(trim(rest));
  if (!first || !last || *first == 0 || *last < *first || *last > kNumberMax) return std::nullopt;
  return GtidSet::Interval{*first, *last};
}

void insert_interval(std::vector<GtidSet::Interval>& intervals, GtidSet::Interval added) {
  // The usual case: the number after the last one.
  if (!intervals.empty() && intervals.back().last + 1 == added.first) {
    intervals.back().last = added.last;
    return;
  }
  const auto from =
      std::partition_point(intervals.begin(), intervals.end(),
                           [&](const GtidSet::Interval& i) { return i.last + 1 < added.first; });
  auto to = from;
  for (; to != intervals.end() && to->first <= added.last + 1; ++to) {
    added.first = std::min(added.first, to->first);
    added.last = std::max(added.last, to->last);
  }
  intervals.insert(intervals.erase(from, to), added);
}

core::Error bad_set(std::string_view part, std::string_view expected) {
  constexpr std::size_t kShown = 80;
  return {core::Errc::Invalid, fmt::format("\"{}\" is not {}", part.substr(0, kShown), expected)};
}

void put_u64(std::string& out, std::uint64_t value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

}  // namespace

std::string Gtid::text() const {
  if (flavor == Flavor::MariaDb) return fmt::format("{}-{}-{}", domain, server, number);
  std::string out;
  out.reserve(60);
  append_uuid(out, uuid);
  if (tag_length > 0) out.append(1, ':').append(tag());
  fmt::format_to(std::back_inserter(out), ":{}", number);
  return out;
}

core::Result<GtidSet> GtidSet::parse(std::string_view text, Flavor flavor) {
  if (text.size() > kTextBytesMax) {
    return core::Error{core::Errc::Limit, "a GTID set of more than 16 MiB"};
  }
  GtidSet set;
  set.flavor_ = flavor;
  while (!text.empty()) {
    auto part = next_part(text, ',');
    if (part.empty()) continue;  // the servers print a set with commas at line ends
    const auto parsed = flavor == Flavor::MySql ? set.parse_mysql(part) : set.parse_mariadb(part);
    if (!parsed) return parsed.error();
  }
  return set;
}

core::Result<GtidSet> GtidSet::decode(std::span<const std::byte> encoded, Flavor flavor) {
  GtidSet set;
  set.flavor_ = flavor;
  Cursor in(encoded);
  const bool decoded = flavor == Flavor::MySql ? set.decode_mysql(in) : set.decode_mariadb(in);
  if (!decoded || !in.ok() || !in.at_end()) {
    return core::Error{core::Errc::Malformed, "the encoded GTID set is malformed"};
  }
  return set;
}

bool GtidSet::decode_mysql(Cursor& in) {
  // The layout that encode() writes; the last byte of the first eight tells the two apart.
  const auto head = in.u64();
  const bool is_tagged = head >> 56 == 1;
  const auto count = is_tagged ? head << 8 >> 16 : head;
  if (head >> 56 > 1) return false;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    Key key{};
    const auto uuid = in.text(key.uuid.size());
    if (!in.ok()) return false;
    std::copy(uuid.begin(), uuid.end(), key.uuid.begin());
    if (is_tagged) {
      const auto length = in.u8();
      const auto tag = in.text(length >> 1);
      if ((length & 1U) != 0 || (!tag.empty() && !parse_tag(tag, key.tag))) return false;
    }
    std::uint64_t previous_end = 0;
    for (auto left = in.u64(); left > 0 && in.ok(); --left) {
      const auto first = in.u64();
      const auto end = in.u64();
      if (first <= previous_end || end <= first || end > kNumberMax + 1) return false;
      insert_interval(mysql_[key], {first, end - 1});
      previous_end = end;
    }
  }
  return in.ok();
}

bool GtidSet::decode_mariadb(Cursor& in) {
  // Count in 28 bits, flags above; then domain 4, server 4, sequence 8 (Gtid_list_log_event).
  constexpr std::uint32_t kCountMask = 0x0FFFFFFF;
  const auto count = in.u32() & kCountMask;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const auto domain = in.u32();
    const auto server = in.u32();
    mariadb_[domain] = {server, in.u64()};
  }
  if (count == 0) in.skip(in.remaining());  // an empty list is padded
  return in.ok();
}

core::Result<> GtidSet::parse_mysql(std::string_view part) {
  Key key{};
  const auto whole = part;
  if (!parse_uuid(next_part(part, ':'), key.uuid)) return bad_set(whole, "a UUID with intervals");
  bool is_bare = true;
  while (!part.empty()) {
    const auto segment = next_part(part, ':');
    if (const auto interval = parse_interval(segment)) {
      insert_interval(mysql_[key], *interval);
      is_bare = false;
    } else if (!parse_tag(segment, key.tag)) {
      return bad_set(segment, "an interval of transaction numbers or a tag");
    } else {
      is_bare = true;
    }
  }
  if (is_bare) return bad_set(whole, "a UUID or tag followed by intervals");
  return {};
}

core::Result<> GtidSet::parse_mariadb(std::string_view part) {
  const auto whole = part;
  const auto domain = parse_number<std::uint32_t>(next_part(part, '-'));
  const auto server = parse_number<std::uint32_t>(next_part(part, '-'));
  const auto number = parse_number<std::uint64_t>(trim(part));
  if (!domain || !server || !number) return bad_set(whole, "a GTID domain-server-sequence");
  mariadb_[*domain] = {*server, *number};
  return {};
}

void GtidSet::add(const Gtid& gtid) {
  if (gtid.empty()) return;
  if (empty()) flavor_ = gtid.flavor;
  if (gtid.flavor == Flavor::MariaDb) {
    mariadb_[gtid.domain] = {gtid.server, gtid.number};
    return;
  }
  insert_interval(mysql_[Key{gtid.uuid, std::string(gtid.tag())}], {gtid.number, gtid.number});
}

bool GtidSet::contains(const Gtid& gtid) const {
  if (gtid.flavor == Flavor::MariaDb) {
    const auto found = mariadb_.find(gtid.domain);
    return found != mariadb_.end() && gtid.number <= found->second.number;
  }
  const auto found = mysql_.find(Key{gtid.uuid, std::string(gtid.tag())});
  if (found == mysql_.end()) return false;
  const auto at = std::partition_point(found->second.begin(), found->second.end(),
                                       [&](const Interval& i) { return i.last < gtid.number; });
  return at != found->second.end() && at->first <= gtid.number;
}

std::string GtidSet::text() const {
  std::string out;
  const Key* previous = nullptr;
  for (const auto& [key, intervals] : mysql_) {
    if (previous == nullptr || previous->uuid != key.uuid) {
      if (!out.empty()) out += ',';
      append_uuid(out, key.uuid);
    }
    previous = &key;
    if (!key.tag.empty()) out.append(1, ':').append(key.tag);
    for (const auto& interval : intervals) {
      fmt::format_to(std::back_inserter(out), ":{}", interval.first);
      if (interval.last != interval.first) {
        fmt::format_to(std::back_inserter(out), "-{}", interval.last);
      }
    }
  }
  for (const auto& [domain, last] : mariadb_) {
    fmt::format_to(std::back_inserter(out), "{}{}-{}-{}", out.empty() ? "" : ",", domain,
                   last.server, last.number);
  }
  return out;
}

std::string GtidSet::encode() const {
  // Classic: count 8. With tags: 1, count 6, 1 (Gtid_set::encode). Then for each uuid (and tag, its
  // length a one-byte varlen integer): count 8, then first 8 and one past the last 8 of each
  // interval.
  const bool is_tagged = std::any_of(mysql_.begin(), mysql_.end(),
                                     [](const auto& entry) { return !entry.first.tag.empty(); });
  constexpr std::uint64_t kTagged = 1 | std::uint64_t{1} << 56;
  std::string out;
  put_u64(out, is_tagged ? kTagged | std::uint64_t{mysql_.size()} << 8 : mysql_.size());
  for (const auto& [key, intervals] : mysql_) {
    out.append(reinterpret_cast<const char*>(key.uuid.data()), key.uuid.size());
    if (is_tagged) {
      out += static_cast<char>(key.tag.size() << 1);
      out += key.tag;
    }
    put_u64(out, intervals.size());
    for (const auto& interval : intervals) {
      put_u64(out, interval.first);
      put_u64(out, interval.last + 1);
    }
  }
  return out;
}

}  // namespace rowtrail::binlog
