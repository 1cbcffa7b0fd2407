// Transactions → BusinessEvents: rules, discovery, the actor. Pure: no clock, no socket, no store.
// The public header of infer/.
#pragma once

#include "core/core.h"
#include "infer/stored.h"
#include "normalize/normalize.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::infer {

struct ObjectRef {
  std::string type;
  std::string id;
  std::string role;  // empty: none
  auto operator<=>(const ObjectRef&) const = default;
};

/// Who did it, and how that is known.
struct Actor {
  std::string id;          // empty: unknown
  std::string via;         // context, comment, column, session; empty: unknown
  std::string confidence;  // exact, corroborated, heuristic, unknown
};

/// Another event, by its place in the record: deterministic, unlike its seq, which the log gives.
inline constexpr std::uint64_t kUnknownSeq = ~std::uint64_t{0};
struct EventRef {
  std::string transaction;          // its id, of the same source
  std::uint32_t index = 0;          // among the transaction's events
  std::uint64_t seq = kUnknownSeq;  // unknown while its transaction is being inferred
};

enum class Severity : std::uint8_t { Info, Low, Medium, High, Critical };
[[nodiscard]] std::string_view severity_name(Severity severity);
[[nodiscard]] core::Result<Severity> parse_severity(std::string_view name);

struct BusinessEvent {
  std::string type;
  std::string title;
  std::string summary;
  Severity severity = Severity::Info;
  std::int64_t time_us = 0;
  bool time_has_fraction = true;
  std::vector<ObjectRef> objects;
  Actor actor;
  std::string attributes = "{}";        // canonical JSON object
  std::string rule_id;                  // "auto" for discovered events
  std::string rule_version;             // first 8 hex digits of SHA-256 over the rule's text
  std::vector<std::uint32_t> evidence;  // ordinals of Changes in the transaction
  std::vector<EventRef> because;        // events it rests on, of a rule over time
};

/// Payload of an event record: the JSON of DESIGN section 6 without seq, evidence as ordinals and
/// last.
void append_event(std::string& out, const BusinessEvent& event,
                  const normalize::Transaction& transaction);

/// The line people see: `"seq"` in front, evidence ordinals turned into seqs. `because`: the seqs
/// of the events it rests on ("7,9"), which are its evidence then.
core::Result<> append_rendered_event(std::string& out, std::uint64_t seq,
                                     std::uint64_t transaction_seq, std::string_view payload,
                                     std::string_view because = {});

/// The actor object of an event payload, as JSON text ("" when there is none).
[[nodiscard]] std::string_view actor_json(std::string_view event_payload);

/// Where a rule file is wrong, for people: "rules/a.yaml:12:7: no clause 'form'; did you mean
/// 'from'?"
struct Diagnostic {
  std::string file;
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1
  std::string message;
  [[nodiscard]] std::string text() const;
};

struct RuleInfo {
  std::string id;
  std::string title;
  std::string event;
  std::string version;
  std::string text;  // the YAML document as written
  std::string file;
  std::size_t tests = 0;
};

class CompiledRules;  // immutable, shared by engines

/// All rules of the given files and folders (*.yaml, *.yml), compiled; or every error at once.
struct LoadedRules {
  std::shared_ptr<const CompiledRules> rules;  // null when there are errors
  std::vector<RuleInfo> infos;
  std::vector<Diagnostic> errors;
};
[[nodiscard]] LoadedRules load_rules(const std::vector<std::string>& paths);
/// One file's text, for tests and editors.
[[nodiscard]] LoadedRules load_rules_text(std::string_view text, const std::string& file);

/// A rule, in YAML, for transactions like this example: a clause for each kind of row in it,
/// objects, and the example as a test. `name` becomes id and event; errors say why there can be
/// none.
[[nodiscard]] core::Result<std::string> draft_rule(const normalize::Transaction& example,
                                                   const std::string& name);

struct TestResult {
  std::string rule_id;
  std::size_t number = 0;  // from 1
  bool passed = false;
  std::string detail;  // what was expected and what came, when it failed
  std::string file;
  std::uint32_t line = 0;
};
/// Runs the inline tests of all rules.
[[nodiscard]] std::vector<TestResult> run_rule_tests(const LoadedRules& rules);

struct EngineOptions {
  // Keys of a SQL comment that name the actor, tried in this order.
  std::vector<std::string> actor_keys = {"actor", "user", "user_id", "username"};
  // Columns that name who wrote a row, tried in this order; the newest image counts, and a column
  // that says who created a row only for an insert.
  std::vector<std::string> actor_columns = {"updated_by", "modified_by", "changed_by",
                                            "created_by"};
};

/// What rules over time must remember: rows of a working table, saved in the commit that holds the
/// records they follow from.
struct StateRow {
  std::string rule;  // "id@version"; of keys seen for ever: the id
  std::string key;
  std::string value;  // JSON; empty: the key was seen, which is all there is to know
  bool removed = false;
};
class State {
 public:
  virtual ~State() = default;
  /// All rows that have a value.
  virtual std::vector<StateRow> state_rows() = 0;
  virtual bool has_state(const std::string& rule, const std::string& key) = 0;
};

/// What one rule made of a transaction.
struct RuleExplanation {
  enum class Outcome : std::uint8_t {
    Matched,
    RowsTaken,  // it would match, but rules of more rows or higher priority got the rows
    NoMatch,
    NotTouched,  // a clause it needs has no row of its table and operation here
  };
  std::string rule_id, version, file;
  std::uint32_t line = 0;
  Outcome outcome = Outcome::NoMatch;
  std::vector<std::vector<std::uint32_t>> matches;  // ordinals of the rows of each
  std::vector<std::string> lines;                   // clause by clause, with values, for people
};
[[nodiscard]] std::string_view outcome_name(RuleExplanation::Outcome outcome);

/// Evaluates transactions. One engine per writer thread; keeps per-table bindings and caches.
class Engine {
 public:
  Engine(std::shared_ptr<const CompiledRules> rules, EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// At least one event per transaction, and the Gaps of rules that could not be judged: one for
  /// each version of a rule and kind, the first time. For a transaction that came in parts call
  /// bulk() on every part instead; it yields one event at the last, and one Gap that names the
  /// rules that listen to its tables. Everything is appended.
  void infer(const normalize::Transaction& transaction, std::vector<BusinessEvent>& out,
             std::vector<normalize::Gap>& gaps);
  void bulk(const normalize::Transaction& part, std::vector<BusinessEvent>& out,
            std::vector<normalize::Gap>& gaps);

  /// What every rule that names one of its tables makes of the transaction, and why.
  [[nodiscard]] std::vector<RuleExplanation> explain(const normalize::Transaction& transaction);

  /// Goes on from what is stored; without it rules over time begin with nothing. `state` must
  /// outlive the engine or the next call.
  void set_state(State* state);
  /// What has changed since the last call, to be saved in the commit of what was inferred.
  [[nodiscard]] std::vector<StateRow> take_state();
  /// The seq of the first event of the transaction inferred last.
  void set_event_seq(std::uint64_t seq);

  /// Which Gaps of rules the record already holds (payloads); others reported so far are forgotten.
  void set_recorded_gaps(const std::vector<std::string>& gap_payloads);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rowtrail::infer
