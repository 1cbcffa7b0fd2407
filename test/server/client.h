// A raw HTTP client for hostile and ordinary requests: bytes out, bytes in, nothing corrected.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::server::testing {

struct Answer {
  unsigned status = 0;  // 0: the connection ended before a whole answer
  std::string head;     // status line and headers
  std::string body;     // chunks joined
  bool whole = false;   // the body ended as its framing says
  [[nodiscard]] std::string header(std::string_view name) const;
};

class Client {
 public:
  explicit Client(std::uint16_t port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);
  /// Reads one answer; `head_only` for answers to HEAD.
  Answer read(bool head_only = false);
  /// The head of an answer without end; then its blocks, each up to an empty line, without it. A
  /// block is empty when the connection has ended.
  Answer read_head();
  std::string read_block();
  /// Nothing more will be sent.
  void finish();
  /// Whether the server has ended the connection; blocks until it has, or has sent a byte.
  bool ended();

 private:
  bool fill();
  std::string take(std::size_t size);
  bool read_chunks(Answer& answer);

  int fd_ = -1;
  std::string buffer_;
  std::string decoded_;  // of chunks, not yet given as blocks
};

/// A request as text, with Host and token.
[[nodiscard]] std::string http(std::string_view method, std::string_view target,
                               std::string_view more_headers = {});

}  // namespace rowtrail::server::testing
