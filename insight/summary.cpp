#include "insight/summary.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "insight/decimal_sum.h"
#include "insight/ranking.h"
#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::insight {
namespace {

using store::Dimension;
using store::Tally;

constexpr std::size_t kObjectsMax = 10;
constexpr std::size_t kStandoutMax = 5;
constexpr double kSurpriseMin = 3.0;
constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr std::int64_t kDayUs = 24 * kHourUs;

using Key = std::pair<std::string, std::string>;

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

/// How a dimension's facts are called, and the SQL behind one of them.
struct GroupOf {
  Dimension dimension;
  const char* group;
  const char* unit;
  const char* from;    // of the query
  const char* name;    // its column for Tally::name, empty: none
  const char* detail;  // and for Tally::detail
};

constexpr GroupOf kTypes{Dimension::Type, "type", "events", "event e", "e.type", ""};
constexpr GroupOf kActors{Dimension::Actor, "actor", "events", "event e", "e.actor", ""};
constexpr GroupOf kTables{
    Dimension::Table,
    "table",
    "changes",
    "change e JOIN source_table s ON s.log_id = e.log_id AND s.table_id = e.table_id",
    "s.database_name",
    "s.table_name"};
constexpr GroupOf kObjects{
    Dimension::Object, "object",
    "events",          "event e JOIN event_object o ON o.log_id = e.log_id AND o.seq = e.seq",
    "o.object_type",   "o.object_id"};
constexpr GroupOf kAnomalies{Dimension::Anomaly, "detector",   "anomalies",
                             "anomaly e",        "e.detector", ""};
constexpr GroupOf kGaps{Dimension::Gap, "gap", "gaps", "gap e", "e.reason", ""};

class SheetMaker {
 public:
  SheetMaker(store::Reader& reader, const Span& span) : reader_(reader) { sheet_.span = span; }
  FactSheet make();

 private:
  store::TallyQuery query(Dimension dimension, const Span& span) const {
    store::TallyQuery query;
    query.dimension = dimension;
    query.since_us = span.since_us;
    query.until_us = span.until_us;
    return query;
  }
  void choose_reference();
  void add_totals();
  void add_group(const GroupOf& group);
  void add_objects();
  void add_slices();
  void add_sums();
  void add_new();
  void add_anomalies();
  void choose_standout();
  void add_counts(const GroupOf& group, const std::vector<Tally>& now,
                  const std::vector<std::map<Key, std::uint64_t>>& before);
  std::string sql(const GroupOf& group, const Key& key, std::int64_t since_us,
                  std::int64_t until_us) const;
  static std::optional<Usual> usual(std::uint64_t now, std::vector<std::uint64_t> before);

  store::Reader& reader_;
  std::int64_t log_id_ = 0;
  FactSheet sheet_;
};

std::vector<std::uint64_t> seqs_of(const Tally& tally) {
  if (tally.first_seq == tally.last_seq) return {tally.first_seq};
  return {tally.first_seq, tally.last_seq};
}

std::string halves(std::uint64_t twice) {
  return fmt::format("{}{}", twice / 2, twice % 2 == 1 ? ".5" : "");
}

std::optional<Usual> SheetMaker::usual(std::uint64_t now, std::vector<std::uint64_t> before) {
  if (before.empty()) return std::nullopt;
  std::sort(before.begin(), before.end());
  const auto size = before.size();
  const std::uint64_t twice = before[(size - 1) / 2] + before[size / 2];
  Usual out;
  out.median = halves(twice);
  out.min = std::to_string(before.front());
  out.max = std::to_string(before.back());
  const bool more = 2 * now >= twice;
  out.difference = (more ? "+" : "-") + halves(more ? 2 * now - twice : twice - 2 * now);
  const double median = static_cast<double>(twice) / 2;
  if (twice > 0) {
    out.percent = fmt::format("{:+.0f}", 100.0 * (static_cast<double>(now) - median) / median);
  }
  // The square root of a count has a standard deviation of a half, whatever its mean; days differ
  // by more than chance, so the spread of the reference counts as well.
  const double spread = static_cast<double>(before.back() - before.front()) / 2;
  const double chance =
      (std::sqrt(static_cast<double>(now) + 0.375) - std::sqrt(median + 0.375)) * 2;
  const double beyond = std::abs(static_cast<double>(now) - median) - spread;
  out.surprise = size >= 2 && beyond > 0 ? chance : 0;
  return out;
}

std::string SheetMaker::sql(const GroupOf& group, const Key& key, std::int64_t since_us,
                            std::int64_t until_us) const {
  std::string text = fmt::format(
      "SELECT count(*) FROM {} WHERE e.log_id = {} AND e.time_us >= {} AND e.time_us < {}",
      group.from, log_id_, since_us, until_us);
  if (*group.name != '\0') text += fmt::format(" AND {} = {}", group.name, quoted(key.first));
  if (*group.detail != '\0') text += fmt::format(" AND {} = {}", group.detail, quoted(key.second));
  return text;
}

void SheetMaker::choose_reference() {
  const auto recorded = reader_.event_span();
  if (!recorded) return;
  sheet_.recorded_until = binlog::format_utc(recorded->second, 0);
  for (auto& span : reference_spans(sheet_.span)) {
    // A day that the log covers only in part is no day to compare with.
    if (span.since_us >= recorded->first && span.until_us <= recorded->second) {
      sheet_.reference.push_back(std::move(span));
    }
  }
}

void SheetMaker::add_totals() {
  constexpr GroupOf kEvents{Dimension::Event, "total", "events", "event e", "", ""};
  constexpr GroupOf kTransactions{Dimension::Transaction, "total", "transactions",
                                  "\"transaction\" e",    "",      ""};
  constexpr GroupOf kChanges{Dimension::Change, "total", "row changes", "change e", "", ""};
  constexpr GroupOf kAllGaps{Dimension::Gap, "total", "gaps", "gap e", "", ""};
  for (const auto& group : {kEvents, kTransactions, kChanges, kAllGaps}) {
    const auto total = [&](const Span& span) {
      Tally sum;
      for (const auto& tally : reader_.tally(query(group.dimension, span))) {
        sum.first_seq = sum.count == 0 ? tally.first_seq : std::min(sum.first_seq, tally.first_seq);
        sum.last_seq = std::max(sum.last_seq, tally.last_seq);
        sum.count += tally.count;
      }
      return sum;
    };
    const auto now = total(sheet_.span);
    std::vector<std::uint64_t> before;
    for (const auto& span : sheet_.reference) before.push_back(total(span).count);
    Fact fact{fmt::format("total/{}", group.unit),
              "total",
              group.unit,
              std::to_string(now.count),
              group.unit,
              usual(now.count, before),
              {},
              sql(group, {}, sheet_.span.since_us, sheet_.span.until_us)};
    if (now.count > 0) fact.seqs = seqs_of(now);
    sheet_.facts.push_back(std::move(fact));
  }
}

void SheetMaker::add_counts(const GroupOf& group, const std::vector<Tally>& now,
                            const std::vector<std::map<Key, std::uint64_t>>& before) {
  const auto add = [&](const Tally& tally) {
    const Key key{tally.name, tally.detail};
    std::vector<std::uint64_t> counts;
    for (const auto& counted : before) {
      const auto found = counted.find(key);
      counts.push_back(found == counted.end() ? 0 : found->second);
    }
    const bool object = group.dimension == Dimension::Object;
    std::string title = tally.name;
    if (!tally.detail.empty()) title += (object ? " " : ".") + tally.detail;
    Fact fact{fmt::format("{}/{}{}{}", group.group, tally.name, tally.detail.empty() ? "" : "/",
                          tally.detail),
              group.group,
              title.empty() ? "(unknown)" : title,
              std::to_string(tally.count),
              group.unit,
              usual(tally.count, counts),
              {},
              sql(group, key, sheet_.span.since_us, sheet_.span.until_us)};
    if (tally.count > 0) fact.seqs = seqs_of(tally);
    sheet_.facts.push_back(std::move(fact));
  };
  std::set<Key> seen;
  for (const auto& tally : now) {
    seen.insert({tally.name, tally.detail});
    add(tally);
  }
  // What happens usually and did not today: missing from at most half of the reference.
  std::map<Key, std::size_t> days;
  for (const auto& counted : before) {
    for (const auto& [key, count] : counted) ++days[key];
  }
  for (const auto& [key, count] : days) {
    if (2 * count > before.size() && !seen.contains(key)) add({key.first, key.second, 0, 0, 0});
  }
}

void SheetMaker::add_group(const GroupOf& group) {
  std::vector<std::map<Key, std::uint64_t>> before;
  for (const auto& span : sheet_.reference) {
    auto& counted = before.emplace_back();
    for (const auto& tally : reader_.tally(query(group.dimension, span))) {
      counted[{tally.name, tally.detail}] = tally.count;
    }
  }
  add_counts(group, reader_.tally(query(group.dimension, sheet_.span)), before);
}

void SheetMaker::add_objects() {
  auto top = query(Dimension::Object, sheet_.span);
  top.limit = kObjectsMax;
  auto now = reader_.tally(top);
  std::erase_if(now, [](const Tally& tally) { return tally.count < 2; });
  if (now.empty()) return;
  std::vector<std::map<Key, std::uint64_t>> before;
  for (const auto& span : sheet_.reference) {
    auto same = query(Dimension::Object, span);
    for (const auto& tally : now) same.only.emplace_back(tally.name, tally.detail);
    auto& counted = before.emplace_back();
    for (const auto& tally : reader_.tally(same)) {
      counted[{tally.name, tally.detail}] = tally.count;
    }
  }
  add_counts(kObjects, now, before);
}

/// Events by hour of a day, by day of a week or month.
void SheetMaker::add_slices() {
  const auto& span = sheet_.span;
  const bool hours = span.kind == SpanKind::Day;
  const std::int64_t size = hours ? kHourUs : kDayUs;
  const auto slices = static_cast<std::size_t>((span.until_us - span.since_us) / size);
  const auto counted = [&](const Span& of) {
    std::vector<Tally> all(slices);
    auto ask = query(Dimension::Bucket, of);
    ask.bucket_us = size;
    for (const auto& tally : reader_.tally(ask)) {
      const auto index = std::stoull(tally.name);
      if (index < slices) all[index] = tally;
    }
    return all;
  };
  const auto now = counted(span);
  std::vector<std::vector<Tally>> before;
  if (span.kind != SpanKind::Month) {  // months begin on different weekdays
    for (const auto& of : sheet_.reference) before.push_back(counted(of));
  }
  constexpr GroupOf kSlice{Dimension::Event, "slice", "events", "event e", "", ""};
  for (std::size_t i = 0; i < slices; ++i) {
    std::vector<std::uint64_t> counts;
    counts.reserve(before.size());
    for (const auto& other : before) counts.push_back(other[i].count);
    const auto since = span.since_us + static_cast<std::int64_t>(i) * size;
    const auto title = hours ? fmt::format("{:02}:00", i) : date_text(since);
    Fact fact{"slice/" + title,
              "slice",
              title,
              std::to_string(now[i].count),
              "events",
              usual(now[i].count, counts),
              {},
              sql(kSlice, {}, since, since + size)};
    if (now[i].count > 0) fact.seqs = seqs_of(now[i]);
    sheet_.facts.push_back(std::move(fact));
  }
}

/// Numbers that name something are not for adding up.
bool is_amount(std::string_view name) {
  for (const auto word :
       {"id", "number", "no", "code", "version", "year", "before", "after", "line", "counted"}) {
    if (name == word || name.ends_with(std::string("_") + word)) return false;
  }
  return true;
}

/// Money and stock moved: the numeric attributes of events, added up exactly.
void SheetMaker::add_sums() {
  const auto* events = sheet_.find("total/events");
  if (events == nullptr || events->seqs.empty()) return;
  struct Sum {
    DecimalSum sum;
    std::uint64_t first = 0, last = 0;
    bool exact = true;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  store::Filter filter;
  filter.since_us = sheet_.span.since_us;
  filter.until_us = sheet_.span.until_us;
  store::Page page;
  page.ascending = true;
  page.limit = 0;
  if (events->seqs.front() > 0) page.after_seq = events->seqs.front() - 1;
  page.before_seq = events->seqs.back() + 1;
  reader_.events(filter, page, [&](const store::StoredEvent& event) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseNumbersAsStringsFlag>(event.payload.data(),
                                                          event.payload.size());
    if (document.HasParseError() || !document.IsObject()) return true;
    const auto attributes = document.FindMember("attributes");
    if (attributes == document.MemberEnd() || !attributes->value.IsObject()) return true;
    for (const auto& member : attributes->value.GetObject()) {
      const std::string_view name(member.name.GetString(), member.name.GetStringLength());
      if (!member.value.IsString() || !is_amount(name)) continue;
      const std::string_view text(member.value.GetString(), member.value.GetStringLength());
      auto& sum = sums[{event.type, std::string(name)}];
      sum.exact = sum.sum.add(text) && sum.exact;
      if (sum.first == 0) sum.first = event.seq;
      sum.last = event.seq;
    }
    return true;
  });
  for (const auto& [key, sum] : sums) {
    if (!sum.exact) continue;  // a word, or a number that cannot be added exactly
    Fact fact{fmt::format("sum/{}/{}", key.first, key.second),
              "sum",
              fmt::format("{} of {}", key.second, key.first),
              sum.sum.text(),
              key.second,
              std::nullopt,
              {sum.first},
              {}};
    if (sum.last != sum.first) fact.seqs.push_back(sum.last);
    sheet_.facts.push_back(std::move(fact));
  }
}

/// Types, actors and tables never seen before this span. In the log's first span all are.
void SheetMaker::add_new() {
  const auto recorded = reader_.event_span();
  if (!recorded || recorded->first >= sheet_.span.since_us) return;
  for (const auto& group : {kTypes, kActors, kTables}) {
    for (const auto& tally : reader_.tally(query(group.dimension, sheet_.span))) {
      if (tally.name.empty() ||
          reader_.seen_before(group.dimension, tally.name, tally.detail, sheet_.span.since_us)) {
        continue;
      }
      const auto title = tally.detail.empty() ? tally.name : tally.name + "." + tally.detail;
      sheet_.facts.push_back(
          {fmt::format("new/{}/{}", group.group, title), "new",
           fmt::format("{} {}", group.group, title), std::to_string(tally.count), group.unit,
           std::nullopt, seqs_of(tally),
           sql(group, {tally.name, tally.detail}, sheet_.span.since_us, sheet_.span.until_us)});
    }
  }
}

/// The alerts of the span's days, each under the day's budget, and how many there are in all.
void SheetMaker::add_anomalies() {
  store::Filter filter;
  filter.since_us = sheet_.span.since_us;
  filter.until_us = sheet_.span.until_us;
  for (const auto& day : alerts_by_day(reader_, filter)) {
    std::uint64_t number = 0;
    for (const auto& alert : day.alerts) {
      if (number++ == kDailyBudget) break;
      const auto& anomaly = alert.anomaly;
      const auto known = alert.acknowledged
                             ? fmt::format(" (acknowledged: {})", alert.acknowledged->note)
                             : std::string();
      sheet_.facts.push_back({fmt::format("anomaly/{}", anomaly.seq),
                              "anomaly",
                              alert.summary + known,
                              std::string(infer::severity_name(anomaly.severity)),
                              "severity",
                              std::nullopt,
                              {anomaly.seq},
                              fmt::format("SELECT CASE e.severity WHEN 0 THEN 'info' WHEN 1 THEN "
                                          "'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high' ELSE "
                                          "'critical' END FROM anomaly e WHERE e.log_id = {} AND "
                                          "e.seq = {}",
                                          log_id_, anomaly.seq)});
    }
  }
  add_counts(kAnomalies, reader_.tally(query(kAnomalies.dimension, sheet_.span)), {});
}

void SheetMaker::choose_standout() {
  std::vector<const Fact*> facts;
  for (const auto& fact : sheet_.facts) {
    if (fact.group == "slice" || fact.group == "total") continue;
    if (fact.usual && std::abs(fact.usual->surprise) >= kSurpriseMin) facts.push_back(&fact);
  }
  std::stable_sort(facts.begin(), facts.end(), [](const Fact* a, const Fact* b) {
    return std::abs(a->usual->surprise) > std::abs(b->usual->surprise);
  });
  if (facts.size() > kStandoutMax) facts.resize(kStandoutMax);
  for (const auto* fact : facts) sheet_.standout.push_back(fact->id);
}

FactSheet SheetMaker::make() {
  const auto status = reader_.status();
  log_id_ = status.log_id;
  sheet_.origin = status.origin;
  choose_reference();
  add_totals();
  for (const auto& group : {kTypes, kActors}) add_group(group);
  add_objects();
  add_group(kTables);
  add_slices();
  add_sums();
  add_new();
  add_counts(kGaps, reader_.tally(query(kGaps.dimension, sheet_.span)), {});
  add_anomalies();
  choose_standout();
  return std::move(sheet_);
}

}  // namespace

const Fact* FactSheet::find(std::string_view id) const {
  const auto found =
      std::find_if(facts.begin(), facts.end(), [&](const Fact& fact) { return fact.id == id; });
  return found == facts.end() ? nullptr : &*found;
}

std::vector<const Fact*> FactSheet::of(std::string_view group) const {
  std::vector<const Fact*> found;
  for (const auto& fact : facts) {
    if (fact.group == group) found.push_back(&fact);
  }
  return found;
}

FactSheet make_fact_sheet(store::Reader& reader, const Span& span) {
  return SheetMaker(reader, span).make();
}

}  // namespace rowtrail::insight
