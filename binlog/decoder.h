// Raw event bytes → Event. Pure and clockless: the same bytes give the same events, from a server,
// a file, a test or a fuzzer. Keeps what later events refer to: the format description, the current
// file name and position, and the table maps.
#pragma once

#include "binlog/event.h"
#include "core/core.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace rowtrail::binlog {

struct StreamState;

class Decoder {
 public:
  /// Limits on what the wire may ask us to hold.
  static constexpr std::size_t kTableMapsMax = 65536;
  static constexpr std::uint32_t kColumnsMax = 4096;
  static constexpr std::uint32_t kEventBytesMax = 1U << 30;

  Decoder();
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Names the file the next events belong to (files have no Rotate at their start).
  void set_position(std::string file, std::uint64_t pos);

  /// One event with its header and, if the stream has them, its checksum, which is verified.
  /// On an error the message names file, position and event type; the decoder must not be used on.
  /// A compressed transaction (TRANSACTION_PAYLOAD) is one raw event and many events: decode()
  /// gives the first, next_inner() the others while has_inner() says so. `raw` must stay until
  /// then, and decode() refuses more before. All of them start and end where the raw event does.
  core::Result<Event> decode(std::span<const std::byte> raw);
  [[nodiscard]] bool has_inner() const noexcept;
  core::Result<Event> next_inner();

  [[nodiscard]] const std::string& file() const noexcept;
  [[nodiscard]] std::uint64_t position() const noexcept;  // offset of the next event
  [[nodiscard]] Flavor flavor() const noexcept;
  [[nodiscard]] std::uint32_t format_created() const noexcept;
  [[nodiscard]] const std::string& server_version() const noexcept;

 private:
  core::Result<> decode_body(std::span<const std::byte> raw, Event& event);

  std::unique_ptr<StreamState> state_;
};

}  // namespace rowtrail::binlog
