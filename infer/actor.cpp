#include "infer/actor.h"

#include "infer/lexer.h"
#include "infer/row.h"

#include <algorithm>

namespace rowtrail::infer {
namespace {

constexpr std::size_t kActorBytesMax = 256;
constexpr std::size_t kColumnRowsMax = 1000;  // rows of one event that are asked for a column

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Percent-decoding; what is no escape stays as it is. Some libraries write a space in keys as '+';
/// in a value a '+' is a plus.
std::string url_decoded(std::string_view text, bool is_key) {
  std::string out;
  for (std::size_t n = 0; n < text.size(); ++n) {
    if (text[n] == '%' && n + 2 < text.size() && hex_digit(text[n + 1]) >= 0 &&
        hex_digit(text[n + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[n + 1]) * 16 + hex_digit(text[n + 2]));
      n += 2;
    } else if (text[n] == '\\' && n + 1 < text.size()) {
      out += text[++n];
    } else {
      out += is_key && text[n] == '+' ? ' ' : text[n];
    }
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// A name that can be shown and stored: UTF-8 without control characters.
bool is_presentable(std::string_view text) {
  const bool controls = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  return !text.empty() && text.size() <= kActorBytesMax && !controls && is_utf8(text);
}

/// One value, in quotes or up to the next comma; it is taken from `rest`.
std::string take_value(std::string_view& rest) {
  rest = rest.substr(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
  if (rest.empty() || (rest.front() != '\'' && rest.front() != '"')) {
    const auto value = rest.substr(0, rest.find(','));
    rest.remove_prefix(value.size());
    return url_decoded(trimmed(value), false);
  }
  const char quote = rest.front();
  std::size_t end = 1;
  while (end < rest.size() && rest[end] != quote) end += rest[end] == '\\' ? 2U : 1U;
  end = std::min(end, rest.size());
  const auto value = rest.substr(1, end - 1);
  rest.remove_prefix(end);
  return url_decoded(value, false);
}

/// The value of the first of `keys` among the key='value' pairs of one comment's inside.
std::optional<std::string> actor_of(std::string_view inside, const std::vector<std::string>& keys) {
  std::optional<std::string> found;
  auto best = keys.end();
  while (!inside.empty()) {
    const auto equals = inside.find('=');
    if (equals == std::string_view::npos) break;
    const std::string key = url_decoded(trimmed(inside.substr(0, equals)), true);
    inside.remove_prefix(equals + 1);
    std::string value = take_value(inside);
    const auto at = std::find(keys.begin(), best, key);
    if (at != best && is_presentable(value)) {
      best = at;
      found = std::move(value);
    }
    const auto comma = inside.find(',');
    if (comma == std::string_view::npos) break;
    inside.remove_prefix(comma + 1);
  }
  return found;
}

/// created_by says who made the row, so it speaks of an insert only.
bool names_creator(std::string_view column) {
  return column.find("creat") != std::string_view::npos;
}

}  // namespace

std::optional<std::string> actor_in_comment(std::string_view sql,
                                            const std::vector<std::string>& keys) {
  if (sql.find("/*") == std::string_view::npos) return std::nullopt;
  // One inside a quoted text is data, so quotes are followed.
  for (std::size_t n = 0; n < sql.size(); ++n) {
    const char c = sql[n];
    if (c == '\'' || c == '"' || c == '`') {
      for (++n; n < sql.size() && sql[n] != c; ++n) {
        if (sql[n] == '\\' && c != '`') ++n;
      }
    } else if (c == '/' && n + 1 < sql.size() && sql[n + 1] == '*') {
      const auto end = std::min(sql.find("*/", n + 2), sql.size());
      if (auto actor = actor_of(sql.substr(n + 2, end - n - 2), keys)) return actor;
      n = end + 1;
    }
  }
  return std::nullopt;
}

void ActorFinder::begin(const normalize::Transaction& transaction) {
  transaction_ = &transaction;
  statements_.assign(transaction.statements.size(), std::nullopt);
  anywhere_.reset();
}

const std::optional<std::string>& ActorFinder::in_statement(std::size_t index) {
  auto& known = statements_[index];
  if (!known) known = actor_in_comment(transaction_->statements[index].sql, options_.actor_keys);
  return *known;
}

/// The statements that made the rows speak first; without a word from them, any of the transaction.
std::optional<std::string> ActorFinder::in_comments(Rows rows) {
  const auto& statements = transaction_->statements;
  for (const auto row : rows) {
    const auto ordinal = transaction_->changes[row].statement;
    const auto found =
        std::lower_bound(statements.begin(), statements.end(), ordinal,
                         [](const normalize::Statement& statement, std::uint32_t wanted) {
                           return statement.ordinal < wanted;
                         });
    if (found == statements.end() || found->ordinal != ordinal) continue;
    const auto& actor = in_statement(static_cast<std::size_t>(found - statements.begin()));
    if (actor) return actor;
  }
  if (!anywhere_) {
    anywhere_.emplace();
    for (std::size_t n = 0; n < statements.size() && !*anywhere_; ++n) *anywhere_ = in_statement(n);
  }
  return *anywhere_;
}

std::optional<std::string> ActorFinder::in_column(const normalize::Change& change,
                                                  const std::string& name) {
  if (change.schema == nullptr || change.after.empty()) return std::nullopt;
  if (names_creator(name) && change.op != normalize::Op::Insert) return std::nullopt;
  const int column = change.schema->find(name);
  if (column < 0) return std::nullopt;
  std::string text;
  const Value value = column_value(change, Side::After, column, arena_);
  if (!append_text(text, value) || !is_presentable(text)) return std::nullopt;
  return text;
}

std::optional<std::string> ActorFinder::in_columns(Rows rows) {
  arena_.reset();
  for (const auto& name : options_.actor_columns) {
    std::size_t asked = 0;
    for (auto row = rows.rbegin(); row != rows.rend() && asked < kColumnRowsMax; ++row, ++asked) {
      if (auto actor = in_column(transaction_->changes[*row], name)) return actor;
    }
  }
  return std::nullopt;
}

Actor ActorFinder::find(Rows rows, const std::string& named) {
  auto comment = in_comments(rows);
  if (is_presentable(named)) {
    return {named, "column", comment == named ? "corroborated" : "heuristic"};
  }
  if (comment) return {std::move(*comment), "comment", "exact"};
  if (auto column = in_columns(rows)) return {std::move(*column), "column", "heuristic"};
  return {};
}

}  // namespace rowtrail::infer
