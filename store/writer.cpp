// The one writer of a log. Everything between two commits is one database transaction: records, the
// log's size and counters, the source's position; fenced by the epoch taken when the log was
// opened.
#include "store/log.h"
#include "store/migrations.h"
#include "store/queries.h"
#include "store/records.h"

#include <array>
#include <cassert>
#include <chrono>
#include <map>

#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

namespace rowtrail::store {
namespace {

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

[[noreturn]] void refuse_randomless() {
  throw core::Failure(core::Area::Store, false, "the system gives no random bytes");
}

Blob blob(const Hash& hash) {
  return {std::string(hash.begin(), hash.end())};
}

std::vector<Hash> parse_hashes(std::string_view bytes) {
  std::vector<Hash> hashes(bytes.size() / sizeof(Hash));
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const auto from = bytes.substr(i * sizeof(Hash), sizeof(Hash));
    std::copy(from.begin(), from.end(), hashes[i].begin());
  }
  return hashes;
}

/// A random UUID (RFC 9562, version 4).
std::string make_uuid() {
  std::array<unsigned char, 16> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) refuse_randomless();
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", bytes[i]);
  }
  return out;
}

/// What one commit adds to the log's counters.
struct Added {
  std::uint64_t transactions = 0, changes = 0, events = 0, gaps = 0;
};

class LogWriter final : public Writer {
 public:
  LogWriter(std::unique_ptr<Database> db, const Url& url) : db_(std::move(db)), url_(url) {
    open();
  }
  ~LogWriter() override { db_->rollback(); }

  SourceState source_state(const std::string& source) override;
  std::uint64_t next_seq() override { return tree_.size(); }
  std::vector<std::string> recorded_rules() override;
  std::vector<std::string> recorded_gaps(normalize::GapKind kind) override;
  void append(const Batch& batch) override;
  void commit(const std::string& source, const binlog::Position& position,
              std::int64_t event_time_us) override;
  void rollback() override;

 private:
  void open();
  void create_log();
  void take_lease();
  void load_tables();
  void begin();
  std::vector<std::int32_t> number_tables(const Batch& batch);
  void fence();
  void move_position(const std::string& source, const binlog::Position& position,
                     std::int64_t event_time_us);
  void move_edge();
  void move_edge_tiles();
  void seal(const Batch& batch);
  void load_tree();
  std::string load_edge_entries(std::uint64_t size);

  std::unique_ptr<Database> db_;
  Url url_;
  std::int64_t log_id_ = 0;
  std::int64_t epoch_ = 0;
  Tree tree_{""};
  Tree durable_tree_{""};  // as of the last commit
  Added added_;
  bool in_transaction_ = false;
  std::map<std::array<std::string, 3>, std::int32_t> tables_;  // source, database, table
  std::int32_t last_table_id_ = 0;
  // Of the batch being appended; they keep their memory.
  Salts salts_;
  std::vector<Entry> entries_;
  std::vector<Bundle> bundles_;
  std::vector<Tile> tiles_;
};

void LogWriter::open() {
  migrate(*db_, url_.display);
  log_id_ = find_log(*db_, url_.log);
  if (log_id_ == 0) create_log();
  db_->lock_log(log_id_);
  take_lease();
  load_tree();
  load_tables();
}

void LogWriter::create_log() {
  db_->begin();
  try {
    db_->lock_schema();
    log_id_ = find_log(*db_, url_.log);  // made meanwhile?
    if (log_id_ == 0) {
      db_->query({"SELECT COALESCE(max(log_id), 0) + 1 FROM log", {}}, [&](const Row& row) {
        log_id_ = row.integer(0);
        return true;
      });
      Statement log{{}, {log_id_, url_.log, url_.log + "/" + make_uuid(), now_us()}};
      log.sql = "INSERT INTO log (log_id, name, origin, created_us) VALUES ($1, $2, $3, $4)";
      db_->execute(log);
      db_->execute({"INSERT INTO lease (log_id, epoch, holder, renewed_us) VALUES ($1, 0, '', 0)",
                    {log_id_}});
      db_->execute(
          {"INSERT INTO tree_edge (log_id, size, root, transactions, changes, events, gaps) "
           "VALUES ($1, 0, $2, 0, 0, 0, 0)",
           {log_id_, blob(fold({}))}});
    }
    db_->commit();
  } catch (...) {
    db_->rollback();
    throw;
  }
}

void LogWriter::take_lease() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  db_->begin();
  try {
    db_->execute(
        {"UPDATE lease SET epoch = epoch + 1, holder = $2, renewed_us = $3 WHERE log_id = $1",
         {log_id_, fmt::format("{} process {}", host.data(), ::getpid()), now_us()}});
    db_->query({"SELECT epoch FROM lease WHERE log_id = $1", {log_id_}}, [&](const Row& row) {
      epoch_ = row.integer(0);
      return true;
    });
    db_->commit();
  } catch (...) {
    db_->rollback();
    throw;
  }
}

/// The tree as of the last commit: its edge tiles as stored, what lies beneath from the last
/// records. A root that does not come out means that one of them was changed.
void LogWriter::load_tree() {
  std::string origin;
  std::string root;
  std::uint64_t size = 0;
  db_->query({"SELECT t.size, t.root, l.origin FROM tree_edge t JOIN log l ON l.log_id = t.log_id "
              "WHERE t.log_id = $1",
              {log_id_}},
             [&](const Row& row) {
               size = as_unsigned(row.integer(0));
               root = row.bytes(1);
               origin = row.text(2);
               return true;
             });
  std::vector<std::vector<Hash>> edges(kTileLevels - 1);
  db_->query({"SELECT level, hashes FROM tree_edge_tile WHERE log_id = $1", {log_id_}},
             [&](const Row& row) {
               const auto level = static_cast<std::size_t>(row.integer(0) - 1);
               if (level < edges.size()) edges[level] = parse_hashes(row.bytes(1));
               return true;
             });
  tree_ = Tree(origin);
  tree_.restore(size, std::move(edges), load_edge_entries(size));
  if (blob(tree_.root()).bytes != root || tree_.edge(0).size() != size % kTileWidth) {
    throw core::Failure(core::Area::Store, false,
                        fmt::format("{}: the newest records of the log '{}' are not those its tree "
                                    "was built from; restore the log from a backup",
                                    url_.display, url_.log));
  }
  durable_tree_ = tree_;
}

/// Entries of the incomplete bundle, made again from the records themselves.
std::string LogWriter::load_edge_entries(std::uint64_t size) {
  const auto first = size / kTileWidth * kTileWidth;
  std::vector<Entry> entries(size - first);
  for (const auto& kind : kKindTables) {
    Statement select{fmt::format("SELECT seq, time_us, payload, salt FROM {} WHERE log_id = $1 AND "
                                 "seq >= $2 AND seq < $3",
                                 kind.table),
                     {log_id_, as_signed(first), as_signed(size)}};
    db_->query(select, [&](const Row& row) {
      auto& entry = entries[as_unsigned(row.integer(0)) - first];
      entry.kind = kind.kind;
      entry.time_us = row.integer(1);
      if (row.bytes(3).size() != sizeof(Salt)) return true;  // the root will tell
      entry.payload_bytes = row.text(2).size();
      entry.digest = payload_digest(row.bytes(3), row.text(2));
      return true;
    });
  }
  std::string bytes;
  for (const auto& entry : entries) entry.append_to(bytes);
  return bytes;
}

void LogWriter::load_tables() {
  tables_.clear();
  last_table_id_ = 0;
  const Statement tables{
      "SELECT table_id, source, database_name, table_name FROM source_table "
      "WHERE log_id = $1",
      {log_id_}};
  db_->query(tables, [&](const Row& row) {
    const auto id = static_cast<std::int32_t>(row.integer(0));
    tables_[{std::string(row.text(1)), std::string(row.text(2)), std::string(row.text(3))}] = id;
    last_table_id_ = std::max(last_table_id_, id);
    return true;
  });
}

SourceState LogWriter::source_state(const std::string& source) {
  SourceState state;
  db_->query(
      {"SELECT file, pos, gtid_set, server_uuid, format_created, event_time_us FROM position "
       "WHERE log_id = $1 AND source = $2",
       {log_id_, column_text(source)}},
      [&](const Row& row) {
        state.position.file = row.text(0);
        state.position.pos = as_unsigned(row.integer(1));
        state.position.gtid_set = row.text(2);
        state.position.server_uuid = row.text(3);
        state.position.format_created = as_unsigned(row.integer(4));
        state.event_time_us = row.integer(5);
        return true;
      });
  db_->query({"SELECT database_name, table_name, layout_hash, version FROM table_schema "
              "WHERE log_id = $1 AND source = $2 ORDER BY seq",
              {log_id_, column_text(source)}},
             [&](const Row& row) {
               state.schemas.push_back({std::string(row.text(0)), std::string(row.text(1)),
                                        as_unsigned(row.integer(2)),
                                        static_cast<std::uint32_t>(row.integer(3))});
               return true;
             });
  db_->query(select_gap_counts(log_id_, source), [&](const Row& row) {
    state.gaps[std::string(row.text(0))] = as_unsigned(row.integer(1));
    return true;
  });
  return state;
}

std::vector<std::string> LogWriter::recorded_rules() {
  std::vector<std::string> rules;
  db_->query({"SELECT id, version FROM rule_version WHERE log_id = $1 ORDER BY seq", {log_id_}},
             [&](const Row& row) {
               rules.push_back(std::string(row.text(0)) + "@" + std::string(row.text(1)));
               return true;
             });
  return rules;
}

std::vector<std::string> LogWriter::recorded_gaps(normalize::GapKind kind) {
  std::vector<std::string> payloads;
  db_->query({"SELECT payload FROM gap WHERE log_id = $1 AND reason = $2 AND payload IS NOT NULL "
              "ORDER BY seq",
              {log_id_, std::string(normalize::gap_kind_name(kind))}},
             [&](const Row& row) {
               payloads.emplace_back(row.text(0));
               return true;
             });
  return payloads;
}

void LogWriter::begin() {
  if (in_transaction_) return;
  db_->begin();
  in_transaction_ = true;
}

std::vector<std::int32_t> LogWriter::number_tables(const Batch& batch) {
  std::vector<std::int32_t> ids;
  ids.reserve(batch.tables.size());
  for (const auto& table : batch.tables) {
    const std::array<std::string, 3> names{std::string(batch.text(table.source)),
                                           std::string(batch.text(table.database)),
                                           std::string(batch.text(table.table))};
    const auto [known, is_new] = tables_.try_emplace(names, last_table_id_ + 1);
    ids.push_back(known->second);
    if (!is_new) continue;
    ++last_table_id_;
    // In SQLite log_id is implied, like in every record table.
    const bool implied = db_->engine() == Engine::Sqlite;
    db_->execute({implied
                      ? "INSERT INTO source_table (table_id, source, database_name, table_name) "
                        "VALUES ($2, $3, $4, $5)"
                      : "INSERT INTO source_table (log_id, table_id, source, database_name, "
                        "table_name) VALUES ($1, $2, $3, $4, $5)",
                  {log_id_, std::int64_t{known->second}, names[0], names[1], names[2]}});
  }
  return ids;
}

void LogWriter::append(const Batch& batch) {
  assert(batch.first_seq() == tree_.size());
  if (batch.empty()) return;
  begin();
  seal(batch);
  db_->insert(log_id_, batch, salts_, number_tables(batch));
  db_->insert_tree(log_id_, bundles_, tiles_);
  added_.transactions += batch.transactions.size();
  added_.changes += batch.changes.size();
  added_.events += batch.events.size();
  added_.gaps += batch.gaps.size();
}

/// Salts every record and adds it to the tree.
void LogWriter::seal(const Batch& batch) {
  const auto count = batch.next_seq() - batch.first_seq();
  salts_.first_seq = batch.first_seq();
  salts_.bytes.resize(count * sizeof(Salt));
  auto* bytes = reinterpret_cast<unsigned char*>(salts_.bytes.data());
  if (RAND_bytes(bytes, static_cast<int>(salts_.bytes.size())) != 1) refuse_randomless();
  entries_.resize(count);
  for_each_record(
      batch, [&](Kind kind, std::uint64_t seq, std::int64_t time_us, std::string_view payload) {
        entries_[seq - batch.first_seq()] = {kind, time_us, payload.size(),
                                             payload_digest(salts_.of(seq), payload)};
      });
  bundles_.clear();
  tiles_.clear();
  for (const auto& entry : entries_) tree_.add(entry, bundles_, tiles_);
}

void LogWriter::commit(const std::string& source, const binlog::Position& position,
                       std::int64_t event_time_us) {
  begin();
  fence();
  move_edge();
  move_edge_tiles();
  move_position(source, position, event_time_us);
  db_->commit();
  in_transaction_ = false;
  durable_tree_ = tree_;
  added_ = {};
}

void LogWriter::fence() {
  const auto rows =
      db_->execute({"UPDATE lease SET renewed_us = $3 WHERE log_id = $1 AND epoch = $2",
                    {log_id_, epoch_, now_us()}});
  if (rows == 1) return;
  throw core::Failure(
      core::Area::Store, true,
      fmt::format("{}: another rowtrail has taken over the log '{}'; this one may not "
                  "write it any more",
                  url_.display, url_.log));
}

void LogWriter::move_edge() {
  const auto rows =
      db_->execute({"UPDATE tree_edge SET size = $3, root = $4, transactions = transactions + $5, "
                    "changes = changes + $6, events = events + $7, gaps = gaps + $8 "
                    "WHERE log_id = $1 AND size = $2",
                    {log_id_, as_signed(durable_tree_.size()), as_signed(tree_.size()),
                     blob(tree_.root()), as_signed(added_.transactions), as_signed(added_.changes),
                     as_signed(added_.events), as_signed(added_.gaps)}});
  if (rows == 1) return;
  throw core::Failure(core::Area::Store, true,
                      fmt::format("{}: the log '{}' has changed beneath its writer; reopening it",
                                  url_.display, url_.log));
}

/// The incomplete tiles above level 0 change with every full tile beneath them only.
void LogWriter::move_edge_tiles() {
  for (int level = 1; level < kTileLevels; ++level) {
    const auto& hashes = tree_.edge(level);
    if (hashes == durable_tree_.edge(level)) continue;
    db_->execute(
        {"INSERT INTO tree_edge_tile (log_id, level, hashes) VALUES ($1, $2, $3) "
         "ON CONFLICT (log_id, level) DO UPDATE SET hashes = excluded.hashes",
         {log_id_, std::int64_t{level}, Blob{std::string(hash_bytes(hashes))}}});
  }
}

void LogWriter::move_position(const std::string& source, const binlog::Position& position,
                              std::int64_t event_time_us) {
  db_->execute(
      {"INSERT INTO position (log_id, source, file, pos, gtid_set, server_uuid, format_created, "
       "event_time_us, committed_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
       "ON CONFLICT (log_id, source) DO UPDATE SET file = excluded.file, pos = excluded.pos, "
       "gtid_set = excluded.gtid_set, server_uuid = excluded.server_uuid, "
       "format_created = excluded.format_created, event_time_us = excluded.event_time_us, "
       "committed_us = excluded.committed_us",
       {log_id_, column_text(source), column_text(position.file), as_signed(position.pos),
        position.gtid_set, position.server_uuid, as_signed(position.format_created), event_time_us,
        now_us()}});
}

void LogWriter::rollback() {
  db_->rollback();
  in_transaction_ = false;
  tree_ = durable_tree_;
  added_ = {};
  // Numbers given since the last commit were not kept.
  load_tables();
}

}  // namespace

std::int64_t find_log(Database& db, const std::string& name) {
  std::int64_t log_id = 0;
  // A SQLite file holds one log, whatever it is called.
  const bool any = db.engine() == Engine::Sqlite;
  Statement find{"SELECT log_id FROM log", {}};
  if (!any) find.sql += " WHERE name = " + find.bind(name);
  db.query(find, [&](const Row& row) {
    log_id = row.integer(0);
    return true;
  });
  return log_id;
}

std::unique_ptr<Writer> make_writer(std::unique_ptr<Database> db, const Url& url) {
  return std::make_unique<LogWriter>(std::move(db), url);
}

}  // namespace rowtrail::store
