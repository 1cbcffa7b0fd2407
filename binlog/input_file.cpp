#include "binlog/input_file.h"

#include "core/core.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

namespace rowtrail::binlog {

/// One step of unpacking: from what is there into what there is room for.
class Unpacker {
 public:
  virtual ~Unpacker() = default;
  struct Step {
    std::size_t taken = 0, given = 0;
    bool damaged = false;
  };
  virtual Step step(const std::byte* from, std::size_t size, std::byte* to, std::size_t room) = 0;
  /// Between two streams, where a file may end.
  [[nodiscard]] virtual bool at_end() const = 0;
};

namespace {

class Gunzip final : public Unpacker {
 public:
  Gunzip() { ::inflateInit2(&stream_, 16 + MAX_WBITS); }
  ~Gunzip() override { ::inflateEnd(&stream_); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  Step step(const std::byte* from, std::size_t size, std::byte* to, std::size_t room) override {
    if (at_end_ && size > 0) {
      ::inflateReset(&stream_);
      at_end_ = false;
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from));
    stream_.avail_in = static_cast<uInt>(size);
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(std::min(room, kRoomMax));
    const auto room_before = stream_.avail_out;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    at_end_ = result == Z_STREAM_END;
    return {size - stream_.avail_in, room_before - stream_.avail_out,
            result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR};
  }
  bool at_end() const override { return at_end_; }

 private:
  static constexpr std::size_t kRoomMax = std::size_t{1} << 30;
  z_stream stream_{};
  bool at_end_ = false;
};

class Unzstd final : public Unpacker {
 public:
  Unzstd() : context_(ZSTD_createDCtx()) {}
  ~Unzstd() override { ZSTD_freeDCtx(context_); }
  Unzstd(const Unzstd&) = delete;
  Unzstd& operator=(const Unzstd&) = delete;

  Step step(const std::byte* from, std::size_t size, std::byte* to, std::size_t room) override {
    ZSTD_inBuffer in{from, size, 0};
    ZSTD_outBuffer out{to, room, 0};
    const std::size_t left = ZSTD_decompressStream(context_, &out, &in);
    if (in.pos > 0 || out.pos > 0) at_end_ = left == 0;
    return {in.pos, out.pos, ZSTD_isError(left) != 0};
  }
  bool at_end() const override { return at_end_; }

 private:
  ZSTD_DCtx* context_;
  bool at_end_ = false;
};

std::unique_ptr<Unpacker> unpacker_for(const std::array<std::byte, 4>& head) {
  constexpr std::array<unsigned char, 2> kGzip{0x1F, 0x8B};
  constexpr std::array<unsigned char, 4> kZstd{0x28, 0xB5, 0x2F, 0xFD};
  if (std::memcmp(head.data(), kGzip.data(), kGzip.size()) == 0) return std::make_unique<Gunzip>();
  if (std::memcmp(head.data(), kZstd.data(), kZstd.size()) == 0) return std::make_unique<Unzstd>();
  return nullptr;
}

}  // namespace

std::string binlog_name(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (path.ends_with(packed)) path.remove_suffix(packed.size());
  }
  return std::string(path);
}

InputFile::InputFile() = default;
InputFile::~InputFile() {
  close();
}

void InputFile::fail(std::string_view what) const {
  throw core::Failure(core::Area::Source, false, fmt::format("cannot read {}: {}", path_, what));
}

void InputFile::open(const std::string& path) {
  close();
  path_ = path;
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) fail(std::strerror(errno));
  ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  std::array<std::byte, 4> head{};
  read_raw(head.data(), head.size(), 0);
  unpacker_ = unpacker_for(head);
  packed_at_ = packed_end_ = 0;
  raw_offset_ = unpacked_ = 0;
  if (unpacker_ != nullptr) packed_.resize(kPackedBytes);
}

void InputFile::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::size_t InputFile::read_raw(std::byte* to, std::size_t size, std::uint64_t offset) {
  std::size_t got = 0;
  while (got < size) {
    const auto n = ::pread(fd_, to + got, size - got, static_cast<off_t>(offset + got));
    if (n == 0) break;
    if (n < 0 && errno != EINTR) fail(std::strerror(errno));
    if (n > 0) got += static_cast<std::size_t>(n);
  }
  return got;
}

std::size_t InputFile::read(std::byte* to, std::size_t size, std::uint64_t offset) {
  if (unpacker_ == nullptr) return read_raw(to, size, offset);
  std::array<std::byte, 4096> skipped;
  while (unpacked_ < offset) {
    const auto wanted = std::min<std::uint64_t>(skipped.size(), offset - unpacked_);
    if (unpack(skipped.data(), wanted) == 0) return 0;
  }
  return unpack(to, size);
}

std::size_t InputFile::unpack(std::byte* to, std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    if (packed_at_ == packed_end_) {
      packed_at_ = 0;
      packed_end_ = read_raw(packed_.data(), packed_.size(), raw_offset_);
      raw_offset_ += packed_end_;
    }
    const auto step = unpacker_->step(packed_.data() + packed_at_, packed_end_ - packed_at_,
                                      to + got, size - got);
    if (step.damaged) fail("what it is packed with (gzip or zstd) is damaged; unpack it by hand");
    packed_at_ += step.taken;
    got += step.given;
    if (step.taken > 0 || step.given > 0) continue;
    if (packed_end_ == 0 && !unpacker_->at_end()) {
      fail("it is packed (gzip or zstd) and ends too early; copy the whole file");
    }
    break;
  }
  unpacked_ += got;
  return got;
}

}  // namespace rowtrail::binlog
