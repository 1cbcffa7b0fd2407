// The events inside a TRANSACTION_PAYLOAD (binlog_transaction_compression), one at a time: the
// compressed stream is expanded into a window that holds one event, never the whole transaction.
//
//   ┌ field, length, value … ┐  1: payload size, 2: compression, 3: uncompressed size, 0: end;
//   payload
#pragma once

#include "binlog/cursor.h"
#include "core/core.h"

#include <cstdint>
#include <memory>
#include <vector>

struct ZSTD_DCtx_s;

namespace rowtrail::binlog {

class PayloadReader {
 public:
  PayloadReader();
  ~PayloadReader();
  PayloadReader(const PayloadReader&) = delete;
  PayloadReader& operator=(const PayloadReader&) = delete;

  /// Begins with the body of a payload event, which must stay where it is until drained.
  core::Result<> open(Cursor& in);
  /// True while events are left.
  [[nodiscard]] bool active() const noexcept { return delivered_ < uncompressed_bytes_; }
  /// The next raw event (never with a checksum), valid until the next call.
  core::Result<ByteView> next();

 private:
  enum class Compression : std::uint8_t { Zstd = 0, None = 255 };
  struct FreeContext {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };
  core::Result<> check_end();
  /// Makes `size` bytes available at the reading place.
  core::Result<> fill(std::size_t size);
  /// Expands into `to`; returns how many bytes came, 0 when there are no more.
  core::Result<std::size_t> expand(std::byte* to, std::size_t size);

  std::unique_ptr<ZSTD_DCtx_s, FreeContext> zstd_;
  Compression compression_ = Compression::None;
  ByteView input_;
  std::uint64_t uncompressed_bytes_ = 0;
  std::uint64_t delivered_ = 0;
  std::vector<std::byte> window_;
  std::size_t at_ = 0;      // reading place in the window
  std::size_t filled_ = 0;  // bytes in the window
};

}  // namespace rowtrail::binlog
