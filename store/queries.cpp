#include "store/queries.h"

#include "store/records.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace rowtrail::store {
namespace {

std::string event_columns(Engine engine) {
  return fmt::format(
      "SELECT e.seq, e.transaction_seq, e.time_us, e.type, e.actor, e.payload, COALESCE((SELECT {} "
      "FROM (SELECT v.evidence_seq FROM event_evidence v WHERE v.log_id = e.log_id AND "
      "v.seq = e.seq ORDER BY v.ordinal) AS b), '')",
      engine == Engine::Sqlite ? "group_concat(b.evidence_seq)"
                               : "string_agg(b.evidence_seq::text, ',')");
}

// min() over (log_id, transaction_seq, seq): the event an actor is taken from.
constexpr std::string_view kChangeColumns =
    "SELECT c.seq, c.transaction_seq, c.payload, t.payload, e.payload FROM change c "
    "JOIN \"transaction\" t ON t.log_id = c.log_id AND t.seq = c.transaction_seq "
    "LEFT JOIN event e ON e.log_id = c.log_id AND e.seq = (SELECT min(x.seq) FROM event x "
    "WHERE x.log_id = c.log_id AND x.transaction_seq = c.transaction_seq)";

template <class Number>
std::string list(std::span<const Number> numbers) {
  // "= 7" rather than "IN (7)": with one value the index also gives the order.
  if (numbers.size() == 1) return fmt::format(" = {}", numbers[0]);
  if (numbers.empty()) return " IN (NULL)";
  return fmt::format(" IN ({})", fmt::join(numbers, ","));
}

/// Collects "a AND b AND …" with their parameters.
class Where {
 public:
  Where(Statement& statement, std::int64_t log_id, std::string_view alias)
      : statement_(statement), alias_(alias) {
    text_ = fmt::format(" WHERE {}.log_id = {}", alias, statement.bind(log_id));
  }
  void add(std::string_view condition) { text_.append(" AND ").append(condition); }
  /// column = value, unless the value is empty.
  void equal(std::string_view column, const std::string& value) {
    if (value.empty()) return;
    add(fmt::format("{} = {}", column, statement_.bind(column_text(value))));
  }
  void compare(std::string_view column, std::string_view op, std::int64_t value) {
    add(fmt::format("{} {} {}", column, op, statement_.bind(value)));
  }
  void time(const Filter& filter) {
    const auto column = fmt::format("{}.time_us", alias_);
    if (filter.since_us) compare(column, ">=", *filter.since_us);
    if (filter.until_us) compare(column, "<", *filter.until_us);
  }
  void page(std::string_view column, const Page& page) {
    // Beyond what SQL can count there is nothing.
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    if (page.after_seq) compare(column, ">", as_signed(std::min(*page.after_seq, kMax)));
    if (page.before_seq) compare(column, "<", as_signed(std::min(*page.before_seq, kMax)));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Statement& statement_;
  std::string alias_;
  std::string text_;
};

void finish(Statement& statement, std::string_view column, const Page& page) {
  statement.sql += fmt::format(" ORDER BY {}{}", column, page.ascending ? "" : " DESC");
  if (page.limit > 0) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    statement.sql += fmt::format(" LIMIT {}", std::min(page.limit, kMax));
  }
}

/// The summary as JSON text inside an event's payload: quotes within strings are escaped, so the
/// member names below occur once. ASCII letters match in either case.
std::string summary_contains(Engine engine, const std::string& text, Statement& statement) {
  std::string needle;
  normalize::append_json_string(needle, text);
  needle = needle.substr(1, needle.size() - 2);
  const char* find = engine == Engine::Sqlite ? "instr" : "strpos";
  constexpr std::string_view kBegin = R"('"summary":"')";
  constexpr std::string_view kEnd = R"('","severity":')";
  return fmt::format(
      "{0}(lower(substr(e.payload, {0}(e.payload, {1}), "
      "{0}(e.payload, {2}) - {0}(e.payload, {1}))), lower({3})) > 0",
      find, kBegin, kEnd, statement.bind(needle));
}

/// The severity stands as a number, so that a partial index of the rare ones applies.
void severity_condition(std::string_view column, const std::string& name, Where& where) {
  if (name.empty()) return;
  const auto severity = infer::parse_severity(name);
  if (!severity) {
    where.add("1 = 0");
  } else if (*severity == infer::Severity::Info) {
    where.add(fmt::format("{} = 0", column));
  } else {
    where.add(fmt::format("{0} = {1} AND {0} > 0", column, static_cast<int>(*severity)));
  }
}

/// `e.type <> $5`: a comparison of `event e` with an excluded value; empty for what no event has.
std::string excluded_value(const std::pair<std::string, std::string>& excluded, std::string_view op,
                           Statement& statement) {
  const auto& [name, value] = excluded;
  if (name == "severity") {
    const auto severity = infer::parse_severity(value);
    return severity ? fmt::format("e.severity {} {}", op, static_cast<int>(*severity)) : "";
  }
  return fmt::format("e.{} {} {}", name, op, statement.bind(column_text(value)));
}

/// Conditions on columns of `event e`.
void event_conditions(Engine engine, const Filter& filter, Statement& statement, Where& where) {
  where.equal("e.type", filter.type);
  where.equal("e.actor", filter.actor);
  severity_condition("e.severity", filter.severity, where);
  for (const auto& excluded : filter.exclude) {
    if (const auto wrong = excluded_value(excluded, "<>", statement); !wrong.empty()) {
      where.add(wrong);
    }
  }
  if (!filter.text.empty()) where.add(summary_contains(engine, filter.text, statement));
}

bool has_event_conditions(const Filter& filter) {
  return !filter.type.empty() || !filter.actor.empty() || !filter.severity.empty() ||
         !filter.text.empty() || !filter.object_type.empty() || !filter.object_id.empty();
}

/// The Changes of a transaction lie between its record and its first event.
std::string changes_of(std::string_view seq) {
  return fmt::format(
      "c.transaction_seq = {0} AND c.seq > {0} AND c.seq < COALESCE((SELECT min(b.seq) FROM event "
      "b "
      "WHERE b.log_id = c.log_id AND b.transaction_seq = {0}), {1})",
      seq, std::numeric_limits<std::int64_t>::max());
}

std::string object_of_event(const Filter& filter, Statement& statement) {
  std::string exists =
      "EXISTS (SELECT 1 FROM event_object o WHERE o.log_id = e.log_id AND o.seq = e.seq";
  if (!filter.object_type.empty()) {
    exists += " AND o.object_type = " + statement.bind(column_text(filter.object_type));
  }
  if (!filter.object_id.empty()) {
    exists += " AND o.object_id = " + statement.bind(column_text(filter.object_id));
  }
  return exists + ")";
}

}  // namespace

bool names_tables(const Filter& filter) {
  // DDL and TRUNCATE come out of an index by table.
  return !filter.database.empty() || !filter.table.empty() || filter.statements;
}

namespace {

/// Rows `s` that name the filter's table, with its source where one is given.
Where of_table(Statement& statement, std::int64_t log_id, const Filter& filter) {
  Where where(statement, log_id, "s");
  where.equal("s.source", filter.source);
  where.equal("s.database_name", filter.database);
  where.equal("s.table_name", filter.table);
  return where;
}

}  // namespace

Statement select_table_ids(std::int64_t log_id, const Filter& filter) {
  Statement statement;
  const auto where = of_table(statement, log_id, filter);
  statement.sql = "SELECT s.table_id FROM source_table s" + where.text();
  return statement;
}

Statement select_transaction_seqs(std::int64_t log_id, const Filter& filter) {
  Statement statement;
  Where where(statement, log_id, "t");
  where.equal("t.id", filter.transaction);
  where.equal("t.source", filter.source);
  statement.sql =
      "SELECT t.seq, t.payload FROM \"transaction\" t" + where.text() + " ORDER BY t.seq";
  return statement;
}

Statement select_events(Engine engine, std::int64_t log_id, const Filter& filter,
                        const Resolved& resolved, const Page& page) {
  Statement statement;
  // One object's events come out of its index in seq order; everything else is looked up by seq.
  const bool by_object = !filter.object_type.empty() && !filter.object_id.empty();
  const std::string_view order = by_object ? "o.seq" : "e.seq";
  Where where(statement, log_id, by_object ? "o" : "e");
  if (by_object) {
    where.equal("o.object_type", filter.object_type);
    where.equal("o.object_id", filter.object_id);
  } else if (!filter.object_type.empty() || !filter.object_id.empty()) {
    where.add(object_of_event(filter, statement));
  }
  where.equal("e.source", filter.source);
  event_conditions(engine, filter, statement, where);
  if (!filter.transaction.empty()) {
    where.add("e.transaction_seq" + list<std::int64_t>(resolved.transaction_seqs));
  }
  if (names_tables(filter) || filter.pk) {
    std::string touched =
        "EXISTS (SELECT 1 FROM change c WHERE c.log_id = e.log_id AND c.seq > "
        "e.transaction_seq AND c.seq < e.seq AND c.transaction_seq = "
        "e.transaction_seq";
    if (names_tables(filter)) touched += " AND c.table_id" + list<std::int32_t>(resolved.table_ids);
    if (filter.pk) touched += " AND c.pk = " + statement.bind(column_text(*filter.pk));
    where.add(touched + ")");
  }
  if (filter.since_us) where.compare("e.time_us", ">=", *filter.since_us);
  if (filter.until_us) where.compare("e.time_us", "<", *filter.until_us);
  where.page(order, page);
  statement.sql = event_columns(engine);
  statement.sql +=
      by_object ? " FROM event_object o JOIN event e ON e.log_id = o.log_id AND e.seq = o.seq"
                : " FROM event e";
  statement.sql += where.text();
  finish(statement, order, page);
  return statement;
}

Statement select_event(Engine engine, std::int64_t log_id, std::uint64_t seq) {
  Statement statement;
  Where where(statement, log_id, "e");
  where.compare("e.seq", "=", as_signed(seq));
  statement.sql = event_columns(engine) + " FROM event e" + where.text();
  return statement;
}

Statement select_transaction_events(Engine engine, std::int64_t log_id,
                                    std::uint64_t transaction_seq) {
  Statement statement;
  Where where(statement, log_id, "e");
  where.compare("e.transaction_seq", "=", as_signed(transaction_seq));
  statement.sql = event_columns(engine) + " FROM event e" + where.text() + " ORDER BY e.seq";
  return statement;
}

Statement select_changes(Engine engine, std::int64_t log_id, const Filter& filter,
                         const Resolved& resolved, const Page& page) {
  Statement statement;
  Where where(statement, log_id, "c");
  if (names_tables(filter)) where.add("c.table_id" + list<std::int32_t>(resolved.table_ids));
  if (filter.pk) where.add("c.pk = " + statement.bind(column_text(*filter.pk)));
  if (filter.old_pk) {
    where.add("c.old_pk <> '' AND c.old_pk = " + statement.bind(column_text(*filter.old_pk)));
  }
  if (filter.statements) where.add("c.op IN (3, 4)");
  where.equal("t.source", filter.source);
  if (!filter.transaction.empty()) {
    std::string any;
    for (const auto seq : resolved.transaction_seqs) {
      any += (any.empty() ? "(" : " OR (") + changes_of(std::to_string(seq)) + ")";
    }
    where.add(any.empty() ? "1 = 0" : "(" + any + ")");
  }
  where.time(filter);
  where.page("c.seq", page);
  if (has_event_conditions(filter)) {
    // Any event of the transaction will do, not only the first.
    Where inner(statement, log_id, "e");
    inner.add("e.transaction_seq = c.transaction_seq");
    Filter wanted = filter;
    wanted.exclude.clear();
    event_conditions(engine, wanted, statement, inner);
    if (!filter.object_type.empty() || !filter.object_id.empty()) {
      inner.add(object_of_event(filter, statement));
    }
    where.add("EXISTS (SELECT 1 FROM event e" + inner.text() + ")");
  }
  for (const auto& excluded : filter.exclude) {
    if (excluded.first == "source") {  // also of transactions without an event
      where.add("t.source <> " + statement.bind(column_text(excluded.second)));
    } else if (const auto found = excluded_value(excluded, "=", statement); !found.empty()) {
      Where inner(statement, log_id, "e");
      inner.add("e.transaction_seq = c.transaction_seq");
      inner.add(found);
      where.add("NOT EXISTS (SELECT 1 FROM event e" + inner.text() + ")");
    }
  }
  statement.sql = std::string(kChangeColumns) + where.text();
  finish(statement, "c.seq", page);
  return statement;
}

Statement select_gaps(std::int64_t log_id, const Filter& filter, const Resolved& resolved,
                      const Page& page) {
  Statement statement;
  Where where(statement, log_id, "g");
  where.equal("g.source", filter.source);
  where.equal("g.database_name", filter.database);
  where.equal("g.table_name", filter.table);
  if (!filter.transaction.empty()) {
    where.add("g.transaction_seq" + list<std::int64_t>(resolved.transaction_seqs));
  }
  where.time(filter);
  where.page("g.seq", page);
  statement.sql = "SELECT g.seq, g.payload FROM gap g" + where.text();
  finish(statement, "g.seq", page);
  return statement;
}

namespace {
constexpr std::string_view kAnomalyColumns =
    "SELECT a.seq, a.time_us, a.severity, a.detector, a.actor, a.evidence, a.payload FROM anomaly "
    "a";
}

Statement select_anomalies(std::int64_t log_id, const Filter& filter, const Resolved& resolved,
                           const Page& page) {
  Statement statement;
  Where where(statement, log_id, "a");
  where.equal("a.source", filter.source);
  where.equal("a.detector", filter.type);
  where.equal("a.actor", filter.actor);
  severity_condition("a.severity", filter.severity, where);
  if (!filter.transaction.empty()) {
    where.add("a.transaction_seq" + list<std::int64_t>(resolved.transaction_seqs));
  }
  where.time(filter);
  where.page("a.seq", page);
  statement.sql = std::string(kAnomalyColumns) + where.text();
  finish(statement, "a.seq", page);
  return statement;
}

Statement select_anomaly(std::int64_t log_id, std::uint64_t seq) {
  Statement statement;
  Where where(statement, log_id, "a");
  where.compare("a.seq", "=", as_signed(seq));
  statement.sql = std::string(kAnomalyColumns) + where.text();
  return statement;
}

Statement select_gap_counts(std::int64_t log_id, const std::string& source) {
  Statement statement;
  Where where(statement, log_id, "g");
  where.equal("g.source", source);
  statement.sql = "SELECT g.reason, count(*) FROM gap g" + where.text() + " GROUP BY g.reason";
  return statement;
}

Statement select_transaction_changes(std::int64_t log_id, std::uint64_t transaction_seq,
                                     std::span<const std::uint32_t> ordinals) {
  Statement statement;
  Where where(statement, log_id, "c");
  where.add(changes_of(statement.bind(as_signed(transaction_seq))));
  if (!ordinals.empty()) {
    // Ordinal n is the (n+1)th record behind its transaction's, or later.
    const auto least = *std::min_element(ordinals.begin(), ordinals.end());
    where.compare("c.seq", ">", as_signed(transaction_seq + least));
    where.add("c.ordinal" + list<std::uint32_t>(ordinals));
  }
  statement.sql = std::string(kChangeColumns) + where.text() + " ORDER BY c.seq";
  return statement;
}

namespace {

/// How a dimension is counted; `e` is the record.
struct TallySource {
  std::string_view from, name, detail;
};

TallySource tally_source(Dimension dimension) {
  switch (dimension) {
    case Dimension::Event:
      return {"event e", "''", "''"};
    case Dimension::Transaction:
      return {"\"transaction\" e", "''", "''"};
    case Dimension::Change:
      return {"change e", "''", "''"};
    case Dimension::Type:
      return {"event e", "e.type", "''"};
    case Dimension::Actor:
      return {"event e", "e.actor", "''"};
    case Dimension::Object:
      return {"event e JOIN event_object o ON o.log_id = e.log_id AND o.seq = e.seq",
              "o.object_type", "o.object_id"};
    case Dimension::Table:
      return {"change e JOIN source_table s ON s.log_id = e.log_id AND s.table_id = e.table_id",
              "s.database_name", "s.table_name"};
    case Dimension::Bucket:
      return {"event e", "(e.time_us - $2) / $4", "''"};
    case Dimension::Gap:
      return {"gap e", "e.reason", "''"};
    case Dimension::Anomaly:
      return {"anomaly e", "e.detector", "''"};
  }
  return {};
}

}  // namespace

Statement select_tally(std::int64_t log_id, const TallyQuery& query) {
  Statement statement{{}, {log_id, query.since_us, query.until_us}};
  const auto source = tally_source(query.dimension);
  const auto dimension = query.dimension;
  if (dimension == Dimension::Bucket) statement.bind(query.bucket_us);
  // Names as text in both databases.
  statement.sql = fmt::format(
      "SELECT CAST({0} AS {1}), {2}, count(*), min(e.seq), max(e.seq) FROM {3} "
      "WHERE e.log_id = $1 AND e.time_us >= $2 AND e.time_us < $3",
      source.name, dimension == Dimension::Bucket ? "VARCHAR(20)" : "TEXT", source.detail,
      source.from);
  constexpr std::string_view kOfSpan =
      "FROM event x WHERE x.log_id = $1 AND x.time_us >= $2 AND x.time_us < $3";
  if (dimension == Dimension::Change || dimension == Dimension::Table ||
      dimension == Dimension::Transaction) {
    // These have no index on time, but every transaction has an event. Events' times never run
    // backwards, commit times may: what was committed in the span may have been recorded after it,
    // never before it.
    statement.sql += fmt::format(
        " AND e.seq >= (SELECT min(x.transaction_seq) FROM event x "
        "WHERE x.log_id = $1 AND x.time_us >= $2)");
  }
  if (dimension == Dimension::Object) {
    // So that the objects of the span are read, and not the whole index of objects.
    statement.sql += fmt::format(
        " AND o.seq >= (SELECT min(x.seq) {0}) AND o.seq <= (SELECT max(x.seq) {0})", kOfSpan);
  }
  if (!query.only.empty()) {
    std::string names;
    for (const auto& [name, detail] : query.only) {
      if (!names.empty()) names += ", ";
      names += statement.bind(column_text(name + "/" + detail));
    }
    // An expression, so that the span is looked up by time and not by object.
    statement.sql += fmt::format(" AND o.object_type || '/' || o.object_id IN ({})", names);
  }
  if (dimension != Dimension::Event && dimension != Dimension::Transaction &&
      dimension != Dimension::Change) {
    statement.sql += fmt::format(" GROUP BY {}", source.name);
    if (source.detail != "''") statement.sql += fmt::format(", {}", source.detail);
  }
  statement.sql += " ORDER BY 3 DESC, 1, 2";
  if (query.limit > 0) statement.sql += fmt::format(" LIMIT {}", query.limit);
  return statement;
}

Statement select_first_time(std::int64_t log_id, Dimension dimension, const std::string& name,
                            const std::string& detail) {
  Statement statement;
  if (dimension == Dimension::Table) {
    // Table by table, out of the index on them.
    Where where(statement, log_id, "s");
    where.equal("s.database_name", name);
    where.equal("s.table_name", detail);
    statement.sql =
        "SELECT (SELECT e.time_us FROM change e WHERE e.log_id = s.log_id AND "
        "e.table_id = s.table_id ORDER BY e.seq LIMIT 1) FROM source_table s" +
        where.text();
    return statement;
  }
  const auto source = tally_source(dimension);
  Where where(statement, log_id, "e");
  where.add(fmt::format("{} = {}", source.name, statement.bind(column_text(name))));
  if (source.detail != "''") {
    where.add(fmt::format("{} = {}", source.detail, statement.bind(column_text(detail))));
  }
  const auto seq = dimension == Dimension::Object ? "o.seq" : "e.seq";
  statement.sql =
      fmt::format("SELECT e.time_us FROM {}{} ORDER BY {} LIMIT 1", source.from, where.text(), seq);
  return statement;
}

Statement select_schemas(std::int64_t log_id, const Filter& table) {
  Statement statement;
  const auto where = of_table(statement, log_id, table);
  statement.sql = "SELECT s.seq, s.time_us, s.source, s.payload FROM table_schema s" +
                  where.text() + " ORDER BY s.seq";
  return statement;
}

Statement select_types(std::int64_t log_id) {
  Statement statement;
  const Where where(statement, log_id, "e");
  statement.sql = "SELECT e.type, count(*), min(e.seq), max(e.seq) FROM event e" + where.text() +
                  " GROUP BY e.type ORDER BY e.type";
  return statement;
}

}  // namespace rowtrail::store
