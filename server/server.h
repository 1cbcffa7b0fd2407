// HTTP over the log: the public header of server/. A Server owns its threads: one runs the sockets
// (Boost.Beast), a few run the blocking reads of the store, each with a Reader of its own.
// Everything it serves follows from the table of routes in server/routes.cpp; docs/api.md describes
// it.
#pragma once

#include "core/core.h"
#include "store/store.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::server {

/// What /readyz answers from.
struct Health {
  bool source_connected = true;
  bool store_writable = true;
  double lag_s = 0;    // behind the source
  std::string detail;  // one sentence for people, empty when all is well
};

/// One number for /metrics beside the server's own. Names follow Prometheus: `rowtrail_`, base
/// units,
/// `_total` for counters.
struct Metric {
  enum class Type : std::uint8_t { Counter, Gauge };
  std::string name;
  std::string help;
  Type type = Type::Gauge;
  double value = 0;
  std::string labels = {};  // `source="pharmacy"`, already escaped; empty: none
};

/// What a token may do; a mask.
enum Scope : std::uint8_t { ScopeNone = 0, ScopeRead = 1, ScopeAdmin = 2, ScopeMcp = 4 };

/// Who a token belongs to.
struct Principal {
  std::string name;
  std::uint8_t scopes = ScopeRead;
};

/// Asked for every request with the secret as sent; called from the sockets' thread, so it must be
/// quick. Returns nothing for a token that is not known or has expired.
using TokenCheck = std::function<std::optional<Principal>(std::string_view secret)>;

namespace mcp {
struct Catalogue;
}

/// Every limit of the server, in one place.
struct Limits {
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t headers_max = 128;
  std::size_t body_bytes_max = 1024 * 1024;
  std::size_t connections_max = 4096;
  std::size_t queued_requests_max = 512;  // waiting for a store thread; beyond it 503
  std::chrono::milliseconds header_timeout{
      10'000};  // from a request's first byte to its last header
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{60'000};   // between requests of a connection
  std::chrono::milliseconds write_timeout{30'000};  // for a client that does not take its answer
  std::chrono::milliseconds heartbeat{15'000};      // of event streams that have nothing to say
  std::chrono::milliseconds poll{1'000};            // looks for new events that nobody published
  std::chrono::milliseconds stop_timeout{5'000};    // for requests under way when stop() is called
};

struct Options {
  std::string listen = "127.0.0.1:8765";  // host:port; port 0 takes a free one
  std::vector<std::string> hosts;   // names allowed in Host beside localhost, 127.0.0.1 and [::1]
  std::vector<std::string> tokens;  // secrets with scope read; what the 0600 file holds
  TokenCheck token_check;           // asked when `tokens` does not know the secret
  bool no_auth = false;             // an explicit choice: everyone may read
  unsigned threads = 2;             // for store reads
  double ready_lag_max_s = 300;     // /readyz fails beyond it
  Limits limits;
  const mcp::Catalogue* mcp = nullptr;  // what agents are offered; null: rowtrail's own
  std::function<std::unique_ptr<store::Reader>()>
      open_reader;                               // called once per thread, again after
                                                 // a failure; throws core::Failure
  std::function<Health()> health;                // from any thread; null: always healthy
  std::function<std::vector<Metric>()> metrics;  // more numbers for /metrics; from any thread
  std::function<std::int64_t()> now_us;          // the clock behind since=24h; null: the system's
};

class Server {
 public:
  explicit Server(Options options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds and serves. Throws core::Failure (Area::Usage) when the address cannot be used, with the
  /// address and what to do in the message.
  void start();
  /// Accepts nothing more, lets requests under way finish for stop_timeout, joins. Idempotent.
  void stop();
  /// Tells event streams that the store has new events; after a commit, from any thread. Without it
  /// they notice within limits.poll.
  void publish() noexcept;
  /// A URL that opens the dashboard in a browser, once, within ten minutes.
  [[nodiscard]] std::string login_url();
  /// The port bound, after start().
  [[nodiscard]] std::uint16_t port() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Serves an agent that started this process: the Model Context Protocol, one message per line,
/// until `in` ends. Reads with options.open_reader; links lead to options.listen.
void serve_mcp(std::istream& in, std::ostream& out, const Options& options);

/// A new secret: `rt_`, 256 random bits, a checksum against typos.
[[nodiscard]] std::string make_token();
/// The secret in a file that only its owner may read; made there when the file is absent. Throws
/// core::Failure (Area::Usage) when others may read it.
[[nodiscard]] std::string token_from_file(const std::string& path);

/// Narrows `filter` by one of the list parameters of the API ("since", "24h"), as the command line
/// does; the error says what the value may be.
core::Result<> set_filter(store::Filter& filter, std::string_view name, std::string_view value,
                          std::int64_t now_us);
/// `2026-11-24`, RFC 3339, or a span back from now: `24h`, `7d`.
core::Result<std::int64_t> time_from_text(std::string_view text, std::int64_t now_us);

/// A row at a time: `{"source":…,"database":…,"table":…,"pk":…,"at":…,"state":{…}}`; `at` is null
/// for now.
[[nodiscard]] std::string row_state_json(const store::RowKey& row,
                                         std::optional<std::int64_t> at_us,
                                         const store::RowState& state);
/// A key as it stands in a path: plain, or `~` and the base64url of its JSON array.
[[nodiscard]] core::Result<std::string> key_from_text(std::string_view text);

/// The OpenAPI 3.1 document of the route table.
[[nodiscard]] std::string openapi_json();
/// The reference part of docs/api.md, from the same table.
[[nodiscard]] std::string api_markdown();

}  // namespace rowtrail::server
