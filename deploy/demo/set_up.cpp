#include "deploy/demo/set_up.h"

#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace rowtrail::demo {
namespace {

// Statements end with a semicolon at the end of a line; both files keep to it.
void execute_script(Connection& connection, std::string_view script) {
  while (true) {
    const std::size_t end = script.find(";\n");
    if (end == std::string_view::npos) return;
    connection.execute(script.substr(0, end));
    script.remove_prefix(end + 2);
  }
}

struct Grant {
  int user_id;
  int role_id;
};

// As seed.sql numbers them: cashiers, pharmacists, stock clerks, pricing desk, administrators.
constexpr std::array kFirstGrants{
    Grant{1, 2}, Grant{1, 6}, Grant{2, 2}, Grant{3, 2}, Grant{4, 2},  Grant{5, 3},  Grant{6, 3},
    Grant{7, 1}, Grant{7, 2}, Grant{8, 3}, Grant{9, 4}, Grant{10, 4}, Grant{11, 1}, Grant{12, 6},
};

}  // namespace

bool set_up(Connection& connection, Ledger& ledger) {
  if (!connection
           .query("SELECT 1 FROM information_schema.tables WHERE table_schema = 'pharmacy' AND "
                  "table_name = 'user_role'")
           .empty()) {
    return false;
  }
  execute_script(connection, kSchemaSql);
  execute_script(connection, kSeedSql);

  std::string sql = "INSERT INTO pharmacy.user_role (user_id, role_id, granted_by) VALUES ";
  std::vector<Deed> deeds;
  for (const Grant& grant : kFirstGrants) {
    sql +=
        fmt::format("{}({}, {}, 'setup')", deeds.empty() ? "" : ", ", grant.user_id, grant.role_id);
    deeds.push_back(
        {"role.granted",
         {{"user", std::to_string(grant.user_id), ""}, {"role", std::to_string(grant.role_id), ""}},
         "setup"});
  }
  connection.begin();
  connection.execute(sql);
  ledger.write(deeds, connection.commit());
  return true;
}

}  // namespace rowtrail::demo
