// What the benchmarks over binlog files measure against, and how they time it.
#pragma once

#include "binlog/binlog.h"

#include <chrono>
#include <string>
#include <vector>

#include <libdeflate.h>

namespace rowtrail::bench {

/// Reads every event and sums it (CRC32): the least a reader that checks its input has to do.
inline std::uint32_t sum_events(const std::vector<std::string>& paths) {
  const auto source = binlog::open_file_source(paths);
  std::uint32_t all = 0;
  for (auto raw = source->next(); raw && !raw->empty(); raw = source->next()) {
    all ^= libdeflate_crc32(0, raw->data(), raw->size());
  }
  return all;
}

template <class Work>
double seconds(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace rowtrail::bench
