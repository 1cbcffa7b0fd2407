// What the server's tests share: a small log in memory behind store::Reader, and requests.
#pragma once

#include "server/app.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <rapidjson/document.h>

namespace rowtrail::server::testing {

constexpr std::int64_t kNow = 1'795'600'000'000'000;  // 2026-11-25T09:46:40Z
constexpr std::string_view kToken = "rt_test";

/// A pharmacy's log: `count` stock transfers, one every second before kNow. Transfer i is
/// transaction gtid:i with seq 4i, changes 4i+1 and 4i+2, event 4i+3; product i%3, actor anna or
/// ben in turn.
class MemoryReader : public store::Reader {
 public:
  explicit MemoryReader(std::uint64_t count);
  /// A log that grows: it has as many transfers as `count` says.
  MemoryReader(std::uint64_t first_count, const std::atomic<std::uint64_t>& count);

  void events(const store::Filter& filter, const store::Page& page,
              const store::Visitor<store::StoredEvent>& visit) override;
  void changes(const store::Filter& filter, const store::Page& page,
               const store::Visitor<store::StoredChange>& visit) override;
  /// One of each tenth transaction, with the transaction's seq.
  void gaps(const store::Filter& filter, const store::Page& page,
            const store::Visitor<store::StoredGap>& visit) override;
  void anomalies(const store::Filter& filter, const store::Page& page,
                 const store::Visitor<store::StoredAnomaly>& visit) override;
  std::optional<store::StoredAnomaly> anomaly(std::uint64_t seq) override;
  std::vector<store::StoredAdminAction> admin_actions(const std::string& type) override;
  std::optional<store::StoredEvent> event(std::uint64_t seq) override;
  std::vector<store::StoredChange> transaction_changes(
      std::uint64_t transaction_seq, const std::vector<std::uint32_t>& ordinals) override;
  std::optional<store::StoredTransaction> transaction(const std::string& source,
                                                      const std::string& id) override;
  std::vector<store::StoredEvent> transaction_events(std::uint64_t transaction_seq) override;
  std::vector<store::StoredSchema> schemas(const std::string& source, const std::string& database,
                                           const std::string& table) override;
  std::vector<store::StoredRule> rule_versions() override;
  std::vector<store::TypeCount> types() override;
  store::Counts counts(std::int64_t since_us, std::int64_t until_us) override;
  std::vector<store::Tally> tally(const store::TallyQuery& query) override;
  bool seen_before(store::Dimension dimension, const std::string& name, const std::string& detail,
                   std::int64_t time_us) override;
  std::optional<std::pair<std::int64_t, std::int64_t>> event_span() override;
  store::LogStatus status() override;
  std::string tree_head() override;
  /// 600 records: two full tiles and one of 88; bytes tell level, index and width.
  std::optional<std::string> tile(int level, std::uint64_t index, std::uint64_t width) override;
  std::optional<std::string> entries(std::uint64_t bundle, std::uint64_t width) override;
  std::optional<std::string> proof(std::uint64_t seq) override;
  std::vector<std::string> consistency(std::uint64_t, std::uint64_t) override { return {}; }

  bool broken = false;  // every read throws core::Failure

 private:
  void check() const;
  [[nodiscard]] store::StoredEvent make_event(std::uint64_t number) const;
  [[nodiscard]] store::StoredChange make_change(std::uint64_t number, std::uint32_t ordinal) const;
  [[nodiscard]] std::uint64_t size() const {
    return live_count_ != nullptr ? live_count_->load() : count_;
  }
  std::uint64_t count_;  // the one whose last event is a second before kNow
  const std::atomic<std::uint64_t>* live_count_ = nullptr;
};

[[nodiscard]] Options test_options();
/// GET with Host and token.
[[nodiscard]] Request get(std::string target, std::vector<Header> more = {});
[[nodiscard]] rapidjson::Document json(const Response& response);
/// Seqs of the rows under `member`.
[[nodiscard]] std::vector<std::uint64_t> seqs(const Response& response, const char* member);
[[nodiscard]] std::string text(const rapidjson::Value& object, const char* member);

/// The routes over a log in memory, without a socket.
struct Site {
  explicit Site(Options options = test_options(), std::uint64_t count = 250)
      : app(std::move(options)), reader(count) {}
  Response ask(Request request) { return app.respond(std::move(request), &reader); }
  Response ask(const std::string& target, std::vector<Header> headers = {}) {
    return ask(get(target, std::move(headers)));
  }
  App app;
  MemoryReader reader;
};
/// The problem's type; checks that it is one.
[[nodiscard]] std::string problem_of(const Response& response);

}  // namespace rowtrail::server::testing
