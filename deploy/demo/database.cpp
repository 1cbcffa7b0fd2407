#include "deploy/demo/database.h"

#include <fmt/format.h>

namespace rowtrail::demo {
namespace {

constexpr unsigned kConnectTimeoutS = 10;
constexpr std::size_t kSqlShownMax = 200;

}  // namespace

Connection::Connection(const ServerAddress& address) : handle_(mysql_init(nullptr)) {
  MYSQL* handle = handle_.get();
  mysql_optionsv(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(handle, MYSQL_OPT_CONNECT_TIMEOUT, &kConnectTimeoutS);
  const bool over_tcp = address.socket.empty();
  if (over_tcp) {
    // caching_sha2_password wants TLS, or else the server's RSA key.
    const my_bool enforce = 1;
    const my_bool verify = address.ca_file.empty() ? 0 : 1;
    mysql_optionsv(handle, MYSQL_OPT_SSL_ENFORCE, &enforce);
    mysql_optionsv(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (verify) mysql_optionsv(handle, MYSQL_OPT_SSL_CA, address.ca_file.c_str());
  }
  if (!mysql_real_connect(handle, over_tcp ? address.host.c_str() : nullptr, address.user.c_str(),
                          address.password.c_str(), nullptr, over_tcp ? address.port : 0,
                          over_tcp ? nullptr : address.socket.c_str(), 0)) {
    const std::string where =
        over_tcp ? fmt::format("{}:{}", address.host, address.port) : address.socket;
    throw SqlError(mysql_errno(handle), fmt::format("cannot connect to {} as {}: {}", where,
                                                    address.user, mysql_error(handle)));
  }
  // MariaDB has no such variable, and the ledger then does without GTIDs.
  if (!mariadb_connection(handle)) execute("SET SESSION session_track_gtids = 'OWN_GTID'");
}

void Connection::fail(std::string_view sql) {
  throw SqlError(mysql_errno(handle_.get()),
                 fmt::format("{} (error {}) at: {}", mysql_error(handle_.get()),
                             mysql_errno(handle_.get()), sql.substr(0, kSqlShownMax)));
}

void Connection::execute(std::string_view sql) {
  if (mysql_real_query(handle_.get(), sql.data(), sql.size()) != 0) fail(sql);
  const std::uint64_t affected = mysql_affected_rows(handle_.get());
  if (affected != static_cast<std::uint64_t>(-1)) rows_changed_ += affected;
}

std::vector<Row> Connection::query(std::string_view sql) {
  if (mysql_real_query(handle_.get(), sql.data(), sql.size()) != 0) fail(sql);
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
      mysql_store_result(handle_.get()), &mysql_free_result);
  if (!result) fail(sql);
  const unsigned columns = mysql_num_fields(result.get());
  std::vector<Row> rows;
  while (MYSQL_ROW cells = mysql_fetch_row(result.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(result.get());
    Row row(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (cells[i] != nullptr) row[i] = std::string(cells[i], lengths[i]);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string Connection::quote(std::string_view text) {
  std::string quoted(text.size() * 2 + 1, '\0');
  quoted.resize(mysql_real_escape_string(handle_.get(), quoted.data(), text.data(), text.size()));
  return "'" + quoted + "'";
}

void Connection::begin() {
  execute("START TRANSACTION");
  rows_changed_ = 0;
}

void Connection::rollback() {
  execute("ROLLBACK");
}

std::string Connection::commit() {
  const std::uint64_t rows = rows_changed_;
  execute("COMMIT");
  rows_changed_ = rows;
  const char* gtid = nullptr;
  std::size_t length = 0;
  if (mysql_session_track_get_first(handle_.get(), SESSION_TRACK_GTIDS, &gtid, &length) != 0)
    return "";
  return std::string(gtid, length);
}

}  // namespace rowtrail::demo
