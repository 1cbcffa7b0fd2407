#include "store/log.h"
#include "store/migrations.h"
#include "store/queries.h"
#include "store/records.h"
#include "store/stored_tree.h"

#include <algorithm>

#include <fmt/format.h>

namespace rowtrail::store {
namespace {

constexpr int kTopObjects = 10;

StoredEvent read_event(const Row& row) {
  StoredEvent event;
  event.seq = as_unsigned(row.integer(0));
  event.transaction_seq = as_unsigned(row.integer(1));
  event.time_us = row.integer(2);
  event.type = row.text(3);
  event.actor = row.text(4);
  event.payload = row.text(5);
  event.because = row.text(6);
  return event;
}

/// Into a StoredChange that is used again: its strings keep their memory.
void read_change(const Row& row, StoredChange& change) {
  change.seq = as_unsigned(row.integer(0));
  change.transaction_seq = as_unsigned(row.integer(1));
  change.payload = row.text(2);
  change.transaction_payload = row.text(3);
  change.event_payload = row.text(4);
}

StoredAnomaly read_anomaly(const Row& row) {
  StoredAnomaly anomaly;
  anomaly.seq = as_unsigned(row.integer(0));
  anomaly.time_us = row.integer(1);
  anomaly.severity = static_cast<infer::Severity>(row.integer(2));
  anomaly.detector = row.text(3);
  anomaly.actor = row.text(4);
  anomaly.evidence = row.text(5);
  anomaly.payload = row.text(6);
  return anomaly;
}

class LogReader final : public Reader {
 public:
  LogReader(std::unique_ptr<Database> db, const Url& url) : db_(std::move(db)), url_(url) {
    if (schema_version(*db_, url_.display) == 0) refuse();
    log_id_ = find_log(*db_, url_.log);
    if (log_id_ == 0) refuse();
  }

  void events(const Filter& filter, const Page& page, const Visitor<StoredEvent>& visit) override;
  void changes(const Filter& filter, const Page& page, const Visitor<StoredChange>& visit) override;
  void gaps(const Filter& filter, const Page& page, const Visitor<StoredGap>& visit) override;
  void anomalies(const Filter& filter, const Page& page,
                 const Visitor<StoredAnomaly>& visit) override;
  std::optional<StoredAnomaly> anomaly(std::uint64_t seq) override;
  std::vector<StoredAdminAction> admin_actions(const std::string& type) override;
  std::optional<StoredEvent> event(std::uint64_t seq) override;
  std::vector<StoredChange> transaction_changes(
      std::uint64_t transaction_seq, const std::vector<std::uint32_t>& ordinals) override;
  std::optional<StoredTransaction> transaction(const std::string& source,
                                               const std::string& id) override;
  std::vector<StoredEvent> transaction_events(std::uint64_t transaction_seq) override;
  std::vector<StoredSchema> schemas(const std::string& source, const std::string& database,
                                    const std::string& table) override;
  std::vector<StoredRule> rule_versions() override;
  std::vector<TypeCount> types() override;
  Counts counts(std::int64_t since_us, std::int64_t until_us) override;
  std::vector<Tally> tally(const TallyQuery& query) override;
  bool seen_before(Dimension dimension, const std::string& name, const std::string& detail,
                   std::int64_t time_us) override;
  std::optional<std::pair<std::int64_t, std::int64_t>> event_span() override;
  LogStatus status() override;
  std::string tree_head() override { return newest_head(*db_, log_id_); }
  std::optional<std::string> tile(int level, std::uint64_t index, std::uint64_t width) override;
  std::optional<std::string> entries(std::uint64_t bundle, std::uint64_t width) override;
  std::optional<std::string> proof(std::uint64_t seq) override;
  std::vector<std::string> consistency(std::uint64_t old_size, std::uint64_t size) override;

 private:
  std::optional<TreeHead> head();
  [[noreturn]] void refuse() const {
    throw core::Failure(core::Area::Store, true,
                        fmt::format("{} holds no log '{}' yet; `rowtrail run` or `rowtrail replay` "
                                    "makes one",
                                    url_.display, url_.log));
  }
  Resolved resolve(const Filter& filter);
  std::uint64_t count(const std::string& table, std::int64_t since_us, std::int64_t until_us);
  void count_by(const std::string& sql, std::int64_t since_us, std::int64_t until_us,
                const std::function<void(const Row&)>& visit);

  std::unique_ptr<Database> db_;
  Url url_;
  std::int64_t log_id_ = 0;
};

Resolved LogReader::resolve(const Filter& filter) {
  Resolved resolved;
  if (names_tables(filter)) {
    db_->query(select_table_ids(log_id_, filter), [&](const Row& row) {
      resolved.table_ids.push_back(static_cast<std::int32_t>(row.integer(0)));
      return true;
    });
  }
  if (!filter.transaction.empty()) {
    db_->query(select_transaction_seqs(log_id_, filter), [&](const Row& row) {
      resolved.transaction_seqs.push_back(row.integer(0));
      return true;
    });
  }
  return resolved;
}

void LogReader::events(const Filter& filter, const Page& page, const Visitor<StoredEvent>& visit) {
  const auto statement = select_events(db_->engine(), log_id_, filter, resolve(filter), page);
  db_->query(statement, [&](const Row& row) { return visit(read_event(row)); });
}

void LogReader::changes(const Filter& filter, const Page& page,
                        const Visitor<StoredChange>& visit) {
  const auto statement = select_changes(db_->engine(), log_id_, filter, resolve(filter), page);
  StoredChange change;
  db_->query(statement, [&](const Row& row) {
    read_change(row, change);
    return visit(change);
  });
}

void LogReader::gaps(const Filter& filter, const Page& page, const Visitor<StoredGap>& visit) {
  db_->query(select_gaps(log_id_, filter, resolve(filter), page), [&](const Row& row) {
    return visit({as_unsigned(row.integer(0)), std::string(row.text(1))});
  });
}

void LogReader::anomalies(const Filter& filter, const Page& page,
                          const Visitor<StoredAnomaly>& visit) {
  db_->query(select_anomalies(log_id_, filter, resolve(filter), page),
             [&](const Row& row) { return visit(read_anomaly(row)); });
}

std::optional<StoredAnomaly> LogReader::anomaly(std::uint64_t seq) {
  std::optional<StoredAnomaly> found;
  db_->query(select_anomaly(log_id_, seq), [&](const Row& row) {
    found = read_anomaly(row);
    return true;
  });
  return found;
}

std::vector<StoredAdminAction> LogReader::admin_actions(const std::string& type) {
  std::vector<StoredAdminAction> found;
  db_->query(
      {"SELECT seq, time_us, type, payload FROM admin_action WHERE log_id = $1 AND type = $2 "
       "ORDER BY seq",
       {log_id_, column_text(type)}},
      [&](const Row& row) {
        found.push_back({as_unsigned(row.integer(0)), row.integer(1), std::string(row.text(2)),
                         std::string(row.text(3))});
        return true;
      });
  return found;
}

std::optional<StoredEvent> LogReader::event(std::uint64_t seq) {
  std::optional<StoredEvent> found;
  db_->query(select_event(db_->engine(), log_id_, seq), [&](const Row& row) {
    found = read_event(row);
    return true;
  });
  return found;
}

std::vector<StoredChange> LogReader::transaction_changes(
    std::uint64_t transaction_seq, const std::vector<std::uint32_t>& ordinals) {
  std::vector<StoredChange> found;
  const auto statement = select_transaction_changes(log_id_, transaction_seq, ordinals);
  db_->query(statement, [&](const Row& row) {
    read_change(row, found.emplace_back());
    // There is one Change of each ordinal: no need to look to the transaction's end.
    return ordinals.empty() || found.size() < ordinals.size();
  });
  return found;
}

std::optional<StoredTransaction> LogReader::transaction(const std::string& source,
                                                        const std::string& id) {
  std::optional<StoredTransaction> found;
  Filter filter;
  filter.source = source;
  filter.transaction = id;
  // file:pos can come again after a RESET: the newest counts.
  db_->query(select_transaction_seqs(log_id_, filter), [&](const Row& row) {
    found = StoredTransaction{as_unsigned(row.integer(0)), std::string(row.text(1))};
    return true;
  });
  return found;
}

std::vector<StoredEvent> LogReader::transaction_events(std::uint64_t transaction_seq) {
  std::vector<StoredEvent> found;
  db_->query(select_transaction_events(db_->engine(), log_id_, transaction_seq),
             [&](const Row& row) {
               found.push_back(read_event(row));
               return true;
             });
  return found;
}

std::vector<StoredSchema> LogReader::schemas(const std::string& source, const std::string& database,
                                             const std::string& table) {
  Filter filter;
  filter.source = source;
  filter.database = database;
  filter.table = table;
  std::vector<StoredSchema> found;
  db_->query(select_schemas(log_id_, filter), [&](const Row& row) {
    found.push_back({as_unsigned(row.integer(0)), row.integer(1), std::string(row.text(2)),
                     std::string(row.text(3))});
    return true;
  });
  return found;
}

std::vector<StoredRule> LogReader::rule_versions() {
  std::vector<StoredRule> found;
  db_->query(
      {"SELECT seq, time_us, payload FROM rule_version WHERE log_id = $1 AND payload IS NOT "
       "NULL ORDER BY seq",
       {log_id_}},
      [&](const Row& row) {
        found.push_back({as_unsigned(row.integer(0)), row.integer(1), std::string(row.text(2))});
        return true;
      });
  return found;
}

std::vector<TypeCount> LogReader::types() {
  std::vector<TypeCount> found;
  db_->query(select_types(log_id_), [&](const Row& row) {
    found.push_back({std::string(row.text(0)), as_unsigned(row.integer(1)),
                     as_unsigned(row.integer(2)), as_unsigned(row.integer(3))});
    return true;
  });
  return found;
}

std::uint64_t LogReader::count(const std::string& table, std::int64_t since_us,
                               std::int64_t until_us) {
  std::uint64_t total = 0;
  count_by("SELECT count(*) FROM " + table + " e WHERE", since_us, until_us,
           [&](const Row& row) { total = as_unsigned(row.integer(0)); });
  return total;
}

/// `sql` ends in WHERE (the span follows) and may go on behind a '~'.
void LogReader::count_by(const std::string& sql, std::int64_t since_us, std::int64_t until_us,
                         const std::function<void(const Row&)>& visit) {
  const auto tail = std::min(sql.find('~'), sql.size());
  Statement statement{{}, {log_id_, since_us, until_us}};
  statement.sql = sql.substr(0, tail) + " e.log_id = $1 AND e.time_us >= $2 AND e.time_us < $3";
  if (tail < sql.size()) statement.sql += sql.substr(tail + 1);
  db_->query(statement, [&](const Row& row) {
    visit(row);
    return true;
  });
}

Counts LogReader::counts(std::int64_t since_us, std::int64_t until_us) {
  Counts counts;
  counts.transactions = count("\"transaction\"", since_us, until_us);
  counts.changes = count("change", since_us, until_us);
  counts.gaps = count("gap", since_us, until_us);
  const auto into = [](std::map<std::string, std::uint64_t>& map) {
    return [&map](const Row& row) { map[std::string(row.text(0))] = as_unsigned(row.integer(1)); };
  };
  count_by("SELECT e.type, count(*) FROM event e WHERE~ GROUP BY e.type", since_us, until_us,
           into(counts.by_type));
  for (const auto& [type, number] : counts.by_type) counts.events += number;
  count_by("SELECT e.actor, count(*) FROM event e WHERE~ GROUP BY e.actor", since_us, until_us,
           into(counts.by_actor));
  const std::string objects =
      " FROM event e JOIN event_object o ON o.log_id = e.log_id AND o.seq = e.seq WHERE";
  count_by(
      "SELECT o.object_type, count(DISTINCT o.object_id)" + objects + "~ GROUP BY o.object_type",
      since_us, until_us, into(counts.by_object_type));
  count_by("SELECT o.object_type, o.object_id, count(*)" + objects +
               fmt::format("~ GROUP BY o.object_type, o.object_id "
                           "ORDER BY count(*) DESC, o.object_type, o.object_id LIMIT {}",
                           kTopObjects),
           since_us, until_us, [&](const Row& row) {
             counts.top_objects.emplace_back(
                 std::string(row.text(0)) + " " + std::string(row.text(1)),
                 as_unsigned(row.integer(2)));
           });
  return counts;
}

std::vector<Tally> LogReader::tally(const TallyQuery& query) {
  std::vector<Tally> tallies;
  db_->query(select_tally(log_id_, query), [&](const Row& row) {
    const auto count = as_unsigned(row.integer(2));
    if (count == 0) return true;
    tallies.push_back({std::string(row.text(0)), std::string(row.text(1)), count,
                       as_unsigned(row.integer(3)), as_unsigned(row.integer(4))});
    return true;
  });
  return tallies;
}

bool LogReader::seen_before(Dimension dimension, const std::string& name, const std::string& detail,
                            std::int64_t time_us) {
  bool seen = false;
  db_->query(select_first_time(log_id_, dimension, name, detail), [&](const Row& row) {
    seen = seen || (!row.is_null(0) && row.integer(0) < time_us);
    return true;
  });
  return seen;
}

std::optional<std::pair<std::int64_t, std::int64_t>> LogReader::event_span() {
  std::optional<std::pair<std::int64_t, std::int64_t>> span;
  db_->query({"SELECT (SELECT min(time_us) FROM event WHERE log_id = $1), "
              "(SELECT max(time_us) FROM event WHERE log_id = $1)",
              {log_id_}},
             [&](const Row& row) {
               if (!row.is_null(0)) span = {row.integer(0), row.integer(1)};
               return true;
             });
  return span;
}

LogStatus LogReader::status() {
  LogStatus status;
  status.url = url_.display;
  status.log_id = log_id_;
  db_->query({"SELECT l.origin, t.size, t.transactions, t.changes, t.events, t.gaps FROM log l "
              "JOIN tree_edge t ON t.log_id = l.log_id WHERE l.log_id = $1",
              {log_id_}},
             [&](const Row& row) {
               status.origin = row.text(0);
               status.size = as_unsigned(row.integer(1));
               status.transactions = as_unsigned(row.integer(2));
               status.changes = as_unsigned(row.integer(3));
               status.events = as_unsigned(row.integer(4));
               status.gaps = as_unsigned(row.integer(5));
               return true;
             });
  db_->query(select_gap_counts(log_id_, {}), [&](const Row& row) {
    status.gaps_by_kind[std::string(row.text(0))] = as_unsigned(row.integer(1));
    return true;
  });
  db_->query({"SELECT source, file, pos, gtid_set, server_uuid, format_created, event_time_us, "
              "committed_us, xa_rolled_back, "
              "(SELECT count(*) FROM xa_pending x WHERE x.log_id = p.log_id "
              "AND x.source = p.source AND x.part = 0) "
              "FROM position p WHERE log_id = $1 ORDER BY source",
              {log_id_}},
             [&](const Row& row) {
               auto& source = status.sources.emplace_back();
               source.source = row.text(0);
               source.position.file = row.text(1);
               source.position.pos = as_unsigned(row.integer(2));
               source.position.gtid_set = row.text(3);
               source.position.server_uuid = row.text(4);
               source.position.format_created = as_unsigned(row.integer(5));
               source.event_time_us = row.integer(6);
               source.committed_us = row.integer(7);
               source.xa_rolled_back = as_unsigned(row.integer(8));
               source.xa_prepared = as_unsigned(row.integer(9));
               return true;
             });
  return status;
}

std::optional<TreeHead> LogReader::head() {
  const auto note = tree_head();
  if (note.empty()) return std::nullopt;
  auto head = parse_checkpoint(note);
  if (!head) return std::nullopt;
  return std::move(*head);
}

std::optional<std::string> LogReader::tile(int level, std::uint64_t index, std::uint64_t width) {
  const auto published = head();
  if (!published || level >= kTileLevels) return std::nullopt;
  const auto hashes = published->size >> (8 * level);  // that are complete on this level
  if (index > hashes / kTileWidth || index * kTileWidth + width > hashes) return std::nullopt;
  StoredTree tree(*db_, log_id_, sha256(published->origin));
  return std::string(hash_bytes(tree.tile(level, index, width)));
}

std::optional<std::string> LogReader::entries(std::uint64_t bundle, std::uint64_t width) {
  const auto published = head();
  if (!published || bundle > published->size / kTileWidth ||
      bundle * kTileWidth + width > published->size) {
    return std::nullopt;
  }
  const auto origin = sha256(published->origin);
  const auto bytes = StoredTree(*db_, log_id_, origin).entries(bundle, width);
  std::string out;
  for (std::uint64_t i = 0; i < width; ++i) {
    const auto entry = Entry::parse(std::string_view(bytes).substr(i * kEntryBytes, kEntryBytes));
    const auto leaf = leaf_bytes(entry, bundle * kTileWidth + i, origin);
    out += '\0';
    out += static_cast<char>(kLeafBytes);
    out.append(reinterpret_cast<const char*>(leaf.data()), leaf.size());
  }
  return out;
}

std::optional<std::string> LogReader::proof(std::uint64_t seq) {
  const auto found = prove_record(*db_, log_id_, seq);
  if (!found) return std::nullopt;
  return proof_text(*found);
}

std::vector<std::string> LogReader::consistency(std::uint64_t old_size, std::uint64_t size) {
  StoredTree tree(*db_, log_id_, sha256(status().origin));
  std::vector<std::string> lines;
  for (const auto& hash : consistency_proof(tree, old_size, size)) {
    lines.push_back(to_base64(hash_bytes(std::span(&hash, 1))));
  }
  return lines;
}

}  // namespace

std::unique_ptr<Reader> make_reader(std::unique_ptr<Database> db, const Url& url) {
  return std::make_unique<LogReader>(std::move(db), url);
}

}  // namespace rowtrail::store
