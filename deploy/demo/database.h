// One connection of the pharmacy's application to its database, over Connector/C, as any
// application would hold it. It knows nothing of rowtrail; the one unusual thing is that it asks
// the server for the GTID of each commit, so that the ledger can name the transaction. A connection
// belongs to one thread and closes with its object.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <mysql.h>

namespace rowtrail::demo {

struct ServerAddress {
  std::string host = "127.0.0.1";
  unsigned port = 3306;
  std::string socket;  // takes precedence over host and port
  std::string user = "app";
  std::string password;
  std::string ca_file;  // the server's certificate is verified when given
};

class SqlError : public std::runtime_error {
 public:
  SqlError(unsigned number, const std::string& message)
      : std::runtime_error(message), number_(number) {}
  unsigned number() const { return number_; }
  // A deadlock or a lock wait timeout: the same transaction may succeed when tried again.
  bool worth_retrying() const { return number_ == 1213 || number_ == 1205; }

 private:
  unsigned number_;
};

using Row = std::vector<std::optional<std::string>>;

class Connection {
 public:
  explicit Connection(const ServerAddress& address);

  void execute(std::string_view sql);
  std::vector<Row> query(std::string_view sql);
  // The value as a SQL literal, in quotes.
  std::string quote(std::string_view text);
  std::uint64_t last_insert_id() { return mysql_insert_id(handle_.get()); }

  void begin();
  void rollback();
  // Returns the GTID, empty where the server does not tell (MariaDB, GTIDs off).
  std::string commit();
  // Rows changed since begin(); MySQL counts an update only where a value changed.
  std::uint64_t rows_changed() const { return rows_changed_; }

 private:
  struct Close {
    void operator()(MYSQL* handle) const { mysql_close(handle); }
  };
  [[noreturn]] void fail(std::string_view sql);

  std::unique_ptr<MYSQL, Close> handle_;
  std::uint64_t rows_changed_ = 0;
};

}  // namespace rowtrail::demo
