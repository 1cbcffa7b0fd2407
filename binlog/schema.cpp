#include "binlog/schema.h"

namespace rowtrail::binlog {

int TableSchema::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace rowtrail::binlog
