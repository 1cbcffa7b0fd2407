// Reads binlog files through the whole decoder, to cells, on one core, and says how fast.
//
//   decode [--digest] [--runs N] FILE...
//
// Each run reads the files from the page cache (the first run warms it) through the same FileSource
// that `rowtrail replay` uses. Beside it, in the same process and over the same bytes: copying the
// file in 1 MiB reads, and the CRC32 of every event, so that figures of different machines and
// moments can be compared as ratios. --digest also hashes every cell of every row: proof that all
// of them are decoded, and equal on equal input.
#include "binlog/binlog.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/measure.h"
#include <fmt/format.h>

namespace {

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace)
using rowtrail::bench::seconds;
using rowtrail::bench::sum_events;

struct Counts {
  std::uint64_t bytes = 0, events = 0, rows = 0, cells = 0;
  std::uint64_t digest = 0;
};

[[noreturn]] void fail(const std::string& message) {
  fmt::print(stderr, "decode: {}\n", message);
  std::exit(1);
}

void hash_cells(std::span<const Cell> cells, std::uint64_t& digest) {
  for (const auto& cell : cells) {
    std::uint64_t value = cell.u;
    if (cell.has_text()) value = libdeflate_crc32(cell.size, cell.data, cell.size);
    digest = (digest ^ value ^ static_cast<std::uint64_t>(cell.kind) << 56) * 0x9E3779B97F4A7C15U;
    digest ^= digest >> 29;
  }
}

void count_rows(const RowsEvent& rows, Arena& arena, bool with_digest, Counts& counts) {
  RowsReader reader(rows, arena);
  Row row;
  while (reader.next(row)) {
    ++counts.rows;
    counts.cells += row.before.size() + row.after.size();
    if (with_digest) {
      hash_cells(row.before, counts.digest);
      hash_cells(row.after, counts.digest);
    }
  }
  if (reader.error() != nullptr) fail(reader.error()->message);
}

Counts decode_files(const std::vector<std::string>& paths, bool with_digest) {
  Counts counts;
  Decoder decoder;
  Arena arena;
  const auto source = open_file_source(paths);
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
    ++counts.events;
    if (const auto* rows = std::get_if<RowsEvent>(&event->body)) {
      count_rows(*rows, arena, with_digest, counts);
    } else if (std::holds_alternative<Xid>(event->body)) {
      arena.reset();
    }
  }
  return counts;
}

std::uint64_t copy_files(const std::vector<std::string>& paths) {
  std::vector<char> buffer(1024 * 1024);
  std::uint64_t bytes = 0;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    in.rdbuf()->pubsetbuf(nullptr, 0);
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
      bytes += static_cast<std::uint64_t>(in.gcount());
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> paths;
  bool with_digest = false;
  int runs = 3;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--digest") {
      with_digest = true;
    } else if (argument == "--runs" && i + 1 < argc) {
      runs = std::max(1, std::atoi(argv[++i]));
    } else {
      paths.emplace_back(argument);
    }
  }
  if (paths.empty()) fail("usage: decode [--digest] [--runs N] FILE...");

  Counts counts;
  double decode = 1e9, copy = 1e9, sum = 1e9;
  std::uint32_t sums = 0;
  for (int run = 0; run < runs; ++run) {
    std::uint64_t copied = 0;
    copy = std::min(copy, seconds([&] { copied = copy_files(paths); }));
    sum = std::min(sum, seconds([&] { sums ^= sum_events(paths); }));
    decode = std::min(decode, seconds([&] { counts = decode_files(paths, false); }));
    if (copied == 0) fail("nothing to read");
  }
  const double megabytes = static_cast<double>(counts.bytes) / 1e6;
  const auto rate = [](std::uint64_t count, double time) {
    return static_cast<double>(count) / time;
  };
  fmt::print("{:.1f} MB, {} events, {} rows, {} cells; best of {} runs, one core\n", megabytes,
             counts.events, counts.rows, counts.cells, runs);
  fmt::print(
      "  decode to cells  {:7.0f} MB/s  {:9.0f} events/s  {:9.0f} rows/s  {:10.0f} cells/s\n",
      megabytes / decode, rate(counts.events, decode), rate(counts.rows, decode),
      rate(counts.cells, decode));
  fmt::print("  CRC32 by event   {:7.0f} MB/s  (decode reaches {:.2f} of it; sums {:08x})\n",
             megabytes / sum, sum / decode, sums);
  fmt::print("  copy             {:7.0f} MB/s  (decode reaches {:.2f} of it)\n", megabytes / copy,
             copy / decode);
  if (with_digest) {
    fmt::print("  digest over all cells {:016x}\n", decode_files(paths, true).digest);
  }
  return 0;
}
