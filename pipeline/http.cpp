#include "pipeline/http.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/url/parse.hpp>
#include <fmt/format.h>

namespace rowtrail::pipeline {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Error = boost::system::error_code;

/// Runs one asynchronous step to its end: deadlines of beast::tcp_stream hold only for those.
template <class Start>
Error step(asio::io_context& io, const Start& start) {
  Error result = asio::error::operation_aborted;
  io.restart();
  start([&result](Error error, auto&&...) { result = error; });
  io.run();
  return result;
}

template <class Stream>
core::Result<HttpAnswer> ask(asio::io_context& io, Stream& stream, const HttpRequest& request,
                             const std::string& host, const std::string& target) {
  http::request<http::string_body> message(http::string_to_verb(request.method), target, 11);
  message.set(http::field::host, host);
  message.set(http::field::user_agent, "rowtrail/" ROWTRAIL_VERSION);
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = request.body;
  message.prepare_payload();
  auto error = step(io, [&](auto done) { http::async_write(stream, message, std::move(done)); });
  if (error) return core::Error{core::Errc::Invalid, "sending failed: " + error.message()};
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(request.answer_bytes_max);
  error = step(io, [&](auto done) { http::async_read(stream, buffer, parser, std::move(done)); });
  if (error) return core::Error{core::Errc::Invalid, "no answer: " + error.message()};
  auto answer = parser.release();
  return HttpAnswer{answer.result_int(), std::string(answer[http::field::content_type]),
                    std::move(answer.body())};
}

}  // namespace

core::Result<HttpAnswer> http_send(const HttpRequest& request) {
  const auto url = boost::urls::parse_uri(request.url);
  if (!url || url->host().empty()) {
    return core::Error{core::Errc::Invalid, fmt::format("{} is not a URL", request.url)};
  }
  const bool secure = url->scheme() == "https";
  const std::string host(url->host_address());
  const std::string port(url->has_port() ? std::string(url->port()) : secure ? "443" : "80");
  std::string target(url->encoded_target());
  if (target.empty()) target = "/";
  const std::string named = url->has_port() ? fmt::format("{}:{}", host, port) : host;

  asio::io_context io;
  Error error;
  const auto addresses = asio::ip::tcp::resolver(io).resolve(host, port, error);
  if (error) {
    return core::Error{core::Errc::NotFound, fmt::format("{}: {}", host, error.message())};
  }
  const auto connect = [&](beast::tcp_stream& stream) {
    stream.expires_after(request.timeout);
    return step(io, [&](auto done) { stream.async_connect(addresses, std::move(done)); });
  };
  if (!secure) {
    beast::tcp_stream stream(io);
    error = connect(stream);
    if (error) return core::Error{core::Errc::NotFound, named + ": " + error.message()};
    return ask(io, stream, request, named, target);
  }
  asio::ssl::context tls(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  tls.set_default_verify_paths(error);
  tls.set_verify_mode(asio::ssl::verify_peer);
  beast::ssl_stream<beast::tcp_stream> stream(io, tls);
  stream.set_verify_callback(asio::ssl::host_name_verification(host));
  SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
  error = connect(beast::get_lowest_layer(stream));
  if (error) return core::Error{core::Errc::NotFound, named + ": " + error.message()};
  error = step(io, [&](auto done) {
    stream.async_handshake(asio::ssl::stream_base::client, std::move(done));
  });
  if (error) return core::Error{core::Errc::Invalid, named + ": TLS: " + error.message()};
  return ask(io, stream, request, named, target);
}

}  // namespace rowtrail::pipeline
