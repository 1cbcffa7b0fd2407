#include "store/verify.h"

#include "store/keys.h"
#include "store/log.h"
#include "store/migrations.h"
#include "store/records.h"
#include "store/stored_tree.h"
#include "store/verify_part.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace rowtrail::store {
namespace {

constexpr std::chrono::milliseconds kProgressEvery{200};

constexpr const char* kRestoreLog =
    "restore the log from a backup, and ask who could write to the store since; if it was restored "
    "on purpose, record that with `rowtrail store accept --reason TEXT`";

Hash hash_of(std::string_view bytes) {
  Hash hash{};
  if (bytes.size() == hash.size()) std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

/// Notes that were appended to each other: each ends with its signatures, behind an empty line.
std::vector<std::string> split_notes(std::string_view text) {
  std::vector<std::string> notes;
  std::string note;
  bool is_signed = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    const auto line = text.substr(0, end);
    const bool signature = line.starts_with("\u2014 ");
    if (is_signed && !signature) {
      notes.push_back(std::exchange(note, {}));
      is_signed = false;
    }
    is_signed = is_signed || signature;
    if (!note.empty() || line != "\n") note += line;
    text.remove_prefix(end);
  }
  if (!note.empty()) notes.push_back(std::move(note));
  return notes;
}

/// A head that the log has to agree with.
struct OuterHead {
  std::string where;  // "the head kept in …", for people
  TreeHead head;
};

class LogVerifier {
 public:
  LogVerifier(std::string url, const VerifyOptions& options)
      : url_text_(std::move(url)), url_(Url::parse(url_text_)), options_(options) {}

  VerifyReport run();

 private:
  using Keys = std::vector<std::pair<VerifierKey, std::uint64_t>>;  // and the size it ends at

  void read_state();
  void read_edges();
  void read_tables();
  void find_keys();
  void find_restarts();
  void find_outer_heads();
  void add_outer_head(const std::string& where, const std::string& note, bool since);
  void verify_parts();
  void work();
  void check_signatures(PartResult& result) const;
  [[nodiscard]] std::string signature_error(const StoredHead& head) const;
  void join_parts();
  void compare_levels();
  void compare_level(int level, const std::vector<Hash>& hashes);
  void compare_edge(int level, std::span<const Hash> hashes);
  void compare_heads(const PartResult& part);
  void compare_outer_heads();
  void look_beyond();
  void compare_counters();
  void inspect() noexcept;
  void tell_inspection();
  void find(std::uint64_t begin, std::uint64_t end, std::string what, std::string advice);
  /// True when something inside the span was found already: that explains what follows from it.
  [[nodiscard]] bool explained(std::uint64_t begin, std::uint64_t end) const;

  std::string url_text_;
  Url url_;
  const VerifyOptions& options_;
  VerifyReport report_;
  TreeState tree_;
  std::unordered_map<std::int64_t, NumberedTable> tables_;
  std::optional<LogKeys> keys_;
  Keys trusted_;
  std::vector<OuterHead> outer_;
  std::vector<std::uint64_t> wanted_;
  std::string restarts_;  // for people: what operators recorded
  std::unique_ptr<Database> db_;

  std::vector<PartResult> parts_;
  std::atomic<std::uint64_t> next_part_{0}, done_{0};
  std::mutex mutex_;
  std::condition_variable finished_;
  std::size_t working_ = 0;
  std::exception_ptr failure_;
  Inspection inspection_;

  CompactRange range_;  // of the parts joined so far
  std::uint64_t good_head_ = 0;
  bool head_failed_ = false;
  Hash root_{};
};

void LogVerifier::find(std::uint64_t begin, std::uint64_t end, std::string what,
                       std::string advice) {
  ++report_.findings_total;
  if (report_.findings.size() < VerifyReport::kFindingsMax) {
    report_.findings.push_back({begin, end, std::move(what), std::move(advice)});
  }
}

bool LogVerifier::explained(std::uint64_t begin, std::uint64_t end) const {
  return std::any_of(report_.findings.begin(), report_.findings.end(), [&](const Finding& finding) {
    return finding.begin < finding.end && finding.begin >= begin && finding.begin < end;
  });
}

VerifyReport LogVerifier::run() {
  db_ = open_database(url_, Access::Read);
  report_.url = url_.display;
  if (schema_version(*db_, url_.display) != 0) tree_.log_id = find_log(*db_, url_.log);
  if (tree_.log_id == 0) {
    throw core::Failure(core::Area::Store, false,
                        fmt::format("{} holds no log '{}'", url_.display, url_.log));
  }
  read_state();
  read_tables();
  find_keys();
  find_outer_heads();
  verify_parts();
  join_parts();
  compare_levels();
  if (root_ != tree_.root && !explained(0, tree_.size)) {
    find(0, tree_.size, "the root of the tree is not that of the records (table tree_edge)",
         kRestoreLog);
  }
  compare_outer_heads();
  compare_counters();
  look_beyond();
  tell_inspection();
  std::stable_sort(report_.findings.begin(), report_.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.begin < b.begin; });
  return std::move(report_);
}

void LogVerifier::read_state() {
  bool found = false;
  db_->query({"SELECT t.size, t.root, t.transactions, t.changes, t.events, t.gaps, l.origin, "
              "l.vkey, e.level, e.hashes FROM tree_edge t JOIN log l ON l.log_id = t.log_id "
              "LEFT JOIN tree_edge_tile e ON e.log_id = t.log_id WHERE t.log_id = $1",
              {tree_.log_id}},
             [&](const Row& row) {
               found = true;
               tree_.size = as_unsigned(row.integer(0));
               tree_.root = hash_of(row.bytes(1));
               for (int i = 0; i < 4; ++i) {
                 tree_.counters[static_cast<std::size_t>(i)] = as_unsigned(row.integer(2 + i));
               }
               tree_.origin_name = row.text(6);
               tree_.vkey = row.text(7);
               if (!row.is_null(8)) {
                 tree_.edges[static_cast<int>(row.integer(8))] = parse_hashes(row.bytes(9));
               }
               return true;
             });
  if (!found) {
    throw core::Failure(core::Area::Store, false,
                        fmt::format("{}: the log '{}' has lost its size (table tree_edge); restore "
                                    "it from a backup",
                                    url_.display, url_.log));
  }
  tree_.origin = sha256(tree_.origin_name);
  report_.origin = tree_.origin_name;
  report_.size = tree_.size;
}

void LogVerifier::read_tables() {
  db_->query({"SELECT table_id, source, database_name, table_name FROM source_table WHERE log_id "
              "= $1",
              {tree_.log_id}},
             [&](const Row& row) {
               NumberedTable table{std::string(row.text(1)), std::string(row.text(2)),
                                   std::string(row.text(3)), ",\"database\":"};
               normalize::append_json_string(table.head, table.database);
               table.head += ",\"table\":";
               normalize::append_json_string(table.head, table.table);
               table.head += ",\"op\":\"";
               tables_[row.integer(0)] = std::move(table);
               return true;
             });
}

/// The key to trust is never the store's own word: it is given, or lies in the folder beside the
/// private one.
void LogVerifier::find_keys() {
  keys_.emplace(keys_folder(url_, options_.keys), tree_.origin_name);
  report_.key = options_.key;
  if (report_.key.empty()) report_.key = keys_->vkey();
  if (report_.key.empty()) {
    if (const auto key = keys_->find()) report_.key = key->vkey();
  }
  if (report_.key.empty()) {
    find(
        0, 0,
        fmt::format("nothing tells whether the tree heads of {} are rowtrail's: there is no public "
                    "key for this log in {}",
                    tree_.origin_name, keys_->folder()),
        "give the key with --key, or its folder with `keys:` in the config; if this log should "
        "have one there, it is not the log it was");
    return;
  }
  const auto key = VerifierKey::parse(report_.key);
  if (!key) {
    throw core::Failure(core::Area::Usage, false, "the public key: " + key.error().message);
  }
  if (key->name() != tree_.origin_name) {
    find(0, 0,
         fmt::format("this is the log {}, the key is that of {}", tree_.origin_name, key->name()),
         "another log was put in its place, or the key is the wrong one");
  }
  trusted_.emplace_back(*key, tree_.size);
  if (!tree_.vkey.empty() && tree_.vkey != report_.key) {
    find(0, 0, fmt::format("the store names another key: {} (table log)", tree_.vkey), kRestoreLog);
  }
  find_restarts();
}

/// A lost key was replaced, on record: the heads before that are good under the old one. The record
/// itself is under a head of the new key.
void LogVerifier::find_restarts() {
  db_->query({"SELECT seq, payload FROM admin_action WHERE log_id = $1 AND type = 'restart' AND "
              "payload IS NOT NULL ORDER BY seq",
              {tree_.log_id}},
             [&](const Row& row) {
               const auto seq = as_unsigned(row.integer(0));
               rapidjson::Document json;
               json.Parse(row.text(1).data(), row.text(1).size());
               if (json.HasParseError() || !json.IsObject()) return true;
               const auto text = [&](const char* name) {
                 return json.HasMember(name) && json[name].IsString()
                            ? std::string(json[name].GetString(), json[name].GetStringLength())
                            : std::string();
               };
               restarts_ +=
                   fmt::format("; record {} says: {} ({})", seq, text("why"), text("reason"));
               const auto old = VerifierKey::parse(text("old_key"));
               if (old) trusted_.emplace_back(*old, seq);
               return true;
             });
}

void LogVerifier::find_outer_heads() {
  for (const auto& note : split_notes(options_.since)) {
    add_outer_head("the tree head kept elsewhere", note, true);
  }
  const auto last = keys_->last_head();
  if (!last.empty()) {
    add_outer_head(fmt::format("the tree head signed last ({}/*.head)", keys_->folder()), last,
                   false);
  }
}

void LogVerifier::add_outer_head(const std::string& where, const std::string& note, bool since) {
  const auto head = parse_checkpoint(note);
  if (!head) {
    if (since) {
      throw core::Failure(core::Area::Usage, false,
                          "--since: not a signed tree head: " + head.error().message);
    }
    find(0, 0, where + " cannot be read", "restore the file, or record why with `store accept`");
    return;
  }
  const auto wrong = signature_error({head->size, note, {}});
  if (!wrong.empty() && !trusted_.empty()) {
    find(0, 0, fmt::format("{} is not to be trusted: {}", where, wrong),
         "use a head that this log has signed");
    return;
  }
  outer_.push_back({where, *head});
  if (since) report_.since_size = std::max(report_.since_size, head->size);
  if (head->size <= tree_.size) wanted_.push_back(head->size);
}

void LogVerifier::verify_parts() {
  const auto parts = (tree_.size + kPartRecords - 1) / kPartRecords;
  parts_.resize(parts);
  const auto threads = std::min<std::uint64_t>(
      parts,
      options_.threads > 0 ? options_.threads : std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::jthread> workers;
  working_ = threads;
  for (std::uint64_t i = 0; i < threads; ++i) workers.emplace_back([this] { work(); });
  std::jthread inspector([this] { inspect(); });
  std::unique_lock lock(mutex_);
  while (!finished_.wait_for(lock, kProgressEvery, [&] { return working_ == 0; })) {
    if (options_.on_progress) options_.on_progress(std::min(done_.load(), tree_.size), tree_.size);
  }
  lock.unlock();
  workers.clear();
  inspector.join();
  if (failure_) std::rethrow_exception(failure_);
  if (options_.on_progress) options_.on_progress(tree_.size, tree_.size);
}

void LogVerifier::work() {
  try {
    const auto db = open_database(url_, Access::Read);
    PartVerifier verifier(*db, tree_, tables_, wanted_, done_);
    for (auto part = next_part_++; part < parts_.size(); part = next_part_++) {
      auto result = verifier.run(part);
      check_signatures(result);
      parts_[part] = std::move(result);
    }
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    failure_ = std::current_exception();
    next_part_ = parts_.size();
  }
  const std::scoped_lock lock(mutex_);
  --working_;
  finished_.notify_one();
}

std::string LogVerifier::signature_error(const StoredHead& stored) const {
  const auto head = parse_checkpoint(stored.note);
  if (!head) return head.error().message;
  if (head->size != stored.size) return fmt::format("it is a head of {} records", head->size);
  if (head->origin != tree_.origin_name) return "it is of the log " + head->origin;
  std::string why;
  for (const auto& [key, until] : trusted_) {
    if (stored.size > until) continue;
    const auto text = key.open(stored.note);
    if (text) return {};
    if (why.empty()) why = text.error().message;
  }
  return why;
}

void LogVerifier::check_signatures(PartResult& result) const {
  if (trusted_.empty()) return;
  for (auto& head : result.heads) head.wrong = signature_error(head);
}

/// Parts become the whole, in order; what each found is told in order.
void LogVerifier::join_parts() {
  for (auto& part : parts_) {
    for (auto& finding : part.findings) {
      find(finding.begin, finding.end, std::move(finding.what), std::move(finding.advice));
    }
    compare_heads(part);
    const bool full = &part != &parts_.back() || tree_.size % kPartRecords == 0;
    if (full) range_.add(part.hash);
  }
  root_ = tree_.size % kPartRecords == 0 ? range_.root() : range_.root_with(parts_.back().hash);
}

void LogVerifier::compare_heads(const PartResult& part) {
  for (const auto& stored : part.heads) {
    const auto head = parse_checkpoint(stored.note);
    if (!stored.wrong.empty()) {
      find(stored.size, stored.size,
           fmt::format("the tree head of {} records is not rowtrail's: {}", stored.size,
                       stored.wrong),
           kRestoreLog);
      continue;
    }
    const auto inside = part.ends.find(stored.size);
    if (!head || inside == part.ends.end()) continue;
    if (range_.root_with(inside->second) == head->root) {
      good_head_ = stored.size;
      ++report_.heads;
      continue;
    }
    // All later heads fail with it; the first one says between which sizes.
    if (std::exchange(head_failed_, true)) continue;
    if (explained(0, stored.size)) continue;
    find(good_head_, stored.size,
         fmt::format("records {} to {} are not those that were signed: the tree head of {} records "
                     "is right, that of {} is not",
                     good_head_, stored.size - 1, good_head_, stored.size),
         kRestoreLog);
  }
  report_.signed_size = good_head_;
  for (auto& [where, head] : outer_) {
    const auto inside = part.ends.find(head.size);
    if (inside == part.ends.end() || range_.root_with(inside->second) == head.root) continue;
    find(0, head.size,
         fmt::format("{} has another root for the first {} records: they were changed{}", where,
                     head.size, restarts_),
         kRestoreLog);
  }
}

void LogVerifier::compare_outer_heads() {
  for (const auto& [where, head] : outer_) {
    if (head.size <= tree_.size) continue;
    find(tree_.size, head.size,
         fmt::format("{} is over {} records, the log ends at {}: its end was cut off, or an older "
                     "backup restored{}",
                     where, head.size, tree_.size, restarts_),
         kRestoreLog);
  }
}

/// Tiles above those that parts looked at.
void LogVerifier::compare_levels() {
  std::vector<Hash> hashes;
  for (const auto& part : parts_) hashes.push_back(part.hash);
  if (tree_.size % kPartRecords != 0) hashes.pop_back();
  for (int level = 2; level < kTileLevels && !hashes.empty(); ++level) {
    compare_level(level, hashes);
    compare_edge(level, std::span(hashes).subspan(hashes.size() / kTileWidth * kTileWidth));
    std::vector<Hash> above;
    for (std::size_t i = 0; i + kTileWidth <= hashes.size(); i += kTileWidth) {
      above.push_back(fold(std::span(hashes).subspan(i, kTileWidth)));
    }
    hashes = std::move(above);
  }
}

void LogVerifier::compare_level(int level, const std::vector<Hash>& hashes) {
  const auto span = std::uint64_t{1} << (8 * level);  // records under one hash
  std::uint64_t next = 0;
  db_->query({"SELECT tile, hashes FROM tree_tile WHERE log_id = $1 AND level = $2 ORDER BY tile",
              {tree_.log_id, std::int64_t{level}}},
             [&](const Row& row) {
               const auto tile = as_unsigned(row.integer(0));
               if (tile != next || (tile + 1) * kTileWidth > hashes.size()) return true;
               ++next;
               const auto stored = parse_hashes(row.bytes(1));
               for (std::uint64_t i = 0; i < kTileWidth; ++i) {
                 const auto at = tile * kTileWidth + i;
                 if (i < stored.size() && stored[i] == hashes[at]) continue;
                 if (explained(at * span, (at + 1) * span)) continue;
                 find(at * span, (at + 1) * span,
                      fmt::format("these records do not give the hash in tile {} of level {}", tile,
                                  level),
                      kRestoreLog);
               }
               return true;
             });
  if (next < hashes.size() / kTileWidth) {
    find(next * kTileWidth * span, (next + 1) * kTileWidth * span,
         fmt::format("the tile {} of level {} is missing", next, level), kRestoreLog);
  }
}

/// The incomplete tile of a level: where the writer goes on from.
void LogVerifier::compare_edge(int level, std::span<const Hash> hashes) {
  const auto stored = tree_.edges.find(level);
  const bool same =
      stored == tree_.edges.end()
          ? hashes.empty()
          : std::equal(hashes.begin(), hashes.end(), stored->second.begin(), stored->second.end());
  const auto begin = tree_.size - tree_.size % (kTileWidth << (8 * level));
  if (same || explained(begin, tree_.size)) return;
  find(begin, tree_.size,
       fmt::format("these records do not give the incomplete tile of level {} (table "
                   "tree_edge_tile)",
                   level),
       kRestoreLog);
}

/// Counters are what `status` says; they can be counted again.
void LogVerifier::compare_counters() {
  if (explained(0, tree_.size)) return;
  constexpr std::array kNames{"transactions", "changes", "events", "gaps"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    std::uint64_t counted = 0;
    for (const auto& part : parts_) counted += part.kinds[i + 1];
    if (counted == tree_.counters[i]) continue;
    find(0, 0,
         fmt::format("the log says that it holds {} {}, and holds {} (table tree_edge)",
                     tree_.counters[i], kNames[i], counted),
         "set the counter right; records are not touched by this");
  }
}

/// What lies behind the end or before the beginning was never written by rowtrail. One statement
/// each: the log may grow meanwhile.
void LogVerifier::look_beyond() {
  constexpr std::string_view kSize = "(SELECT size FROM tree_edge WHERE log_id = $1)";
  const auto look = [&](const std::string& table, const std::string& column,
                        const std::string& where, std::string_view advice) {
    db_->query({fmt::format("SELECT {} FROM {} WHERE log_id = $1 AND {} ORDER BY 1 LIMIT 10",
                            column, table, where),
                {tree_.log_id}},
               [&](const Row& row) {
                 find(tree_.size, tree_.size,
                      fmt::format("there is a row in {} that the log does not reach: {} {}", table,
                                  column, row.integer(0)),
                      std::string(advice));
                 return true;
               });
  };
  for (const auto& kind : kind_columns()) {
    look(kind.table, "seq", fmt::format("(seq < 0 OR seq >= {})", kSize),
         "it was inserted behind rowtrail's back, or the end of the log cut off");
  }
  look("event_object", "seq", fmt::format("(seq < 0 OR seq >= {})", kSize),
       "it was inserted behind rowtrail's back, or the end of the log cut off");
  look("entry", "bundle", fmt::format("(bundle < 0 OR bundle >= {} / 256)", kSize), kRestoreLog);
  for (int level = 0; level + 1 < kTileLevels; ++level) {
    look("tree_tile", "tile",
         fmt::format("level = {} AND (tile < 0 OR tile >= {} / {})", level, kSize,
                     std::int64_t{256} << (8 * level)),
         kRestoreLog);
  }
  look("tree_head", "size", fmt::format("(size < 1 OR size > {})", kSize), kRestoreLog);
}

/// Beside the parts: what databases can say of their own tables.
void LogVerifier::inspect() noexcept {
  try {
    inspection_ = open_database(url_, Access::Read)->inspect();
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
}

void LogVerifier::tell_inspection() {
  for (auto& wrong : inspection_.wrong) {
    find(0, 0, std::move(wrong),
         "`rowtrail store init --print-sql` says how the tables are made; ask who could change "
         "them");
  }
  report_.notes = std::move(inspection_.skipped);
}

}  // namespace

VerifyReport verify_log(const std::string& url, const VerifyOptions& options) {
  return LogVerifier(url, options).run();
}

core::Result<ProvedRecord> verify_proof_text(std::string_view text, std::string_view key_text) {
  const auto key = VerifierKey::parse(key_text);
  if (!key) return key.error();
  const auto proof = parse_proof(text);
  if (!proof) return proof.error();
  const auto head = verify_proof(*proof, *key);
  if (!head) return head.error();
  // What of the leaf an entry holds stands in it in two pieces.
  const std::string_view leaf(reinterpret_cast<const char*>(proof->leaf.data()), kLeafBytes);
  std::string entry(leaf.substr(1, 1));
  entry += std::string(leaf.substr(10, 16)) + std::string(leaf.substr(58));
  const auto parsed = Entry::parse(entry);
  return ProvedRecord{head->origin,   proof->index,
                      head->size,     std::string(kind_name(parsed.kind)),
                      parsed.time_us, proof->payload};
}

}  // namespace rowtrail::store
