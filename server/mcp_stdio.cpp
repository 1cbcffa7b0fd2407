// `rowtrail mcp`: MCP over standard input and output, one message per line.
#include "server/mcp.h"
#include "server/metrics.h"
#include "server/token.h"
#include "server/workers.h"

#include <chrono>
#include <istream>
#include <ostream>

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace rowtrail::server {
namespace {

enum class Line : std::uint8_t { Message, TooLong, End };

/// A line without its end; what is longer than `bytes_max` is read and forgotten.
Line read_line(std::istream& in, std::size_t bytes_max, std::string& line) {
  line.clear();
  bool fits = true;
  for (int c = in.get(); c != std::istream::traits_type::eof(); c = in.get()) {
    if (c == '\n') return fits ? Line::Message : Line::TooLong;
    fits = fits && line.size() < bytes_max;
    if (fits) line += static_cast<char>(c);
  }
  if (line.empty() && fits) return Line::End;
  return fits ? Line::Message : Line::TooLong;  // a last line without its end
}

std::string error_for(const std::string& text, int code, std::string_view message) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  rapidjson::StringBuffer id;
  if (!document.HasParseError() && document.IsObject() && document.HasMember("id")) {
    const auto& sent = document["id"];
    rapidjson::Writer<rapidjson::StringBuffer> writer(id);
    if (sent.IsString() || sent.IsInt64() || sent.IsUint64()) sent.Accept(writer);
  }
  return fmt::format(R"({{"jsonrpc":"2.0",{}"error":{{"code":{},"message":{}}}}})",
                     id.GetSize() == 0 ? "" : fmt::format("\"id\":{},", id.GetString()), code,
                     mcp::quoted(message));
}

std::int64_t system_now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void serve_mcp(std::istream& in, std::ostream& out, const Options& options) {
  Authenticator authenticator(options);
  const Metrics metrics;
  ReaderSlot slot(options.open_reader);
  const auto& catalogue = options.mcp != nullptr ? *options.mcp : mcp::catalogue();
  mcp::Peer peer;
  const auto send = [&out](const std::string& message) {
    if (!message.empty()) out << message << '\n' << std::flush;
  };
  std::string line;
  const auto answer_error = [&](const std::string& what) {
    const auto error = error_for(line, mcp::kInternalError, what);
    if (error.find("\"id\":") != std::string::npos) send(error);  // a notification has no answer
  };
  for (;;) {
    const Line read = read_line(in, options.limits.body_bytes_max, line);
    if (read == Line::End) return;
    if (read == Line::TooLong) {
      send(error_for({}, mcp::kInvalidRequest, "A message is at most 1 MiB"));
      continue;
    }
    if (line.empty() || line == "\r") continue;
    try {
      Call call;
      call.now_us = options.now_us ? options.now_us() : system_now_us();
      call.principal = {"stdio", ScopeRead | ScopeMcp};
      const Services services{options, metrics, authenticator, &slot.get()};
      const auto outgoing = mcp::answer(line, call, services, catalogue, false, peer);
      for (const std::string& notification : outgoing.notifications) send(notification);
      send(outgoing.message);
    } catch (const core::Failure& failure) {
      slot.drop();
      core::log(core::Level::Warn, failure.what());
      answer_error(fmt::format("The store does not answer: {}", failure.what()));
    } catch (const std::exception& error) {
      core::log(core::Level::Error, error.what());
      answer_error("This message cannot be answered.");
    }
  }
}

}  // namespace rowtrail::server
