#include "insight/backtest.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace rowtrail::insight {
namespace {

constexpr std::size_t kRowsMax = 100'000;  // as in capture: more rows are given to no rule

template <class T>
T checked(core::Result<T> result) {
  if (!result) throw core::Failure(core::Area::Store, false, result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::string compact(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return buffer.GetString();
}

/// An event as both sides can say it: type, objects, actor and attributes.
struct Outcome {
  std::string type, summary, identity;
  std::uint64_t seq = 0;
};

Outcome outcome_of(std::string_view payload, std::uint64_t seq) {
  Outcome outcome;
  outcome.seq = seq;
  rapidjson::Document json;
  json.Parse<rapidjson::kParseNumbersAsStringsFlag>(payload.data(), payload.size());
  if (!json.IsObject()) {
    throw core::Failure(core::Area::Store, false, fmt::format("event {} is not JSON", seq));
  }
  const auto member = [&](const char* name) {
    return json.HasMember(name) ? compact(json[name]) : std::string();
  };
  const auto text = [&](const char* name) {
    return json.HasMember(name) && json[name].IsString() ? std::string(json[name].GetString())
                                                         : std::string();
  };
  outcome.type = text("type");
  outcome.summary = text("summary");
  outcome.identity = member("type") + member("time") + member("objects") + member("attributes");
  return outcome;
}

class Comparison {
 public:
  explicit Comparison(std::size_t samples) : samples_(samples) {}

  void add(const std::string& transaction, std::vector<Outcome> made, std::vector<Outcome> stored) {
    for (const auto& outcome : made) ++rows_[outcome.type].now;
    for (const auto& outcome : stored) ++rows_[outcome.type].stored;
    for (auto& outcome : made) {
      const auto same = std::find_if(stored.begin(), stored.end(), [&](const Outcome& other) {
        return other.identity == outcome.identity;
      });
      if (same == stored.end()) {
        sample(true, transaction, outcome);
        continue;
      }
      ++rows_[outcome.type].same;
      stored.erase(same);
    }
    for (const auto& outcome : stored) sample(false, transaction, outcome);
  }

  void finish(Backtest& result) {
    for (auto& [type, row] : rows_) {
      row.type = type;
      result.types.push_back(row);
    }
    result.samples = std::move(kept_);
  }

 private:
  void sample(bool added, const std::string& transaction, const Outcome& outcome) {
    if (counts_[{outcome.type, added}]++ >= samples_) return;
    kept_.push_back({added, transaction, outcome.type, outcome.summary, outcome.seq});
  }

  std::size_t samples_;
  std::map<std::string, BacktestRow> rows_;
  std::map<std::pair<std::string, bool>, std::size_t> counts_;
  std::vector<BacktestSample> kept_;
};

std::vector<std::string> layouts_of(store::Reader& reader, const std::string& source,
                                    const std::string& database, const std::string& table) {
  std::vector<std::string> payloads;
  for (auto& schema : reader.schemas(source, database, table)) {
    payloads.push_back(std::move(schema.payload));
  }
  return payloads;
}

std::string source_of(const std::string& transaction_payload) {
  rapidjson::Document json;
  json.Parse(transaction_payload.data(), transaction_payload.size());
  const bool good = json.IsObject() && json.HasMember("source") && json["source"].IsString();
  return good ? std::string(json["source"].GetString()) : std::string();
}

}  // namespace

StoredRows::StoredRows(store::Reader& reader, std::string source)
    : layouts([&reader, name = std::move(source)](const std::string& database,
                                                  const std::string& table) {
        return layouts_of(reader, name, database, table);
      }) {}

std::optional<EventExplanation> explain_event(store::Reader& reader, infer::Engine& engine,
                                              std::uint64_t seq) {
  const auto event = reader.event(seq);
  if (!event) return std::nullopt;
  EventExplanation out;
  out.payload = event->payload;
  out.because = event->because;
  const auto changes = reader.transaction_changes(event->transaction_seq, {});
  if (changes.empty()) return out;
  StoredRows rows(reader, source_of(changes.front().transaction_payload));
  checked(infer::read_transaction(changes.front().transaction_payload, rows.transaction));
  out.transaction = rows.transaction.id;
  if (changes.size() > kRowsMax) return out;
  for (const auto& change : changes) {
    checked(infer::read_change(change.payload, rows.layouts, rows.transaction));
  }
  out.rules = engine.explain(rows.transaction);
  return out;
}

void visit_transactions(store::Reader& reader, const store::Filter& filter,
                        const VisitTransaction& visit) {
  // Layouts are looked up while changes are being read, and a source's stay for all transactions.
  std::map<std::string, infer::StoredLayouts> sources;
  constexpr std::uint64_t kPage = 20'000;
  std::uint64_t after = 0;
  std::vector<store::StoredChange> page;
  normalize::Transaction transaction;
  std::uint64_t open = 0;
  infer::StoredLayouts* layouts = nullptr;
  bool any = false, whole = true;
  std::int64_t event_time_us = 0;
  const auto finish = [&] {
    if (any) visit(transaction, open, whole);
    transaction.reset();
    any = false;
    whole = true;
  };
  for (bool first = true;; first = false) {
    page.clear();
    store::Page wanted;
    wanted.ascending = true;
    wanted.limit = kPage;
    if (!first) wanted.after_seq = after;
    reader.changes(filter, wanted, [&](const store::StoredChange& change) {
      page.push_back(change);
      return true;
    });
    for (const auto& change : page) {
      if (!any || change.transaction_seq != open) {
        finish();
        any = true;
        open = change.transaction_seq;
        checked(infer::read_transaction(change.transaction_payload, transaction));
        event_time_us = std::max(event_time_us, transaction.event_time_us);
        transaction.event_time_us = event_time_us;
        const auto load = [&reader, name = transaction.source](const std::string& database,
                                                               const std::string& table) {
          return layouts_of(reader, name, database, table);
        };
        layouts = &sources.try_emplace(transaction.source, load).first->second;
      }
      if (transaction.changes.size() >= kRowsMax) {
        whole = false;
      } else {
        checked(infer::read_change(change.payload, *layouts, transaction));
      }
    }
    if (page.size() < kPage) break;
    after = page.back().seq;
  }
  finish();
}

Backtest backtest(store::Reader& reader, infer::Engine& engine, const store::Filter& filter,
                  std::size_t samples) {
  Backtest result;
  Comparison comparison(samples);
  std::vector<infer::BusinessEvent> events;
  std::vector<normalize::Gap> gaps;
  std::string text;
  visit_transactions(reader, filter, [&](const auto& transaction, std::uint64_t seq, bool whole) {
    ++result.transactions;
    result.changes += transaction.changes.size();
    if (!whole) {
      ++result.too_large;
      return;
    }
    events.clear();
    engine.infer(transaction, events, gaps);
    std::vector<Outcome> made, stored;
    for (const auto& event : events) {
      text.clear();
      infer::append_event(text, event, transaction);
      made.push_back(outcome_of(text, 0));
    }
    for (const auto& event : reader.transaction_events(seq)) {
      stored.push_back(outcome_of(event.payload, event.seq));
    }
    comparison.add(transaction.id, std::move(made), std::move(stored));
  });
  for (const auto& gap : gaps) result.notes.push_back(gap.reason);
  comparison.finish(result);
  return result;
}

}  // namespace rowtrail::insight
