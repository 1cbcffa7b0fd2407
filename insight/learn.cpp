#include "insight/learn.h"

#include <algorithm>
#include <map>
#include <set>

#include "insight/backtest.h"
#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::insight {
namespace {

constexpr std::size_t kExamples = 5;  // of each signature, of which the shortest is taken
constexpr std::size_t kRowsMax = 100'000;

struct Signature {
  std::string hash, type;
  std::uint64_t count = 0;
  std::int64_t first_us = 0, last_us = 0;
  std::vector<std::uint64_t> seqs, transactions;  // of examples
};

std::string member(const rapidjson::Value& object, const char* name) {
  if (!object.IsObject()) return {};
  const auto found = object.FindMember(name);
  return found != object.MemberEnd() && found->value.IsString() ? found->value.GetString()
                                                                : std::string();
}

std::vector<Signature> find_signatures(store::Reader& reader, const store::Filter& filter) {
  std::map<std::string, Signature> found;
  store::Page page;
  page.ascending = true;
  page.limit = 0;
  reader.events(filter, page, [&](const store::StoredEvent& event) {
    if (!event.type.starts_with("auto.")) return true;
    rapidjson::Document json;
    json.Parse<rapidjson::kParseNumbersAsStringsFlag>(event.payload.data(), event.payload.size());
    if (!json.IsObject() || !json.HasMember("attributes")) return true;
    const std::string hash = member(json["attributes"], "signature");
    if (hash.empty()) return true;
    Signature& signature = found[hash];
    if (signature.count++ == 0) {
      signature.hash = hash;
      signature.type = event.type;
      signature.first_us = event.time_us;
    }
    signature.last_us = event.time_us;
    if (signature.seqs.size() < kExamples) {
      signature.seqs.push_back(event.seq);
      signature.transactions.push_back(event.transaction_seq);
    }
    return true;
  });
  std::vector<Signature> out;
  for (auto& [hash, signature] : found) out.push_back(std::move(signature));
  std::stable_sort(out.begin(), out.end(),
                   [](const Signature& a, const Signature& b) { return a.count > b.count; });
  return out;
}

/// The rule, or why there is none; `before` are those that are written already.
core::Result<std::string> draft(store::Reader& reader, const Signature& signature,
                                const std::string& name, const std::string& before) {
  std::vector<store::StoredChange> shortest;
  for (const auto seq : signature.transactions) {
    auto changes = reader.transaction_changes(seq, {});
    if (shortest.empty() || changes.size() < shortest.size()) shortest = std::move(changes);
  }
  if (shortest.empty() || shortest.size() > kRowsMax) {
    return core::Error{core::Errc::Invalid, "its rows are not in the store"};
  }
  rapidjson::Document json;
  const auto& payload = shortest.front().transaction_payload;
  json.Parse(payload.data(), payload.size());
  StoredRows rows(reader, member(json, "source"));
  if (auto read = infer::read_transaction(payload, rows.transaction); !read) return read.error();
  for (const auto& change : shortest) {
    auto read = infer::read_change(change.payload, rows.layouts, rows.transaction);
    if (!read) return read.error();
  }
  auto yaml = infer::draft_rule(rows.transaction, name);
  if (!yaml) return yaml.error();
  // A rule that its own example does not bear out, alone and beside the others, is none.
  const auto loaded = infer::load_rules_text(before + "---\n" + *yaml, "learned");
  for (const auto& error : loaded.errors) return core::Error{core::Errc::Invalid, error.text()};
  for (const auto& result : infer::run_rule_tests(loaded)) {
    if (!result.passed) {
      return core::Error{core::Errc::Invalid,
                         fmt::format("the test of {} fails:\n{}", result.rule_id, result.detail)};
    }
  }
  return yaml;
}

}  // namespace

LearnedRules learn(store::Reader& reader, const store::Filter& filter, std::size_t rules) {
  LearnedRules out;
  const auto signatures = find_signatures(reader, filter);
  for (const auto& signature : signatures) out.discovered += signature.count;
  std::set<std::string> used;
  out.yaml =
      "# Written by `rowtrail rules learn` from transactions that no rule matched. Each rule is "
      "one\n"
      "# signature: the same kinds of row in the same numbers. Rename id, title and event; drop\n"
      "# conditions that say too much; put like rules together.\n";
  for (const auto& signature : signatures) {
    if (out.rules >= rules) break;
    const std::string base = signature.type.substr(std::string_view("auto.").size());
    std::string name = base;
    for (int n = 2; !used.insert(name).second; ++n) name = fmt::format("{}_{}", base, n);
    const auto yaml = draft(reader, signature, name, out.yaml);
    const auto head = fmt::format(
        "# {} transactions from {} to {}\n# signature {}, discovered as {}; for example events "
        "{}\n",
        signature.count, binlog::format_utc(signature.first_us, 0),
        binlog::format_utc(signature.last_us, 0), signature.hash, signature.type,
        fmt::join(signature.seqs, ", "));
    if (!yaml) {
      out.yaml += fmt::format("---\n{}# no rule: ", head);
      for (const char c : yaml.error().message) {
        out.yaml += c;
        if (c == '\n') out.yaml += "# ";
      }
      out.yaml += '\n';
      used.erase(name);
      continue;
    }
    out.yaml += fmt::format("---\n{}{}", head, *yaml);
    ++out.rules;
    out.covered += signature.count;
  }
  return out;
}

}  // namespace rowtrail::insight
