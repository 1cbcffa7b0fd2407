#include "stream.h"

#include <cstring>
#include <stdexcept>

#include <libdeflate.h>

namespace rowtrail::test {
namespace {

constexpr std::size_t kSizeOffset = 9;
constexpr std::size_t kChecksumBytes = 4;

void set_size(Raw& event) {
  const auto size = static_cast<std::uint32_t>(event.size());
  std::memcpy(event.data() + kSizeOffset, &size, sizeof size);
}

}  // namespace

std::vector<Raw> read_events(const std::string& path) {
  const auto source = binlog::open_file_source({path});
  std::vector<Raw> events;
  while (true) {
    const auto raw = source->next();
    if (!raw) throw std::runtime_error(raw.error().message);
    if (raw->empty()) return events;
    events.emplace_back(raw->begin(), raw->end());
  }
}

std::vector<Raw> read_golden(std::string_view name) {
  return read_events(std::string(ROWTRAIL_TEST_DATA "/golden/").append(name).append(".binlog"));
}

Raw without_checksum(const Raw& event) {
  return prefix(event, event.size() - kChecksumBytes);
}

Raw prefix(const Raw& event, std::size_t size) {
  Raw cut(event.begin(), event.begin() + static_cast<std::ptrdiff_t>(size));
  if (size >= binlog::EventHeader::kBytes) set_size(cut);
  return cut;
}

Raw make_event(std::uint8_t type, std::string_view body, std::uint16_t flags,
               std::uint32_t log_pos) {
  Raw event(binlog::EventHeader::kBytes + body.size());
  event[4] = std::byte{type};
  event[5] = std::byte{1};
  std::memcpy(event.data() + 13, &log_pos, sizeof log_pos);
  std::memcpy(event.data() + 17, &flags, sizeof flags);
  if (!body.empty())
    std::memcpy(event.data() + binlog::EventHeader::kBytes, body.data(), body.size());
  set_size(event);
  return event;
}

void set_checksum(Raw& event) {
  const auto body = event.size() - kChecksumBytes;
  const std::uint32_t sum = libdeflate_crc32(0, event.data(), body);
  std::memcpy(event.data() + body, &sum, sizeof sum);
}

Raw format_description(bool checksums) {
  auto event = read_golden("integers").front();
  event[event.size() - kChecksumBytes - 1] = std::byte{checksums};
  set_checksum(event);
  return event;
}

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

}  // namespace rowtrail::test
