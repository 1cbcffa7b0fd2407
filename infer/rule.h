// A rule as compiled: clauses, plan, what it emits, its tests. Immutable; engines share it.
#pragma once

#include "infer/expression.h"
#include "infer/infer.h"
#include "infer/yaml_tree.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::infer {

inline constexpr std::uint32_t kUnbounded = 0xffffffff;
inline constexpr std::size_t kRulesMax = 10'000;
inline constexpr std::size_t kListMax = 256;  // objects, attributes, forbids, tests of one rule

/// "db.table" or "table" of any database; '*' stands for any number of characters.
struct TablePattern {
  std::string database;  // "*" when the rule names none
  std::string table;
  [[nodiscard]] bool matches(std::string_view database_name, std::string_view table_name) const;
};

using OpMask = std::uint8_t;
[[nodiscard]] constexpr OpMask op_bit(normalize::Op op) {
  return static_cast<OpMask>(1U << static_cast<unsigned>(op));
}
/// What `op: any`, and no op at all, means: the changes of rows.
inline constexpr OpMask kRowOps =
    op_bit(normalize::Op::Insert) | op_bit(normalize::Op::Update) | op_bit(normalize::Op::Delete);

struct Clause {
  std::string name;
  TablePattern table;
  OpMask ops = kRowOps;
  std::uint32_t count_min = 1;
  std::uint32_t count_max = 1;
  Expression when;  // may be empty
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  [[nodiscard]] bool is_list() const noexcept { return count_max > 1; }
  [[nodiscard]] bool is_optional() const noexcept { return count_min == 0; }
};

/// One condition of the rule: a conjunct of a clause's `when` or of `where`.
struct Condition {
  const Expression* expression = nullptr;
  std::uint32_t node = 0;
  std::uint64_t mentions = 0;  // a bit per clause
  int owner = -1;              // the clause whose `when` it is part of; -1: where
};

/// `left == right` with the clause being bound on one side only and bound clauses on the other.
struct Join {
  const Expression* expression = nullptr;
  std::uint32_t here = 0;   // node over the clause being bound
  std::uint32_t there = 0;  // node over clauses already bound
};

/// Binding one clause, or testing one forbid.
struct Step {
  const Clause* clause = nullptr;
  std::uint32_t variable = 0;
  std::vector<Condition> local;       // mention this clause alone: tested once per row
  std::vector<Join> joins;            // narrow the rows by a hash
  std::vector<Condition> row_checks;  // of one row and what is bound before
  std::vector<Condition> checks;      // once the clause is bound: to a row, a list of rows or null
};

struct Plan {
  std::vector<Condition> constant;  // mention no clause
  std::vector<Step> steps;          // in the order clauses are bound; the first drives
  std::vector<Step> forbid;
  std::uint64_t required = 0;  // clauses without whose rows nothing can match, a bit each
  bool has_driver = false;     // the first step binds exactly one row
};

struct ObjectSpec {
  std::string type;
  Expression id;
  std::string role;
};
struct AttributeSpec {
  std::string name;
  std::string key;  // "name": as JSON
  Expression value;
};
struct SummaryPart {
  enum class Kind : std::uint8_t { Text, Attribute, Object, Actor };
  Kind kind = Kind::Text;
  std::string text;           // Text; Object: its type
  std::string role;           // Object: empty for any
  std::size_t attribute = 0;  // Attribute
};

/// Which events a part of a correlation means.
struct EventPattern {
  std::string name;                // `as`
  std::uint32_t variable = 0;      // what its name stands for in expressions
  std::vector<std::string> types;  // any of these; '*' stands for any characters
  Expression where;                // may be empty
};

/// A part of `by`: events belong together when all parts are equal.
struct KeyPart {
  enum class Kind : std::uint8_t { Object, Actor, Attribute };
  Kind kind = Kind::Object;
  std::string name;  // type of object, name of attribute
  std::string role;  // Object: empty for any
};

/// Stage B: business events over time.
struct Correlate {
  enum class Kind : std::uint8_t { Sequence, Count, Distinct, Sum, Ratio, FirstSeen };
  enum class ActorRule : std::uint8_t { Any, Same, Different };
  Kind kind = Kind::Sequence;
  // Sequence: what must come, in order. Ratio: `of`, then `to`. Else the one that is counted.
  std::vector<EventPattern> events;
  // Sequence: what must not come once so many of `events` have; and with it, not before the end.
  struct Forbidden {
    EventPattern pattern;
    std::size_t after = 0;  // of `events`; 0: from the first to the end (`until`)
  };
  std::vector<Forbidden> forbidden;
  bool waits = false;  // the sequence ends with an absence: it is complete at its deadline
  bool overlapping = false;
  ActorRule actor = ActorRule::Any;
  std::vector<KeyPart> by;
  std::int64_t within_us = 0;
  Expression of;              // what Distinct and Sum take of an event
  std::string at_least;       // a decimal
  std::uint64_t minimum = 0;  // Ratio: so many of `to` at least
  bool needs_values = false;  // expressions look into events: their content is kept
};

struct Rule {
  std::string id;
  std::string title;
  std::string event;
  std::string description;
  std::vector<std::string> tags;
  Severity severity = Severity::Info;
  std::int64_t priority = 0;
  std::vector<std::unique_ptr<Clause>> match;
  std::vector<std::unique_ptr<Clause>> forbid;
  Expression where;
  std::vector<ObjectSpec> objects;
  Expression actor;
  std::vector<AttributeSpec> attributes;
  std::vector<SummaryPart> summary;
  Plan plan;
  std::unique_ptr<Correlate> correlate;  // then there is no match
  YamlNode tests;                        // a sequence, read when they run
  std::string version;
  std::string text;
  std::string file;
  std::uint32_t line = 1;
};

class CompiledRules {
 public:
  std::vector<std::unique_ptr<const Rule>> rules;  // in the order of files, then documents
  std::uint32_t slots = 0;                         // column caches in use
};

/// Reads one document. Errors are appended with their file set; null when there are any.
[[nodiscard]] std::unique_ptr<Rule> read_rule(const YamlDocument& document, const std::string& file,
                                              std::uint32_t& next_slot,
                                              std::vector<Diagnostic>& errors);
/// Splits conditions and orders clauses. False and a message when the lists mention each other.
bool make_plan(Rule& rule, std::string& error);

}  // namespace rowtrail::infer
