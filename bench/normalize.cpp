// Reads binlog files through decoder and normalizer, on one core, and says how fast they become
// transactions of changes, and how fast those become canonical JSON.
//
//   normalize [--runs N] [--print] FILE...
//
// Beside it, in the same process and over the same bytes: reading the events and summing them
// (CRC32), so that figures of different machines and moments can be compared as ratios. --print
// writes the joined changes to standard output instead.
#include "normalize/normalize.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "bench/measure.h"
#include <fmt/format.h>

namespace {

using namespace rowtrail;  // NOLINT(google-build-using-namespace)
using rowtrail::bench::seconds;
using rowtrail::bench::sum_events;

struct Counts {
  std::uint64_t bytes = 0, transactions = 0, changes = 0, text_bytes = 0, checksum = 0;
};

[[noreturn]] void fail(const std::string& message) {
  fmt::print(stderr, "normalize: {}\n", message);
  std::exit(1);
}

/// Every finished transaction, or part of one, goes through `consume`.
template <class Consume>
Counts normalize_files(const std::vector<std::string>& paths, Consume consume) {
  Counts counts;
  binlog::Decoder decoder;
  normalize::Options options;
  options.source = "bench";
  normalize::Normalizer normalizer(options);
  const auto source = binlog::open_file_source(paths);
  while (true) {
    const auto raw = source->next();
    if (!raw) fail(raw.error().message);
    if (raw->empty()) break;
    if (auto name = source->take_new_file(); !name.empty()) {
      decoder.set_position(name, source->new_file_pos());
    }
    const auto event = decoder.decode(*raw);
    if (!event) fail(event.error().message);
    counts.bytes += raw->size();
    const auto pushed = normalizer.push(*event, decoder.file());
    if (!pushed) fail(pushed.error().message);
    while (auto transaction = normalizer.take()) {
      counts.transactions += transaction->last_part ? 1 : 0;
      counts.changes += transaction->changes.size();
      consume(*transaction, counts);
      normalizer.recycle(std::move(transaction));
    }
  }
  return counts;
}

void consume_changes(const normalize::Transaction& transaction, Counts& counts) {
  for (const auto& change : transaction.changes) counts.checksum += change.ordinal;
}

class Renderer {
 public:
  void operator()(const normalize::Transaction& transaction, Counts& counts) {
    text_.clear();
    normalize::append_transaction(text_, transaction);
    for (const auto& change : transaction.changes) normalize::append_change(text_, change);
    counts.text_bytes += text_.size();
  }

 private:
  std::string text_;
};

class Printer {
 public:
  void operator()(const normalize::Transaction& transaction, Counts& /*counts*/) {
    if (transaction.first_part) {
      header_.clear();
      normalize::append_transaction(header_, transaction);
    }
    const auto shared = normalize::TransactionPayload::parse(header_);
    if (!shared) fail(shared.error().message);
    for (const auto& change : transaction.changes) {
      payload_.clear();
      line_.clear();
      normalize::append_change(payload_, change);
      const auto joined = shared->append_joined(line_, seq_++, payload_, "");
      if (!joined) fail(joined.error().message);
      fmt::print("{}\n", line_);
    }
    for (const auto& gap : transaction.gaps) {
      line_.clear();
      normalize::append_gap(line_, transaction, gap);
      fmt::print("{}\n", line_);
    }
  }

 private:
  std::uint64_t seq_ = 0;
  std::string header_, payload_, line_;
};

void measure(const std::vector<std::string>& paths, int runs) {
  double sum = std::numeric_limits<double>::max(), changes = sum, json = sum;
  std::uint32_t sums = 0;
  Counts counts;
  for (int run = 0; run < runs; ++run) {
    sum = std::min(sum, seconds([&] { sums ^= sum_events(paths); }));
    changes = std::min(changes, seconds([&] { counts = normalize_files(paths, consume_changes); }));
    json = std::min(json, seconds([&] { counts = normalize_files(paths, Renderer()); }));
  }
  const double megabytes = static_cast<double>(counts.bytes) / 1e6;
  const auto rows = static_cast<double>(counts.changes);
  fmt::print("{:.1f} MB, {} transactions, {} changes; best of {} runs, one core\n", megabytes,
             counts.transactions, counts.changes, runs);
  fmt::print("  read and CRC32           {:7.0f} MB/s  (sums {:08x})\n", megabytes / sum, sums);
  fmt::print(
      "  decode to changes        {:7.0f} MB/s  {:9.0f} changes/s  ({:.2f} of read and CRC32)\n",
      megabytes / changes, rows / changes, sum / changes);
  fmt::print(
      "  decode to canonical JSON {:7.0f} MB/s  {:9.0f} changes/s  ({:.2f}), {:.0f} MB/s of text\n",
      megabytes / json, rows / json, sum / json,
      static_cast<double>(counts.text_bytes) / 1e6 / json);
  fmt::print("  rendering alone          {:7.0f} ns a change, {:.0f} bytes of text a change\n",
             (json - changes) / rows * 1e9, static_cast<double>(counts.text_bytes) / rows);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> paths;
  bool print = false;
  int runs = 3;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--print") {
      print = true;
    } else if (argument == "--runs" && i + 1 < argc) {
      runs = std::max(1, std::atoi(argv[++i]));
    } else {
      paths.emplace_back(argument);
    }
  }
  if (paths.empty()) fail("usage: normalize [--runs N] [--print] FILE...");
  if (print) {
    normalize_files(paths, Printer());
  } else {
    measure(paths, runs);
  }
  return 0;
}
