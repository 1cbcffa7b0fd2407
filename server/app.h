// A request's way through the table of routes, without any socket: Request → Response.
#pragma once

#include "server/metrics.h"
#include "server/route.h"
#include "server/target.h"
#include "server/token.h"

#include <string>
#include <string_view>
#include <variant>

namespace rowtrail::server {

class App {
 public:
  explicit App(Options options);

  /// First half, on the sockets' thread: target, Host, route, method, token, parameters. Gives the
  /// call to run, or the answer when there is nothing to run.
  [[nodiscard]] std::variant<Response, Call> admit(Request request);

  /// Second half: the handler. `reader` is null unless the route reads the store. Throws
  /// core::Failure when the store is unavailable.
  [[nodiscard]] Response run(const Call& call, store::Reader* reader);

  /// Turns a problem met outside the handlers into an answer with the usual headers.
  [[nodiscard]] Response problem(const Problem& problem, std::string_view request_id) const;

  /// Both halves in one, for tests.
  [[nodiscard]] Response respond(Request request, store::Reader* reader);

  [[nodiscard]] const Options& options() const noexcept { return options_; }
  /// The path and query of a one-time login URL. Any thread.
  [[nodiscard]] std::string login_path();
  /// What the sockets' thread counts.
  [[nodiscard]] Metrics& metrics() noexcept { return metrics_; }

 private:
  struct Match {
    const Route* route = nullptr;
    std::vector<std::string> path;
    std::string allow;  // methods of the path, when the path matched
  };
  [[nodiscard]] Match match(const std::vector<std::string>& segments,
                            std::string_view method) const;
  [[nodiscard]] Outcome<void> check_host(const Request& request, const Target& target) const;
  [[nodiscard]] Outcome<void> check_origin(const Request& request, const Target& target) const;
  [[nodiscard]] Outcome<void> read_query(Call& call, Target& target) const;
  [[nodiscard]] Outcome<std::variant<Response, Call>> admit_checked(Request& request,
                                                                    const std::string& id);
  [[nodiscard]] std::int64_t now_us() const;

  Options options_;
  Authenticator authenticator_;
  Metrics metrics_;
  bool loopback_;
  std::vector<std::vector<std::string_view>> patterns_;  // by index of the route
};

/// Whether `host:port` names a loopback address.
[[nodiscard]] bool is_loopback(std::string_view listen);

}  // namespace rowtrail::server
