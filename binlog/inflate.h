// MariaDB's compressed values: events (log_bin_compress) and columns (COMPRESSED) carry zlib data
// behind one byte of header and their big-endian size.
//
//   ┌ 1 ┬ algorithm 3 ┬ raw 1 ┬ size bytes 3 ┐ bits of the first byte; then size, data
#pragma once

#include "binlog/cursor.h"

#include <cstdint>

namespace rowtrail::binlog {

struct CompressedValue {
  std::uint64_t size = 0;  // uncompressed
  bool is_raw = false;     // deflate without zlib's wrapping (column_compression_zlib_wrap=OFF)
  ByteView data;
};

/// Reads the header of a compressed value; the rest of `in` is its data. Fails the cursor on an
/// unknown algorithm.
[[nodiscard]] CompressedValue read_compressed(Cursor& in);
/// Expands to `to`, which has room for value.size; false unless exactly that many bytes come.
[[nodiscard]] bool inflate(const CompressedValue& value, std::byte* to);

}  // namespace rowtrail::binlog
