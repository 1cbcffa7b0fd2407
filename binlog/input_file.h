// A binlog file's bytes by offset: as they are, or unpacked on the way from gzip or zstd, which the
// first bytes tell. Packed files are read forwards only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::binlog {

class Unpacker;

/// binlog.000001 for /var/backup/binlog.000001.zst: what the server calls it.
[[nodiscard]] std::string binlog_name(std::string_view path);

class InputFile {
 public:
  static constexpr std::size_t kPackedBytes = std::size_t{256} * 1024;

  InputFile();
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Throws core::Failure (Area::Source), like read(), when the file cannot be read.
  void open(const std::string& path);
  void close();
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

  /// Reads up to `size` bytes at `offset`; fewer only at the end of the file.
  std::size_t read(std::byte* to, std::size_t size, std::uint64_t offset);

 private:
  std::size_t read_raw(std::byte* to, std::size_t size, std::uint64_t offset);
  std::size_t unpack(std::byte* to, std::size_t size);
  [[noreturn]] void fail(std::string_view what) const;

  std::string path_;
  int fd_ = -1;
  std::unique_ptr<Unpacker> unpacker_;  // null: the file is not packed
  std::vector<std::byte> packed_;
  std::size_t packed_at_ = 0, packed_end_ = 0;
  std::uint64_t raw_offset_ = 0;
  std::uint64_t unpacked_ = 0;  // bytes given so far
};

}  // namespace rowtrail::binlog
