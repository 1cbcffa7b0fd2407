#include "deploy/demo/set_up.h"

#include <string_view>

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

}  // namespace

bool set_up(Connection& connection) {
  if (!connection
           .query("SELECT 1 FROM information_schema.tables WHERE table_schema = 'pharmacy' AND "
                  "table_name = 'user_role'")
           .empty()) {
    return false;
  }
  execute_script(connection, kSchemaSql);
  execute_script(connection, kSeedSql);
  return true;
}

}  // namespace rowtrail::demo
