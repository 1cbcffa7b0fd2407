// Preflight against a live server whose settings are changed under it, one at a time.
#include "binlog/session.h"
#include "test/binlog/client_server.h"

#include <algorithm>
#include <string>
#include <vector>

using namespace rowtrail;
using namespace rowtrail::binlog;
using namespace rowtrail::binlog::testing;

namespace {

using Severity = Finding::Severity;

/// A global variable set for the length of one test.
class Setting {
 public:
  Setting(const LiveServer& server, std::string name, const std::string& value)
      : server_(server), name_(std::move(name)) {
    old_ = Session(server_.local_options()).variable(name_).value_or("");
    set(value);
  }
  ~Setting() { set(old_); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  void set(const std::string& value) const {
    const bool numeric =
        !value.empty() && value.find_first_not_of("0123456789.") == std::string::npos;
    server_.admin("SET GLOBAL " + name_ + " = " + (numeric ? value : "'" + value + "'"));
  }
  const LiveServer& server_;
  std::string name_;
  std::string old_;
};

Finding found(const LiveServer& server, const std::string& id) {
  const auto options = server.local_options();
  Session session(options);
  const auto findings = preflight(session, options);
  const auto one = std::ranges::find(findings, id, &Finding::id);
  REQUIRE(one != findings.end());
  return *one;
}

struct Case {
  const char* variable;
  const char* value;
  const char* id;
  Severity severity;
  const char* fix;
};

void check(Flavor flavor, const std::vector<Case>& cases) {
  const LiveServer server(flavor);
  for (const auto& one : cases) {
    INFO(one.variable << " = " << one.value);
    {
      const Setting setting(server, one.variable, one.value);
      const auto finding = found(server, one.id);
      CHECK(finding.severity == one.severity);
      CHECK_FALSE(finding.what.empty());
      CHECK(finding.fix_sql == one.fix);
    }
    CHECK(found(server, one.id).severity == Severity::Ok);
  }
}

}  // namespace

TEST_CASE("preflight: each setting of MySQL that matters, and the SQL that mends it", "[live]") {
  check(Flavor::MySql,
        {{"binlog_format", "STATEMENT", "binlog_format", Severity::Fatal,
          "SET PERSIST binlog_format = 'ROW';"},
         {"binlog_format", "MIXED", "binlog_format", Severity::Fatal,
          "SET PERSIST binlog_format = 'ROW';"},
         {"binlog_row_image", "MINIMAL", "binlog_row_image", Severity::Warn,
          "SET PERSIST binlog_row_image = 'FULL';"},
         {"binlog_row_metadata", "MINIMAL", "binlog_row_metadata", Severity::Warn,
          "SET PERSIST binlog_row_metadata = 'FULL';"},
         {"binlog_rows_query_log_events", "OFF", "statement_text", Severity::Warn,
          "SET PERSIST binlog_rows_query_log_events = ON;"},
         {"gtid_mode", "ON_PERMISSIVE", "gtid_mode", Severity::Warn,
          "SET PERSIST enforce_gtid_consistency = ON; SET PERSIST gtid_mode = OFF_PERMISSIVE; SET "
          "PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON;"},
         {"binlog_checksum", "NONE", "binlog_checksum", Severity::Warn,
          "SET PERSIST binlog_checksum = 'CRC32';"},
         {"binlog_expire_logs_seconds", "3600", "binlog_expiry", Severity::Warn,
          "SET PERSIST binlog_expire_logs_seconds = 604800;"}});
}

TEST_CASE("preflight: each setting of MariaDB that matters, and the SQL that mends it", "[live]") {
  const std::string persist = " -- and the same in the server's option file";
  const auto format = "SET GLOBAL binlog_format = 'ROW';" + persist;
  const auto image = "SET GLOBAL binlog_row_image = 'FULL';" + persist;
  const auto metadata = "SET GLOBAL binlog_row_metadata = 'FULL';" + persist;
  const auto annotate = "SET GLOBAL binlog_annotate_row_events = ON;" + persist;
  const auto checksum = "SET GLOBAL binlog_checksum = 'CRC32';" + persist;
  check(Flavor::MariaDb,
        {{"binlog_format", "STATEMENT", "binlog_format", Severity::Fatal, format.c_str()},
         {"binlog_row_image", "NOBLOB", "binlog_row_image", Severity::Warn, image.c_str()},
         {"binlog_row_metadata", "NO_LOG", "binlog_row_metadata", Severity::Warn, metadata.c_str()},
         {"binlog_annotate_row_events", "OFF", "statement_text", Severity::Warn, annotate.c_str()},
         {"binlog_checksum", "NONE", "binlog_checksum", Severity::Warn, checksum.c_str()}});
}

TEST_CASE("preflight: cascades that the server does not log are counted", "[live]") {
  const LiveServer server(Flavor::MariaDb);
  server.admin("CREATE DATABASE IF NOT EXISTS client_test");
  server.admin("CREATE TABLE IF NOT EXISTS client_test.parent (id INT PRIMARY KEY)");
  server.admin(
      "CREATE TABLE IF NOT EXISTS client_test.child (id INT PRIMARY KEY, parent INT, FOREIGN KEY "
      "(parent) REFERENCES client_test.parent (id) ON DELETE CASCADE)");
  auto finding = found(server, "foreign_key_cascades");
  CHECK(finding.severity == Severity::Warn);
  CHECK(finding.what.find(" foreign keys cascade inside the storage engine") != std::string::npos);
  server.admin("DROP DATABASE client_test");
}

TEST_CASE("preflight: partial JSON needs full row images", "[live]") {
  const LiveServer server(Flavor::MySql);
  const Setting options(server, "binlog_row_value_options", "PARTIAL_JSON");
  CHECK(found(server, "partial_json").severity == Severity::Ok);
  const Setting image(server, "binlog_row_image", "MINIMAL");
  const auto finding = found(server, "partial_json");
  CHECK(finding.severity == Severity::Warn);
  CHECK(finding.fix_sql == "SET PERSIST binlog_row_value_options = '';");
}
