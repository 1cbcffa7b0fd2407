#include "client.h"

#include "server/message.h"

#include <algorithm>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rowtrail::server::testing {

std::string Answer::header(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (equals_ignoring_case(line.substr(0, colon), name)) {
      return std::string(line.substr(line.find_first_not_of(' ', colon + 1)));
    }
  }
  return {};
}

Client::Client(std::uint16_t port) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd_ < 0 || ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect to the server under test");
  }
}

Client::~Client() {
  ::close(fd_);
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server may have ended the connection: that is what is tested
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Client::finish() {
  ::shutdown(fd_, SHUT_WR);
}

bool Client::fill() {
  char bytes[16 * 1024];
  const ssize_t size = ::recv(fd_, bytes, sizeof bytes, 0);
  if (size <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(size));
  return true;
}

bool Client::ended() {
  return buffer_.empty() && !fill();
}

std::string Client::take(std::size_t size) {
  std::string bytes = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return bytes;
}

bool Client::read_chunks(Answer& answer) {
  for (;;) {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
      if (!fill()) return false;
    }
    const std::size_t size = std::stoul(take(end + 2), nullptr, 16);
    while (buffer_.size() < size + 2) {
      if (!fill()) return false;
    }
    answer.body += take(size);
    take(2);
    if (size == 0) return true;
  }
}

Answer Client::read_head() {
  Answer answer;
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return answer;
  }
  answer.head = take(end + 4);
  answer.status = static_cast<unsigned>(std::stoul(answer.head.substr(9, 3)));
  return answer;
}

std::string Client::read_block() {
  std::size_t end = 0;
  while ((end = decoded_.find("\n\n")) == std::string::npos) {
    std::size_t line = 0;
    while ((line = buffer_.find("\r\n")) == std::string::npos) {
      if (!fill()) return {};
    }
    const std::size_t size = std::stoul(take(line + 2), nullptr, 16);
    while (buffer_.size() < size + 2) {
      if (!fill()) return {};
    }
    decoded_ += take(size);
    take(2);
  }
  std::string block = decoded_.substr(0, end);
  decoded_.erase(0, end + 2);
  return block;
}

Answer Client::read(bool head_only) {
  Answer answer = read_head();
  if (answer.status == 0) return answer;
  const bool bodiless = head_only || answer.status == 204 || answer.status == 304;
  if (bodiless) {
    answer.whole = true;
  } else if (answer.header("Transfer-Encoding") == "chunked") {
    answer.whole = read_chunks(answer);
  } else if (const std::string length = answer.header("Content-Length"); !length.empty()) {
    const std::size_t size = std::stoul(length);
    while (buffer_.size() < size && fill()) {
    }
    answer.whole = buffer_.size() >= size;
    answer.body = take(size);
  } else {
    while (fill()) {
    }
    answer.body = take(buffer_.size());
    answer.whole = true;
  }
  return answer;
}

std::string http(std::string_view method, std::string_view target, std::string_view more_headers) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer rt_test\r\n{}\r\n",
                     method, target, more_headers);
}

}  // namespace rowtrail::server::testing
