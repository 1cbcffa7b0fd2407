// The map of a process as objects walk it: which event follows which on the same object, how often
// and how long after, and the whole walks. Everything is counted from the events in one pass over a
// bounded number of them.
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/list.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace rowtrail::server {
namespace {

constexpr std::size_t kEventsMax = 50'000;  // beyond it the newest are looked at
constexpr std::size_t kPathsMax = 200;      // listed
constexpr std::size_t kVariantsMax = 25;    // listed
constexpr std::size_t kWalkMax = 40;        // events of a variant; longer walks end in "cut"

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;
using Index = std::uint32_t;

/// Names as small numbers, in the order they were met.
class Names {
 public:
  Index of(std::string name) {
    const auto [found, fresh] = known_.try_emplace(std::move(name), static_cast<Index>(size()));
    if (fresh) names_.push_back(&found->first);
    return found->second;
  }
  [[nodiscard]] const std::string& operator[](Index index) const { return *names_[index]; }
  [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }

 private:
  std::unordered_map<std::string, Index> known_;  // whose nodes stay where they are
  std::vector<const std::string*> names_;
};

struct Seen {
  std::int64_t time_us = 0;
  Index activity = 0;
  std::vector<std::pair<Index, Index>> objects;  // type and id, each once
};

struct History {
  std::vector<Seen> events;  // oldest first
  bool complete = true;
  Names activities, types, ids;
};

History read_history(store::Reader& reader, const store::Filter& filter) {
  History history;
  store::Page page;
  page.limit = kEventsMax + 1;
  reader.events(filter, page, [&](const store::StoredEvent& event) {
    history.complete = history.events.size() < kEventsMax;
    if (!history.complete) return false;
    Seen seen{event.time_us, history.activities.of(event.type), {}};
    for_each_member(event.payload, [&](std::string_view name, std::string_view value) {
      if (name != "objects") return;
      for_each_object(value, [&](std::string type, std::string id) {
        seen.objects.emplace_back(history.types.of(std::move(type)), history.ids.of(std::move(id)));
      });
    });
    std::sort(seen.objects.begin(), seen.objects.end());
    seen.objects.erase(std::unique(seen.objects.begin(), seen.objects.end()), seen.objects.end());
    history.events.push_back(std::move(seen));
    return true;
  });
  std::reverse(history.events.begin(), history.events.end());
  std::stable_sort(history.events.begin(), history.events.end(),
                   [](const Seen& a, const Seen& b) { return a.time_us < b.time_us; });
  return history;
}

struct TypeTotals {
  std::uint64_t objects = 0, repeated = 0, events = 0, variants = 0;
};

std::vector<TypeTotals> count_types(const History& history) {
  std::map<std::pair<Index, Index>, std::pair<std::uint64_t, std::uint64_t>> walks;
  for (const Seen& seen : history.events) {
    for (const auto& object : seen.objects) {
      auto& [events, way] = walks[object];
      ++events;
      way = (way ^ (seen.activity + 1)) * 0x100000001b3U;  // FNV: equal ways, equal numbers
    }
  }
  std::vector<TypeTotals> totals(history.types.size());
  std::set<std::pair<Index, std::uint64_t>> ways;
  for (const auto& [object, walk] : walks) {
    TypeTotals& total = totals[object.first];
    ++total.objects;
    total.repeated += walk.first > 1 ? 1U : 0U;
    total.events += walk.first;
    total.variants += ways.emplace(object.first, walk.second).second ? 1U : 0U;
  }
  return totals;
}

/// The type that walks a process: most of its objects have several events, and few ways among them.
std::optional<Index> usual_type(const std::vector<TypeTotals>& totals) {
  std::optional<Index> best;
  const auto rank = [&](Index type) {
    const TypeTotals& total = totals[type];
    const auto objects = static_cast<double>(total.objects);
    return std::pair(static_cast<double>(total.repeated) / objects *
                         (1 - static_cast<double>(total.variants) / objects),
                     total.objects);
  };
  for (Index type = 0; type < totals.size(); ++type) {
    if (!best || rank(type) > rank(*best)) best = type;
  }
  return best;
}

struct Durations {
  std::vector<std::int64_t> us;
  Index example = 0;  // id of the newest object
  [[nodiscard]] double median_s() {
    const auto middle = us.begin() + static_cast<std::ptrdiff_t>(us.size() / 2);
    std::nth_element(us.begin(), middle, us.end());
    return static_cast<double>(*middle) / 1e6;
  }
};

struct Walk {
  std::vector<Index> activities;  // one more than kWalkMax says it is cut
  std::int64_t first_us = 0, last_us = 0;
  Index last = 0;
};

struct ProcessMap {
  std::map<Index, Walk> walks;  // by object id
  std::map<std::pair<Index, Index>, Durations> paths;
  std::map<std::vector<Index>, Durations> variants;
  std::map<Index, std::uint64_t> events, first, last;  // by activity
};

ProcessMap walk(const History& history, Index type) {
  ProcessMap map;
  for (const Seen& seen : history.events) {
    bool counted = false;
    for (const auto& [object_type, id] : seen.objects) {
      if (object_type != type) continue;
      if (!std::exchange(counted, true)) ++map.events[seen.activity];
      const auto [found, fresh] = map.walks.try_emplace(id);
      Walk& steps = found->second;
      if (fresh) {
        steps.first_us = seen.time_us;
        ++map.first[seen.activity];
      } else {
        Durations& path = map.paths[{steps.last, seen.activity}];
        path.us.push_back(seen.time_us - steps.last_us);
        path.example = id;
      }
      steps.last = seen.activity;
      steps.last_us = seen.time_us;
      if (steps.activities.size() <= kWalkMax) steps.activities.push_back(seen.activity);
    }
  }
  for (const auto& [id, steps] : map.walks) {
    ++map.last[steps.last];
    Durations& variant = map.variants[steps.activities];
    variant.us.push_back(steps.last_us - steps.first_us);
    variant.example = id;
  }
  return map;
}

void member(Writer& writer, std::string_view name) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}
void member(Writer& writer, std::string_view name, std::uint64_t value) {
  member(writer, name);
  writer.Uint64(value);
}
void text(Writer& writer, std::string_view value) {
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

/// The most frequent of what was timed.
template <class Key>
std::vector<std::pair<const Key, Durations>*> top(std::map<Key, Durations>& timed,
                                                  std::size_t most) {
  std::vector<std::pair<const Key, Durations>*> rows;
  for (auto& row : timed) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) {
    return a->second.us.size() > b->second.us.size();
  });
  rows.resize(std::min(rows.size(), most));
  return rows;
}

void write_types(Writer& writer, const History& history, const std::vector<TypeTotals>& totals) {
  member(writer, "object_types");
  writer.StartArray();
  for (Index type = 0; type < totals.size(); ++type) {
    writer.StartObject();
    member(writer, "type");
    text(writer, history.types[type]);
    member(writer, "objects", totals[type].objects);
    member(writer, "repeated", totals[type].repeated);
    member(writer, "events", totals[type].events);
    writer.EndObject();
  }
  writer.EndArray();
}

void write_activities(Writer& writer, const History& history, const ProcessMap& map) {
  const auto of = [](const std::map<Index, std::uint64_t>& counts, Index activity) {
    const auto found = counts.find(activity);
    return found == counts.end() ? 0 : found->second;
  };
  member(writer, "activities");
  writer.StartArray();
  for (const auto& [activity, events] : map.events) {
    writer.StartObject();
    member(writer, "type");
    text(writer, history.activities[activity]);
    member(writer, "events", events);
    member(writer, "first", of(map.first, activity));
    member(writer, "last", of(map.last, activity));
    writer.EndObject();
  }
  writer.EndArray();
}

void write_paths(Writer& writer, const History& history, ProcessMap& map) {
  member(writer, "paths_distinct", map.paths.size());
  member(writer, "paths");
  writer.StartArray();
  for (auto* row : top(map.paths, kPathsMax)) {
    writer.StartObject();
    member(writer, "from");
    text(writer, history.activities[row->first.first]);
    member(writer, "to");
    text(writer, history.activities[row->first.second]);
    member(writer, "count", row->second.us.size());
    member(writer, "median_s");
    writer.Double(row->second.median_s());
    member(writer, "example");
    text(writer, history.ids[row->second.example]);
    writer.EndObject();
  }
  writer.EndArray();
}

void write_variants(Writer& writer, const History& history, ProcessMap& map) {
  member(writer, "variants_distinct", map.variants.size());
  member(writer, "variants");
  writer.StartArray();
  for (auto* row : top(map.variants, kVariantsMax)) {
    const std::vector<Index>& steps = row->first;
    writer.StartObject();
    member(writer, "activities");
    writer.StartArray();
    for (std::size_t i = 0; i < std::min(steps.size(), kWalkMax); ++i) {
      text(writer, history.activities[steps[i]]);
    }
    writer.EndArray();
    member(writer, "cut");
    writer.Bool(steps.size() > kWalkMax);
    member(writer, "objects", row->second.us.size());
    member(writer, "median_s");
    writer.Double(row->second.median_s());
    member(writer, "example");
    text(writer, history.ids[row->second.example]);
    writer.EndObject();
  }
  writer.EndArray();
}

}  // namespace

Outcome<Response> get_process(const Call& call, const Services& services) {
  store::Filter filter;
  for (const auto& [name, value] : call.query) assign_filter(filter, name, value, call.now_us);
  History history = read_history(*services.reader, filter);
  const auto totals = count_types(history);
  std::optional<Index> type = usual_type(totals);
  if (const auto asked = call.parameter("object_type"))
    type = history.types.of(std::string(*asked));
  ProcessMap map;
  if (type) map = walk(history, *type);
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  member(writer, "events", history.events.size());
  member(writer, "complete");
  writer.Bool(history.complete);
  write_types(writer, history, totals);
  member(writer, "object_type");
  text(writer, type ? history.types[*type] : std::string());
  member(writer, "objects", map.walks.size());
  write_activities(writer, history, map);
  write_paths(writer, history, map);
  write_variants(writer, history, map);
  writer.EndObject();
  return json_response({buffer.GetString(), buffer.GetSize()});
}

}  // namespace rowtrail::server
