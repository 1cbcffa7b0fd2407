// Any text as a source URL: options or one error that does not repeat a password.
#include "binlog/source.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view url(reinterpret_cast<const char*>(data), size);
  const auto parsed = rowtrail::binlog::parse_server_url(url);
  if (!parsed && parsed.error().message.empty()) std::abort();
  if (parsed && !parsed->password.empty()) std::abort();
  return 0;
}
