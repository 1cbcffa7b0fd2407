#include "infer/actor.h"

#include "infer/row.h"

#include <algorithm>

namespace rowtrail::infer {
namespace {

constexpr std::string_view kActorKeys[] = {"actor", "user", "user_id", "username"};
constexpr std::size_t kActorBytesMax = 256;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Percent-decoding; what is no escape stays as it is. "+" stays too: only keys of some libraries
/// use it for a space.
std::string url_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      out += text[++i];
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

/// key='value' pairs of one comment's inside.
std::optional<std::string> actor_of(std::string_view inside) {
  while (!inside.empty()) {
    const auto equals = inside.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto key = url_decoded(trimmed(inside.substr(0, equals)));
    inside.remove_prefix(equals + 1);
    inside = trimmed(inside);
    std::string_view value;
    if (!inside.empty() && inside.front() == '\'') {
      std::size_t end = 1;
      while (end < inside.size() && inside[end] != '\'') end += inside[end] == '\\' ? 2 : 1;
      end = std::min(end, inside.size());
      value = inside.substr(1, end - 1);
      inside.remove_prefix(end);
    } else {
      value = inside.substr(0, inside.find(','));
    }
    if (std::find(std::begin(kActorKeys), std::end(kActorKeys), key) != std::end(kActorKeys) &&
        !value.empty() && value.size() <= kActorBytesMax) {
      return url_decoded(value);
    }
    const auto comma = inside.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    inside.remove_prefix(comma + 1);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> actor_in_comment(std::string_view sql) {
  // Comments stand at an end; one inside a quoted text is data, so quotes are followed.
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    if (c == '\'' || c == '"' || c == '`') {
      for (++i; i < sql.size() && sql[i] != c; ++i) {
        if (sql[i] == '\\' && c != '`') ++i;
      }
    } else if (c == '/' && i + 1 < sql.size() && sql[i + 1] == '*') {
      const auto end = sql.find("*/", i + 2);
      if (end == std::string_view::npos) return std::nullopt;
      if (auto actor = actor_of(sql.substr(i + 2, end - i - 2))) return actor;
      i = end + 1;
    }
  }
  return std::nullopt;
}

std::optional<std::string> actor_in_statements(const normalize::Transaction& transaction) {
  for (const auto& statement : transaction.statements) {
    if (auto actor = actor_in_comment(statement.sql)) return actor;
  }
  return std::nullopt;
}

std::optional<std::string> actor_in_columns(const normalize::Transaction& transaction,
                                            std::span<const std::uint32_t> rows,
                                            const std::vector<std::string>& columns) {
  binlog::Arena arena;
  for (const auto& name : columns) {
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
      const auto& change = transaction.changes[*row];
      if (change.schema == nullptr) continue;
      const int column = change.schema->find(name);
      if (column < 0) continue;
      const auto value =
          column_value(change, change.after.empty() ? Side::Before : Side::After, column, arena);
      if (value.is_null() || value.is_error()) continue;
      std::string text;
      if (append_text(text, value) && !text.empty()) return text;
    }
  }
  return std::nullopt;
}

}  // namespace rowtrail::infer
