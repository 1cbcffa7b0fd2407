// Which rules a transaction can match at all: by table and operation, before any condition is
// evaluated. A rule whose required clauses have no rows costs nothing.
#pragma once

#include "infer/matcher.h"
#include "infer/rule.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace rowtrail::infer {

class RuleIndex {
 public:
  explicit RuleIndex(const CompiledRules& rules);

  /// Sorts the transaction's rows by table and operation. `rules()` are those that can match, in
  /// order of priority, then of their files.
  void begin(const normalize::Transaction& transaction);
  [[nodiscard]] const std::vector<const Rule*>& rules() const noexcept { return possible_; }
  /// All that name a table and operation of the transaction, in the order of their files.
  [[nodiscard]] std::vector<const Rule*> listening() const;
  /// Rows for each clause of a rule of rules(), then for each forbid. Valid until the next call.
  std::span<const Rows> rows_of(const Rule& rule);

 private:
  static constexpr std::size_t kOps = 6;
  static constexpr std::size_t kTablesMax = 65'536;
  static constexpr std::size_t kRecent = 16;

  struct Listener {
    std::uint32_t rule;
    std::uint32_t place;  // clauses, then forbids
  };
  struct Table {
    std::array<std::vector<Listener>, kOps> listeners;
    std::array<std::uint32_t, kOps> group{};  // of this transaction, when `seen` says so
    std::array<std::uint64_t, kOps> seen{};
  };
  struct Group {
    const std::vector<Listener>* listeners = nullptr;
    std::vector<std::uint32_t> rows;
  };
  struct Source {
    std::uint32_t place;
    std::uint32_t group;
  };
  struct RuleState {
    std::uint64_t seen = 0;
    std::uint64_t present = 0;
    std::vector<Source> sources;
  };
  struct Recent {
    const void* schema = nullptr;
    Table* table = nullptr;
  };

  Table& table_of(const normalize::Change& change);
  Table& look_up(const normalize::Change& change);
  void add_group(Table& table, std::size_t op);

  const CompiledRules& rules_;
  std::unordered_map<std::string, std::unique_ptr<Table>> tables_;  // "database\0table"
  std::string key_;
  std::array<Recent, kRecent> recent_;
  std::vector<Group> groups_;
  std::size_t groups_used_ = 0;
  std::uint64_t transaction_ = 0;
  std::vector<RuleState> states_;
  std::vector<std::uint32_t> touched_;
  std::vector<const Rule*> possible_;
  std::unordered_map<const Rule*, std::uint32_t> numbers_;
  std::vector<Rows> rows_;
  std::vector<std::vector<std::uint32_t>> merged_;
};

}  // namespace rowtrail::infer
