// What the server's tests share: a small log in memory behind store::Reader, and requests.
#pragma once

#include "server/app.h"

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

  void events(const store::Filter& filter, const store::Page& page,
              const store::Visitor<store::StoredEvent>& visit) override;
  void changes(const store::Filter& filter, const store::Page& page,
               const store::Visitor<store::StoredChange>& visit) override;
  std::optional<store::StoredEvent> event(std::uint64_t seq) override;
  std::vector<store::StoredChange> transaction_changes(
      std::uint64_t transaction_seq, const std::vector<std::uint32_t>& ordinals) override;
  std::optional<store::StoredTransaction> transaction(const std::string& source,
                                                      const std::string& id) override;
  std::vector<store::StoredEvent> transaction_events(std::uint64_t transaction_seq) override;
  store::Counts counts(std::int64_t since_us, std::int64_t until_us) override;
  store::LogStatus status() override;

  bool broken = false;  // every read throws core::Failure

 private:
  void check() const;
  [[nodiscard]] store::StoredEvent make_event(std::uint64_t number) const;
  [[nodiscard]] store::StoredChange make_change(std::uint64_t number, std::uint32_t ordinal) const;
  std::uint64_t count_;
};

[[nodiscard]] Options test_options();
/// GET with Host and token.
[[nodiscard]] Request get(std::string target, std::vector<Header> more = {});
[[nodiscard]] rapidjson::Document json(const Response& response);
/// Seqs of the rows under `member`.
[[nodiscard]] std::vector<std::uint64_t> seqs(const Response& response, const char* member);
[[nodiscard]] std::string text(const rapidjson::Value& object, const char* member);

}  // namespace rowtrail::server::testing
