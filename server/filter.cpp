// Filters from their names and texts, the same for a URL's query and the command line's options.
#include "server/list.h"
#include "server/target.h"
#include "server/time_text.h"

#include <utility>

namespace rowtrail::server {

bool assign_filter(store::Filter& filter, std::string_view name, std::string_view value,
                   std::int64_t now_us) {
  const std::pair<std::string_view, std::string*> texts[] = {
      {"type", &filter.type},     {"actor", &filter.actor},
      {"source", &filter.source}, {"database", &filter.database},
      {"table", &filter.table},   {"severity", &filter.severity},
      {"q", &filter.text},        {"transaction", &filter.transaction}};
  for (const auto& [known, member] : texts) {
    if (name != known) continue;
    *member = value;
    return true;
  }
  if (name == "object") {
    const std::size_t slash = value.find('/');
    filter.object_type = value.substr(0, slash);
    filter.object_id = *decode_key(value.substr(slash + 1));
  } else if (name == "not") {
    filter.exclude = *parse_exclusions(value);
  } else if (name == "pk") {
    filter.pk = std::string(value);
  } else if (name == "since") {
    filter.since_us = *parse_time(value, now_us);
  } else if (name == "until") {
    filter.until_us = *parse_time(value, now_us);
  } else {
    return false;
  }
  return true;
}

core::Result<> set_filter(store::Filter& filter, std::string_view name, std::string_view value,
                          std::int64_t now_us) {
  const auto problem_text = [](const Problem& problem) {
    return core::Error{core::Errc::Invalid,
                       problem.hint.empty() ? problem.detail : problem.detail + " " + problem.hint};
  };
  if (const auto checked = check_parameter(query_parameter(name), value, now_us); !checked) {
    return problem_text(checked.error());
  }
  if (!assign_filter(filter, name, value, now_us)) {
    return core::Error{core::Errc::Invalid, "not a filter"};
  }
  return {};
}

core::Result<std::int64_t> time_from_text(std::string_view text, std::int64_t now_us) {
  const auto time = parse_time(text, now_us);
  if (!time) return core::Error{core::Errc::Invalid, time.error().detail + " " + time.error().hint};
  return *time;
}

}  // namespace rowtrail::server
