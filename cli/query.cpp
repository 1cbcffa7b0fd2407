#include "cli/commands.h"
#include "cli/terminal.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::cli {
namespace {

std::string member(const rapidjson::Value& object, const char* name) {
  if (!object.IsObject()) return {};
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

/// How an actor is known, as one mark: ◆ exact, ◇ corroborated, ○ heuristic, ? unknown.
std::string_view confidence_mark(const std::string& confidence) {
  if (confidence == "exact") return "◆";
  if (confidence == "corroborated") return "◇";
  if (confidence == "heuristic") return "○";
  return "?";
}

/// Numbers keep their digits as text: kParseNumbersAsStringsFlag.
rapidjson::Document parse(const std::string& text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseNumbersAsStringsFlag>(text.data(), text.size());
  return document;
}

std::string compact(const rapidjson::Value& value);

/// A cell for people: strings bare, the rest as JSON.
std::string shown(const rapidjson::Value& value) {
  if (value.IsString()) return {value.GetString(), value.GetStringLength()};
  return compact(value);
}

std::string compact(const rapidjson::Value& value) {
  if (value.IsNull()) return "null";
  if (value.IsBool()) return value.GetBool() ? "true" : "false";
  if (value.IsString()) return {value.GetString(), value.GetStringLength()};
  std::string out(1, value.IsArray() ? '[' : '{');
  bool first = true;
  if (value.IsArray()) {
    for (const auto& element : value.GetArray()) {
      if (!first) out += ',';
      first = false;
      out += compact(element);
    }
    return out + "]";
  }
  for (const auto& [name, element] : value.GetObject()) {
    if (!first) out += ' ';
    first = false;
    out += fmt::format("{}={}", name.GetString(), compact(element));
  }
  return out + "}";
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

/// `key=value, …` of the columns that say what a change did.
std::string describe_change(const rapidjson::Document& change) {
  const auto op = member(change, "op");
  if (change.HasMember("sql")) return member(change, "sql");
  std::string out;
  const auto add = [&out](const std::string& text) {
    if (!out.empty()) out += ", ";
    out += text;
  };
  if (op == "update" && change.HasMember("changed")) {
    for (const auto& column : change["changed"].GetArray()) {
      const char* name = column.GetString();
      const auto side = [&](const char* image) {
        const auto& values = change[image];
        return values.IsObject() && values.HasMember(name) ? shown(values[name]) : std::string("?");
      };
      add(fmt::format("{}: {} → {}", name, side("old"), side("new")));
    }
    return out;
  }
  const auto& image = change[op == "delete" ? "old" : "new"];
  if (!image.IsObject()) return out;
  for (const auto& [name, value] : image.GetObject()) {
    add(fmt::format("{}={}", name.GetString(), shown(value)));
  }
  return out;
}

/// Prints records one by one in the chosen format.
class Printer {
 public:
  Printer(Format format, std::vector<std::string> header) : format_(format) {
    table_.header = std::move(header);
    if (format_ == Format::Json) fmt::print("[");
    if (format_ == Format::Csv) print_csv(table_.header);
  }

  [[nodiscard]] bool wants_line() const {
    return format_ == Format::Json || format_ == Format::Ndjson;
  }

  void line(const std::string& json) {
    if (format_ == Format::Json && !std::exchange(first_, false)) std::fputc(',', stdout);
    if (format_ == Format::Json) std::fputc('\n', stdout);
    std::fwrite(json.data(), 1, json.size(), stdout);
    if (format_ == Format::Ndjson) std::fputc('\n', stdout);
  }

  void row(std::vector<std::string> cells) {
    if (format_ == Format::Csv) {
      print_csv(cells);
      return;
    }
    table_.rows.push_back(std::move(cells));
    if (table_.rows.size() >= kTableRowsMax) flush();
  }

  void finish() {
    if (format_ == Format::Json) fmt::print("\n]\n");
    if (format_ == Format::Text) flush();
  }

 private:
  static constexpr std::size_t kTableRowsMax = 1000;  // aligned together; then a new header

  static void print_csv(const std::vector<std::string>& cells) {
    std::string out;
    for (const auto& cell : cells) {
      if (!out.empty() || &cell != &cells.front()) out += ',';
      out += csv_field(cell);
    }
    fmt::print("{}\r\n", out);
  }

  void flush() {
    if (table_.rows.empty()) return;
    table_.print();
    table_.rows.clear();
  }

  Format format_;
  Table table_;
  bool first_ = true;
};

store::Page page_of(const Common& common, const ListOptions& options) {
  store::Page page;
  page.limit = options.limit;
  // Machines and exports read in the log's order; a person wants the newest page.
  page.ascending = options.ascending ||
                   (common.format != Format::Text && options.filter.since_us.has_value()) ||
                   options.limit == 0;
  return page;
}

std::vector<std::string> event_row(std::uint64_t seq, const std::string& payload) {
  const auto event = parse(payload);
  const bool has_actor = event.HasMember("actor") && event["actor"].IsObject();
  const auto actor = has_actor ? member(event["actor"], "id") : std::string();
  const auto mark = confidence_mark(has_actor ? member(event["actor"], "confidence") : "");
  auto time = member(event, "time");
  std::replace(time.begin(), time.end(), 'T', ' ');
  if (!time.empty() && time.back() == 'Z') time.pop_back();
  return {std::to_string(seq), fit(time, 23),
          fmt::format("{} {}", mark, actor.empty() ? "-" : fit(actor, 16)),
          styled(fit(member(event, "type"), 32), Style::Accent), member(event, "summary")};
}

}  // namespace

int events_command(const Common& common, const ListOptions& options) {
  const auto reader = store::open_reader(common.config.store_url);
  Printer printer(common.format, {"seq", "time (UTC)", "who", "type", "what"});
  std::string line;
  std::vector<std::vector<std::string>> newest_last;
  const auto page = page_of(common, options);
  reader->events(options.filter, page, [&](const store::StoredEvent& event) {
    if (!printer.wants_line()) {
      auto row = event_row(event.seq, event.payload);
      if (page.ascending) {
        printer.row(std::move(row));
      } else {
        newest_last.push_back(std::move(row));
      }
      return true;
    }
    line.clear();
    const auto rendered =
        infer::append_rendered_event(line, event.seq, event.transaction_seq, event.payload);
    if (!rendered) throw core::Failure(core::Area::Store, false, rendered.error().message);
    printer.line(line);
    return true;
  });
  // The newest page ends with the newest, beside the prompt.
  for (auto row = newest_last.rbegin(); row != newest_last.rend(); ++row) printer.row(*row);
  printer.finish();
  return 0;
}

int changes_command(const Common& common, const ListOptions& options) {
  const auto reader = store::open_reader(common.config.store_url);
  Printer printer(common.format, {"seq", "time (UTC)", "op", "table", "key", "what"});
  std::string line;
  std::vector<std::vector<std::string>> newest_last;
  const auto page = page_of(common, options);
  reader->changes(options.filter, page, [&](const store::StoredChange& change) {
    line.clear();
    const auto joined = normalize::append_joined_change(line, change.seq, change.payload,
                                                        change.transaction_payload,
                                                        infer::actor_json(change.event_payload));
    if (!joined) throw core::Failure(core::Area::Store, false, joined.error().message);
    if (printer.wants_line()) {
      printer.line(line);
      return true;
    }
    const auto document = parse(line);
    auto time = member(document, "committed_at");
    std::replace(time.begin(), time.end(), 'T', ' ');
    if (!time.empty() && time.back() == 'Z') time.pop_back();
    std::string table = member(document, "database");
    table += '.';
    table += member(document, "table");
    std::vector<std::string> row = {std::to_string(change.seq),
                                    fit(time, 23),
                                    member(document, "op"),
                                    table,
                                    document.HasMember("pk") ? shown(document["pk"]) : "",
                                    describe_change(document)};
    if (page.ascending) {
      printer.row(std::move(row));
    } else {
      newest_last.push_back(std::move(row));
    }
    return true;
  });
  for (auto row = newest_last.rbegin(); row != newest_last.rend(); ++row) printer.row(*row);
  printer.finish();
  return 0;
}

}  // namespace rowtrail::cli
