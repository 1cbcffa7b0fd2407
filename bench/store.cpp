// How fast the log takes records, everything on (Writer: records, indexes, tree, position), beside
// the same rows through a bare connection into the same tables with the same indexes: prepared
// inserts in SQLite, one binary COPY per table in Postgres. Both in turn, in one run, with equal
// batches.
//
//   bench_store [changes] [batch bytes] [rounds]     ROWTRAIL_POSTGRES_URL: a database it may write
//   to
//
// Rendering (Changes to canonical text) is timed apart: it is the pipeline's, and the same for
// both.
#include "store/store.h"

#include "store/database.h"
#include "store/log.h"
#include "store/migrations.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace rowtrail;
using Clock = std::chrono::steady_clock;

/// CPU time of this process: what a busy machine does not distort.
double cpu_seconds() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

double seconds(Clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

binlog::TableSchemaPtr make_table(const std::string& name, std::vector<std::string> columns) {
  auto schema = std::make_shared<binlog::TableSchema>();
  schema->database = "pharmacy";
  schema->table = name;
  for (auto& column : columns) schema->columns.emplace_back().name = std::move(column);
  schema->primary_key = {0};
  schema->names_known = true;
  schema->layout_hash = std::hash<std::string>{}(name);
  return schema;
}

/// Sales as the pharmacy of the demo makes them: a sale, its items, the stock they came from, a
/// payment.
class Pharmacy {
 public:
  /// A transaction and its event; valid until the next call.
  void next() {
    const auto number = ++number_;
    transaction.reset();
    transaction.source = "pharmacy";
    transaction.id = fmt::format("3e11fa47-71ca-11e1-9e33-c80aa9429562:{}", number);
    transaction.file = "binlog.000001";
    transaction.start_pos = number * 1000;
    transaction.end_pos = number * 1000 + 1000;
    transaction.committed_at_us = 1'795'514'400'000'000 + static_cast<std::int64_t>(number) * 5'000;
    transaction.event_time_us = transaction.committed_at_us;
    transaction.committed_at_has_fraction = true;
    transaction.server_id = 1;
    transaction.thread_id = 4711;
    const auto sale = static_cast<std::int64_t>(number);
    insert(sale_, sale);
    const auto items = random_() % 3 + 1;
    for (std::uint64_t i = 0; i < items; ++i) {
      insert(item_, ++item_id_);
      update(stock_, static_cast<std::int64_t>(random_() % 20'000));
    }
    insert(payment_, sale);

    events.resize(1);
    auto& event = events[0];
    event = {};
    event.type = "sale.completed";
    event.title = "Sale completed";
    event.summary = fmt::format("Sold {} products at location 3 for 17.45", items);
    event.time_us = transaction.committed_at_us;
    event.objects = {{"sale", std::to_string(sale), ""},
                     {"product", std::to_string(random_() % 5'000), ""},
                     {"location", "3", ""}};
    event.actor = {staff_[random_() % 8], "column", "heuristic"};
    event.attributes = R"({"total":"17.45"})";
    event.rule_id = "sale-completed";
    event.rule_version = "9f2c41d0";
    event.evidence.clear();
    for (const auto& change : transaction.changes) event.evidence.push_back(change.ordinal);
  }

  normalize::Transaction transaction;
  std::vector<infer::BusinessEvent> events;

 private:
  using Cells = std::span<binlog::Cell>;

  Cells row(const binlog::TableSchemaPtr& schema, std::int64_t id) {
    const auto cells = transaction.arena.make_span<binlog::Cell>(schema->columns.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cells[i] = {};
      if (i % 4 == 3) {
        text(cells[i], binlog::CellKind::Text, words_[random_() % words_.size()]);
      } else if (i % 4 == 2) {
        text(cells[i], binlog::CellKind::Decimal, "17.45");
      } else {
        cells[i].kind = binlog::CellKind::Int;
        cells[i].i = i == 0 ? id : static_cast<std::int64_t>(random_() % 5'000);
      }
    }
    return cells;
  }
  static void text(binlog::Cell& cell, binlog::CellKind kind, std::string_view value) {
    cell.kind = kind;
    cell.data = value.data();
    cell.size = static_cast<std::uint32_t>(value.size());
  }
  normalize::Change& add(const binlog::TableSchemaPtr& schema, normalize::Op op) {
    normalize::Change change;
    change.op = op;
    change.ordinal = static_cast<std::uint32_t>(transaction.changes.size());
    change.schema_version = 1;
    change.schema = schema.get();
    change.database = schema->database;
    change.table = schema->table;
    transaction.changes.push_back(change);
    return transaction.changes.back();
  }
  void insert(const binlog::TableSchemaPtr& schema, std::int64_t id) {
    add(schema, normalize::Op::Insert).after = row(schema, id);
  }
  void update(const binlog::TableSchemaPtr& schema, std::int64_t id) {
    auto& change = add(schema, normalize::Op::Update);
    const auto before = row(schema, id);
    const auto after = transaction.arena.make_span<binlog::Cell>(before.size());
    std::copy(before.begin(), before.end(), after.begin());
    after[1].i = before[1].i - 1;
    change.before = before;
    change.after = after;
  }

  binlog::TableSchemaPtr sale_ = make_table(
      "sale", {"id", "location_id", "total", "note", "customer_id", "till", "tax", "created_by"});
  binlog::TableSchemaPtr item_ =
      make_table("sale_item", {"id", "sale_id", "price", "product_name", "product_id", "quantity"});
  binlog::TableSchemaPtr stock_ =
      make_table("stock", {"id", "quantity", "value", "batch_number", "product_id", "location_id"});
  binlog::TableSchemaPtr payment_ =
      make_table("payment", {"id", "sale_id", "amount", "method", "terminal", "till"});
  std::vector<std::string> words_ = {"Ibuprofen 400 mg, 20 tablets",
                                     "Paracetamol",
                                     "LOT-2026-0815",
                                     "card",
                                     "cash",
                                     "repeat prescription, counselled at the counter"};
  std::vector<std::string> staff_ = {"anna", "ben",  "clara", "david",
                                     "eva",  "finn", "greta", "hugo"};
  std::mt19937_64 random_{20261124};
  std::uint64_t number_ = 0;
  std::int64_t item_id_ = 0;
};

/// One way of storing batches: everything on, or bare.
struct Target {
  std::string name;
  std::function<std::uint64_t()> next_seq;
  std::function<void(const store::Batch&)> write;  // and make durable
};

struct Outcome {
  double render_s = 0, write_s = 0, cpu_s = 0;
  std::uint64_t changes = 0, records = 0, bytes = 0;
  [[nodiscard]] double rate() const { return static_cast<double>(changes) / write_s; }
};

Outcome run(const Target& target, std::uint64_t changes_wanted, std::size_t batch_bytes) {
  Pharmacy pharmacy;
  store::Batch batch;
  Outcome outcome;
  batch.reset(target.next_seq());
  while (outcome.changes < changes_wanted) {
    const auto begin = Clock::now();
    while (batch.bytes() < batch_bytes) {
      pharmacy.next();
      batch.add(pharmacy.transaction, 0, store::Batch::kBytesMax, pharmacy.events, {});
    }
    const auto rendered = Clock::now();
    const double cpu = cpu_seconds();
    target.write(batch);
    outcome.cpu_s += cpu_seconds() - cpu;
    outcome.write_s += seconds(Clock::now() - rendered);
    outcome.render_s += seconds(rendered - begin);
    outcome.changes += batch.changes.size();
    outcome.records += batch.next_seq() - batch.first_seq();
    outcome.bytes += batch.bytes();
    batch.reset(batch.next_seq());
  }
  return outcome;
}

Target everything(const std::string& url) {
  auto writer = std::shared_ptr<store::Writer>(store::open_writer(url));
  return {"everything on", [writer] { return writer->next_seq(); },
          [writer](const store::Batch& batch) {
            writer->append(batch);
            writer->commit("pharmacy", {"binlog.000001", batch.next_seq(), "", "", 0}, 0);
          }};
}

/// The rows alone: no fence, no tree, no position.
Target bare(const std::string& text) {
  const auto url = store::Url::parse(text);
  auto db = std::shared_ptr<store::Database>(store::open_database(url, store::Access::Write));
  store::migrate(*db, url.display);
  return {"bare", [] { return std::uint64_t{0}; },
          [db](const store::Batch& batch) {
            std::vector<std::int32_t> ids;
            for (std::size_t i = 0; i < batch.tables.size(); ++i) {
              ids.push_back(static_cast<std::int32_t>(i + 1));
            }
            db->begin();
            store::Salts salts{batch.first_seq(),
                               std::string((batch.next_seq() - batch.first_seq()) * 32, 's')};
            db->insert(999, batch, salts, ids);
            db->commit();
          }};
}

void print(const std::string& name, const Outcome& outcome) {
  fmt::print(
      "  {:<14} {:>9.0f} changes/s  {:>9.0f} records/s  {:>6.1f} MB/s text  "
      "(rendering {:.0f} changes/s)\n",
      name, outcome.rate(), static_cast<double>(outcome.records) / outcome.write_s,
      static_cast<double>(outcome.bytes) / outcome.write_s / 1e6,
      static_cast<double>(outcome.changes) / outcome.render_s);
  std::fflush(stdout);
}

template <class Fresh>
void compare(const std::string& title, std::uint64_t changes, std::size_t batch_bytes, int rounds,
             const Fresh& fresh_url) {
  fmt::print("{}: {} changes, commits of {} KiB\n", title, changes, batch_bytes / 1024);
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    // Turn about, so that a drift of the machine does not favour one.
    Outcome full, plain;
    const auto do_full = [&] {
      print("everything on", full = run(everything(fresh_url()), changes, batch_bytes));
    };
    const auto do_bare = [&] {
      print("bare", plain = run(bare(fresh_url()), changes, batch_bytes));
    };
    if (round % 2 == 0) {
      do_full(), do_bare();
    } else {
      do_bare(), do_full();
    }
    ratios.push_back(full.rate() / plain.rate());
  }
  std::sort(ratios.begin(), ratios.end());
  fmt::print("  ratio {:.2f} ({:.2f}–{:.2f})\n", ratios[ratios.size() / 2], ratios.front(),
             ratios.back());
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t changes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200'000;
  const std::size_t batch_bytes = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 4'000'000;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("rowtrail-bench-{}", ::getpid());
  std::filesystem::create_directories(folder);
  compare("SQLite", changes, batch_bytes, rounds, [&] {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    return "sqlite://" + (folder / "log.db").string();
  });
  std::filesystem::remove_all(folder);
  if (const char* url = std::getenv("ROWTRAIL_POSTGRES_URL")) {
    compare("Postgres", changes, batch_bytes, rounds, [&] {
      store::open_database(store::Url::parse(url), store::Access::Write)
          ->script("SET client_min_messages = warning; DROP SCHEMA IF EXISTS rowtrail CASCADE");
      return std::string(url);
    });
  }
  return 0;
}
