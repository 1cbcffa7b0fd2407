#include "server/session_live.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace rowtrail::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kReadBytes = 8 * 1024;
constexpr std::string_view kHeaderEnd = "\r\n\r\n";
constexpr std::size_t kRefusedBodyMax = 16 * 1024;
constexpr std::size_t kDrainBytesMax = 2 * 1024 * 1024;  // of a body that was refused
constexpr std::chrono::milliseconds kDrainTimeout{2'000};
/// Longer answers get more time than write_timeout: a second per this many bytes.
constexpr std::size_t kSlowestBytesPerSecond = 64 * 1024;

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text, size};
}

bool is_http_error(boost::system::error_code error) {
  return error.category() == http::make_error_code(http::error::bad_method).category();
}

/// Refuses what another server on the way might read differently (smuggling), and what Beast's own
/// header limit lets through: it counts a message piece by piece.
std::optional<Problem> refusal(const http::request<http::string_body>& request,
                               const Limits& limits) {
  std::size_t bytes = request.target().size();
  std::size_t fields = 0;
  for (const auto& field : request) {
    bytes += field.name_string().size() + field.value().size() + 4;
    ++fields;
  }
  if (bytes > limits.header_bytes_max || fields > limits.headers_max) {
    return Problem{ProblemId::HeadersTooLarge, "There are too many headers, or too long ones.", "",
                   ""};
  }
  const auto lengths = request.count(http::field::content_length);
  const std::string_view length(request[http::field::content_length]);
  if (lengths > 1 || (lengths == 1 && length.find_first_not_of("0123456789") != length.npos)) {
    return Problem{ProblemId::BadRequest, "Content-Length is not one number.", "", ""};
  }
  const auto codings = request.count(http::field::transfer_encoding);
  if (codings == 0) return std::nullopt;
  if (request.version() < 11 || lengths > 0) {
    return Problem{ProblemId::BadRequest, "Transfer-Encoding does not fit this request.", "", ""};
  }
  const std::string_view coding(request[http::field::transfer_encoding]);
  if (codings == 1 && equals_ignoring_case(coding, "chunked")) return std::nullopt;
  return Problem{ProblemId::NotImplemented, "The transfer coding is not supported.", "", ""};
}

/// Runs the handler; on a store thread with its `slot`, on the sockets' thread without.
Response run_guarded(App& app, const Call& call, ReaderSlot* slot) {
  try {
    return app.run(call, slot != nullptr ? &slot->get() : nullptr);
  } catch (const core::Failure& failure) {
    if (slot != nullptr) slot->drop();
    core::log(core::Level::Warn, fmt::format("request {}: {}", call.request_id, failure.what()));
    return app.problem({ProblemId::StoreUnavailable, "The store does not answer.",
                        "/readyz tells when it does again.", ""},
                       call.request_id);
  } catch (const std::exception& error) {
    if (slot != nullptr) slot->drop();
    core::log(core::Level::Error, fmt::format("request {}: {}", call.request_id, error.what()));
    return app.problem({ProblemId::Internal, "An unexpected error.", "", ""}, call.request_id);
  }
}

}  // namespace

Session::Session(asio::ip::tcp::socket socket, std::string peer, SessionHost& host)
    : host_(host),
      peer_(std::move(peer)),
      stream_(std::move(socket)),
      buffer_(host.app.options().limits.header_bytes_max + 64 * 1024) {
  Error ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
}

Session::~Session() = default;

void Session::start() {
  wait_for_request();
}

void Session::refuse() {
  busy_ = true;
  answer_problem(ProblemId::Overloaded, "There are too many connections.");
}

void Session::shutdown() {
  keep_alive_ = false;
  if (!busy_ || live_) close();
}

void Session::close() {
  Error ignored;
  stream_.socket().close(ignored);  // pending operations end with an error and call end()
  end();
}

void Session::end() {
  if (std::exchange(ended_, true)) return;
  if (live_) end_live();
  host_.on_end(shared_from_this());
}

void Session::wait_for_request() {
  busy_ = false;
  if (buffer_.size() > 0) return read_header();  // pipelined
  stream_.expires_after(std::exchange(first_, false) ? limits().header_timeout
                                                     : limits().idle_timeout);
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](Error error, std::size_t size) {
                            if (error) return self->end();
                            self->buffer_.commit(size);
                            self->read_header();
                          });
}

void Session::read_header() {
  busy_ = true;
  route_ = nullptr;
  header_only_ = false;
  version_ = 11;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits().header_bytes_max));
  parser_->body_limit(limits().body_bytes_max);
  stream_.expires_after(limits().header_timeout);
  fill_header(0);
}

/// Reads until the headers are whole, or longer than they may be; the first `searched` bytes do not
/// end them.
void Session::fill_header(std::size_t searched) {
  const std::string_view raw(static_cast<const char*>(buffer_.data().data()), buffer_.size());
  const std::size_t end = raw.find(kHeaderEnd, searched - std::min<std::size_t>(searched, 3));
  if (end != raw.npos || raw.size() > limits().header_bytes_max) {
    // Beast would join folded lines; another server on the way may read them as two.
    const std::string_view head = raw.substr(0, end);
    if (head.find("\r\n ") == head.npos && head.find("\r\n\t") == head.npos) return parse_header();
    return answer_problem(ProblemId::BadRequest, "A header goes on in another line.");
  }
  stream_.async_read_some(
      buffer_.prepare(kReadBytes),
      [self = shared_from_this(), size = raw.size()](Error error, std::size_t more) {
        if (error) return self->end();  // headers that end half-way are nobody's
        self->buffer_.commit(more);
        self->fill_header(size);
      });
}

void Session::parse_header() {
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](Error error, std::size_t) { self->on_header(error); });
}

void Session::on_header(Error error) {
  started_ = std::chrono::steady_clock::now();
  if (error) return on_read_error(error);
  const auto& request = parser_->get();
  version_ = request.version();
  header_only_ = request.method() == http::verb::head;
  keep_alive_ = keep_alive_ && request.keep_alive();
  if (const auto refused = refusal(request, limits())) {
    return answer_problem(refused->id, refused->detail);
  }
  if (version_ >= 11 && request.count(http::field::host) == 0) {
    return answer_problem(ProblemId::BadRequest, "An HTTP/1.1 request needs a Host header.");
  }
  admit();
}

void Session::admit() {
  const bool expects =
      equals_ignoring_case(std::string_view(parser_->get()[http::field::expect]), "100-continue");
  auto admitted = host_.app.admit(make_request());
  if (auto* call = std::get_if<Call>(&admitted)) {
    route_ = call->route;
    call_ = std::move(*call);
    if (parser_->is_done()) return run(*std::exchange(call_, std::nullopt));
    return expects ? send_continue() : read_body();
  }
  auto& refused = std::get<Response>(admitted);
  if (parser_->is_done()) return send(std::move(refused));
  // A small body is read, so that the connection can go on; another is nobody's.
  refused_ = std::move(refused);
  if (expects || parser_->content_length().value_or(0) > kRefusedBodyMax) return send_refused();
  parser_->body_limit(kRefusedBodyMax);
  read_body();
}

void Session::send_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(kContinue),
                    [self = shared_from_this()](Error failed, std::size_t) {
                      if (failed) return self->end();
                      self->read_body();
                    });
}

void Session::send_refused() {
  keep_alive_ = keep_alive_ && parser_->is_done();
  send(*std::exchange(refused_, std::nullopt));
}

void Session::read_body() {
  stream_.expires_after(limits().body_timeout);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](Error error, std::size_t) {
                     if (self->refused_ && (!error || error == http::error::body_limit))
                       return self->send_refused();
                     if (error) return self->on_read_error(error);
                     self->started_ = std::chrono::steady_clock::now();
                     Call call = *std::exchange(self->call_, std::nullopt);
                     call.request.body = std::move(self->parser_->get().body());
                     self->run(std::move(call));
                   });
}

void Session::on_read_error(Error error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return answer_problem(ProblemId::HeadersTooLarge, "The headers are longer than 16 KiB.");
  }
  if (error == http::error::body_limit) {
    return answer_problem(ProblemId::ContentTooLarge, "The body is longer than 1 MiB.");
  }
  const bool gone = error == http::error::end_of_stream || error == http::error::partial_message;
  if (gone || !is_http_error(error)) return end();  // also timeouts: the stream is closed then
  answer_problem(ProblemId::BadRequest, "The request is not valid HTTP/1.1.");
}

void Session::answer_problem(ProblemId id, std::string detail) {
  keep_alive_ = false;  // where the next request would start is not certain
  const auto admitted = host_.app.problem({id, std::move(detail), "", ""}, "-");
  send(admitted);
}

Request Session::make_request() const {
  const auto& message = parser_->get();
  Request request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  request.peer = peer_;
  for (const auto& field : message) {
    request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  return request;
}

void Session::run(Call call) {
  if (!call.route->reads_store) return send(run_guarded(host_.app, call, nullptr));
  const std::string id = call.request_id;
  auto task = [self = shared_from_this(), call = std::move(call)](ReaderSlot& slot) {
    Response response = run_guarded(self->host_.app, call, &slot);
    asio::post(self->host_.io, [self, response = std::move(response)]() mutable {
      self->send(std::move(response));
    });
  };
  if (host_.workers.submit(std::move(task))) return;
  ++host_.app.metrics().overloaded_requests;
  send(host_.app.problem({ProblemId::Overloaded, "Too many requests wait for the store.", "", ""},
                         id));
}

void Session::send(Response response) {
  if (ended_) return;
  const bool bodiless = response.status == 204 || response.status == 304;
  header_only_ = header_only_ || bodiless;
  source_ = std::move(response.stream);
  if (response.live) live_ = std::make_unique<LiveState>(host_.io, *std::move(response.live));
  const bool endless = source_ || live_;
  if (endless && version_ < 11) keep_alive_ = false;  // HTTP/1.0 ends a stream by closing

  message_.emplace();
  message_->version(version_);
  message_->result(response.status);
  status_ = response.status;
  message_->set(http::field::date, http_date());
  message_->set(http::field::server, "rowtrail");
  if (!bodiless) message_->set(http::field::content_type, response.content_type);
  for (const Header& header : response.headers) message_->set(header.name, header.value);
  message_->keep_alive(keep_alive_);
  if (endless) {
    if (version_ >= 11) message_->chunked(true);
  } else if (!bodiless) {
    message_->content_length(response.body.size());
  }
  const std::size_t size = response.body.size();
  message_->body() = std::move(response.body);

  serializer_.emplace(*message_);
  stream_.expires_after(limits().write_timeout +
                        std::chrono::seconds(size / kSlowestBytesPerSecond));
  auto on_written = [self = shared_from_this()](Error error, std::size_t) { self->on_sent(error); };
  if (endless || header_only_) {
    http::async_write_header(stream_, *serializer_, std::move(on_written));
  } else {
    http::async_write(stream_, *serializer_, std::move(on_written));
  }
}

void Session::on_sent(Error error) {
  if (error) return end();
  host_.app.metrics().count_request(route_, status_, std::chrono::steady_clock::now() - started_);
  serializer_.reset();
  message_.reset();
  if (source_ && !header_only_) return pull();
  if (live_ && !header_only_) return start_live();
  live_.reset();
  finish_request();
}

void Session::pull() {
  auto task = [self = shared_from_this()](ReaderSlot& slot) {
    std::optional<Pull> pull;
    self->piece_.clear();
    try {
      pull = self->source_(slot.get(), self->piece_);
    } catch (const std::exception& failure) {
      slot.drop();
      core::log(core::Level::Warn, fmt::format("a stream was cut: {}", failure.what()));
    }
    asio::post(self->host_.io, [self, pull] {
      // Without the last chunk the client knows that the answer is not whole.
      pull ? self->send_piece(*pull) : self->close();
    });
  };
  if (!host_.workers.submit(std::move(task))) close();
}

void Session::send_piece(Pull pull) {
  if (ended_) return;
  stream_.expires_after(limits().write_timeout);
  auto next = [self = shared_from_this(), pull](Error error, std::size_t) {
    if (error) return self->end();
    if (pull == Pull::More) return self->pull();
    self->source_ = nullptr;
    self->finish_request();
  };
  if (piece_.empty() && pull == Pull::More) return next({}, 0);
  frame_piece(pull == Pull::End);
  asio::async_write(stream_, asio::buffer(piece_), std::move(next));
}

/// Puts the chunk's length around the piece. An empty chunk would end the body.
void Session::frame_piece(bool last) {
  if (version_ < 11) return;
  if (!piece_.empty()) {
    piece_.insert(0, fmt::format("{:x}\r\n", piece_.size()));
    piece_ += "\r\n";
  }
  if (last) piece_ += "0\r\n\r\n";
}

void Session::finish_request() {
  parser_.reset();
  if (keep_alive_) return wait_for_request();
  Error ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  drained_ = 0;
  stream_.expires_after(kDrainTimeout);
  drain();
}

/// Reads what the client still sends, for a while: closing with unread bytes would reset the
/// connection, and the client might never see the answer.
void Session::drain() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](Error error, std::size_t size) {
                            self->drained_ += size;
                            if (error || self->drained_ > kDrainBytesMax) return self->close();
                            self->drain();
                          });
}

}  // namespace rowtrail::server
