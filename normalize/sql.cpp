#include "normalize/sql.h"

#include "normalize/payload.h"

#include <algorithm>
#include <array>

namespace rowtrail::normalize {
namespace {

constexpr char to_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == '\0';
}
constexpr bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

/// Tokens looked at to find what a statement is about: its head is short.
constexpr int kHeadTokensMax = 64;

/// Walks the first tokens of one statement.
class Head {
 public:
  explicit Head(SqlLexer lexer) : lexer_(lexer), token_(lexer_.next()) {}

  [[nodiscard]] const SqlToken& token() const { return token_; }
  void advance() { token_ = ++seen_ > kHeadTokensMax ? SqlToken{} : lexer_.next(); }
  bool skip(std::string_view keyword) {
    if (!token_.is(keyword)) return false;
    advance();
    return true;
  }
  template <std::size_t N>
  bool skip_any(const std::array<std::string_view, N>& keywords) {
    return std::any_of(keywords.begin(), keywords.end(),
                       [this](std::string_view keyword) { return skip(keyword); });
  }
  /// Moves to the first token that is one of `keywords`, and past it; its index, or N.
  template <std::size_t N>
  std::size_t seek(const std::array<std::string_view, N>& keywords) {
    for (; token_.kind != SqlToken::Kind::End; advance()) {
      const auto hit =
          std::find_if(keywords.begin(), keywords.end(),
                       [this](std::string_view keyword) { return token_.is(keyword); });
      if (hit == keywords.end()) continue;
      advance();
      return static_cast<std::size_t>(hit - keywords.begin());
    }
    return N;
  }
  void skip_if_exists() {
    if (!skip("IF")) return;
    skip("NOT");
    skip("EXISTS");
  }
  /// [database.]table, into `summary`.
  void take_name(SqlSummary& summary) {
    if (!token_.can_name()) return;
    summary.table = token_.name();
    advance();
    if (!token_.is_mark('.')) return;
    advance();
    if (!token_.can_name()) return;
    summary.database = std::move(summary.table);
    summary.table = token_.name();
    advance();
  }
  /// As take_name, but a list of several names no single table.
  void take_only_name(SqlSummary& summary) {
    take_name(summary);
    if (!token_.is_mark(',')) return;
    summary.table.clear();
    summary.database.clear();
  }

 private:
  SqlLexer lexer_;
  SqlToken token_;
  int seen_ = 0;
};

void name_renamed(Head& head, SqlSummary& summary) {
  head.take_name(summary);
  SqlSummary target;
  if (head.skip("TO")) head.take_name(target);
  if (!head.token().is_mark(',')) return;
  summary.table.clear();
  summary.database.clear();
}

/// What CREATE, ALTER, DROP, RENAME, ANALYZE … is about: the first of these words decides.
void name_ddl_object(Head& head, SqlSummary& summary) {
  static constexpr std::array<std::string_view, 18> kObjects = {
      "TABLE",  "TABLES",    "DATABASE", "SCHEMA",   "INDEX",      "TRIGGER",
      "VIEW",   "PROCEDURE", "FUNCTION", "EVENT",    "USER",       "ROLE",
      "SERVER", "SEQUENCE",  "PACKAGE",  "INSTANCE", "TABLESPACE", "LOGFILE"};
  static constexpr std::array<std::string_view, 1> kOn = {"ON"};
  const std::size_t object = head.seek(kObjects);
  if (object <= 1) {
    head.skip_if_exists();
    if (summary.verb == "RENAME") return name_renamed(head, summary);
    return head.take_only_name(summary);
  }
  if (object <= 3) {
    head.skip_if_exists();
    if (head.token().can_name()) summary.database = head.token().name();
    return;
  }
  const bool on_a_table = object == 4 || (object == 5 && summary.verb == "CREATE");
  if (on_a_table && head.seek(kOn) == 0) head.take_name(summary);
}

void name_dml_table(Head& head, SqlSummary& summary) {
  static constexpr std::array<std::string_view, 6> kModifiers = {
      "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK", "IGNORE", "INTO"};
  static constexpr std::array<std::string_view, 1> kTable = {"TABLE"};
  if (summary.verb == "LOAD") {
    if (head.seek(kTable) == 0) head.take_name(summary);
    return;
  }
  if (summary.verb != "INSERT" && summary.verb != "REPLACE" && summary.verb != "UPDATE" &&
      summary.verb != "DELETE") {
    return;
  }
  while (head.skip_any(kModifiers)) {
  }
  if (summary.verb == "DELETE" && !head.skip("FROM")) return;  // several tables: DELETE a, b FROM …
  head.take_only_name(summary);
  static constexpr std::array<std::string_view, 6> kJoins = {"JOIN",          "INNER", "LEFT",
                                                             "STRAIGHT_JOIN", "RIGHT", "CROSS"};
  if (summary.verb == "UPDATE" && head.skip_any(kJoins)) summary.table.clear();
}

struct Verb {
  std::string_view word;
  SqlKind kind;
};
/// Statements that are not DDL; WITH, SELECT, DO and CALL are logged when they changed rows.
constexpr std::array kVerbs = {
    Verb{"BEGIN", SqlKind::Begin},       Verb{"COMMIT", SqlKind::Commit},
    Verb{"ROLLBACK", SqlKind::Rollback}, Verb{"SAVEPOINT", SqlKind::Savepoint},
    Verb{"RELEASE", SqlKind::Savepoint}, Verb{"XA", SqlKind::Xa},
    Verb{"INSERT", SqlKind::Dml},        Verb{"UPDATE", SqlKind::Dml},
    Verb{"DELETE", SqlKind::Dml},        Verb{"REPLACE", SqlKind::Dml},
    Verb{"LOAD", SqlKind::Dml},          Verb{"WITH", SqlKind::Dml},
    Verb{"SELECT", SqlKind::Dml},        Verb{"DO", SqlKind::Dml},
    Verb{"CALL", SqlKind::Dml},          Verb{"TRUNCATE", SqlKind::Truncate},
};

SqlKind kind_of(const SqlToken& verb) {
  for (const Verb& known : kVerbs) {
    if (verb.is(known.word)) return known.kind;
  }
  return verb.is_mark('(') ? SqlKind::Dml : SqlKind::Ddl;
}

/// MariaDB: SET STATEMENT variable = value, … FOR statement.
void skip_set_statement(Head& head) {
  static constexpr std::array<std::string_view, 1> kFor = {"FOR"};
  Head ahead = head;
  if (ahead.skip("SET") && ahead.skip("STATEMENT") && ahead.seek(kFor) == 0) head = ahead;
}

}  // namespace

bool SqlToken::is(std::string_view keyword) const {
  return kind == Kind::Word && text.size() == keyword.size() &&
         std::equal(text.begin(), text.end(), keyword.begin(),
                    [](char a, char b) { return to_upper(a) == b; });
}

bool SqlToken::can_name() const {
  return kind == Kind::Word || kind == Kind::Identifier ||
         (kind == Kind::String && text[0] == '"');  // sql_mode ANSI_QUOTES
}

std::string SqlToken::upper() const {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_upper);
  return out;
}

std::string SqlToken::name() const {
  if (kind == Kind::Word) return std::string(text);
  const char quote = text[0];
  std::string name;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote && (i + 1 == text.size() || text[++i] != quote)) break;
    name += text[i];
  }
  return name;
}

SqlToken SqlLexer::take(SqlToken::Kind kind, std::size_t size) {
  SqlToken token{kind, rest_.substr(0, size)};
  rest_.remove_prefix(size);
  return token;
}

/// A quote is doubled to stand for itself; in strings a backslash takes the next character along.
SqlToken SqlLexer::quoted(SqlToken::Kind kind) {
  const char quote = rest_[0];
  for (std::size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == '\\' && kind == SqlToken::Kind::String) {
      ++i;
    } else if (rest_[i] == quote) {
      if (i + 1 == rest_.size() || rest_[i + 1] != quote) return take(kind, i + 1);
      ++i;
    }
  }
  SqlToken token = take(kind, rest_.size());
  token.terminated = false;
  return token;
}

bool SqlLexer::skip_comment() {
  const auto line_end = [this] { return std::min(rest_.find('\n'), rest_.size()); };
  if (rest_.starts_with('#') ||
      (rest_.starts_with("--") && (rest_.size() == 2 || is_blank(rest_[2])))) {
    rest_.remove_prefix(line_end());
    return true;
  }
  if (rest_.starts_with("*/")) {  // the end of a version comment
    rest_.remove_prefix(2);
    return true;
  }
  if (!rest_.starts_with("/*")) return false;
  const std::size_t opener = rest_.starts_with("/*M!") ? 4 : rest_.starts_with("/*!") ? 3 : 0;
  if (opener == 0) {
    const std::size_t end = rest_.find("*/", 2);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
    return true;
  }
  rest_.remove_prefix(opener);
  while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') rest_.remove_prefix(1);
  return true;
}

void SqlLexer::skip_blank() {
  do {
    while (!rest_.empty() && is_blank(rest_[0])) rest_.remove_prefix(1);
  } while (skip_comment());
}

SqlToken SqlLexer::next() {
  skip_blank();
  if (rest_.empty()) return {};
  const char c = rest_[0];
  if (c == '\'' || c == '"') return quoted(SqlToken::Kind::String);
  if (c == '`') return quoted(SqlToken::Kind::Identifier);
  if (!is_word(c)) return take(SqlToken::Kind::Mark, 1);
  std::size_t size = 1;
  while (size < rest_.size() && is_word(rest_[size])) ++size;
  return take(SqlToken::Kind::Word, size);
}

namespace {

/// Is the table one of the names at hand, `a, db.b, c`? In RENAME, `a TO b, …`, the old names
/// count.
bool names_table(Head& head, std::string_view default_database, std::string_view database,
                 std::string_view table) {
  static constexpr std::array<std::string_view, 1> kTo = {"TO"};
  bool found = false;
  do {
    SqlSummary name;
    head.take_name(name);
    if (name.table.empty()) return found;
    if (name.database.empty()) name.database = default_database;
    found = found || (name.table == table && name.database == database);
    if (head.skip_any(kTo)) {
      SqlSummary target;
      head.take_name(target);
    }
    if (!head.token().is_mark(',')) return found;
    head.advance();
  } while (true);
}

}  // namespace

TableFate table_fate(std::string_view sql, std::string_view default_database,
                     std::string_view database, std::string_view table) {
  static constexpr std::array<std::string_view, 2> kTables = {"TABLE", "TABLES"};
  static constexpr std::array<std::string_view, 2> kDatabases = {"DATABASE", "SCHEMA"};
  Head head{SqlLexer(sql)};
  skip_set_statement(head);
  const bool drop = head.skip("DROP");
  const bool create = !drop && head.skip("CREATE");
  const bool replace = create && head.skip("OR") && head.skip("REPLACE");
  if (drop || create) {
    if (head.skip("TEMPORARY")) return TableFate::Untouched;
    if (head.skip_any(kTables)) {
      head.skip_if_exists();
      const bool named = names_table(head, default_database, database, table);
      if (!named) return TableFate::Untouched;
      return drop || replace ? TableFate::Gone : TableFate::Altered;
    }
    if (drop && head.skip_any(kDatabases)) {
      head.skip_if_exists();
      const bool same = head.token().can_name() && head.token().name() == database;
      return same ? TableFate::Gone : TableFate::Untouched;
    }
  } else if (head.skip("RENAME") && head.skip_any(kTables)) {
    head.skip_if_exists();
    const bool named = names_table(head, default_database, database, table);
    return named ? TableFate::Altered : TableFate::Untouched;
  }
  const auto summary = summarize_sql(sql);
  const auto in = summary.database.empty() ? default_database : std::string_view(summary.database);
  if (summary.table != table || in != database) return TableFate::Untouched;
  return summary.kind == SqlKind::Truncate ? TableFate::Gone : TableFate::Altered;
}

SqlSummary summarize_sql(std::string_view sql) {
  Head head{SqlLexer(sql)};
  skip_set_statement(head);
  SqlSummary summary;
  const SqlToken verb = head.token();
  if (verb.kind == SqlToken::Kind::End) return summary;
  summary.kind = kind_of(verb);
  summary.verb = verb.upper();
  head.advance();
  if (verb.is("START") && head.token().is("TRANSACTION")) summary.kind = SqlKind::Begin;
  switch (summary.kind) {
    case SqlKind::Rollback:
      head.skip("WORK");
      if (head.token().is("TO")) summary.kind = SqlKind::RollbackToSavepoint;
      break;
    case SqlKind::Truncate:
      head.skip("TABLE");
      head.take_name(summary);
      break;
    case SqlKind::Dml:
      name_dml_table(head, summary);
      break;
    case SqlKind::Ddl:
      if (!verb.is("GRANT") && !verb.is("REVOKE") && !verb.is("SET") && !verb.is("FLUSH")) {
        name_ddl_object(head, summary);
      }
      break;
    case SqlKind::Empty:
    case SqlKind::Begin:
    case SqlKind::Commit:
    case SqlKind::Savepoint:
    case SqlKind::RollbackToSavepoint:
    case SqlKind::Xa:
      break;
  }
  return summary;
}

}  // namespace rowtrail::normalize
