#include "binlog/transport.h"

#include "core/core.h"

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

namespace rowtrail::binlog {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Protocol = asio::generic::stream_protocol;

enum class Waited : std::uint8_t { Done, TimedOut, Stopped };

[[noreturn]] void fail(bool retryable, const std::string& where, std::string_view what) {
  throw core::Failure(core::Area::Source, retryable, fmt::format("{}: {}", where, what));
}

// A read that brought less than half of a server's net buffer (16 KiB) is a live server's trickle,
// which is never to be delayed. After a larger one more is on its way, and a nap costs the dump
// thread less than waking us for its first piece (measured by bench/capture.cpp).
constexpr std::size_t kTrickleBytes = 8 * 1024;
constexpr long kGatherNanoseconds = 50'000;

void nap() noexcept {
  const timespec pause{0, kGatherNanoseconds};
  ::nanosleep(&pause, nullptr);
}

void set_option(int socket, int level, int option) noexcept {
  const int on = 1;
  ::setsockopt(socket, level, option, &on, sizeof on);
}

}  // namespace

std::string describe_server(const ServerOptions& options) {
  if (!options.socket.empty()) return fmt::format("socket {}", options.socket);
  if (options.host.find(':') == std::string::npos) {
    return fmt::format("{}:{}", options.host, options.port);
  }
  return fmt::format("[{}]:{}", options.host, options.port);
}

struct Transport::State {
  explicit State(const ServerOptions& options) : where(describe_server(options)) {}

  std::string where;
  asio::io_context io{1};
  Protocol::socket socket{io};
  std::optional<asio::ssl::context> tls_context;
  std::optional<asio::ssl::stream<Protocol::socket&>> tls;
  std::atomic<bool> stopped{false};
  bool gathering = false;
  std::size_t last_read = 0;

  // Runs the one operation under way until its handler sets `done`. When it does not in time, the
  // connection is given up, because nothing can be said of a stream with half an operation on it.
  Waited run(const bool& done, Millis timeout) {
    const auto deadline = timeout.count() == 0 ? Clock::time_point::max() : Clock::now() + timeout;
    io.restart();
    while (!done && !stopped.load()) {
      if (timeout.count() == 0) {
        if (io.run_one() == 0) break;
      } else if (io.run_one_until(deadline) == 0) {
        break;
      }
    }
    if (done) return Waited::Done;
    error_code ignored;
    socket.close(ignored);
    while (!done) {
      io.restart();
      io.run_one();
    }
    return stopped.load() ? Waited::Stopped : Waited::TimedOut;
  }

  std::vector<Protocol::endpoint> resolve(const ServerOptions& options, Millis timeout) {
    asio::ip::tcp::resolver resolver(io);
    bool done = false;
    error_code failed;
    std::vector<Protocol::endpoint> endpoints;
    resolver.async_resolve(options.host, std::to_string(options.port),
                           asio::ip::tcp::resolver::numeric_service,
                           [&](error_code error, const asio::ip::tcp::resolver::results_type& all) {
                             failed = error;
                             for (const auto& one : all) endpoints.emplace_back(one.endpoint());
                             done = true;
                           });
    if (run(done, timeout) != Waited::Done) {
      fail(true, where, fmt::format("the name '{}' could not be looked up in time", options.host));
    }
    if (failed) {
      const bool may_pass = failed == asio::error::host_not_found_try_again;
      fail(may_pass, where,
           fmt::format("unknown host '{}' ({}); check the name and DNS", options.host,
                       failed.message()));
    }
    return endpoints;
  }

  void connect(const ServerOptions& options) {
    const Millis timeout(options.connect_timeout_ms);
    std::vector<Protocol::endpoint> endpoints;
    if (!options.socket.empty()) {
      if (options.socket.size() >= sizeof(sockaddr_un::sun_path)) {
        fail(false, where, "the path is too long for a unix socket");
      }
      endpoints.emplace_back(asio::local::stream_protocol::endpoint(options.socket));
    } else {
      endpoints = resolve(options, timeout);
    }
    bool done = false;
    error_code failed;
    asio::async_connect(socket, endpoints, [&](error_code error, const Protocol::endpoint&) {
      failed = error;
      done = true;
    });
    if (run(done, timeout) != Waited::Done) {
      fail(true, where,
           fmt::format("no connection within {} ms; is a firewall in between?", timeout.count()));
    }
    if (failed) refuse(options, failed);
    if (options.socket.empty()) {
      set_option(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY);
      set_option(socket.native_handle(), SOL_SOCKET, SO_KEEPALIVE);
    }
  }

  [[noreturn]] void refuse(const ServerOptions& options, error_code error) const {
    const bool local = !options.socket.empty();
    std::string_view advice = "check the network between here and there";
    if (error == boost::system::errc::permission_denied && local) {
      advice = "this user may not open the socket";
    } else if (error == boost::system::errc::no_such_file_or_directory) {
      advice = "no server made it; is the server running, and is the path its 'socket'?";
    } else if (error == boost::system::errc::connection_refused) {
      advice = "is the server running, and does it listen there (bind_address, port)?";
    }
    fail(error != boost::system::errc::permission_denied, where,
         fmt::format("cannot connect: {}; {}", error.message(), advice));
  }

  // The result of one read or write under way.
  struct Transfer {
    bool done = false;
    error_code error;
    std::size_t bytes = 0;
    auto handler() {
      return [this](error_code failed, std::size_t count) {
        error = failed;
        bytes = count;
        done = true;
      };
    }
  };

  // 0 after stop().
  std::size_t finish(Transfer& transfer, Millis timeout) {
    const auto waited = run(transfer.done, timeout);
    if (waited == Waited::Stopped) return 0;
    if (waited == Waited::TimedOut) silent(timeout);
    if (transfer.error) lost(transfer.error);
    return transfer.bytes;
  }

  [[noreturn]] void silent(Millis timeout) const {
    fail(true, where,
         fmt::format("nothing came for {} ms: the server or the link is dead", timeout.count()));
  }

  [[noreturn]] void lost(error_code error) const {
    if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
      fail(true, where, "the server closed the connection");
    }
    fail(true, where, fmt::format("the connection broke: {}", error.message()));
  }

  std::size_t read_plain(std::span<std::byte> into, Millis timeout) {
    bool may_nap = gathering && last_read >= kTrickleBytes;
    for (;;) {
      const auto got = ::recv(socket.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
      if (got > 0) return last_read = static_cast<std::size_t>(got);
      if (got == 0) lost(asio::error::eof);
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        lost(error_code(errno, boost::system::system_category()));
      }
      if (std::exchange(may_nap, false)) {
        nap();
        continue;
      }
      Transfer ready;
      socket.async_wait(Protocol::socket::wait_read,
                        [&ready](error_code error) { ready.handler()(error, 1); });
      if (finish(ready, timeout) == 0) return 0;
    }
  }
};

Transport::Transport(const ServerOptions& options) : state_(std::make_unique<State>(options)) {
  state_->connect(options);
}

Transport::~Transport() = default;

void Transport::start_tls(const ServerOptions& options) {
  auto& state = *state_;
  state.tls_context.emplace(asio::ssl::context::tls_client);
  set_up_tls_context(state.tls_context->native_handle(), options);
  state.tls.emplace(state.socket, *state.tls_context);
  set_up_tls_session(state.tls->native_handle(), options);
  bool done = false;
  error_code failed;
  state.tls->async_handshake(asio::ssl::stream_base::client, [&](error_code error) {
    failed = error;
    done = true;
  });
  const Millis timeout(options.connect_timeout_ms);
  if (state.run(done, timeout) != Waited::Done) {
    fail(true, state.where, fmt::format("TLS was not agreed on within {} ms", timeout.count()));
  }
  if (!failed) return;
  const auto problem = verifies_server(options.tls)
                           ? certificate_problem(state.tls->native_handle())
                           : std::string();
  if (!problem.empty()) fail(false, state.where, problem);
  // A cut link can be tried again; what OpenSSL refuses (versions, ciphers, alerts) stays refused.
  fail(failed.category() != asio::error::get_ssl_category(), state.where,
       fmt::format("TLS failed: {}", failed.message()));
}

Fingerprints Transport::fingerprints() const {
  return state_->tls ? peer_fingerprints(state_->tls->native_handle()) : Fingerprints{};
}

std::size_t Transport::read_some(std::span<std::byte> into, Millis timeout) {
  auto& state = *state_;
  if (state.stopped.load(std::memory_order_relaxed)) return 0;
  if (!state.tls) return state.read_plain(into, timeout);
  State::Transfer transfer;
  state.tls->async_read_some(asio::buffer(into.data(), into.size()), transfer.handler());
  return state.finish(transfer, timeout);
}

void Transport::write(std::string_view bytes, Millis timeout) {
  auto& state = *state_;
  State::Transfer transfer;
  const auto buffer = asio::buffer(bytes.data(), bytes.size());
  if (state.tls) {
    asio::async_write(*state.tls, buffer, transfer.handler());
  } else {
    asio::async_write(state.socket, buffer, transfer.handler());
  }
  static_cast<void>(state.finish(transfer, timeout));
}

bool Transport::wait_for_bytes(Millis timeout) {
  pollfd waiting{state_->socket.native_handle(), POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(timeout.count())) > 0;
}

void Transport::set_gathering(bool on) noexcept {
  state_->gathering = on;
}

int Transport::native_handle() noexcept {
  return state_->socket.native_handle();
}

void Transport::stop() noexcept {
  state_->stopped.store(true);
  state_->io.stop();
}

const std::string& Transport::where() const noexcept {
  return state_->where;
}

}  // namespace rowtrail::binlog
