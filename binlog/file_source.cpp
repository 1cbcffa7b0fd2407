// Binlog files, packed or not, as a Source. Reads through one buffer that grows only for an event
// larger than it.
#include "binlog/cursor.h"
#include "binlog/decoder.h"
#include "binlog/event.h"
#include "binlog/event_types.h"
#include "binlog/input_file.h"
#include "binlog/source.h"

#include <atomic>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

constexpr std::size_t kBufferBytes = 1024 * 1024;
constexpr std::string_view kMagic{
    "\xFE"
    "bin",
    4};
constexpr std::string_view kEncryptedMagic{
    "\xFD"
    "bin",
    4};

class FileSource final : public Source {
 public:
  FileSource(std::vector<std::string> paths, std::uint64_t start_pos)
      : paths_(std::move(paths)), start_pos_(start_pos), buffer_(kBufferBytes) {}

  core::Result<std::span<const std::byte>> next() override;
  void stop() noexcept override { stopped_.store(true, std::memory_order_relaxed); }
  std::string take_new_file() override { return std::exchange(new_file_, {}); }
  std::uint64_t new_file_pos() const override { return new_file_pos_; }

 private:
  core::Result<> open_next();
  core::Result<> check_magic();
  void jump();
  /// Makes `size` bytes available at the reading place; fewer at the end of the file.
  std::size_t fill(std::size_t size);
  [[nodiscard]] const std::string& path() const { return paths_[index_]; }
  [[nodiscard]] core::Error truncated(std::size_t promised, std::size_t left) const;
  [[nodiscard]] std::uint64_t offset() const { return read_to_ - (filled_ - at_); }

  std::vector<std::string> paths_;
  std::uint64_t start_pos_;
  std::size_t index_ = 0;
  InputFile file_;
  std::vector<std::byte> buffer_;
  std::size_t at_ = 0;         // reading place in the buffer
  std::size_t filled_ = 0;     // bytes in the buffer
  std::uint64_t read_to_ = 0;  // offset in the file of the buffer's end
  bool skip_to_start_ = false;
  std::uint64_t jump_to_ = 0;  // where the next read goes on, when not 0
  std::string new_file_;
  std::uint64_t new_file_pos_ = kMagic.size();
  std::atomic<bool> stopped_{false};
};

std::size_t FileSource::fill(std::size_t size) {
  if (filled_ - at_ >= size) return filled_ - at_;
  if (at_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + at_, filled_ - at_);
    filled_ -= at_;
    at_ = 0;
  }
  if (buffer_.size() < size) {
    buffer_.resize(size);
  } else if (buffer_.size() > kBufferBytes && size <= kBufferBytes && filled_ <= kBufferBytes) {
    buffer_.resize(kBufferBytes);  // a giant event is over: give its memory back
    buffer_.shrink_to_fit();
  }
  const auto got = file_.read(buffer_.data() + filled_, buffer_.size() - filled_, read_to_);
  filled_ += got;
  read_to_ += got;
  return filled_ - at_;
}

core::Error FileSource::truncated(std::size_t promised, std::size_t left) const {
  return {core::Errc::Truncated,
          fmt::format("{}:{}: the file ends inside an event ({} of {} bytes); it was cut off or is "
                      "still being written",
                      path(), offset(), left, promised)};
}

core::Result<> FileSource::check_magic() {
  const auto got = fill(kMagic.size());
  const auto magic = as_text({buffer_.data(), std::min(got, kMagic.size())});
  if (magic == kEncryptedMagic) {
    return core::Error{
        core::Errc::Unsupported,
        fmt::format("{} is encrypted (binlog_encryption=ON); read it from the server, "
                    "which decrypts what it sends, or with mysqlbinlog --raw "
                    "--read-from-remote-server",
                    path())};
  }
  if (magic != kMagic) {
    return core::Error{
        core::Errc::Malformed,
        fmt::format("{} is not a binlog file: it does not begin with fe 62 69 6e", path())};
  }
  at_ += kMagic.size();
  return {};
}

core::Result<> FileSource::open_next() {
  file_.open(path());
  at_ = filled_ = 0;
  read_to_ = 0;
  if (auto checked = check_magic(); !checked) return checked;
  new_file_ = binlog_name(path());
  new_file_pos_ = kMagic.size();
  skip_to_start_ = index_ == 0 && start_pos_ > kMagic.size();
  return {};
}

void FileSource::jump() {
  at_ = filled_ = 0;
  read_to_ = std::exchange(jump_to_, 0);
  new_file_ = binlog_name(path());
  new_file_pos_ = read_to_;
}

core::Result<std::span<const std::byte>> FileSource::next() {
  using Raw = std::span<const std::byte>;
  while (!stopped_.load(std::memory_order_relaxed)) {
    if (!file_.is_open()) {
      if (index_ >= paths_.size()) return Raw{};
      if (auto opened = open_next(); !opened) return opened.error();
    }
    if (jump_to_ != 0) jump();
    auto available = fill(EventHeader::kBytes);
    if (available == 0) {
      file_.close();
      ++index_;
      continue;
    }
    if (available < EventHeader::kBytes) return truncated(EventHeader::kBytes, available);
    const std::size_t size = load_le<4>(buffer_.data() + at_ + 9);
    if (size < EventHeader::kBytes || size > Decoder::kEventBytesMax) {
      return core::Error{core::Errc::Malformed, fmt::format("{}:{}: an event of {} bytes cannot be",
                                                            path(), offset(), size)};
    }
    available = fill(size);
    if (available < size) return truncated(size, available);
    const Raw raw{buffer_.data() + at_, size};
    at_ += size;
    // The first event, the format description, is needed whatever the start.
    if (std::exchange(skip_to_start_, false) && start_pos_ > offset()) jump_to_ = start_pos_;
    return raw;
  }
  return Raw{};
}

}  // namespace

std::unique_ptr<Source> open_file_source(std::vector<std::string> paths, std::uint64_t start_pos) {
  return std::make_unique<FileSource>(std::move(paths), start_pos);
}

}  // namespace rowtrail::binlog
