#include "binlog/server_error.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

constexpr std::uint16_t kAccessDenied = 1045;
constexpr std::uint16_t kFatalReadingBinlog = 1236;

struct Advice {
  std::uint16_t code;
  bool retryable;
  std::string_view text;  // {user} is replaced
};

constexpr std::string_view kWrongPassword =
    "check user and password; the server knows the user only from the hosts it was created for";
constexpr std::string_view kMissingGrant =
    "grant what reading the binlog needs: GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO "
    "'{user}'@'%' (with the host part that the user was created with)";

// Numbers: MySQL's share/messages_to_clients.txt; 1927 and 4157 are MariaDB's.
constexpr std::array kAdvice{
    Advice{1040, true, "all of the server's connections are taken; raise max_connections"},
    Advice{1044, false, kMissingGrant},
    Advice{1053, true, "it is coming back or another server takes over"},
    Advice{1129, false,
           "the server blocked this host after failed logins; run FLUSH HOSTS there "
           "(mariadb-admin flush-hosts, TRUNCATE performance_schema.host_cache)"},
    Advice{1130, false, "the server knows no user for this host; create '{user}' for it"},
    Advice{1142, false, kMissingGrant},
    Advice{1143, false, kMissingGrant},
    Advice{1159, true, ""},
    Advice{1160, true, ""},
    Advice{1161, true, ""},
    Advice{1203, true,
           "user '{user}' has all of its connections in use; raise max_user_connections"},
    Advice{1205, true, ""},
    Advice{1213, true, ""},
    Advice{1226, true, "user '{user}' has used up a limit of its account (ALTER USER … WITH …)"},
    Advice{1227, false, kMissingGrant},
    Advice{1251, false, "give the user a current authentication method"},
    Advice{1317, true, "an administrator ended the connection"},
    Advice{1524, false, "the server has not loaded the user's authentication plugin"},
    Advice{1820, false,
           "the user's password must be changed first: ALTER USER '{user}' IDENTIFIED BY …"},
    Advice{1862, false, "the user's password has expired: ALTER USER '{user}' IDENTIFIED BY …"},
    Advice{1927, true, "an administrator ended the connection"},
    Advice{3032, true, "the server is in offline mode"},
    Advice{3118, false, "unlock the user: ALTER USER '{user}' ACCOUNT UNLOCK"},
    Advice{3159, false, "the server accepts only TLS or a unix socket; do not set tls=disabled"},
    Advice{4031, true, ""},
    Advice{4151, false, "unlock the user: ALTER USER '{user}' ACCOUNT UNLOCK"},
};

struct DumpAdvice {
  std::string_view fragment;  // of the message of error 1236
  bool purged;
  std::string_view text;
};

// Messages: MySQL's sql/rpl_binlog_sender.cc and MariaDB's sql/sql_repl.cc, old and new wording.
constexpr std::array kDumpAdvice{
    DumpAdvice{"same server_uuid/server_id", false,
               "another replica uses this server id: give each rowtrail a server_id of its own"},
    DumpAdvice{"purged required binary logs", true, ""},
    DumpAdvice{"Could not find first log file name", true, ""},
    DumpAdvice{"could not find next log", true, ""},
    DumpAdvice{"binary logs have been purged", true, ""},
    DumpAdvice{"Could not find GTID state requested", true, ""},
    DumpAdvice{
        "has more GTIDs than the", false,
        "the server lost transactions that were already captured (restored from a backup, or "
        "the wrong server after a failover); choose a new start"},
    DumpAdvice{"which is not in the master's binlog", false,
               "the server lost transactions that were already captured, or it is the wrong server "
               "after a failover; choose a new start"},
    DumpAdvice{"position > file size", false,
               "the binlog was reset or the server restored since; choose a new start"},
    DumpAdvice{"impossible position", false,
               "the binlog was reset or the server restored since; choose a new start"},
    DumpAdvice{"bogus data in log event", false,
               "the position is not the start of an event; choose a new start"},
    DumpAdvice{"exceeded max_allowed_packet", false,
               "the position is not the start of an event, or the server's max_allowed_packet is "
               "below its largest event: SET GLOBAL max_allowed_packet = 1073741824"},
    DumpAdvice{"Binary log is not open", false,
               "the server writes no binlog: set log_bin and restart it"},
    DumpAdvice{
        "GTID_MODE", false,
        "the position is a GTID set but the server has GTIDs off: set gtid_mode=ON there, or "
        "start from a file and position"},
    DumpAdvice{"server_id is 0", false, "the server needs a server_id: SET GLOBAL server_id = 1"},
    DumpAdvice{"checksum", false, "the binlog on the server is damaged there"},
};

constexpr std::string_view kPurgedAdvice =
    "what was asked for is no longer in the server's binlog: restart with --start earliest (the "
    "log then has a gap) or take a new snapshot, and raise binlog_expire_logs_seconds";

bool contains(std::string_view text, std::string_view part) noexcept {
  return text.find(part) != std::string_view::npos;
}

const DumpAdvice* find_dump_advice(const ServerError& error) noexcept {
  if (error.code != kFatalReadingBinlog) return nullptr;
  const auto* found = std::ranges::find_if(
      kDumpAdvice, [&](const auto& row) { return contains(error.message, row.fragment); });
  return found == kDumpAdvice.end() ? nullptr : found;
}

std::string filled(std::string_view advice, const std::string& user) {
  std::string out(advice);
  if (const auto at = out.find("{user}"); at != std::string::npos) out.replace(at, 6, user);
  return out;
}

}  // namespace

bool is_purged(const ServerError& error) noexcept {
  const auto* found = find_dump_advice(error);
  return found != nullptr && found->purged;
}

core::Failure explain(const ServerError& error, Stage stage, const Peer& peer) {
  // Unknown codes: once the dump was asked for, it may simply be tried again; else look at it.
  bool retryable = stage == Stage::Dump && error.code != kFatalReadingBinlog;
  std::string_view advice;
  if (error.code == kAccessDenied) {
    // COM_REGISTER_SLAVE answers a missing grant with the code of a wrong password.
    advice = stage == Stage::Login ? kWrongPassword : kMissingGrant;
    retryable = false;
  } else if (const auto* dump = find_dump_advice(error)) {
    advice = dump->purged ? kPurgedAdvice : dump->text;
  } else if (const auto* row = std::ranges::find(kAdvice, error.code, &Advice::code);
             row != kAdvice.end()) {
    advice = row->text;
    retryable = row->retryable;
  }
  auto message = fmt::format("{}: {} (error {})", peer.where, error.message, error.code);
  if (!advice.empty()) message += fmt::format("; {}", filled(advice, peer.user));
  return {core::Area::Source, retryable, message};
}

}  // namespace rowtrail::binlog
