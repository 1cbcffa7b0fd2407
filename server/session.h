// One HTTP/1.1 connection: reads a request, has it answered (by App, on a store thread when the
// store is read), writes the answer, and again. One request at a time, so pipelined requests wait
// in the buffer. Everything runs on the sockets' thread except the tasks given to Workers.
#pragma once

#include "server/app.h"
#include "server/feed.h"
#include "server/workers.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace rowtrail::server {

class Session;

/// What sessions share. Outlives them all.
struct SessionHost {
  App& app;
  Workers& workers;
  Feed& feed;
  boost::asio::io_context& io;
  std::function<void(const std::shared_ptr<Session>&)> on_end;  // once per session
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, std::string peer, SessionHost& host);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  /// Answers 503 without reading: there are too many connections.
  void refuse();
  /// Ends now when no request is under way, else after its answer.
  void shutdown();
  /// Ends now.
  void close();
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }

 private:
  using Error = boost::system::error_code;

  void wait_for_request();
  void read_header();
  void fill_header(std::size_t searched);
  void parse_header();
  void on_header(Error error);
  void admit();
  void send_continue();
  void send_refused();
  void read_body();
  void on_read_error(Error error);
  void run(Call call);
  void send(Response response);
  void on_sent(Error error);
  void pull();
  void send_piece(Pull pull);
  void frame_piece(bool last);
  void start_live();
  void pump_live();
  void read_live();
  void write_live();
  void arm_heartbeat();
  void watch_peer();
  void end_live();
  void finish_request();
  void drain();
  void end();
  void answer_problem(ProblemId id, std::string detail);
  [[nodiscard]] Request make_request() const;
  [[nodiscard]] const Limits& limits() const { return host_.app.options().limits; }

  SessionHost& host_;
  std::string peer_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::optional<boost::beast::http::response<boost::beast::http::string_body>> message_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>>
      serializer_;
  struct LiveState;

  std::optional<Call> call_;         // admitted, while its body is read
  std::optional<Response> refused_;  // likewise
  BodySource source_;                // of the answer being streamed
  std::string piece_;                // on its way to the client
  std::unique_ptr<LiveState> live_;  // of an event stream
  const Route* route_ = nullptr;     // of the request under way, for the metrics
  unsigned status_ = 0;
  std::chrono::steady_clock::time_point started_;
  unsigned version_ = 11;
  bool header_only_ = false;
  bool keep_alive_ = true;
  bool busy_ = false;  // a request is under way
  bool first_ = true;
  bool ended_ = false;
  std::size_t drained_ = 0;
};

}  // namespace rowtrail::server
