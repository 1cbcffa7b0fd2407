// Credentials out of logged SQL. The servers log account statements with password hashes, and
// MariaDB with what the user typed; neither may reach the record. When in doubt more is taken out,
// not less.
#include "normalize/sql.h"

#include <algorithm>
#include <array>

namespace rowtrail::normalize {
namespace {

constexpr std::string_view kRedacted = "'<redacted>'";

/// PASSWORD, SOURCE_PASSWORD, a column `user_password` …
bool ends_with_password(const SqlToken& token) {
  constexpr std::string_view kWord = "PASSWORD";
  std::string_view text = token.text;
  if (token.kind == SqlToken::Kind::Identifier && token.terminated) {
    text = text.substr(1, text.size() - 2);
  } else if (token.kind != SqlToken::Kind::Word) {
    return false;
  }
  if (text.size() < kWord.size()) return false;
  return SqlToken{SqlToken::Kind::Word, text.substr(text.size() - kWord.size())}.is(kWord);
}

/// 0x24… and x'24…' say a string in hexadecimal.
bool is_hexadecimal(const SqlToken& token) {
  return token.kind == SqlToken::Kind::Word && token.text.size() > 2 && token.text[0] == '0' &&
         (token.text[1] == 'x' || token.text[1] == 'X');
}

/// Follows one statement token by token and says which literals are secrets.
class SecretFinder {
 public:
  /// Call for every token in order.
  bool is_secret(const SqlToken& token) {
    const bool literal = token.kind == SqlToken::Kind::String || is_hexadecimal(token);
    if (literal) {
      // A literal behind a secret one continues it: 'pass' 'word'.
      expecting_ = expecting_ || setting_value_;
      return expecting_;
    }
    follow(token);
    return false;
  }

 private:
  void follow(const SqlToken& token) {
    static constexpr std::array<std::string_view, 4> kBefore = {"BY", "AS", "USING", "REPLACE"};
    const bool in_set_password = set_seen_ && password_seen_;
    if (token.is("IDENTIFIED")) identified_ = true;
    if (token.is_mark(';') || token.is_mark(',')) identified_ = setting_value_ = false;
    if (in_set_password && token.is_mark('=')) setting_value_ = true;
    if (first_) set_seen_ = token.is("SET");
    password_seen_ = password_seen_ || ends_with_password(token);
    first_ = false;

    const bool passes_on = token.is_mark('=') || token.is_mark('(') || token.is("PASSWORD") ||
                           token.is("X") || token.is("N") || token.is("_BINARY");
    const bool opens = ends_with_password(token) || token.is("CONNECTION") ||
                       ((identified_ || setting_value_) &&
                        std::any_of(kBefore.begin(), kBefore.end(),
                                    [&](std::string_view keyword) { return token.is(keyword); }));
    expecting_ = opens || (expecting_ && passes_on);
  }

  bool first_ = true;
  bool set_seen_ = false;
  bool password_seen_ = false;
  bool identified_ = false;     // inside an IDENTIFIED clause
  bool setting_value_ = false;  // behind the '=' of SET PASSWORD
  bool expecting_ = false;      // the next literal is a secret
};

}  // namespace

namespace {

/// `sql` with `replacement` for each token that `is_meant`, which is asked in order.
template <class IsMeant>
std::string replace_tokens(std::string_view sql, std::string_view replacement, IsMeant is_meant) {
  std::string out;
  out.reserve(sql.size());
  SqlLexer lexer(sql);
  const char* copied = sql.data();
  for (SqlToken token = lexer.next(); token.kind != SqlToken::Kind::End; token = lexer.next()) {
    if (!is_meant(token)) continue;
    out.append(copied, token.text.data());
    out += replacement;
    copied = token.text.data() + token.text.size();
  }
  out.append(copied, sql.data() + sql.size());
  return out;
}

}  // namespace

std::string scrub_credentials(std::string_view sql) {
  SecretFinder finder;
  return replace_tokens(sql, kRedacted,
                        [&](const SqlToken& token) { return finder.is_secret(token); });
}

std::string fingerprint_sql(std::string_view sql) {
  return replace_tokens(sql, "?", [](const SqlToken& token) {
    const bool number = token.kind == SqlToken::Kind::Word && token.text.front() >= '0' &&
                        token.text.front() <= '9';
    return number || token.kind == SqlToken::Kind::String || !token.terminated;
  });
}

}  // namespace rowtrail::normalize
