#include "binlog/payload.h"

#include "binlog/decoder.h"
#include "binlog/event.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <zstd.h>

namespace rowtrail::binlog {
namespace {

constexpr std::size_t kWindowBytes = 256 * 1024;

core::Error malformed(const char* what) {
  return {core::Errc::Malformed, what};
}

}  // namespace

PayloadReader::PayloadReader() = default;
PayloadReader::~PayloadReader() = default;

void PayloadReader::FreeContext::operator()(ZSTD_DCtx_s* context) const noexcept {
  ZSTD_freeDCtx(context);
}

core::Result<> PayloadReader::open(Cursor& in) {
  enum Field : std::uint8_t {
    EndMark = 0,
    PayloadSize = 1,
    CompressionType = 2,
    UncompressedSize = 3
  };
  std::uint64_t payload_bytes = 0, compression = static_cast<std::uint64_t>(Compression::None);
  uncompressed_bytes_ = delivered_ = 0;
  at_ = filled_ = 0;
  std::uint64_t uncompressed = 0;
  while (in.ok()) {
    const auto field = in.lenenc();
    if (field == EndMark) break;
    auto value = in.sub(in.lenenc());
    if (field == PayloadSize) payload_bytes = value.lenenc();
    if (field == CompressionType) compression = value.lenenc();
    if (field == UncompressedSize) uncompressed = value.lenenc();
    if (!value.ok()) return malformed("the header of the payload is malformed");
  }
  input_ = in.take(payload_bytes);
  if (!in.ok()) {
    return core::Error{core::Errc::Truncated, "the payload is shorter than its header says"};
  }
  compression_ = static_cast<Compression>(compression);
  if (compression == static_cast<std::uint64_t>(Compression::None)) {
    uncompressed = input_.size();  // the field is only written beside a compression
  } else if (compression == static_cast<std::uint64_t>(Compression::Zstd)) {
    if (uncompressed == 0) return malformed("the payload does not say its uncompressed size");
    if (zstd_ == nullptr) zstd_.reset(ZSTD_createDCtx());
    ZSTD_DCtx_reset(zstd_.get(), ZSTD_reset_session_only);
  } else {
    return core::Error{core::Errc::Unsupported,
                       fmt::format("unknown compression {} of a transaction", compression)};
  }
  if (window_.empty()) window_.resize(kWindowBytes);
  uncompressed_bytes_ = uncompressed;
  return {};
}

core::Result<std::size_t> PayloadReader::expand(std::byte* to, std::size_t size) {
  if (compression_ == Compression::None) {
    const auto count = std::min(size, input_.size());
    if (count > 0) std::memcpy(to, input_.data(), count);
    input_ = input_.subspan(count);
    return count;
  }
  ZSTD_inBuffer in{input_.data(), input_.size(), 0};
  ZSTD_outBuffer out{to, size, 0};
  while (out.pos < out.size) {
    const auto consumed = in.pos, produced = out.pos;
    const auto status = ZSTD_decompressStream(zstd_.get(), &out, &in);
    if (ZSTD_isError(status) != 0) {
      return core::Error{
          core::Errc::Malformed,
          fmt::format("the payload cannot be decompressed: {}", ZSTD_getErrorName(status))};
    }
    if (in.pos == consumed && out.pos == produced) break;
  }
  input_ = input_.subspan(in.pos);
  return out.pos;
}

core::Result<> PayloadReader::fill(std::size_t size) {
  if (filled_ - at_ >= size) return {};
  std::memmove(window_.data(), window_.data() + at_, filled_ - at_);
  filled_ -= at_;
  at_ = 0;
  if (window_.size() < size) {
    window_.resize(size);
  } else if (window_.size() > kWindowBytes && std::max(size, filled_) <= kWindowBytes) {
    window_.resize(kWindowBytes);  // a giant event is over: give its memory back
    window_.shrink_to_fit();
  }
  const auto got = expand(window_.data() + filled_, window_.size() - filled_);
  if (!got) return got.error();
  filled_ += *got;
  if (filled_ < size) return malformed("the payload ends inside an event");
  return {};
}

core::Result<ByteView> PayloadReader::next() {
  if (auto filled = fill(EventHeader::kBytes); !filled) return filled.error();
  const std::size_t size = load_le<4>(window_.data() + at_ + 9);
  if (size < EventHeader::kBytes || size > Decoder::kEventBytesMax ||
      size > uncompressed_bytes_ - delivered_) {
    return malformed("an event in the payload has an impossible size");
  }
  if (auto filled = fill(size); !filled) return filled.error();
  const ByteView event(window_.data() + at_, size);
  at_ += size;
  delivered_ += size;
  if (!active()) {
    if (auto ended = check_end(); !ended) return ended.error();
  }
  return event;
}

core::Result<> PayloadReader::check_end() {
  std::byte extra{};
  const auto got = at_ < filled_ ? core::Result<std::size_t>(1) : expand(&extra, 1);
  if (!got) return got.error();
  if (*got != 0) return malformed("the payload is longer than its header says");
  return {};
}

}  // namespace rowtrail::binlog
