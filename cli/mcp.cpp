// MCP over standard input and output, for agents that start their servers themselves.
#include "cli/commands.h"
#include "server/server.h"

#include <iostream>

namespace rowtrail::cli {

int mcp_command(const Common& common) {
  server::Options options;
  options.listen = common.config.listen;  // where links to the dashboard lead
  options.open_reader = [url = common.config.store_url] { return store::open_reader(url); };
  server::serve_mcp(std::cin, std::cout, options);
  return 0;
}

}  // namespace rowtrail::cli
