#include "binlog/packet.h"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <sys/mman.h>

namespace rowtrail::binlog {
namespace {

constexpr std::byte kErrorMark{0xFF};

}  // namespace

std::string frame_packet(std::string_view payload, std::uint8_t& sequence) {
  std::string framed;
  framed.reserve(payload.size() + (payload.size() / kPacketChunkMax + 1) * kPacketHeaderBytes);
  for (bool more = true; more;) {
    const auto chunk = payload.substr(0, kPacketChunkMax);
    for (unsigned shift = 0; shift < 24; shift += 8) {
      framed += static_cast<char>((chunk.size() >> shift) & 0xFF);
    }
    framed += static_cast<char>(sequence++);
    framed += chunk;
    payload.remove_prefix(chunk.size());
    more =
        chunk.size() == kPacketChunkMax;  // a full chunk is followed by another, even an empty one
  }
  return framed;
}

MappedBytes::MappedBytes(std::size_t bytes) : size_(bytes) {
  void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::byte*>(at);
}

MappedBytes::~MappedBytes() {
  ::munmap(data_, size_);
}

void MappedBytes::resize(std::size_t bytes) {
  void* at = ::mremap(data_, size_, bytes, MREMAP_MAYMOVE);
  if (at == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::byte*>(at);
  size_ = bytes;
}

PacketBuffer::PacketBuffer(std::size_t bytes, std::size_t payload_max)
    : bytes_(bytes), base_(bytes), payload_max_(payload_max), short_max_(0) {
  set_payload_max(payload_max);
}

void PacketBuffer::set_payload_max(std::size_t bytes) noexcept {
  payload_max_ = bytes;
  short_max_ = std::min(kPacketChunkMax, bytes + 1);
}

std::span<std::byte> PacketBuffer::writable() {
  const auto left = end_ - begin_;
  if (begin_ > 0) {
    if (left > 0) std::memmove(bytes_.data(), bytes_.data() + begin_, left);
    begin_ = 0;
    end_ = left;
  }
  // One byte beyond what is known to be needed, so that there is always room to read into.
  const auto wanted = std::max({base_, needed_, left + 1});
  if (wanted > bytes_.size() || (wanted == base_ && bytes_.size() > base_)) bytes_.resize(wanted);
  return {bytes_.data() + end_, bytes_.size() - end_};
}

PacketBuffer::Status PacketBuffer::bad(core::Errc code, std::string message) {
  error_ = {code, std::move(message)};
  return Status::Bad;
}

PacketBuffer::Status PacketBuffer::next_slow(ByteView& payload) {
  for (;;) {
    // The header of the packet's next part stands behind what was joined and the hole that left.
    const auto header = begin_ + (joined_ == 0 ? 0 : kPacketHeaderBytes + joined_ + hole_);
    const auto body = header + kPacketHeaderBytes;
    needed_ = body - begin_;
    if (end_ < body) return Status::NeedMore;
    auto* const at = bytes_.data() + header;
    const auto length = static_cast<std::size_t>(load_le<3>(at));
    const auto sequence = std::to_integer<std::uint8_t>(at[3]);
    if (length > payload_max_ || joined_ > payload_max_ - length) {
      return bad(core::Errc::Limit, fmt::format("packet of more than {} bytes", payload_max_));
    }
    needed_ = body + length - begin_;
    if (end_ - body < length) return Status::NeedMore;
    // Servers send a last error (shutdown, kill) without regard to the count; its text matters
    // more.
    const bool is_error = joined_ == 0 && length > 0 && at[kPacketHeaderBytes] == kErrorMark;
    if (sequence != sequence_ && !is_error) {
      return bad(
          core::Errc::Malformed,
          fmt::format("packet out of order: number {} where {} was due", sequence, sequence_));
    }
    sequence_ = static_cast<std::uint8_t>(sequence + 1);
    if (joined_ > 0 || hole_ > 0) {
      std::memmove(bytes_.data() + begin_ + kPacketHeaderBytes + joined_, at + kPacketHeaderBytes,
                   length);
      hole_ += kPacketHeaderBytes;
    }
    joined_ += length;
    if (length == kPacketChunkMax) continue;
    payload = {bytes_.data() + begin_ + kPacketHeaderBytes, joined_};
    begin_ += kPacketHeaderBytes + std::exchange(joined_, 0) + std::exchange(hole_, 0);
    needed_ = kPacketHeaderBytes;
    return Status::Packet;
  }
}

}  // namespace rowtrail::binlog
