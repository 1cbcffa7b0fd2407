#include "server/handlers.h"
#include "server/json_text.h"

#include <charconv>

#include <fmt/format.h>

namespace rowtrail::server {
namespace {

constexpr std::uint64_t kTileWidth = 256;

std::uint64_t seq_of(const Call& call) {
  std::uint64_t seq = 0;
  const std::string& text = call.path[0];
  std::from_chars(text.data(), text.data() + text.size(), seq);
  return seq;
}

Problem no_head(const std::string& what) {
  return {ProblemId::NoSuchRecord, what,
          "Tree heads are signed within a second of a commit, by `rowtrail run` and `replay`.", ""};
}

/// Takes a number of exactly `digits` digits (1 to 3 when 0, without leading zeros).
bool take_number(std::string_view& text, std::size_t digits, std::uint64_t& value) {
  std::size_t count = 0;
  value = 0;
  while (count < text.size() && count < 3 && text[count] >= '0' && text[count] <= '9') {
    value = value * 10 + static_cast<std::uint64_t>(text[count++] - '0');
  }
  const bool good = digits != 0 ? count == digits : count > 0 && (text[0] != '0' || count == 1);
  text.remove_prefix(count);
  return good;
}

bool take(std::string_view& text, std::string_view piece) {
  if (!text.starts_with(piece)) return false;
  text.remove_prefix(piece.size());
  return true;
}

/// A tile's address by tlog-tiles: `<level or entries>/<index>[.p/<width>]`.
struct TileAddress {
  bool entries = false;
  std::uint64_t level = 0, index = 0, width = kTileWidth;
};
std::optional<TileAddress> parse_tile(std::string_view text) {
  TileAddress address;
  address.entries = take(text, "entries");
  if (!address.entries && !take_number(text, 0, address.level)) return std::nullopt;
  if (!take(text, "/")) return std::nullopt;
  std::uint64_t group = 0;
  int groups = 0;
  while (take(text, "x")) {
    // Six groups are more than 2^59 tiles; no group may be one too many zeros in front.
    if (!take_number(text, 3, group) || !take(text, "/") || ++groups > 6) return std::nullopt;
    if (groups == 1 && group == 0) return std::nullopt;
    address.index = address.index * 1000 + group;
  }
  if (!take_number(text, 3, group)) return std::nullopt;
  address.index = address.index * 1000 + group;
  if (take(text, ".p/") &&
      (!take_number(text, 0, address.width) || address.width == 0 || address.width >= kTileWidth)) {
    return std::nullopt;
  }
  if (!text.empty() || address.level > 63) return std::nullopt;
  return address;
}

}  // namespace

Outcome<Response> get_checkpoint(const Call& call, const Services& services) {
  Response response;
  response.content_type = format_kind(call.format).media_type;
  response.body = services.reader->tree_head();
  if (response.body.empty()) return no_head("No tree head has been signed yet.");
  return response;
}

Outcome<Response> get_tile(const Call& call, const Services& services) {
  const auto address = parse_tile(call.path[0]);
  if (!address) {
    return Problem{ProblemId::NoSuchRecord,
                   fmt::format("{} is not the address of a tile.", call.path[0]),
                   "Like 0/000, 0/x001/x234/067, 0/002.p/88 or entries/000.", ""};
  }
  auto tile = address->entries ? services.reader->entries(address->index, address->width)
                               : services.reader->tile(static_cast<int>(address->level),
                                                       address->index, address->width);
  if (!tile) {
    return no_head(fmt::format("The signed tree has no tile {} of this width.", call.path[0]));
  }
  Response response;
  response.content_type = format_kind(call.format).media_type;
  response.body = *std::move(tile);
  response.set_header("Cache-Control", "private, max-age=31536000, immutable");
  return response;
}

Outcome<Response> get_proof(const Call& call, const Services& services) {
  auto proof = services.reader->proof(seq_of(call));
  if (!proof) {
    return no_head(fmt::format("No signed tree head has a record {}.", seq_of(call)));
  }
  Response response;
  response.content_type = format_kind(call.format).media_type;
  response.body = *std::move(proof);
  return response;
}

/// The .tlog-proof's lines as JSON.
Outcome<Response> get_event_proof(const Call& call, const Services& services) {
  const auto seq = seq_of(call);
  if (!services.reader->event(seq)) {
    return Problem{ProblemId::NoSuchRecord, fmt::format("There is no event with seq {}.", seq),
                   fmt::format("/log/proof/{} proves records of every kind.", seq), ""};
  }
  const auto proof = services.reader->proof(seq);
  if (!proof) return no_head(fmt::format("No signed tree head has event {} yet.", seq));
  std::string_view rest = *proof;
  const auto line = [&] {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto taken = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return taken;
  };
  line();  // c2sp.org/tlog-proof@v1
  std::string body = fmt::format("{{\"seq\":{},\"extra\":", seq);
  append_json_string(body, line().substr(std::string_view("extra ").size()));
  line();  // index
  body += ",\"hashes\":[";
  const char* comma = "";
  for (auto hash = line(); !hash.empty(); hash = line()) {
    body += std::exchange(comma, ",");
    append_json_string(body, hash);
  }
  body += "],\"checkpoint\":";
  append_json_string(body, rest);
  return json_response(body + "}");
}

}  // namespace rowtrail::server
