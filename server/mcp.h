// The Model Context Protocol for agents: JSON-RPC in, JSON-RPC out, no socket. POST /mcp and
// `rowtrail mcp` both come here. Two eras side by side: revision 2026-07-28, where each request
// says in `_meta` who asks and how, and the handshake of 2025-11-25. Everything that can be listed
// (methods, tools, prompts, resources) is a row of a Catalogue; rowtrail's own reads the same
// routes as everybody else.
#pragma once

#include "server/route.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/system/result.hpp>
#include <rapidjson/document.h>

namespace rowtrail::server::mcp {

using Json = rapidjson::Value;

enum class Era : std::uint8_t { Modern, Legacy };

/// A JSON-RPC error; `data` is JSON or empty.
struct RpcError {
  int code = 0;
  std::string message;
  std::string data = {};
};
constexpr int kParseError = -32700, kInvalidRequest = -32600, kMethodNotFound = -32601,
              kInvalidParams = -32602, kInternalError = -32603, kHeaderMismatch = -32020,
              kMissingCapability = -32021, kUnsupportedVersion = -32022;

/// What a method gives.
struct Reply {
  std::string members;                          // of the result object, without its braces
  std::string_view type = "complete";           // resultType
  std::optional<std::int64_t> ttl_ms = {};      // how long it may be kept; none: not at all
  bool shared = false;                          // the same for everybody
  std::vector<std::string> notifications = {};  // messages to send before it
  BodySource stream = {};                       // instead of all that: server-sent events
};
template <class T>
using Result = boost::system::result<T, RpcError>;
using Answer = Result<Reply>;
[[noreturn]] void throw_exception_from_error(const RpcError& error,
                                             const boost::source_location& where);

struct Catalogue;

/// A request that has been let in.
struct Ask {
  Era era = Era::Modern;
  std::string_view method;
  std::string_view id;  // JSON
  const Json& params;   // an object
  const Call& call;
  const Services& services;
  const Catalogue& catalogue;
};

struct Method {
  std::string_view name;
  bool modern = true, legacy = true;
  Answer (*handler)(const Ask& ask) = nullptr;
};

struct Tool {
  std::string name, title, about;
  std::string input_schema, output_schema;  // JSON; no output schema when empty
  std::function<Answer(const Ask& ask, const Json& arguments)> handler;
};

struct PromptArgument {
  std::string name, about;
  bool required = true;
  /// What the value may be, for completion; null: anything.
  std::function<std::vector<std::string>(const Ask& ask)> values = {};
};
struct Prompt {
  std::string name, title, about;
  std::vector<PromptArgument> arguments;
  std::function<Answer(const Ask& ask, const Json& arguments)> handler;
};

struct Resource {
  std::string uri, name, title, mime_type;
};
/// A kind of resource: those whose URI begins with `prefix`.
struct ResourceKind {
  std::string prefix, uri_template, name, title, about, mime_type;
  /// Those worth a line in the list.
  std::function<std::vector<Resource>(const Ask& ask)> list;
  /// Members of the result of reading `uri`; nothing when there is no such resource.
  std::function<std::optional<Reply>(const Ask& ask, std::string_view uri)> read;
};

struct Catalogue {
  std::vector<Method> methods;
  std::vector<Tool> tools;
  std::vector<Prompt> prompts;
  std::vector<ResourceKind> resources;
  std::string capabilities;  // JSON object, the same in both eras
  /// Takes a client's response to a request of ours (2025-11-25); null: we never ask.
  std::function<bool(const Json& response)> on_response;
};
/// rowtrail's own.
[[nodiscard]] const Catalogue& catalogue();

// The parts of catalogue().
[[nodiscard]] std::vector<Method> core_methods();
[[nodiscard]] std::vector<Tool> rowtrail_tools();
[[nodiscard]] std::vector<Prompt> rowtrail_prompts();
[[nodiscard]] std::vector<ResourceKind> rowtrail_resources();

/// Who is on the other end of standard input; over HTTP every request says it again.
struct Peer {
  std::string client;  // name and version
};

/// What one message leads to.
struct Outgoing {
  unsigned status = 200;                   // of HTTP
  std::string message;                     // JSON-RPC response; empty for notifications
  std::vector<std::string> notifications;  // to send before it
  BodySource stream;                       // instead of both
};
/// `over_http`: headers are there and must agree with the body. Throws core::Failure when the store
/// is unavailable.
[[nodiscard]] Outgoing answer(std::string_view text, const Call& call, const Services& services,
                              const Catalogue& catalogue, bool over_http, Peer& peer);

/// Members of the result of a failed tool call: what is wrong, for the model to mend.
[[nodiscard]] Reply tool_error(std::string_view message);
/// A result's `"content":[{"type":"text","text":…}]`.
[[nodiscard]] std::string text_content(std::string_view text);
[[nodiscard]] std::string quoted(std::string_view text);
/// `text` of a string member, or empty.
[[nodiscard]] std::string_view string_of(const Json& object, const char* name);
/// `"messages":[…]` with one text of the user.
[[nodiscard]] std::string user_message(std::string_view text);
/// Where the dashboard shows `path`.
[[nodiscard]] std::string link_to(const Ask& ask, std::string_view path);

}  // namespace rowtrail::server::mcp
