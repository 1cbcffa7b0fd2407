// `rowtrail anomalies`, `anomalies ack` and `explain`.
#include "cli/commands.h"
#include "cli/terminal.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "insight/insight.h"
#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::cli {
namespace {

Style style_of(infer::Severity severity) {
  if (severity >= infer::Severity::High) return Style::Bad;
  return severity == infer::Severity::Medium ? Style::Warn : Style::Muted;
}

void print_alert(std::size_t number, const insight::Alert& alert) {
  const auto& anomaly = alert.anomaly;
  fmt::print("  {:>2}  {}  {}\n", number,
             styled(fmt::format("{:<8}", infer::severity_name(anomaly.severity)),
                    style_of(anomaly.severity)),
             fit(alert.summary, terminal_width() > 24 ? terminal_width() - 16 : 24));
  std::string below = fmt::format("anomaly {}, {}", anomaly.seq, anomaly.detector);
  if (!anomaly.evidence.empty()) below += fmt::format(", events {}", anomaly.evidence);
  if (!alert.like_it.empty()) below += fmt::format("; and {} like it", alert.like_it.size());
  fmt::print("      {}\n", styled(below, Style::Muted));
  if (alert.acknowledged) {
    fmt::print("      {}\n",
               styled(fit(fmt::format("acknowledged by {}: {}", alert.acknowledged->by,
                                      alert.acknowledged->note),
                          terminal_width()),
                      Style::Good));
  }
}

std::string rendered(const store::StoredAnomaly& anomaly) {
  std::string line;
  const auto done =
      insight::append_rendered_anomaly(line, anomaly.seq, anomaly.evidence, anomaly.payload);
  if (!done) throw core::Failure(core::Area::Store, false, done.error().message);
  return line;
}

void print_days(store::Reader& reader, const ListOptions& options, std::uint64_t budget) {
  const auto days = insight::alerts_by_day(reader, options.filter);
  if (days.empty()) {
    fmt::print("No anomalies: nothing recorded was unusual enough.\n");
    return;
  }
  // The newest days, as many as the limit, the newest last.
  const auto shown = options.limit == 0 ? days.size() : std::min(days.size(), options.limit);
  for (auto day = days.end() - static_cast<std::ptrdiff_t>(shown); day != days.end(); ++day) {
    fmt::print("{}\n", styled(day->date, Style::Bold));
    std::size_t number = 0;
    for (const auto& alert : day->alerts) {
      if (budget != 0 && number == budget) break;
      print_alert(++number, alert);
    }
    if (number < day->alerts.size()) {
      fmt::print("      {}\n", styled(fmt::format("{} more that day: --budget 0 shows all",
                                                  day->alerts.size() - number),
                                      Style::Muted));
    }
  }
}

/// A payload's member as text, whatever its type.
std::string shown(const rapidjson::Value& value) {
  if (value.IsString()) return {value.GetString(), value.GetStringLength()};
  if (value.IsNull()) return "unknown";
  return "";
}

/// The event as one line: its seq, time, person and what happened.
void print_event(store::Reader& reader, std::uint64_t seq) {
  const auto event = reader.event(seq);
  if (!event) {
    fmt::print("  {}  (its payload is gone)\n", seq);
    return;
  }
  rapidjson::Document payload;
  payload.Parse<rapidjson::kParseNumbersAsStringsFlag>(event->payload.data(),
                                                       event->payload.size());
  const auto summary = payload.IsObject() && payload.HasMember("summary")
                           ? shown(payload["summary"])
                           : std::string();
  fmt::print("  {}  {}  {}  {}\n", seq, binlog::format_utc(event->time_us, 0),
             event->actor.empty() ? "unknown" : fit(event->actor, 16), fit(summary, 120));
}

int explain_anomaly(store::Reader& reader, const store::StoredAnomaly& anomaly) {
  rapidjson::Document payload;
  payload.Parse<rapidjson::kParseNumbersAsStringsFlag>(anomaly.payload.data(),
                                                       anomaly.payload.size());
  const auto text = [&](const char* name) {
    return payload.IsObject() && payload.HasMember(name) ? shown(payload[name]) : std::string();
  };
  fmt::print("{}\n", styled(fit(text("summary"), terminal_width()), Style::Bold));
  fmt::print("{}, severity {}, {}\n", text("title"), text("severity"), text("time"));
  if (const auto* detector = insight::find_detector(anomaly.detector)) {
    fmt::print("\nDetector {}: {}.\nHow it judges: {}.\n", detector->id, detector->catches,
               detector->formula);
  }
  fmt::print("By chance one event in {:.0f} would look so unusual (probability {}, surprise {}).\n",
             1 / std::max(std::strtod(text("probability").c_str(), nullptr), 1e-15),
             text("probability"), text("surprise"));
  if (payload.IsObject() && payload.HasMember("numbers")) {
    for (const auto& [name, value] : payload["numbers"].GetObject()) {
      fmt::print("  {}: {}\n", name.GetString(), shown(value));
    }
  }
  fmt::print("\nEvents it rests on:\n");
  std::string_view seqs = anomaly.evidence;
  while (!seqs.empty()) {
    std::uint64_t seq = 0;
    const auto [end, error] = std::from_chars(seqs.data(), seqs.data() + seqs.size(), seq);
    if (error != std::errc{}) break;
    print_event(reader, seq);
    seqs.remove_prefix(static_cast<std::size_t>(end - seqs.data()));
    if (!seqs.empty()) seqs.remove_prefix(1);
  }
  for (const auto& acknowledgement : insight::acknowledgements(reader)) {
    if (acknowledgement.anomaly != anomaly.seq) continue;
    fmt::print("\nAcknowledged by {} at {}: {}\n", acknowledgement.by,
               binlog::format_utc(acknowledgement.time_us, 0), acknowledgement.note);
  }
  fmt::print("\n`rowtrail diff SEQ` shows what one of these events changed.\n");
  return 0;
}

}  // namespace

int anomalies_command(const Common& common, const ListOptions& options, std::uint64_t budget) {
  const auto reader = store::open_reader(common.config.store_url);
  if (common.format == Format::Text) {
    print_days(*reader, options, budget);
    return 0;
  }
  store::Page page;
  page.limit = options.limit;
  page.ascending = options.filter.since_us.has_value() || options.limit == 0;
  const bool array = common.format == Format::Json;
  bool first = true;
  if (common.format == Format::Csv) {
    throw core::Failure(core::Area::Usage, false,
                        "anomalies has no csv; GET /v1/anomalies?format=csv gives it");
  }
  if (array) fmt::print("[");
  reader->anomalies(options.filter, page, [&](const store::StoredAnomaly& anomaly) {
    fmt::print("{}{}{}", array && !first ? "," : "", array ? "\n" : "", rendered(anomaly));
    if (!array) fmt::print("\n");
    first = false;
    return true;
  });
  if (array) fmt::print("\n]\n");
  return 0;
}

int acknowledge_command(const Common& common, std::uint64_t seq, const std::string& note) {
  if (note.empty()) {
    throw core::Failure(core::Area::Usage, false, "--note must say why it needs no more attention");
  }
  {
    const auto reader = store::open_reader(common.config.store_url);
    if (!reader->anomaly(seq)) {
      fmt::print(stderr, "rowtrail: record {} is not an anomaly; 'rowtrail anomalies' shows them\n",
                 seq);
      return 1;
    }
  }
  store::WriterOptions writer_options;
  writer_options.keys = common.config.keys;
  const auto writer = store::open_writer(common.config.store_url, std::move(writer_options));
  const char* user = std::getenv("USER");
  const auto payload = insight::acknowledgement_payload(
      {seq, now_us(), user != nullptr && *user != '\0' ? user : "operator", note});
  store::Batch batch;
  batch.reset(writer->next_seq());
  batch.add_admin("acknowledge", payload, now_us());
  writer->append(batch);
  writer->commit_records();
  writer->publish_head(true);
  fmt::print("anomaly {} is acknowledged, as record {}\n", seq, batch.first_seq());
  return 0;
}

int explain_command(const Common& common, std::uint64_t seq) {
  const auto reader = store::open_reader(common.config.store_url);
  if (const auto anomaly = reader->anomaly(seq)) return explain_anomaly(*reader, *anomaly);
  const auto event = reader->event(seq);
  if (!event) {
    fmt::print(stderr,
               "rowtrail: record {} is neither an anomaly nor an event; 'rowtrail anomalies' and "
               "'rowtrail events' show their seqs\n",
               seq);
    return 1;
  }
  print_event(*reader, seq);
  rapidjson::Document payload;
  payload.Parse<rapidjson::kParseNumbersAsStringsFlag>(event->payload.data(),
                                                       event->payload.size());
  if (payload.IsObject() && payload.HasMember("rule") && payload["rule"].IsObject()) {
    const auto& rule = payload["rule"];
    const auto id = rule.HasMember("id") ? shown(rule["id"]) : std::string();
    if (id == "auto") {
      fmt::print("No rule matched: discovery named it after the shape of its transaction.\n");
    } else {
      fmt::print("Named by rule {}, version {}.\n", id,
                 rule.HasMember("version") ? shown(rule["version"]) : std::string());
    }
  }
  if (payload.IsObject() && payload.HasMember("actor") && payload["actor"].IsObject()) {
    const auto& actor = payload["actor"];
    fmt::print("Who: {}, known by {}, {}.\n", shown(actor["id"]), shown(actor["via"]),
               shown(actor["confidence"]));
  }
  fmt::print("What it changed (`rowtrail diff {}` shows the values):\n", seq);
  for (const auto& change : reader->transaction_changes(event->transaction_seq, {})) {
    rapidjson::Document row;
    row.Parse<rapidjson::kParseNumbersAsStringsFlag>(change.payload.data(), change.payload.size());
    if (!row.IsObject()) continue;
    fmt::print("  {}  {} {}.{}\n", change.seq, shown(row["op"]), shown(row["database"]),
               shown(row["table"]));
  }
  return 0;
}

}  // namespace rowtrail::cli
