// The one writer of a log. Everything between two commits is one database transaction: records, the
// log's size and counters, the source's position; fenced by the epoch taken when the log was
// opened.
#include "store/keys.h"
#include "store/log.h"
#include "store/migrations.h"
#include "store/queries.h"
#include "store/records.h"
#include "store/seal.h"
#include "store/stored_tree.h"

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

/// A busy log signs a head this often.
constexpr std::chrono::milliseconds kHeadInterval{1000};
/// An idle writer says something to the database this often (Postgres; see kSilenceMax there).
constexpr std::chrono::milliseconds kLifeInterval{1000};

/// What one commit adds to the log's counters.
struct Added {
  std::uint64_t transactions = 0, changes = 0, events = 0, gaps = 0, xa_rolled_back = 0;
};

class LogWriter final : public Writer {
 public:
  LogWriter(std::unique_ptr<Database> db, const Url& url, WriterOptions options)
      : db_(std::move(db)), url_(url), options_(std::move(options)) {
    open();
  }
  ~LogWriter() override { db_->rollback(); }

  SourceState source_state(const std::string& source) override;
  std::uint64_t next_seq() override { return tree_.size(); }
  std::vector<std::string> recorded_rules() override;
  std::vector<std::string> recorded_gaps(normalize::GapKind kind) override;
  std::vector<std::string> detector_state(const std::string& source) override;
  void save_detector_state(const std::string& source, const std::string& bytes,
                           bool whole) override;
  std::vector<infer::StateRow> state_rows() override;
  bool has_state(const std::string& rule, const std::string& key) override;
  void append(const Batch& batch) override;
  void keep_xa(const std::string& source, const std::string& xid, std::uint64_t part,
               std::string_view bytes) override;
  std::optional<std::string> kept_xa(const std::string& source, const std::string& xid,
                                     std::uint64_t part) override;
  bool drop_xa(const std::string& source, const std::string& xid, bool rolled_back) override;
  void save_state(const std::vector<infer::StateRow>& rows) override;
  void commit(const std::string& source, const binlog::Position& position,
              std::int64_t event_time_us) override;
  void commit_records() override;
  void publish_head(bool now) override;
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
  void load_key();
  [[nodiscard]] std::string unseal_xa(const std::string& source, const std::string& xid,
                                      std::uint64_t part, std::string_view sealed) const;
  void check_last_head();
  void record_restart(const std::string& why, const std::string& old_key);
  void show_life(std::chrono::steady_clock::time_point at);
  [[noreturn]] void refuse_fenced() const;
  void finish_commit();

  std::unique_ptr<Database> db_;
  Url url_;
  WriterOptions options_;
  std::optional<LogKeys> keys_;
  std::optional<SigningKey> key_;
  SealingKey sealing_key_{};
  std::uint64_t published_size_ = 0;
  std::chrono::steady_clock::time_point published_at_{}, alive_at_{};
  std::string origin_;
  std::int64_t log_id_ = 0;
  std::int64_t epoch_ = 0;
  Tree tree_{""};
  Tree durable_tree_{""};  // as of the last commit
  Added added_;
  std::map<std::string, std::int64_t> detector_parts_;  // the last one of each source
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
  load_key();
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
  std::string root;
  std::uint64_t size = 0;
  db_->query({"SELECT t.size, t.root, l.origin FROM tree_edge t JOIN log l ON l.log_id = t.log_id "
              "WHERE t.log_id = $1",
              {log_id_}},
             [&](const Row& row) {
               size = as_unsigned(row.integer(0));
               root = row.bytes(1);
               origin_ = row.text(2);
               return true;
             });
  std::vector<std::vector<Hash>> edges(kTileLevels - 1);
  db_->query({"SELECT level, hashes FROM tree_edge_tile WHERE log_id = $1", {log_id_}},
             [&](const Row& row) {
               const auto level = static_cast<std::size_t>(row.integer(0) - 1);
               if (level < edges.size()) edges[level] = parse_hashes(row.bytes(1));
               return true;
             });
  tree_ = Tree(origin_);
  tree_.restore(size, std::move(edges),
                read_entries(*db_, log_id_, size / kTileWidth * kTileWidth, size));
  if (blob(tree_.root()).bytes != root || tree_.edge(0).size() != size % kTileWidth) {
    throw core::Failure(core::Area::Store, false,
                        fmt::format("{}: the newest records of the log '{}' are not those its tree "
                                    "was built from; restore the log from a backup",
                                    url_.display, url_.log));
  }
  durable_tree_ = tree_;
}

/// The key the log was signed with from its first day; made by the first writer.
void LogWriter::load_key() {
  std::string known;
  db_->query({"SELECT vkey FROM log WHERE log_id = $1", {log_id_}}, [&](const Row& row) {
    known = row.text(0);
    return true;
  });
  keys_.emplace(keys_folder(url_, options_.keys), origin_);
  key_ = keys_->find();
  const bool is_new = !key_ || key_->vkey() != known;
  if (is_new && !known.empty() && options_.accept.empty()) {
    throw core::Failure(
        core::Area::Store, false,
        fmt::format(
            "the log {} is signed by the key {}, which is not in {}; put its .key file there "
            "(`keys:` in the config names the folder), or record a new key with `rowtrail "
            "store accept --reason TEXT`",
            origin_, known, keys_->folder()));
  }
  if (!key_) key_ = keys_->make();
  keys_->publish(*key_);
  if (is_new) {
    // The key and the record that it is new are one commit.
    begin();
    db_->execute({"UPDATE log SET vkey = $2 WHERE log_id = $1", {log_id_, key_->vkey()}});
    if (known.empty()) {
      commit_records();
    } else {
      // Sealed with the key that is gone: the XA COMMIT of these will be a gap.
      db_->execute({"DELETE FROM xa_pending WHERE log_id = $1", {log_id_}});
      record_restart("a new signing key", known);
    }
  }
  sealing_key_ = derive_key(key_->secret(), "rowtrail xa_pending");
  check_last_head();
}

/// A store that was put back to an older state is not signed until the operator says so: two heads
/// of one log that contradict each other are what a forger would make.
void LogWriter::check_last_head() {
  const auto note = keys_->last_head();
  if (note.empty()) return;
  const auto head = parse_checkpoint(note);
  bool holds = head && head->size <= tree_.size();
  if (holds && head->size > 0) {
    StoredTree stored(*db_, log_id_, tree_.origin());
    holds = range_hash(stored, 0, head->size) == head->root;
  }
  if (holds) {
    published_size_ = head->size;
    return;
  }
  const auto was = head ? fmt::format("{} records", head->size) : std::string("an unreadable size");
  if (options_.accept.empty()) {
    throw core::Failure(
        core::Area::Store, false,
        fmt::format("{}: the log '{}' holds {} records and is not the one that was signed with {} "
                    "({}/*.head): an older backup, or somebody changed it. If it was restored on "
                    "purpose, record that with `rowtrail store accept --reason TEXT`",
                    url_.display, url_.log, tree_.size(), was, keys_->folder()));
  }
  record_restart("the signed head had " + was, {});
}

void LogWriter::record_restart(const std::string& why, const std::string& old_key) {
  std::string payload = "{\"type\":\"restart\",\"why\":";
  normalize::append_json_string(payload, why);
  payload += ",\"reason\":";
  normalize::append_json_string(payload, options_.accept);
  if (!old_key.empty()) {
    payload += ",\"old_key\":";
    normalize::append_json_string(payload, old_key);
  }
  payload += fmt::format(",\"size\":{},\"root\":\"{}\"}}", tree_.size(),
                         to_base64({reinterpret_cast<const char*>(tree_.root().data()), 32}));
  Batch batch;
  batch.reset(tree_.size());
  batch.add_admin("restart", payload, now_us());
  append(batch);
  commit_records();
}

/// A standby takes over from a session that says nothing; and who was taken over learns of it here,
/// when nothing comes from the source.
void LogWriter::show_life(std::chrono::steady_clock::time_point at) {
  if (db_->engine() == Engine::Sqlite || at - alive_at_ < kLifeInterval) return;
  alive_at_ = at;
  std::int64_t epoch = 0;
  db_->query({"SELECT epoch FROM lease WHERE log_id = $1", {log_id_}}, [&](const Row& row) {
    epoch = row.integer(0);
    return true;
  });
  if (epoch != epoch_) refuse_fenced();
}

void LogWriter::refuse_fenced() const {
  throw core::Failure(
      core::Area::Store, true,
      fmt::format("{}: another rowtrail has taken over the log '{}'; this one may not "
                  "write it any more",
                  url_.display, url_.log));
}

void LogWriter::publish_head(bool now) {
  const auto size = durable_tree_.size();
  const auto at = std::chrono::steady_clock::now();
  show_life(at);
  if (in_transaction_ || size == published_size_) return;
  if (!now && at - published_at_ < kHeadInterval) return;
  const auto note = key_->sign(checkpoint_text({origin_, size, durable_tree_.root()}));
  const bool implied = db_->engine() == Engine::Sqlite;
  Statement insert{implied ? "INSERT INTO tree_head (size, time_us, note) SELECT $2, $3, $4"
                           : "INSERT INTO tree_head (log_id, size, time_us, note) "
                             "SELECT $1::bigint, $2::bigint, $3::bigint, $4::text",
                   {log_id_, as_signed(size), now_us(), note, epoch_}};
  insert.sql +=
      " WHERE EXISTS (SELECT 1 FROM lease WHERE log_id = $1 AND epoch = $5) "
      "ON CONFLICT DO NOTHING";
  db_->execute(insert);
  keys_->set_last_head(note);
  published_size_ = size;
  published_at_ = at;
  if (options_.on_head) options_.on_head(note);
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
      {"SELECT file, pos, gtid_set, server_uuid, format_created, event_time_us, xa_rolled_back "
       "FROM position "
       "WHERE log_id = $1 AND source = $2",
       {log_id_, column_text(source)}},
      [&](const Row& row) {
        state.position.file = row.text(0);
        state.position.pos = as_unsigned(row.integer(1));
        state.position.gtid_set = row.text(2);
        state.position.server_uuid = row.text(3);
        state.position.format_created = as_unsigned(row.integer(4));
        state.event_time_us = row.integer(5);
        state.xa_rolled_back = as_unsigned(row.integer(6));
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
  // Told once for a layout, also across restarts.
  db_->query({"SELECT database_name, table_name, payload FROM gap WHERE log_id = $1 "
              "AND source = $2 AND reason = 'partial_image' AND payload IS NOT NULL",
              {log_id_, column_text(source)}},
             [&](const Row& row) {
               const auto version = normalize::gap_schema_version(row.text(2));
               for (auto& schema : state.schemas) {
                 if (schema.version == version && schema.table == row.text(1) &&
                     schema.database == row.text(0)) {
                   schema.partial_image_told = true;
                 }
               }
               return true;
             });
  db_->query(select_gap_counts(log_id_, source), [&](const Row& row) {
    state.gaps[std::string(row.text(0))] = as_unsigned(row.integer(1));
    return true;
  });
  db_->query({"SELECT xid, sealed FROM xa_pending WHERE log_id = $1 AND source = $2 AND part = 0",
              {log_id_, column_text(source)}},
             [&](const Row& row) {
               const std::string xid(row.text(0));
               state.xa_tables[xid] = unseal_xa(source, xid, 0, row.bytes(1));
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

std::vector<std::string> LogWriter::detector_state(const std::string& source) {
  std::vector<std::string> parts;
  db_->query({"SELECT bytes, part FROM detector_state WHERE log_id = $1 AND source = $2 ORDER BY "
              "part",
              {log_id_, column_text(source)}},
             [&](const Row& row) {
               parts.emplace_back(row.bytes(0));
               detector_parts_[source] = row.integer(1);
               return true;
             });
  return parts;
}

void LogWriter::save_detector_state(const std::string& source, const std::string& bytes,
                                    bool whole) {
  begin();
  auto& part = detector_parts_[source];
  part = whole ? 0 : part + 1;
  if (whole) {
    db_->execute({"DELETE FROM detector_state WHERE log_id = $1 AND source = $2",
                  {log_id_, column_text(source)}});
  }
  db_->execute({"INSERT INTO detector_state (log_id, source, part, bytes) VALUES ($1, $2, $3, $4)",
                {log_id_, column_text(source), part, Blob{bytes}}});
}

std::vector<infer::StateRow> LogWriter::state_rows() {
  std::vector<infer::StateRow> rows;
  db_->query({"SELECT rule, key, value FROM rule_state WHERE log_id = $1 AND value <> '' "
              "ORDER BY rule, key",
              {log_id_}},
             [&](const Row& row) {
               rows.push_back({std::string(row.text(0)), std::string(row.text(1)),
                               std::string(row.text(2)), false});
               return true;
             });
  return rows;
}

bool LogWriter::has_state(const std::string& rule, const std::string& key) {
  bool found = false;
  db_->query({"SELECT 1 FROM rule_state WHERE log_id = $1 AND rule = $2 AND key = $3",
              {log_id_, rule, column_text(key)}},
             [&](const Row&) { return found = true; });
  return found;
}

void LogWriter::save_state(const std::vector<infer::StateRow>& rows) {
  if (rows.empty()) return;
  begin();
  for (const auto& row : rows) {
    if (row.removed) {
      db_->execute({"DELETE FROM rule_state WHERE log_id = $1 AND rule = $2 AND key = $3",
                    {log_id_, row.rule, column_text(row.key)}});
      continue;
    }
    db_->execute(
        {"INSERT INTO rule_state (log_id, rule, key, value) VALUES ($1, $2, $3, $4) "
         "ON CONFLICT (log_id, rule, key) DO UPDATE SET value = excluded.value",
         {log_id_, row.rule, column_text(row.key), row.value}});
  }
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

namespace {
std::string xa_name(const std::string& source, const std::string& xid, std::uint64_t part) {
  return fmt::format("{}\n{}\n{}", source, xid, part);
}
}  // namespace

std::string LogWriter::unseal_xa(const std::string& source, const std::string& xid,
                                 std::uint64_t part, std::string_view sealed) const {
  auto bytes = unseal(sealing_key_, sealed, xa_name(source, xid, part));
  if (bytes) return std::move(*bytes);
  throw core::Failure(core::Area::Store, false,
                      fmt::format("{}: the rows kept of the prepared XA transaction {} were {}; "
                                  "restore the store, or delete them from xa_pending: their XA "
                                  "COMMIT then becomes a gap",
                                  url_.display, xid, bytes.error().message));
}

void LogWriter::keep_xa(const std::string& source, const std::string& xid, std::uint64_t part,
                        std::string_view bytes) {
  begin();
  db_->execute(
      {"INSERT INTO xa_pending (log_id, source, xid, part, sealed) "
       "VALUES ($1, $2, $3, $4, $5)",
       {log_id_, column_text(source), xid, as_signed(part),
        Blob{store::seal(sealing_key_, bytes, xa_name(source, xid, part))}}});
}

std::optional<std::string> LogWriter::kept_xa(const std::string& source, const std::string& xid,
                                              std::uint64_t part) {
  std::optional<std::string> bytes;
  db_->query({"SELECT sealed FROM xa_pending WHERE log_id = $1 AND source = $2 AND xid = $3 "
              "AND part = $4",
              {log_id_, column_text(source), xid, as_signed(part)}},
             [&](const Row& row) {
               bytes = unseal_xa(source, xid, part, row.bytes(0));
               return true;
             });
  return bytes;
}

bool LogWriter::drop_xa(const std::string& source, const std::string& xid, bool rolled_back) {
  begin();
  const auto parts =
      db_->execute({"DELETE FROM xa_pending WHERE log_id = $1 AND source = $2 AND xid = $3",
                    {log_id_, column_text(source), xid}});
  if (rolled_back && parts > 0) ++added_.xa_rolled_back;
  return parts > 0;
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
  move_position(source, position, event_time_us);
  finish_commit();
}

void LogWriter::commit_records() {
  if (in_transaction_) finish_commit();
}

void LogWriter::finish_commit() {
  fence();
  move_edge();
  move_edge_tiles();
  db_->commit();
  in_transaction_ = false;
  durable_tree_ = tree_;
  added_ = {};
}

void LogWriter::fence() {
  const auto rows =
      db_->execute({"UPDATE lease SET renewed_us = $3 WHERE log_id = $1 AND epoch = $2",
                    {log_id_, epoch_, now_us()}});
  if (rows != 1) refuse_fenced();
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
       "event_time_us, committed_us, xa_rolled_back) "
       "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
       "ON CONFLICT (log_id, source) DO UPDATE SET file = excluded.file, pos = excluded.pos, "
       "gtid_set = excluded.gtid_set, server_uuid = excluded.server_uuid, "
       "format_created = excluded.format_created, event_time_us = excluded.event_time_us, "
       "committed_us = excluded.committed_us, "
       "xa_rolled_back = position.xa_rolled_back + excluded.xa_rolled_back",
       {log_id_, column_text(source), column_text(position.file), as_signed(position.pos),
        position.gtid_set, position.server_uuid, as_signed(position.format_created), event_time_us,
        now_us(), as_signed(added_.xa_rolled_back)}});
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

std::unique_ptr<Writer> make_writer(std::unique_ptr<Database> db, const Url& url,
                                    WriterOptions options) {
  return std::make_unique<LogWriter>(std::move(db), url, std::move(options));
}

}  // namespace rowtrail::store
