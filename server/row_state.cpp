#include "server/json_text.h"
#include "server/server.h"
#include "server/target.h"
#include "server/time_text.h"

namespace rowtrail::server {

core::Result<std::string> key_from_text(std::string_view text) {
  auto key = decode_key(text);
  if (!key) {
    return core::Error{core::Errc::Invalid, key.error().detail + " " + key.error().hint};
  }
  return *std::move(key);
}

std::string row_state_json(const store::RowKey& row, std::optional<std::int64_t> at_us,
                           const store::RowState& state) {
  std::string out;
  const auto text = [&out](std::string_view name, std::string_view value) {
    out += name;
    append_json_string(out, value);
  };
  text("{\"source\":", row.source);
  text(",\"database\":", row.database);
  text(",\"table\":", row.table);
  out.append(",\"pk\":").append(row.keys.front());
  if (at_us) {
    text(",\"at\":", format_time(*at_us));
  } else {
    out += ",\"at\":null";
  }
  out.append(",\"state\":{\"exists\":").append(state.exists() ? "true" : "false");
  text(",\"basis\":", store::row_basis_name(state.basis));
  out.append(",\"seq\":").append(std::to_string(state.seq));
  text(",\"committed_at\":", state.committed_at);
  out.append(",\"row\":").append(state.exists() ? state.row : "null");
  if (!state.cells.empty()) out.append(",\"cells\":").append(state.cells);
  if (state.exists()) out.append(",\"complete\":").append(state.complete ? "true" : "false");
  if (state.ddl != 0) out.append(",\"ddl\":").append(std::to_string(state.ddl));
  return out + "}}";
}

}  // namespace rowtrail::server
