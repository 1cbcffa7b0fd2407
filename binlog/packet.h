// Framing of the client/server protocol without I/O: bytes go in as the network gave them, whole
// payloads come out. Used for the handshake (small, copied) and for the binlog stream, where a
// payload that lies whole in the buffer is handed out in place.
//
//   ┌ length 3 ┬ sequence 1 ┬ payload … ┐   a payload of 2^24 - 1 bytes goes on in the next packet
//
// Layout: MySQL's documentation, "Protocol::Packet".
#pragma once

#include "binlog/cursor.h"
#include "core/core.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::binlog {

constexpr std::size_t kPacketHeaderBytes = 4;
constexpr std::size_t kPacketChunkMax = 0xFFFFFF;
/// A greeting, an error, an authentication answer: nothing before the dump is larger.
constexpr std::size_t kCommandPayloadMax = 1U << 20;
/// One event (kEventBytesMax) and the status byte before it.
constexpr std::size_t kStreamPayloadMax = (1U << 30) + 1;

/// `payload` framed for sending; `sequence` is counted on. Splits as the protocol demands.
[[nodiscard]] std::string frame_packet(std::string_view payload, std::uint8_t& sequence);

/// An anonymous mapping: grows and shrinks without copying, and gives memory back when it shrinks.
class MappedBytes {
 public:
  explicit MappedBytes(std::size_t bytes);
  ~MappedBytes();
  MappedBytes(const MappedBytes&) = delete;
  MappedBytes& operator=(const MappedBytes&) = delete;

  void resize(std::size_t bytes);
  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

class PacketBuffer {
 public:
  enum class Status : std::uint8_t { Packet, NeedMore, Bad };

  explicit PacketBuffer(std::size_t bytes, std::size_t payload_max = kCommandPayloadMax);

  /// Where the next bytes of the network belong; never empty. Ends the life of every payload
  /// handed out before: room is made by moving what is left to the front, growing the buffer only
  /// for a packet that is larger than it and shrinking it again afterwards.
  [[nodiscard]] std::span<std::byte> writable();
  /// `bytes` of writable() have been filled.
  void commit(std::size_t bytes) noexcept { end_ += bytes; }

  /// The next whole payload. After Bad, error() says why and the stream is of no more use.
  [[nodiscard]] Status next(ByteView& payload) {
    const auto have = end_ - begin_;
    if (joined_ == 0 && have >= kPacketHeaderBytes) [[likely]] {
      const auto* at = bytes_.data() + begin_;
      const auto length = static_cast<std::size_t>(load_le<3>(at));
      if (have - kPacketHeaderBytes >= length && length < short_max_ &&
          std::to_integer<std::uint8_t>(at[3]) == sequence_) [[likely]] {
        payload = {at + kPacketHeaderBytes, length};
        begin_ += kPacketHeaderBytes + length;
        ++sequence_;
        return Status::Packet;
      }
    }
    return next_slow(payload);
  }

  /// A new command starts counting at 0 with the client's packet; the answer starts at 1.
  void set_sequence(std::uint8_t sequence) noexcept { sequence_ = sequence; }
  [[nodiscard]] std::uint8_t sequence() const noexcept { return sequence_; }
  void set_payload_max(std::size_t bytes) noexcept;
  /// ByteView that came and were not handed out yet.
  [[nodiscard]] std::size_t pending() const noexcept { return end_ - begin_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return bytes_.size(); }
  [[nodiscard]] const core::Error& error() const noexcept { return error_; }

 private:
  [[nodiscard]] Status next_slow(ByteView& payload);
  [[nodiscard]] Status bad(core::Errc code, std::string message);

  MappedBytes bytes_;
  std::size_t base_;         // capacity when no large packet is under way
  std::size_t payload_max_;  // a longer payload is refused before it is buffered
  std::size_t short_max_;    // payloads below this need no further check
  std::size_t begin_ = 0;    // header of the packet under way
  std::size_t end_ = 0;      // end of what came
  std::size_t joined_ = 0;   // bytes of a split payload that already lie together at begin_ + 4
  std::size_t hole_ = 0;     // headers taken out from between them
  std::size_t needed_ = kPacketHeaderBytes;  // bytes from begin_ that the packet is known to need
  std::uint8_t sequence_ = 0;
  core::Error error_;
};

}  // namespace rowtrail::binlog
