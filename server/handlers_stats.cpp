// Counts over a filtered set of events: facets and a histogram; and where the log stands.
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/list.h"
#include "server/time_text.h"

#include <algorithm>
#include <array>
#include <map>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace rowtrail::server {
namespace {

constexpr std::size_t kCountedMax = 100'000;  // events; beyond it counts are of the newest ones
constexpr std::size_t kValuesMax = 50;        // per facet
constexpr std::size_t kBucketsMax = 120;
constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kWidths[] = {1,    5,        15,       60,     300,        900,
                                    3600, 3 * 3600, 6 * 3600, 86'400, 7 * 86'400, 28 * 86'400};
constexpr std::string_view kSeverities[] = {"info", "low", "medium", "high", "critical"};

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;
using Counts = std::map<std::string, std::uint64_t, std::less<>>;

void key(Writer& writer, std::string_view name) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}
void text(Writer& writer, std::string_view value) {
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

struct Facets {
  std::uint64_t events = 0;
  bool complete = true;
  Counts types, actors, severities, sources, object_types;
  std::vector<std::pair<std::int64_t, std::uint8_t>> times;  // with the severity's index
};

void count(Counts& counts, std::string_view value) {
  const auto found = counts.find(value);
  if (found != counts.end()) {
    ++found->second;
  } else {
    counts.emplace(value, 1);
  }
}

void count_objects(Counts& counts, std::string_view objects) {
  std::vector<std::string> seen;  // an event counts once per type
  for_each_object(objects, [&](std::string type, const std::string& /*id*/) {
    if (std::find(seen.begin(), seen.end(), type) == seen.end()) seen.push_back(std::move(type));
  });
  for (const std::string& type : seen) count(counts, type);
}

void count_event(Facets& facets, const store::StoredEvent& event) {
  ++facets.events;
  count(facets.types, event.type);
  count(facets.actors, event.actor);
  std::string severity;
  for_each_member(event.payload, [&](std::string_view name, std::string_view value) {
    if (name == "severity") severity = string_value(value);
    if (name == "source") count(facets.sources, string_value(value));
    if (name == "objects") count_objects(facets.object_types, value);
  });
  const auto at = std::find(std::begin(kSeverities), std::end(kSeverities), severity);
  const auto index = at == std::end(kSeverities) ? 0 : at - std::begin(kSeverities);
  count(facets.severities, kSeverities[index]);
  facets.times.emplace_back(event.time_us, static_cast<std::uint8_t>(index));
}

void write_facet(Writer& writer, std::string_view name, const Counts& counts) {
  std::vector<std::pair<std::string, std::uint64_t>> rows(counts.begin(), counts.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  key(writer, name);
  writer.StartObject();
  key(writer, "distinct");
  writer.Uint64(rows.size());
  key(writer, "values");
  writer.StartArray();
  for (std::size_t i = 0; i < std::min(rows.size(), kValuesMax); ++i) {
    writer.StartObject();
    key(writer, "value");
    text(writer, rows[i].first);
    key(writer, "count");
    writer.Uint64(rows[i].second);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
}

/// The smallest usual width that needs no more than kBucketsMax buckets.
std::int64_t bucket_width(std::int64_t first_us, std::int64_t last_us) {
  for (const std::int64_t seconds : kWidths) {
    const std::int64_t width = seconds * kSecond;
    if ((last_us - first_us) / width < static_cast<std::int64_t>(kBucketsMax)) return width;
  }
  return ((last_us - first_us) / static_cast<std::int64_t>(kBucketsMax) / kSecond + 1) * kSecond;
}

void write_histogram(Writer& writer, const Facets& facets, const store::Filter& filter) {
  key(writer, "histogram");
  writer.StartObject();
  std::map<std::int64_t, std::array<std::uint64_t, std::size(kSeverities)>> buckets;
  std::int64_t width = kSecond;
  if (!facets.times.empty()) {
    const auto [first, last] = std::minmax_element(facets.times.begin(), facets.times.end());
    const bool from_filter = filter.since_us && facets.complete;
    width = bucket_width(from_filter ? *filter.since_us : first->first, last->first);
    for (const auto& [time, severity] : facets.times) {
      ++buckets[time / width * width][severity];
    }
  }
  key(writer, "bucket_s");
  writer.Int64(width / kSecond);
  key(writer, "buckets");
  writer.StartArray();
  for (const auto& [time, counts] : buckets) {
    writer.StartObject();
    key(writer, "time");
    text(writer, format_time(time));
    for (std::size_t i = 0; i < counts.size(); ++i) {
      key(writer, kSeverities[i]);
      writer.Uint64(counts[i]);
    }
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
}

}  // namespace

Outcome<Response> get_stats(const Call& call, const Services& services) {
  store::Filter filter;
  for (const auto& [name, value] : call.query) assign_filter(filter, name, value, call.now_us);
  Facets facets;
  store::Page page;
  page.limit = kCountedMax + 1;
  services.reader->events(filter, page, [&](const store::StoredEvent& event) {
    facets.complete = facets.events < kCountedMax;
    if (facets.complete) count_event(facets, event);
    return facets.complete;
  });
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  key(writer, "events");
  writer.Uint64(facets.events);
  key(writer, "complete");
  writer.Bool(facets.complete);
  write_facet(writer, "types", facets.types);
  write_facet(writer, "actors", facets.actors);
  write_facet(writer, "severities", facets.severities);
  write_facet(writer, "sources", facets.sources);
  write_facet(writer, "object_types", facets.object_types);
  write_histogram(writer, facets, filter);
  writer.EndObject();
  return json_response({buffer.GetString(), buffer.GetSize()});
}

Outcome<Response> get_status(const Call& /*call*/, const Services& services) {
  const store::LogStatus status = services.reader->status();
  const Health health = services.options.health ? services.options.health() : Health{};
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  const auto number = [&](std::string_view name, std::uint64_t value) {
    key(writer, name);
    writer.Uint64(value);
  };
  const auto member = [&](std::string_view name, std::string_view value) {
    key(writer, name);
    text(writer, value);
  };
  writer.StartObject();
  member("version", ROWTRAIL_VERSION);
  member("origin", status.origin);
  number("size", status.size);
  number("transactions", status.transactions);
  number("changes", status.changes);
  number("events", status.events);
  number("gaps", status.gaps);
  key(writer, "gaps_by_kind");
  writer.StartObject();
  for (const auto& [kind, count] : status.gaps_by_kind) number(kind, count);
  writer.EndObject();
  key(writer, "source_connected");
  writer.Bool(health.source_connected);
  key(writer, "store_writable");
  writer.Bool(health.store_writable);
  key(writer, "lag_s");
  writer.Double(finite_or_zero(health.lag_s));
  if (!health.detail.empty()) member("detail", health.detail);
  key(writer, "sources");
  writer.StartArray();
  for (const store::SourceStatus& source : status.sources) {
    writer.StartObject();
    member("source", source.source);
    member("file", source.position.file);
    number("pos", source.position.pos);
    member("gtid_set", source.position.gtid_set);
    member("event_time", format_time(source.event_time_us));
    member("committed", format_time(source.committed_us));
    number("xa_prepared", source.xa_prepared);
    number("xa_rolled_back", source.xa_rolled_back);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return json_response({buffer.GetString(), buffer.GetSize()});
}

}  // namespace rowtrail::server
