#include "server/server.h"

#include "server/app.h"
#include "server/session.h"
#include "server/workers.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

namespace rowtrail::server {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

constexpr std::size_t kRefusedMax = 64;  // connections being told 503; more are just closed
constexpr std::chrono::milliseconds kAcceptPause{100};  // out of descriptors

/// Every connection is a descriptor; the usual soft limit of 1024 is too few.
void raise_descriptor_limit(std::size_t connections) {
  constexpr rlim_t kOthers = 128;  // stores, logs, the source
  rlimit limit{};
  const rlim_t wanted = connections + kOthers;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);  // otherwise accepting pauses when they run out
}

[[noreturn]] void refuse_address(const std::string& listen, const std::string& why) {
  throw core::Failure(core::Area::Usage, false,
                      fmt::format("cannot listen on {}: {}; choose another address with --listen "
                                  "HOST:PORT (port 0 takes a free one)",
                                  listen, why));
}

/// Who a limit counts as one: an IPv4 address, or the /64 that one IPv6 customer is given.
std::string peer_of(const tcp::socket& socket) {
  boost::system::error_code error;
  auto address = socket.remote_endpoint(error).address();
  if (error) return "gone";
  if (address.is_v4()) return address.to_string();
  auto bytes = address.to_v6().to_bytes();
  if (address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return asio::ip::address_v6(bytes).to_string();
}

struct Address {
  std::string host;
  std::string port;
};

Address split_address(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos || colon + 1 == listen.size()) {
    refuse_address(listen, "it is not of the form HOST:PORT");
  }
  std::string host = listen.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host.empty() ? "0.0.0.0" : host, listen.substr(colon + 1)};
}

}  // namespace

struct Server::Impl {
  explicit Impl(Options options) : app(std::move(options)), acceptor(io), timer(io), pause(io) {}

  void bind();
  void accept();
  void on_accept(boost::system::error_code error, tcp::socket socket);
  void begin_stop();
  void on_end(const std::shared_ptr<Session>& session);

  App app;
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  tcp::acceptor acceptor;
  asio::steady_timer timer;
  asio::steady_timer pause;
  std::optional<Workers> workers;
  std::optional<Feed> feed;
  std::optional<SessionHost> host;
  std::set<std::shared_ptr<Session>> sessions;
  std::map<std::string, std::size_t> per_address;  // open connections
  std::thread thread;
  std::uint16_t port = 0;
  bool stopping = false;
};

void Server::Impl::bind() {
  const std::string& listen = app.options().listen;
  const Address address = split_address(listen);
  boost::system::error_code error;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(address.host, address.port, error);
  if (error || found.empty())
    refuse_address(listen, "the address is not known: " + error.message());
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    refuse_address(listen, "port " + address.port + " is in use, perhaps by another rowtrail");
  }
  if (error) refuse_address(listen, error.message());
  port = acceptor.local_endpoint().port();
}

void Server::Impl::accept() {
  acceptor.async_accept([this](boost::system::error_code error, tcp::socket socket) {
    on_accept(error, std::move(socket));
  });
}

void Server::Impl::on_accept(boost::system::error_code error, tcp::socket socket) {
  if (stopping) return;
  if (error == asio::error::no_descriptors || error == asio::error::no_buffer_space ||
      error == asio::error::no_memory) {
    pause.expires_after(kAcceptPause);
    pause.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) accept();
    });
    return;
  }
  const Limits& limits = app.options().limits;
  if (!error && sessions.size() < limits.connections_max + kRefusedMax) {
    std::string peer = peer_of(socket);
    const auto session = std::make_shared<Session>(std::move(socket), std::move(peer), *host);
    const bool full = sessions.size() >= limits.connections_max ||
                      per_address[session->peer()] >= limits.connections_per_address_max;
    sessions.insert(session);
    ++per_address[session->peer()];
    app.metrics().connections = sessions.size();
    if (full) ++app.metrics().refused_connections;
    full ? session->refuse() : session->start();
  }
  accept();
}

void Server::Impl::begin_stop() {
  stopping = true;
  boost::system::error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  feed->stop();
  const auto open = sessions;  // ending removes them from the set
  for (const auto& session : open) session->shutdown();
  if (sessions.empty()) {
    work.reset();
    return;
  }
  timer.expires_after(app.options().limits.stop_timeout);
  timer.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    const auto left = sessions;
    for (const auto& session : left) session->close();
  });
}

void Server::Impl::on_end(const std::shared_ptr<Session>& session) {
  sessions.erase(session);
  const auto count = per_address.find(session->peer());
  if (--count->second == 0) per_address.erase(count);
  app.metrics().connections = sessions.size();
  if (!stopping || !sessions.empty()) return;
  timer.cancel();
  work.reset();
}

Server::Server(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Server::~Server() {
  stop();
}

void Server::start() {
  impl_->bind();
  const Options& options = impl_->app.options();
  if (options.no_auth && !is_loopback(options.listen)) {
    core::log(core::Level::Warn,
              fmt::format("{} is open to everyone who reaches it: --no-auth", options.listen));
  }
  raise_descriptor_limit(options.limits.connections_max);
  impl_->workers.emplace(options.open_reader, options.threads, options.limits.queued_requests_max);
  impl_->feed.emplace(impl_->io, *impl_->workers, options.limits.poll);
  impl_->host.emplace(SessionHost{
      impl_->app, *impl_->workers, *impl_->feed, impl_->io,
      [impl = impl_.get()](const std::shared_ptr<Session>& session) { impl->on_end(session); }});
  impl_->work.emplace(impl_->io.get_executor());
  impl_->accept();
  impl_->thread = std::thread([impl = impl_.get()] { impl->io.run(); });
}

void Server::stop() {
  if (!impl_->thread.joinable()) return;
  asio::post(impl_->io, [impl = impl_.get()] { impl->begin_stop(); });
  impl_->thread.join();
  impl_->workers->stop();
}

void Server::publish() noexcept {
  if (impl_->feed) impl_->feed->publish();
}

std::string Server::login_url() {
  const std::string& listen = impl_->app.options().listen;
  const std::string host = listen.substr(0, listen.rfind(':'));
  const bool any = host.empty() || host == "0.0.0.0" || host == "[::]";
  return fmt::format("http://{}:{}{}", any ? "localhost" : host, port(), impl_->app.login_path());
}

std::uint16_t Server::port() const noexcept {
  return impl_->port;
}

}  // namespace rowtrail::server
