// PacketBuffer fed with anything, in pieces of any size. The first bytes choose limits and pieces.
// Checked besides memory: what comes out of one piece equals what comes out of many.
#include "binlog/packet.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace rowtrail::binlog;  // NOLINT(google-build-using-namespace)

std::string pump(std::string_view stream, std::size_t piece, std::size_t payload_max) {
  PacketBuffer buffer(4096, payload_max);
  std::string out;
  for (;;) {
    ByteView payload;
    for (;;) {
      const auto status = buffer.next(payload);
      if (status == PacketBuffer::Status::Bad) return out + "bad";
      if (status == PacketBuffer::Status::NeedMore) break;
      if (payload.size() > payload_max) std::abort();
      out += std::to_string(payload.size()) + ":";
      out += as_text(payload);
    }
    if (stream.empty()) return out;
    const auto room = buffer.writable();
    if (room.empty()) std::abort();
    const auto count = std::min({piece, room.size(), stream.size()});
    std::memcpy(room.data(), stream.data(), count);
    buffer.commit(count);
    stream.remove_prefix(count);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t piece = data[0] + 1U;
  const std::size_t payload_max = data[1] + data[2] * 256U + 1U;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 3, size - 3);
  if (pump(stream, piece, payload_max) != pump(stream, size, payload_max)) std::abort();
  return 0;
}
