#include "binlog/inflate.h"

#include <memory>

#include <libdeflate.h>

namespace rowtrail::binlog {
namespace {

struct Free {
  void operator()(libdeflate_decompressor* decompressor) const noexcept {
    libdeflate_free_decompressor(decompressor);
  }
};

}  // namespace

CompressedValue read_compressed(Cursor& in) {
  constexpr unsigned kCompressed = 0x80, kAlgorithm = 0x70, kRaw = 0x08, kSizeBytes = 0x07;
  CompressedValue value;
  const unsigned header = in.u8();
  if ((header & kCompressed) == 0 || (header & kAlgorithm) != 0) in.fail();
  value.is_raw = (header & kRaw) != 0;
  value.size = in.be(header & kSizeBytes);
  value.data = in.take(in.remaining());
  return value;
}

bool inflate(const CompressedValue& value, std::byte* to) {
  thread_local const std::unique_ptr<libdeflate_decompressor, Free> decompressor(
      libdeflate_alloc_decompressor());
  const auto expand = value.is_raw ? libdeflate_deflate_decompress : libdeflate_zlib_decompress;
  std::size_t size = 0;
  return expand(decompressor.get(), value.data.data(), value.data.size(), to, value.size, &size) ==
             LIBDEFLATE_SUCCESS &&
         size == value.size;
}

}  // namespace rowtrail::binlog
