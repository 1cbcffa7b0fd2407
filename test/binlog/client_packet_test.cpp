#include "binlog/packet.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace rowtrail;
using namespace rowtrail::binlog;

namespace {

std::string patterned(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 31 + i / 251) & 0xFF);
  return text;
}

/// Feeds `stream` in pieces of at most `piece` bytes and returns every payload that came out.
std::vector<std::string> pump(PacketBuffer& buffer, std::string_view stream, std::size_t piece) {
  std::vector<std::string> payloads;
  while (!stream.empty()) {
    auto room = buffer.writable();
    const auto count = std::min({piece, room.size(), stream.size()});
    std::memcpy(room.data(), stream.data(), count);
    buffer.commit(count);
    stream.remove_prefix(count);
    ByteView payload;
    for (;;) {
      const auto status = buffer.next(payload);
      if (status == PacketBuffer::Status::Packet) {
        payloads.emplace_back(as_text(payload));
        continue;
      }
      if (status == PacketBuffer::Status::Bad) {
        payloads.push_back("bad: " + buffer.error().message);
        return payloads;
      }
      break;
    }
  }
  return payloads;
}

}  // namespace

TEST_CASE("packets: payloads come out whole however the network cuts them") {
  std::vector<std::string> wanted;
  std::string stream;
  std::uint8_t sequence = 0;
  std::mt19937 random(7);
  for (int i = 0; i < 400; ++i) {  // the sequence number wraps on the way
    wanted.push_back(patterned(random() % 300));
    stream += frame_packet(wanted.back(), sequence);
  }
  for (const std::size_t piece : {1U, 3U, 4U, 5U, 64U, 1000U, 1U << 20}) {
    PacketBuffer buffer(256);
    CHECK(pump(buffer, stream, piece) == wanted);
    CHECK(buffer.pending() == 0);
    CHECK(buffer.writable().size() == 256);
  }
}

TEST_CASE("packets: a payload of 16 MB and more is joined, and the buffer shrinks afterwards") {
  for (const std::size_t size : {kPacketChunkMax - 1, kPacketChunkMax, kPacketChunkMax + 1,
                                 2 * kPacketChunkMax, 2 * kPacketChunkMax + 77}) {
    const std::vector<std::string> wanted{"before", patterned(size), "after", ""};
    std::string stream;
    std::uint8_t sequence = 250;
    for (const auto& payload : wanted) stream += frame_packet(payload, sequence);
    CHECK(stream.size() == size + 11 + 4 * (4 + size / kPacketChunkMax));
    for (const std::size_t piece : {100'000U, 1U << 30}) {
      PacketBuffer buffer(1024, kStreamPayloadMax);
      buffer.set_sequence(250);
      CHECK(pump(buffer, stream, piece) == wanted);
      CHECK(buffer.capacity() <= size + 64 * 1024);
      static_cast<void>(buffer.writable());
      CHECK(buffer.capacity() == 1024);
    }
  }
}

TEST_CASE("packets: a payload over the limit is refused before it is buffered") {
  PacketBuffer buffer(256, 1000);
  std::uint8_t sequence = 0;
  const auto out = pump(buffer, frame_packet(std::string(1001, 'x'), sequence), 4);
  REQUIRE(out == std::vector<std::string>{"bad: packet of more than 1000 bytes"});
  CHECK(buffer.error().code == core::Errc::Limit);
  CHECK(buffer.capacity() == 256);

  PacketBuffer exact(256, 1000);
  sequence = 0;
  CHECK(pump(exact, frame_packet(std::string(1000, 'x'), sequence), 400).front().size() == 1000);

  // A split payload counts as a whole.
  PacketBuffer joined(256, kPacketChunkMax + 10);
  sequence = 0;
  const auto large = frame_packet(std::string(kPacketChunkMax + 11, 'x'), sequence);
  CHECK(pump(joined, large, 1U << 20).front().starts_with("bad: packet of more than"));
}

TEST_CASE("packets: a number out of turn is an error, but a last error packet is let through") {
  std::uint8_t sequence = 0;
  auto stream = frame_packet("one", sequence);
  sequence = 5;
  PacketBuffer buffer(256);
  CHECK(pump(buffer, stream + frame_packet("two", sequence), 100) ==
        std::vector<std::string>{"one", "bad: packet out of order: number 5 where 1 was due"});
  sequence = 5;
  PacketBuffer other(256);
  CHECK(pump(other, stream + frame_packet("\xFFkilled", sequence), 100) ==
        std::vector<std::string>{"one", "\xFFkilled"});
}
