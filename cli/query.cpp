#include "cli/commands.h"
#include "cli/terminal.h"
#include "server/server.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>

#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::cli {
namespace {

constexpr std::size_t kGapSqlMax = 300;

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

/// "2026-11-24 10:00:00.123" of an RFC 3339 time in UTC.
std::string shown_time(std::string time) {
  std::replace(time.begin(), time.end(), 'T', ' ');
  if (!time.empty() && time.back() == 'Z') time.pop_back();
  return fit(time, 23);
}

/// Where a gap was met: database.table, or only one of them.
std::string gap_table(const rapidjson::Document& gap) {
  const auto database = member(gap, "database");
  const auto table = member(gap, "table");
  return database.empty() || table.empty() ? database + table : database + "." + table;
}

std::string gap_position(const rapidjson::Document& gap) {
  if (!gap.HasMember("position")) return {};
  return fmt::format("{}:{}", member(gap["position"], "file"), member(gap["position"], "pos"));
}

/// A gap for people: one line that places it, then what happened and what to do.
void print_gap(std::uint64_t seq, const std::string& payload) {
  const auto gap = parse(payload);
  fmt::print("{}  {}  {}  {}  {}  {}\n", seq, shown_time(member(gap, "committed_at")),
             styled(member(gap, "kind"), Style::Warn), member(gap, "source"), gap_table(gap),
             styled(gap_position(gap), Style::Muted));
  fmt::print("    {}\n", member(gap, "reason"));
  const auto sql = member(gap, "sql");
  if (!sql.empty()) fmt::print("    {}\n", styled(fit(sql, kGapSqlMax), Style::Muted));
  fmt::print("    {} {}\n", styled("advice:", Style::Accent), member(gap, "advice"));
}

std::vector<std::string> event_row(std::uint64_t seq, const std::string& payload) {
  const auto event = parse(payload);
  const bool has_actor = event.HasMember("actor") && event["actor"].IsObject();
  const auto actor = has_actor ? member(event["actor"], "id") : std::string();
  const auto mark = confidence_mark(has_actor ? member(event["actor"], "confidence") : "");
  return {std::to_string(seq), shown_time(member(event, "time")),
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
    const auto rendered = infer::append_rendered_event(line, event.seq, event.transaction_seq,
                                                       event.payload, event.because);
    if (!rendered) throw core::Failure(core::Area::Store, false, rendered.error().message);
    printer.line(line);
    return true;
  });
  // The newest page ends with the newest, beside the prompt.
  for (auto row = newest_last.rbegin(); row != newest_last.rend(); ++row) printer.row(*row);
  printer.finish();
  return 0;
}

namespace {

using ReadChanges = std::function<void(const store::Visitor<store::StoredChange>&)>;

std::vector<std::string> change_row(std::uint64_t seq, const std::string& line) {
  const auto document = parse(line);
  std::string table = member(document, "database");
  table += '.';
  table += member(document, "table");
  return {std::to_string(seq),
          shown_time(member(document, "committed_at")),
          member(document, "op"),
          table,
          document.HasMember("pk") ? shown(document["pk"]) : "",
          describe_change(document)};
}

/// The line of a change as everybody sees it.
std::string change_line(const store::StoredChange& change) {
  std::string line;
  const auto joined =
      normalize::append_joined_change(line, change.seq, change.payload, change.transaction_payload,
                                      infer::actor_json(change.event_payload));
  if (!joined) throw core::Failure(core::Area::Store, false, joined.error().message);
  return line;
}

void print_changes(Format format, bool ascending, const ReadChanges& read) {
  Printer printer(format, {"seq", "time (UTC)", "op", "table", "key", "what"});
  std::vector<std::vector<std::string>> newest_last;
  read([&](const store::StoredChange& change) {
    const auto line = change_line(change);
    if (printer.wants_line()) {
      printer.line(line);
    } else if (ascending) {
      printer.row(change_row(change.seq, line));
    } else {
      newest_last.push_back(change_row(change.seq, line));
    }
    return true;
  });
  for (auto row = newest_last.rbegin(); row != newest_last.rend(); ++row) printer.row(*row);
  printer.finish();
}

/// The row's columns one below the other, and how they are known.
void print_state(const store::RowKey& row, std::optional<std::int64_t> at_us,
                 const store::RowState& state) {
  const auto when = at_us ? "at " + binlog::format_utc(*at_us) : std::string("now");
  fmt::print("{}  {}\n",
             styled(fit(fmt::format("{}.{} {}", row.database, row.table, row.keys.front()), 200),
                    Style::Bold),
             styled(when, Style::Muted));
  if (!state.exists()) {
    fmt::print("{} (record {}, {})\n",
               state.basis == store::RowBasis::NotYet ? "did not exist yet; it was inserted later"
                                                      : "does not exist: deleted, moved or dropped",
               state.seq, state.committed_at);
    return;
  }
  const auto document = parse(state.row);
  std::size_t width = 0;
  for (const auto& [name, value] : document.GetObject()) {
    width = std::max(width, display_width(name.GetString()));
  }
  for (const auto& [name, value] : document.GetObject()) {
    const std::string column = fit(name.GetString(), 64);
    const auto used = display_width(column);
    fmt::print("  {}{}  {}\n", styled(column, Style::Accent),
               std::string(width > used ? width - used : 0, ' '),
               fit(shown(value), terminal_width() > width + 6 ? terminal_width() - width - 6 : 20));
  }
  fmt::print("{}\n",
             styled(fmt::format("as {} record {} of {}{}",
                                state.basis == store::RowBasis::AfterImage ? "left by" : "found by",
                                state.seq, state.committed_at,
                                state.complete ? "" : "; some columns were never logged"),
                    Style::Muted));
  if (state.ddl != 0) {
    fmt::print("{}\n", styled(fmt::format("the table was altered since (record {})", state.ddl),
                              Style::Warn));
  }
}

}  // namespace

int changes_command(const Common& common, const ListOptions& options) {
  const auto reader = store::open_reader(common.config.store_url);
  const auto page = page_of(common, options);
  print_changes(common.format, page.ascending,
                [&](const auto& visit) { reader->changes(options.filter, page, visit); });
  return 0;
}

int row_command(const Common& common, const ListOptions& options, const RowOptions& wanted) {
  const auto reader = store::open_reader(common.config.store_url);
  const auto dot = wanted.table.find('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == wanted.table.size()) {
    throw core::Failure(core::Area::Usage, false,
                        fmt::format("'{}' is not of the form DATABASE.TABLE", wanted.table));
  }
  const auto key = server::key_from_text(wanted.key);
  if (!key) throw core::Failure(core::Area::Usage, false, key.error().message);
  const auto row = store::find_row(*reader, options.filter.source, wanted.table.substr(0, dot),
                                   wanted.table.substr(dot + 1), *key);
  if (!row) {
    fmt::print(stderr, "rowtrail: {}\n", row.error().message);
    return row.error().code == core::Errc::NotFound ? 1 : static_cast<int>(core::Area::Usage);
  }
  const auto state = store::row_at(*reader, *row, wanted.at_us);
  auto page = page_of(common, options);
  const auto read = [&](const auto& visit) {
    store::row_changes(*reader, *row, wanted.at_us, page, visit);
  };
  if (common.format == Format::Json) {
    auto head = server::row_state_json(*row, wanted.at_us, state);
    head.pop_back();
    fmt::print("{},\"changes\":", head);
  } else if (common.format == Format::Text) {
    print_state(*row, wanted.at_us, state);
    fmt::print("\n");
  }
  print_changes(common.format, page.ascending, read);
  if (common.format == Format::Json) fmt::print("}}\n");
  return 0;
}

int diff_command(const Common& common, std::uint64_t seq) {
  const auto reader = store::open_reader(common.config.store_url);
  const auto event = reader->event(seq);
  if (!event) {
    fmt::print(stderr, "rowtrail: record {} is not an event; 'rowtrail events' shows their seqs\n",
               seq);
    return 1;
  }
  const auto payload = parse(event->payload);
  std::vector<std::uint32_t> ordinals;
  if (payload.IsObject() && payload.HasMember("evidence") && payload["evidence"].IsArray()) {
    for (const auto& number : payload["evidence"].GetArray()) {
      ordinals.push_back(static_cast<std::uint32_t>(std::stoul(number.GetString())));
    }
  }
  if (common.format != Format::Text) {
    print_changes(common.format, true, [&](const auto& visit) {
      if (ordinals.empty()) return;
      for (const auto& change : reader->transaction_changes(event->transaction_seq, ordinals)) {
        visit(change);
      }
    });
    return 0;
  }
  fmt::print("{}\n", styled(fit(member(payload, "summary"), terminal_width()), Style::Bold));
  if (ordinals.empty()) return 0;
  for (const auto& change : reader->transaction_changes(event->transaction_seq, ordinals)) {
    const auto document = parse(change_line(change));
    fmt::print("{}\n",
               styled(fit(fmt::format("{} {}.{} {}", member(document, "op"),
                                      member(document, "database"), member(document, "table"),
                                      document.HasMember("pk") ? shown(document["pk"]) : ""),
                          terminal_width()),
                      Style::Accent));
    const auto side = [&](const char* image, const char* mark, Style style) {
      if (!document.HasMember(image) || !document[image].IsObject()) return;
      for (const auto& [name, value] : document[image].GetObject()) {
        const auto changed = document.FindMember("changed");  // of an update only
        const bool differs = changed == document.MemberEnd() || !changed->value.IsArray() ||
                             std::any_of(changed->value.Begin(), changed->value.End(),
                                         [&](const auto& c) { return c == name; });
        if (!differs) continue;
        fmt::print("{}\n",
                   styled(fit(fmt::format("  {} {}: {}", mark, name.GetString(), shown(value)),
                              terminal_width()),
                          style));
      }
    };
    if (const auto sql = member(document, "sql"); !sql.empty()) {
      fmt::print("  {}\n", fit(sql, terminal_width() > 2 ? terminal_width() - 2 : 2));
    }
    side("old", "-", Style::Bad);
    side("new", "+", Style::Good);
  }
  return 0;
}

int tail_command(const Common& common, const ListOptions& options) {
  if (common.format == Format::Json || common.format == Format::Csv) {
    throw core::Failure(core::Area::Usage, false,
                        "tail has no end: use --format text or --format ndjson");
  }
  constexpr std::chrono::milliseconds kPoll{500};
  const auto reader = store::open_reader(common.config.store_url);
  const auto newest_seq = [&] {
    const auto size = reader->status().size;
    return size > 0 ? size - 1 : 0;
  };
  // Asked before each look, so that whatever is committed meanwhile comes with the next one.
  auto last = newest_seq();
  store::Page page;
  page.limit = options.limit;
  page.before_seq = last + 1;
  std::vector<store::StoredEvent> newest;
  reader->events(options.filter, page, [&](const store::StoredEvent& event) {
    newest.push_back(event);
    return true;
  });
  const auto print = [&](const store::StoredEvent& event) {
    if (common.format == Format::Ndjson) {
      std::string line;
      const auto rendered = infer::append_rendered_event(line, event.seq, event.transaction_seq,
                                                         event.payload, event.because);
      if (!rendered) throw core::Failure(core::Area::Store, false, rendered.error().message);
      fmt::print("{}\n", line);
    } else {
      const auto row = event_row(event.seq, event.payload);
      const auto pad = [](const std::string& text, std::size_t width) {
        const auto used = display_width(text);
        return text + std::string(width > used ? width - used : 0, ' ');
      };
      const auto total = terminal_width();
      fmt::print("{}  {}  {}  {}  {}\n", pad(row[0], 8), styled(pad(row[1], 23), Style::Muted),
                 pad(row[2], 12), pad(row[3], 26), fit(row[4], total > 90 ? total - 78 : 20));
    }
    return true;
  };
  for (auto event = newest.rbegin(); event != newest.rend(); ++event) print(*event);
  page.ascending = true;
  page.limit = 0;
  while (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
    std::this_thread::sleep_for(kPoll);
    const auto seen = newest_seq();
    if (seen == last) continue;
    page.after_seq = last;
    page.before_seq = seen + 1;
    reader->events(options.filter, page, print);
    last = seen;
  }
  return 0;
}

int gaps_command(const Common& common, const ListOptions& options) {
  const auto reader = store::open_reader(common.config.store_url);
  Printer printer(common.format, {"seq", "time", "kind", "source", "table", "position", "reason",
                                  "advice", "sql"});
  std::string line;
  std::vector<store::StoredGap> newest_last;
  const auto page = page_of(common, options);
  std::uint64_t count = 0;
  reader->gaps(options.filter, page, [&](const store::StoredGap& gap) {
    ++count;
    line.clear();
    const auto numbered = normalize::append_numbered(line, gap.seq, gap.payload);
    if (!numbered) throw core::Failure(core::Area::Store, false, numbered.error().message);
    if (printer.wants_line()) {
      printer.line(line);
    } else if (common.format == Format::Csv) {
      const auto document = parse(line);
      printer.row({std::to_string(gap.seq), member(document, "committed_at"),
                   member(document, "kind"), member(document, "source"), gap_table(document),
                   gap_position(document), member(document, "reason"), member(document, "advice"),
                   member(document, "sql")});
    } else if (page.ascending) {
      print_gap(gap.seq, gap.payload);
    } else {
      newest_last.push_back(gap);
    }
    return true;
  });
  for (auto gap = newest_last.rbegin(); gap != newest_last.rend(); ++gap) {
    print_gap(gap->seq, gap->payload);
  }
  if (count == 0 && common.format == Format::Text) {
    fmt::print("No gaps: everything that was read is in the record.\n");
  }
  printer.finish();
  return 0;
}

}  // namespace rowtrail::cli
