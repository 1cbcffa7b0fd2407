// Verification of real stores: what is untouched passes, and every way in which a superuser could
// change the record is found and named.
#include "store/keys.h"
#include "store/proof.h"
#include "test/store/support.h"

#include <filesystem>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <unistd.h>

namespace rowtrail::store::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKinds[] = {"change",       "event",           "event_object",
                                  "gap",          "\"transaction\"", "table_schema",
                                  "rule_version", "admin_action"};

struct Folder {
  Folder()
      : path((fs::temp_directory_path() / fmt::format("rowtrail-verify-{}", ::getpid())).string()) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path;
};

/// A log of every kind of record that is written today, in several transactions, with its key.
class Log {
 public:
  explicit Log(Place& place, std::uint64_t transactions = 300) : place_(place) {
    options.keys = keys.path + "/keys";
    auto writer = open_writer(place.url(), options);
    Batch batch;
    batch.reset(writer->next_seq());
    batch.add_rule(
        {"transfer", "Transfer", "inventory.transfer", "9f2c41d0", "id: transfer\n", "", 0}, 1'000);
    batch.add_admin("note", R"({"type":"note","reason":"a test"})", 2'000);
    special().into(batch);
    writer->append(batch);
    writer->commit("pharmacy", position_after(0), 0);
    add(*writer, 1, transactions / 2);
    writer->publish_head(true);
    since = open_reader(place.url())->tree_head();
    add(*writer, transactions / 2 + 1, transactions);
    writer->publish_head(true);
  }

  /// Plain transactions, in one commit.
  static void add(Writer& writer, std::uint64_t first, std::uint64_t last) {
    Batch batch;
    for (auto number = first; number <= last; ++number) {
      if (batch.empty()) batch.reset(writer.next_seq());
      plain(number).into(batch);
      if (batch.bytes() < 1'000'000 && number < last) continue;
      writer.append(batch);
      batch.reset(batch.next_seq());
    }
    writer.commit("pharmacy", position_after(last), plain(last).transaction->event_time_us);
  }

  /// Behind rowtrail's back, as somebody who owns the store.
  void tamper(const std::string& text) {
    const bool sqlite = place_.url().starts_with("sqlite");
    if (sqlite) {
      for (const auto& name : place_.sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")) {
        triggers_.push_back(
            place_.sql("SELECT sql FROM sqlite_master WHERE name = '" + name + "'")[0]);
        place_.sql("DROP TRIGGER " + name);
      }
    }
    place_.sql(where(text));
    // Put back, as somebody would who does not want to be seen.
    for (const auto& trigger : triggers_) place_.sql(trigger);
    triggers_.clear();
  }
  /// `#` stands for the log's own condition.
  [[nodiscard]] std::string where(std::string text) const {
    const bool sqlite = place_.url().starts_with("sqlite");
    const std::string own = sqlite
                                ? "1 = 1"
                                : fmt::format("log_id = (SELECT log_id FROM log WHERE name = '{}')",
                                              place_.url().substr(place_.url().find("?log=") + 5));
    for (auto at = text.find('#'); at != std::string::npos; at = text.find('#', at + own.size())) {
      text.replace(at, 1, own);
    }
    return text;
  }
  [[nodiscard]] std::string value(const std::string& sql) { return place_.sql(where(sql)).at(0); }
  [[nodiscard]] VerifyReport verify(const std::string& kept = {}) const {
    VerifyOptions wanted;
    wanted.keys = options.keys;
    wanted.since = kept;
    wanted.threads = 2;
    return verify_log(place_.url(), wanted);
  }
  [[nodiscard]] std::string folder() const { return options.keys; }

  Folder keys;
  WriterOptions options;
  std::string since;

 private:
  /// One transaction with gaps, a ddl, awkward texts and objects with several roles.
  static Made special() {
    Made made(0);
    static const auto pair = table("pharmacy", "odd \"name\"");
    made.insert(pair, -1, "x");
    made.event("odd.one", "a\"b\\c",
               {{"product", "1", "from"}, {"product", "1", "to"}, {"location", "Ä/2", ""}});
    auto& transaction = *made.transaction;
    transaction.schemas.back().is_new = true;
    normalize::Change ddl;
    ddl.op = normalize::Op::Ddl;
    ddl.ordinal = 1;
    ddl.database = "pharmacy";
    ddl.sql = "ALTER TABLE stock ADD x INT";
    transaction.changes.push_back(ddl);
    normalize::Gap gap;
    gap.kind = normalize::GapKind::StatementDml;
    gap.database = "pharmacy";
    gap.table = "stock";
    gap.reason = "a reason";
    gap.advice = "an advice";
    transaction.gaps.push_back(gap);
    return made;
  }

  Place& place_;
  std::vector<std::string> triggers_;
};

std::string told(const VerifyReport& report) {
  std::string out;
  for (const auto& finding : report.findings) {
    out += fmt::format("[{}, {}) {}\n", finding.begin, finding.end, finding.what);
  }
  return out;
}

TEST_CASE("verify: an untouched log of every kind of record passes, also while it grows") {
  on_both([](Place& place) {
    Log log(place);
    const auto report = log.verify(log.since);
    INFO(told(report));
    CHECK(report.findings_total == 0);
    CHECK(report.heads == 2);
    CHECK(report.signed_size == report.size);
    CHECK(report.since_size > 0);
    {
      auto writer = open_writer(place.url(), log.options);
      write(*writer, 1000, 1005);  // no head yet
      CHECK(log.verify(log.since).findings_total == 0);
      writer->publish_head(true);
    }
    CHECK(log.verify().findings_total == 0);
  });
}

TEST_CASE("verify: a log of more than one part passes, and a change in each is named") {
  on_both([](Place& place) {
    Log log(place, 20'000);
    auto report = log.verify(log.since);
    INFO(told(report));
    REQUIRE(report.size > 70'000);
    REQUIRE(report.findings_total == 0);
    const auto first =
        log.value("SELECT max(seq) FROM change WHERE # AND seq < 60000 AND payload LIKE '%row%'");
    const auto second =
        log.value("SELECT min(seq) FROM change WHERE # AND seq > 65540 AND payload LIKE '%row%'");
    for (const auto& seq : {first, second}) {
      log.tamper("UPDATE change SET payload = replace(payload, 'row', 'sow') WHERE # AND seq = " +
                 seq);
    }
    report = log.verify();
    CHECK_THAT(told(report), Catch::Contains("change " + first + " is not the record in the tree"));
    CHECK_THAT(told(report),
               Catch::Contains("change " + second + " is not the record in the tree"));
  });
}

/// Every way to change the record by SQL: the statements, and what must be said of it. `%` stands
/// for the seq of a change in the middle.
struct Lie {
  const char* name;
  const char* sql;
  const char* said;
};
constexpr Lie kLies[] = {
    {"a payload edited",
     "UPDATE change SET payload = replace(payload, 'row', 'sow') WHERE # AND seq = %",
     "change % is not the record in the tree"},
    {"a payload and its salt erased",
     "UPDATE change SET payload = NULL, salt = NULL WHERE # AND seq = %",
     "change %: its payload or salt is gone"},
    {"a time moved", "UPDATE change SET time_us = time_us + 1 WHERE # AND seq = %",
     "change % is not the record in the tree"},
    {"a record deleted", "DELETE FROM change WHERE # AND seq = %", "record % is missing"},
    {"an event deleted with its objects",
     "DELETE FROM event_object WHERE # AND seq = (SELECT min(seq) FROM event WHERE # AND seq > %);"
     "DELETE FROM event WHERE # AND seq = (SELECT min(seq) FROM event WHERE # AND seq > %)",
     "is missing"},
    {"two records swapped",
     "UPDATE change SET seq = -seq WHERE # AND seq IN (%, (SELECT min(seq) FROM change WHERE # AND "
     "seq "
     "> %));"
     "UPDATE change SET seq = seq - (SELECT CAST(sum(seq) AS bigint) FROM change WHERE # AND seq < "
     "0) "
     "WHERE # AND seq < 0",
     "change % is not the record in the tree"},
    {"a record pushed behind the end", "UPDATE change SET seq = 1000000 WHERE # AND seq = %",
     "record % is missing"},
    {"a table number falsified",
     "UPDATE change SET table_id = (SELECT max(table_id) FROM source_table WHERE #) WHERE # AND "
     "seq = "
     "(SELECT max(seq) FROM change WHERE # AND seq <= % AND table_id <> (SELECT max(table_id) FROM "
     "source_table WHERE #))",
     "of its table_id) says"},
    {"a table renamed", "UPDATE source_table SET table_name = 'x' WHERE # AND table_name = 'stock'",
     "the column table (of its table_id) says \"x\", the record \"stock\""},
    {"a source renamed", "UPDATE source_table SET source = 'x' WHERE # AND table_name = 'stock'",
     "the column source (of its table_id) says \"x\""},
    {"a key falsified", "UPDATE change SET pk = '{\"id\":9999}' WHERE # AND seq = %",
     "change %: the column pk says"},
    {"a key emptied", "UPDATE change SET pk = '' WHERE # AND seq = %",
     "change %: the column pk says"},
    {"an old key made up", "UPDATE change SET old_pk = '{\"id\":9}' WHERE # AND seq = %",
     "change %: the column old_pk says"},
    {"an op falsified", "UPDATE change SET op = 2 WHERE # AND seq = %",
     "change %: the column op says"},
    {"an op that is none", "UPDATE change SET op = 9 WHERE # AND seq = %", "which is none"},
    {"an ordinal falsified", "UPDATE change SET ordinal = ordinal + 1 WHERE # AND seq = %",
     "change %: the column ordinal says"},
    {"a change given to another transaction",
     "UPDATE change SET transaction_seq = transaction_seq - 1 WHERE # AND seq = %",
     "change %: the column transaction_seq says"},
    {"an event's type falsified",
     "UPDATE event SET type = 'x' WHERE # AND seq = (SELECT min(seq) FROM event WHERE # AND seq > "
     "%)",
     "the column type says \"x\""},
    {"an event's actor emptied",
     "UPDATE event SET actor = '' WHERE # AND seq = (SELECT min(seq) FROM event WHERE # AND seq > "
     "%)",
     "the column actor says \"\""},
    {"an event's severity falsified",
     "UPDATE event SET severity = 4 WHERE # AND seq = (SELECT min(seq) FROM event WHERE # AND seq "
     "> %)",
     "the column severity says 4, the record 0"},
    {"an event's source falsified",
     "UPDATE event SET source = 'x' WHERE # AND seq = (SELECT min(seq) FROM event WHERE # AND seq "
     "> %)",
     "the column source says \"x\""},
    {"an event's rule falsified",
     "UPDATE event SET rule = 'x' WHERE # AND seq = (SELECT min(seq) FROM event WHERE # AND seq > "
     "%)",
     "the column rule says \"x\""},
    {"an event's time moved",
     "UPDATE event SET time_us = 5 WHERE # AND seq = (SELECT min(seq) FROM event WHERE # AND seq > "
     "%)",
     "is not the record in the tree"},
    {"an event given to another transaction",
     "UPDATE event SET transaction_seq = 0 WHERE # AND seq = (SELECT min(seq) FROM event WHERE # "
     "AND "
     "seq > %)",
     "the column transaction_seq says 0"},
    {"an object's id falsified",
     "UPDATE event_object SET object_id = '9' WHERE # AND ordinal = 0 AND seq = (SELECT min(seq) "
     "FROM "
     "event WHERE # AND seq > % AND payload NOT LIKE '%\"9\"%')",
     "its rows in event_object"},
    {"an object removed",
     "DELETE FROM event_object WHERE # AND ordinal = 1 AND seq = (SELECT min(seq) FROM event WHERE "
     "# "
     "AND seq > %)",
     "its rows in event_object"},
    {"all objects of an event removed",
     "DELETE FROM event_object WHERE # AND seq = (SELECT min(seq) FROM event WHERE # AND seq > %)",
     "its rows in event_object"},
    {"an object's role falsified",
     "UPDATE event_object SET role = 'x' WHERE # AND ordinal = 0 AND seq = (SELECT min(seq) FROM "
     "event "
     "WHERE # AND seq > %)",
     "its rows in event_object"},
    {"an object moved to a change",
     "UPDATE event_object SET seq = % WHERE # AND seq = (SELECT min(seq) FROM event WHERE # AND "
     "seq > "
     "%)",
     "event %: its rows in event_object"},
    {"a gap's reason falsified", "UPDATE gap SET reason = 'x' WHERE #",
     "the column reason says \"x\""},
    {"a gap's table falsified", "UPDATE gap SET table_name = 'x' WHERE #",
     "the column table_name says \"x\""},
    {"a transaction's id falsified",
     "UPDATE \"transaction\" SET id = 'x' WHERE # AND seq = (SELECT max(seq) FROM \"transaction\" "
     "WHERE "
     "# AND seq < %)",
     "the column id says \"x\""},
    {"a transaction's source falsified",
     "UPDATE \"transaction\" SET source = 'x' WHERE # AND seq = (SELECT max(seq) FROM "
     "\"transaction\" "
     "WHERE # AND seq < %)",
     "the column source says \"x\""},
    {"a schema's version falsified", "UPDATE table_schema SET version = 9 WHERE #",
     "the column version says 9"},
    {"a schema's layout falsified", "UPDATE table_schema SET layout_hash = 9 WHERE #",
     "the column layout_hash says 9"},
    {"a rule's version falsified", "UPDATE rule_version SET version = 'x' WHERE #",
     "the column version says \"x\""},
    {"an admin action's type falsified", "UPDATE admin_action SET type = 'x' WHERE #",
     "the column type says \"x\""},
    {"a header edited",
     "UPDATE entry SET entries = (SELECT entries FROM entry WHERE # AND bundle = 1) "
     "WHERE # AND bundle = 0",
     "it is not the record that its header was made from"},
    {"a bundle of headers deleted", "DELETE FROM entry WHERE # AND bundle = 0",
     "the headers of these records are missing"},
    {"a tile replaced",
     "UPDATE tree_tile SET hashes = (SELECT hashes FROM tree_tile WHERE # AND level "
     "= 0 AND tile = 1) WHERE # AND level = 0 AND tile = 0",
     "the tile 0 of level 0 was changed"},
    {"a tile deleted", "DELETE FROM tree_tile WHERE # AND level = 0 AND tile = 0",
     "the tile 0 of level 0 is missing"},
    {"the counters falsified", "UPDATE tree_edge SET events = events - 1 WHERE #",
     "the log says that it holds"},
    {"a head forged",
     "UPDATE tree_head SET note = replace(note, 'main', 'niam') WHERE #; UPDATE "
     "tree_head SET note = replace(note, 'log', 'gol') WHERE #",
     "is not rowtrail's"},
};

TEST_CASE("verify: what a superuser changes is found and named") {
  const auto& lie = GENERATE_REF(from_range(std::begin(kLies), std::end(kLies)));
  DYNAMIC_SECTION(lie.name) {
    for (const auto& make : {sqlite_place, postgres_place}) {
      const auto place = make();
      Log log(*place);
      const auto seq = log.value(
          "SELECT max(seq) FROM change WHERE # AND seq < 400 AND ordinal = 0 AND payload LIKE "
          "'%row%'");
      const auto with_seq = [&](std::string text) {
        // "%"s within quotes are LIKE's own.
        for (std::size_t at = text.find('%'); at != std::string::npos;
             at = text.find('%', at + 1)) {
          const bool like = at > 0 && (text[at - 1] == '\'' || text[at - 1] == '"');
          if (!like) text.replace(at, 1, seq);
        }
        return text;
      };
      log.tamper(with_seq(lie.sql));
      const auto report = log.verify();
      INFO(place->url() << "\n" << told(report));
      CHECK(report.findings_total > 0);
      CHECK_THAT(told(report), Catch::Contains(with_seq(lie.said)));
      // What follows from it is not told again and again.
      CHECK(report.findings_total <= 500);
    }
  }
}

TEST_CASE("verify: a record inserted behind the end, or beside another, is found") {
  on_both([](Place& place) {
    Log log(place);
    const auto size = log.verify().size;
    const bool sqlite = place.url().starts_with("sqlite");
    const std::string columns =
        "transaction_seq, time_us, ordinal, table_id, op, pk, old_pk, payload, salt";
    const auto insert = [&](const std::string& seq) {
      return fmt::format(
          "INSERT INTO change ({0}seq, {1}) SELECT {0}{2}, {1} FROM change WHERE # AND "
          "seq = (SELECT max(seq) FROM change WHERE # AND seq < 300)",
          sqlite ? "" : "log_id, ", columns, seq);
    };
    log.tamper(insert(std::to_string(size)));
    CHECK_THAT(told(log.verify()), Catch::Contains("that the log does not reach"));
    log.tamper(fmt::format("DELETE FROM change WHERE # AND seq = {}", size));
    REQUIRE(log.verify().findings_total == 0);
    const auto event = log.value("SELECT min(seq) FROM event WHERE # AND seq > 300");
    log.tamper(insert(event));
    const auto said = told(log.verify());
    CHECK_THAT(said, Catch::Contains("there are two records " + event + ", a change and a event"));
    // The event is still taken for the right one.
    CHECK_THAT(said, !Catch::Contains("is not the record in the tree"));
  });
}

TEST_CASE("verify: records rewritten together with their tiles are caught by the heads") {
  on_both([](Place& place) {
    Log log(place);
    const auto seq = std::stoull(
        log.value("SELECT max(seq) FROM change WHERE # AND seq < 250 AND payload LIKE '%row%'"));
    // As somebody would who can compute hashes: another log, with the same history but one word.
    log.tamper(fmt::format(
        "UPDATE change SET payload = replace(payload, 'row', 'sow') WHERE # AND seq = {}", seq));
    log.tamper("DELETE FROM entry WHERE # AND bundle = 0");
    log.tamper("DELETE FROM tree_tile WHERE # AND tile = 0");
    const auto report = log.verify();
    const auto said = told(report);
    CHECK_THAT(said, Catch::Contains("is missing"));
    // Nothing is left to name the record by: the span is that of the first bundle.
    CHECK(std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& finding) {
      return finding.begin <= seq && seq < finding.end && finding.end - finding.begin <= 256;
    }));
  });
}

TEST_CASE("verify: a log cut off at its end is caught by a head kept elsewhere") {
  on_both([](Place& place) {
    Log log(place);
    const auto kept = open_reader(place.url())->tree_head();
    // Everything after the first half goes, as if it had never been: by restoring it as it was
    // then.
    const TreeHead half = *parse_checkpoint(log.since);
    const auto size = half.size;
    auto keys = LogKeys(log.folder(), open_reader(place.url())->status().origin);
    for (const auto& table : kKinds) {
      log.tamper(fmt::format("DELETE FROM {} WHERE # AND seq >= {}", table, size));
    }
    log.tamper(fmt::format("DELETE FROM tree_head WHERE # AND size > {}", size));
    log.tamper(fmt::format("DELETE FROM entry WHERE # AND bundle >= {}", size / 256));
    log.tamper(fmt::format("DELETE FROM tree_tile WHERE # AND tile >= {}", size / 256));
    const bool sqlite = place.url().starts_with("sqlite");
    std::string hex;
    for (const auto byte : half.root) hex += fmt::format("{:02x}", byte);
    log.tamper(fmt::format("UPDATE tree_edge SET size = {}, root = {} WHERE #", size,
                           sqlite ? "x'" + hex + "'" : "'\\x" + hex + "'::bytea"));
    // Even the folder of keys is put back.
    keys.set_last_head(log.since);
    const auto report = log.verify(kept);
    INFO(told(report));
    CHECK_THAT(told(report), Catch::Contains("its end was cut off, or an older backup restored"));
    // Against a head from before that, nothing is known to be missing: that is what it is kept for.
    CHECK_THAT(told(log.verify(log.since)), !Catch::Contains("cut off"));
    // A writer goes on from what is there; the last head signed, if it is kept, stops it.
    keys.set_last_head(kept);
    CHECK_THAT(told(log.verify()), Catch::Contains("the tree head signed last"));
  });
}

TEST_CASE("verify: another log in its place is found") {
  on_both([](Place& place) {
    Log log(place);
    const auto origin = open_reader(place.url())->status().origin;
    log.tamper("UPDATE log SET origin = origin || 'x' WHERE #");
    const auto said = told(log.verify(log.since));
    CHECK_THAT(said, Catch::Contains("there is no public key for this log") ||
                         Catch::Contains("the key is that of"));
    VerifyOptions wanted;
    wanted.keys = log.folder();
    wanted.key = LogKeys(log.folder(), origin).vkey();
    const auto with_key = told(verify_log(place.url(), wanted));
    CHECK_THAT(with_key, Catch::Contains("the key is that of " + origin));
    CHECK_THAT(with_key, Catch::Contains("is not the record in the tree"));
  });
}

TEST_CASE("verify: two logs of one Postgres swapped are both found") {
  const auto first = postgres_place();
  const auto second = postgres_place();
  Log log(*first);
  const auto other_url = second->url();
  WriterOptions options = log.options;
  write(*open_writer(other_url, options), 1, 300);
  const auto name = [](const std::string& url) { return url.substr(url.find("?log=") + 5); };
  const auto a = first->sql("SELECT log_id FROM log WHERE name = '" + name(first->url()) + "'")[0];
  const auto b = first->sql("SELECT log_id FROM log WHERE name = '" + name(other_url) + "'")[0];
  for (const char* table : kKinds) {
    first->sql(fmt::format("UPDATE {} SET log_id = -1 WHERE log_id = {}", table, a));
    first->sql(fmt::format("UPDATE {} SET log_id = {} WHERE log_id = {}", table, a, b));
    first->sql(fmt::format("UPDATE {} SET log_id = {} WHERE log_id = -1", table, b));
  }
  CHECK_THAT(told(log.verify()),
             Catch::Contains("it is not the record that its header was made from"));
}

TEST_CASE("verify: guards and views that were changed are found in SQLite") {
  const auto place = sqlite_place();
  const Log log(*place);
  place->sql("DROP TRIGGER change_delete");
  CHECK_THAT(told(log.verify()), Catch::Contains("the trigger change_delete is missing"));
  place->sql("DROP VIEW gaps; CREATE VIEW gaps AS SELECT * FROM gap WHERE seq > 5");
  place->sql("CREATE TRIGGER mine AFTER INSERT ON change BEGIN SELECT 1; END");
  const auto said = told(log.verify());
  CHECK_THAT(said, Catch::Contains("the view gaps was changed"));
  CHECK_THAT(said, Catch::Contains("trigger mine that rowtrail did not make"));
}

TEST_CASE("verify: triggers, rules and row security are found in Postgres") {
  const auto place = postgres_place();
  const Log log(*place);
  place->sql("CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'");
  place->sql("CREATE TRIGGER mine BEFORE INSERT ON anomaly FOR EACH ROW EXECUTE FUNCTION hide()");
  place->sql("CREATE RULE theirs AS ON INSERT TO input DO INSTEAD NOTHING");
  place->sql("ALTER TABLE anomaly ENABLE ROW LEVEL SECURITY");
  const auto said = told(log.verify());
  place->sql("ALTER TABLE anomaly DISABLE ROW LEVEL SECURITY");
  place->sql("DROP RULE theirs ON input");
  place->sql("DROP TRIGGER mine ON anomaly");
  place->sql("DROP FUNCTION hide()");
  CHECK_THAT(said, Catch::Contains("trigger mine on"));
  CHECK_THAT(said, Catch::Contains("rule theirs on"));
  CHECK_THAT(said, Catch::Contains("row security is on"));
  CHECK(log.verify().findings_total == 0);
}

TEST_CASE("verify: heads signed with a key that was lost stay good, on record") {
  on_both([](Place& place) {
    Log log(place);
    fs::remove_all(log.folder());
    auto options = log.options;
    options.accept = "the disk with the key died";
    open_writer(place.url(), options)->publish_head(true);
    const auto report = log.verify(log.since);
    INFO(told(report));
    CHECK(report.findings_total == 0);
    CHECK(report.heads == 3);
  });
}

TEST_CASE("verify: a proof stands alone, and no other key opens it") {
  on_both([](Place& place) {
    const Log log(place, 20);
    auto reader = open_reader(place.url());
    const auto vkey = LogKeys(log.folder(), reader->status().origin).vkey();
    for (std::uint64_t seq = 0; seq < reader->status().size; ++seq) {
      const auto proved = verify_proof_text(*reader->proof(seq), vkey);
      REQUIRE(proved.has_value());
      CHECK(proved->seq == seq);
      CHECK(proved->payload.starts_with('{'));
    }
    CHECK(verify_proof_text(*reader->proof(0), vkey)->kind == "rule_version");
    const auto other = SigningKey::generate(reader->status().origin).vkey();
    CHECK_FALSE(verify_proof_text(*reader->proof(0), other).has_value());
  });
}

}  // namespace
}  // namespace rowtrail::store::test
