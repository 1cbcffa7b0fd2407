// As much SQL as a binlog reader needs: what kind of statement a QUERY event holds, which table it
// names, and where its secrets are. Not a parser: tokens, and the first few of them. Private to
// normalize/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::normalize {

struct SqlToken {
  enum class Kind : std::uint8_t {
    End,
    Word,        // keyword, bare identifier or number
    Identifier,  // `quoted`
    String,      // 'quoted' or "quoted"
    Mark,        // one character of anything else
  };
  Kind kind = Kind::End;
  std::string_view text;   // quotes included
  bool terminated = true;  // false: the closing quote is missing

  /// Is this the keyword `upper`, in any letter case?
  [[nodiscard]] bool is(std::string_view upper) const;
  [[nodiscard]] bool is_mark(char c) const { return kind == Kind::Mark && text[0] == c; }
  /// Bare or quoted, can it name a thing?
  [[nodiscard]] bool can_name() const;
  /// A keyword or bare name in upper case.
  [[nodiscard]] std::string upper() const;
  /// The name without its quotes.
  [[nodiscard]] std::string name() const;
};

/// Tokens without white space and comments. Text inside /*! … */ is executed by the server, so it
/// is read like any other.
class SqlLexer {
 public:
  explicit SqlLexer(std::string_view sql) : rest_(sql) {}
  SqlToken next();

 private:
  void skip_blank();
  bool skip_comment();
  SqlToken take(SqlToken::Kind kind, std::size_t size);
  SqlToken quoted(SqlToken::Kind kind);

  std::string_view rest_;
};

enum class SqlKind : std::uint8_t {
  Empty,
  Begin,
  Commit,
  Rollback,
  Savepoint,
  RollbackToSavepoint,
  Xa,
  Dml,  // changes rows that only row events could tell
  Truncate,
  Ddl,  // everything else that is logged: DDL, accounts, administration
};

struct SqlSummary {
  SqlKind kind = SqlKind::Empty;
  std::string verb;      // upper case
  std::string database;  // empty: the session's default
  std::string table;     // empty: none or more than one
};

/// `name` of a qualified database.table overrides the default database.
[[nodiscard]] SqlSummary summarize_sql(std::string_view sql);

/// The statement with every secret of an account, server or replication statement replaced by
/// '<redacted>': the literals after IDENTIFIED … BY / AS / USING, PASSWORD and CONNECTION.
[[nodiscard]] std::string scrub_credentials(std::string_view sql);

/// The statement with '?' for every literal; its comments stay.
[[nodiscard]] std::string fingerprint_sql(std::string_view sql);

}  // namespace rowtrail::normalize
