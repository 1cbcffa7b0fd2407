#include "binlog/session.h"

#include "binlog/connection.h"

#include <charconv>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <mysql.h>
#include <sys/mman.h>
#include <unistd.h>

namespace rowtrail::binlog {
namespace {

using core::Area;
using core::Failure;

// Listing tables on a server with a hundred thousand of them takes minutes.
constexpr unsigned kReadTimeoutSeconds = 300;
constexpr unsigned kWriteTimeoutSeconds = 60;
constexpr unsigned kClientErrorFirst = 2000;  // the Connector's own (errmsg.h), not the server's
constexpr unsigned kClientErrorLast = 2999;
constexpr unsigned kLastVersionWithMasterStatus = 801;  // 8.2 has SHOW BINARY LOG STATUS

struct FreeResult {
  void operator()(MYSQL_RES* result) const noexcept { mysql_free_result(result); }
};

// What our own login found out and the Connector must hold to.
struct Verified {
  bool encrypted = false;
  Fingerprints certificate;
};

Verified verify_by_own_login(const ServerOptions& options) {
  Connection connection(options);
  Verified out{connection.encrypted(), connection.transport().fingerprints()};
  connection.quit();
  // The Connector would seal the password for whatever key the server sends, and over a unix socket
  // it sends it in a form that the server does not take.
  if (connection.auth_method() == "sha256_password" && !out.encrypted) {
    throw Failure(
        Area::Source, false,
        fmt::format("{}: SQL sessions can use sha256_password over TLS only: connect with "
                    "TLS, or give '{}' caching_sha2_password",
                    connection.peer().where, options.user));
  }
  return out;
}

// Connector/C asks the server for its RSA key when it cannot read the pinned one, and trusts it; up
// to 3.4.3 it never can (plugins/auth/caching_sha2_pw.c compares fread's count with the size). A
// "key" of one byte, which both read alike, makes it stop there. Our own login has put the password
// in the server's cache, so that the Connector needs no key.
class NoKey {
 public:
  NoKey() : file_(::memfd_create("no-server-key", MFD_CLOEXEC)) {
    if (file_ < 0 || ::write(file_, "-", 1) != 1) {
      throw Failure(Area::Source, true, "no memory file for the connection");
    }
  }
  ~NoKey() { ::close(file_); }
  NoKey(const NoKey&) = delete;
  NoKey& operator=(const NoKey&) = delete;
  [[nodiscard]] std::string path() const { return fmt::format("/proc/self/fd/{}", file_); }

 private:
  int file_;
};

// The methods that may be used, for MARIADB_OPT_RESTRICTED_AUTH.
std::string allowed_methods(const ServerOptions& options, const Verified& verified) {
  const bool local = !options.socket.empty();
  std::string out;
  for (const auto& method : auth_methods()) {
    if (method.name == "mysql_clear_password" && !local &&
        !(verified.encrypted && verifies_server(options.tls))) {
      continue;
    }
    if (method.name == "sha256_password" && !verified.encrypted) continue;
    out += fmt::format("{}{}", out.empty() ? "" : ",", method.name);
  }
  return out;
}

void set_flag(MYSQL* mysql, mysql_option option, bool value) {
  const my_bool flag = value ? 1 : 0;
  mysql_options(mysql, option, &flag);
}

void set_up_tls(MYSQL* mysql, const ServerOptions& options, const Verified& verified) {
  set_flag(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, false);  // the fingerprint says more
  if (!verified.encrypted) return;
  set_flag(mysql, MYSQL_OPT_SSL_ENFORCE, true);
  mysql_options(mysql, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
  const auto& certificate = verified.certificate;
  const auto& pin = MARIADB_PACKAGE_VERSION_ID >= 30400 ? certificate.sha256 : certificate.sha1;
  mysql_options(mysql, MARIADB_OPT_TLS_PEER_FP, pin.c_str());
  if (options.tls_cert.empty()) return;
  const auto& key = options.tls_key.empty() ? options.tls_cert : options.tls_key;
  mysql_options(mysql, MYSQL_OPT_SSL_CERT, options.tls_cert.c_str());
  mysql_options(mysql, MYSQL_OPT_SSL_KEY, key.c_str());
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + '\'';
}

std::uint64_t to_number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

}  // namespace

unsigned version_number(std::string_view text) {
  unsigned major = 0;
  unsigned minor = 0;
  const auto* end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, major);
  if (error == std::errc() && dot != end) std::from_chars(dot + 1, end, minor);
  return major * 100 + minor;
}

struct Session::Handle {
  explicit Handle(const ServerOptions& options)
      : peer{describe_server(options), options.user}, mysql(mysql_init(nullptr)) {
    if (mysql == nullptr) throw std::bad_alloc();
    try {
      connect(options);
    } catch (...) {
      mysql_close(mysql);
      throw;
    }
  }
  ~Handle() { mysql_close(mysql); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void connect(const ServerOptions& options) {
    const bool local = !options.socket.empty();
    const auto verified = verify_by_own_login(options);
    const NoKey no_key;
    const auto seconds = std::max(1U, options.connect_timeout_ms / 1000);
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &kReadTimeoutSeconds);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &kWriteTimeoutSeconds);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "rowtrail");
    const unsigned no_files = 0;
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_files);
    const unsigned protocol = local ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
    if (!local) mysql_options(mysql, MYSQL_SERVER_PUBLIC_KEY, no_key.path().c_str());
    mysql_options(mysql, MARIADB_OPT_RESTRICTED_AUTH, allowed_methods(options, verified).c_str());
    set_up_tls(mysql, options, verified);
    if (mysql_real_connect(mysql, options.host.c_str(), options.user.c_str(),
                           options.password.c_str(), nullptr, options.port,
                           local ? options.socket.c_str() : nullptr, 0) == nullptr) {
      fail(Stage::Login);
    }
  }

  [[noreturn]] void fail(Stage stage) const {
    const auto code = mysql_errno(mysql);
    const std::string message = mysql_error(mysql);
    if (code >= kClientErrorFirst && code <= kClientErrorLast) {
      throw Failure(Area::Source, true,
                    fmt::format("{}: {} (error {})", peer.where, message, code));
    }
    throw explain({static_cast<std::uint16_t>(code), mysql_sqlstate(mysql), message}, stage, peer);
  }

  Peer peer;
  MYSQL* mysql;
};

Session::Session(const ServerOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
  const auto hosts = host_count(options);
  std::string messages;
  bool retryable = false;
  for (std::size_t n = 0; n < hosts && !handle_; ++n) {
    try {
      handle_ = std::make_unique<Handle>(options_for_host(options, n));
    } catch (const Failure& failure) {
      if (hosts == 1) throw;
      retryable = retryable || failure.retryable();
      messages += (messages.empty() ? "" : "\n") + std::string(failure.what());
    }
  }
  if (!handle_) throw Failure(Area::Source, retryable, messages);
  server_version_ = mysql_get_server_info(handle_->mysql);
  if (mariadb_connection(handle_->mysql) != 0) flavor_ = Flavor::MariaDb;
  query("SET SESSION time_zone='+00:00', SESSION sql_mode=''");
  query("SET SESSION TRANSACTION READ ONLY");
}

Session::~Session() = default;

const std::string& Session::where() const noexcept {
  return handle_->peer.where;
}

std::vector<Session::ResultRow> Session::query(std::string_view sql) {
  auto* mysql = handle_->mysql;
  if (mysql_real_query(mysql, sql.data(), sql.size()) != 0) handle_->fail(Stage::Statement);
  const std::unique_ptr<MYSQL_RES, FreeResult> result(mysql_use_result(mysql));
  if (!result) {
    if (mysql_errno(mysql) != 0) handle_->fail(Stage::Statement);
    return {};  // a statement without a result
  }
  const auto columns = mysql_num_fields(result.get());
  std::vector<ResultRow> rows;
  while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
    const auto* lengths = mysql_fetch_lengths(result.get());
    auto& out = rows.emplace_back(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (row[i] != nullptr) out[i].emplace(row[i], lengths[i]);
    }
  }
  if (mysql_errno(mysql) != 0) handle_->fail(Stage::Statement);
  return rows;
}

std::optional<std::string> Session::variable(std::string_view name) {
  const auto rows =
      query(fmt::format("SHOW GLOBAL VARIABLES WHERE Variable_name = {}", quoted(name)));
  if (rows.empty() || rows.front().size() < 2) return std::nullopt;
  return rows.front()[1];
}

std::string Session::server_uuid() {
  return variable(flavor_ == Flavor::MariaDb ? "server_uid" : "server_uuid").value_or("");
}

Position Session::current_position() {
  const bool old_name =
      flavor_ == Flavor::MariaDb || version_number(server_version_) <= kLastVersionWithMasterStatus;
  const auto rows = query(old_name ? "SHOW MASTER STATUS" : "SHOW BINARY LOG STATUS");
  if (rows.empty() || rows.front().size() < 2) {
    throw Failure(
        Area::Source, false,
        fmt::format("{}: the server writes no binlog; set log_bin and restart it", where()));
  }
  const auto& row = rows.front();
  Position position;
  position.file = row[0].value_or("");
  position.pos = to_number(row[1]);
  position.server_uuid = server_uuid();
  position.gtid_set = flavor_ == Flavor::MariaDb
                          ? mariadb_gtids_at(position.file, position.pos)
                          : mysql_gtids(row.size() > 4 ? row[4].value_or("") : "");
  return position;
}

Position Session::earliest_position() {
  const auto rows = query("SHOW BINARY LOGS");
  if (rows.empty() || rows.front().empty()) {
    throw Failure(Area::Source, false, fmt::format("{}: the server has no binlog file", where()));
  }
  Position position;
  position.file = rows.front()[0].value_or("");
  position.pos = 4;
  position.server_uuid = server_uuid();
  position.gtid_set = flavor_ == Flavor::MariaDb
                          ? mariadb_gtids_at(position.file, position.pos)
                          : mysql_gtids(variable("gtid_purged").value_or(""));
  return position;
}

// The set as the server prints it, made canonical; empty unless the server can dump by GTID.
std::string Session::mysql_gtids(std::string_view text) {
  if (variable("gtid_mode").value_or("OFF") != "ON") return {};
  const auto set = GtidSet::parse(text, Flavor::MySql);
  if (!set) {
    throw Failure(Area::Source, false, fmt::format("{}: {}", where(), set.error().message));
  }
  return set->text();
}

std::string Session::mariadb_gtids_at(std::string_view file, std::uint64_t pos) {
  const auto rows = query(fmt::format("SELECT BINLOG_GTID_POS({}, {})", quoted(file), pos));
  return rows.empty() || rows.front().empty() ? "" : rows.front()[0].value_or("");
}

}  // namespace rowtrail::binlog
