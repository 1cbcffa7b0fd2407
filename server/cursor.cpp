#include "server/cursor.h"

#include "server/target.h"

#include <array>

#include <openssl/sha.h>

namespace rowtrail::server {
namespace {

// version u8 = 1 | flags u8 | seq u64 | [since i64] | [until i64] | SHA-256(all before ‖
// binding)[:8] Integers are big-endian. The digest guards against mistakes, not against forgery: a
// cursor grants nothing that its filters would not.
constexpr char kVersion = 1;
constexpr unsigned kAscending = 1, kSince = 2, kUntil = 4;
constexpr std::size_t kDigestBytes = 8;

void put(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xFF));
  }
}

std::uint64_t take(std::string_view& text) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i)
    value = value << 8 | static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
  text.remove_prefix(8);
  return value;
}

std::string digest(std::string_view head, std::string_view binding) {
  std::string input(head);
  input += binding;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(input.data()), input.size(), hash.data());
  return {reinterpret_cast<const char*>(hash.data()), kDigestBytes};
}

Problem invalid(std::string detail) {
  return {ProblemId::InvalidCursor, std::move(detail),
          "Follow the Link header or `next` of the page before, or leave the cursor out.",
          "cursor"};
}

}  // namespace

std::string seal_cursor(const Cursor& cursor, std::string_view binding) {
  std::string bytes;
  bytes.push_back(kVersion);
  bytes.push_back(static_cast<char>((cursor.ascending ? kAscending : 0U) |
                                    (cursor.since_us ? kSince : 0U) |
                                    (cursor.until_us ? kUntil : 0U)));
  put(bytes, cursor.seq);
  if (cursor.since_us) put(bytes, static_cast<std::uint64_t>(*cursor.since_us));
  if (cursor.until_us) put(bytes, static_cast<std::uint64_t>(*cursor.until_us));
  bytes += digest(bytes, binding);
  return base64url_encode(bytes);
}

Outcome<Cursor> open_cursor(std::string_view text, std::string_view binding) {
  constexpr std::size_t kTextMax = 64;
  if (text.size() > kTextMax) return invalid("The cursor is too long to be one of ours.");
  const auto bytes = base64url_decode(text);
  if (!bytes) return invalid("The cursor is damaged.");
  if (bytes->size() < 2 || bytes->front() != kVersion) {
    return invalid("The cursor was made by another version of rowtrail.");
  }
  const auto flags = static_cast<unsigned char>((*bytes)[1]);
  const std::size_t numbers =
      1U + ((flags & kSince) != 0 ? 1U : 0U) + ((flags & kUntil) != 0 ? 1U : 0U);
  const std::size_t head_size = 2 + 8 * numbers;
  if (flags > 7 || bytes->size() != head_size + kDigestBytes)
    return invalid("The cursor is damaged.");
  const std::string_view head = std::string_view(*bytes).substr(0, head_size);
  if (digest(head, binding) != bytes->substr(head_size)) {
    return invalid("The cursor belongs to another list or to other filters.");
  }
  Cursor cursor;
  std::string_view rest = head.substr(2);
  cursor.seq = take(rest);
  cursor.ascending = (flags & kAscending) != 0;
  if ((flags & kSince) != 0) cursor.since_us = static_cast<std::int64_t>(take(rest));
  if ((flags & kUntil) != 0) cursor.until_us = static_cast<std::int64_t>(take(rest));
  return cursor;
}

}  // namespace rowtrail::server
