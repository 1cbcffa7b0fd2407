// A record, rendered as JSON by the folder it belongs to, in the representation the client wants:
// JSON or ndjson as it is, with fewer members or large integers as strings, CSV, or a CloudEvent.
#pragma once

#include "server/route.h"

#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::server {

/// What kind of record the rows are: decides the columns of CSV.
enum class RowKind : std::uint8_t { Event, Change, Gap, Anomaly };

class RowText {
 public:
  /// Reads format, `fields` and `integers` of the call. `origin` names the log in CloudEvents.
  RowText(const Call& call, RowKind kind, std::string origin);

  /// What stands before the first row (a CSV header), and between rows of one page.
  [[nodiscard]] std::string_view begin() const noexcept { return begin_; }
  [[nodiscard]] std::string_view separator() const noexcept { return separator_; }
  /// What ends every row.
  [[nodiscard]] std::string_view end_of_row() const noexcept { return end_of_row_; }

  /// Turns the record's JSON, which stands in `out` from byte `start` on, into the representation.
  void convert(std::string& out, std::size_t start) const;

 private:
  [[nodiscard]] bool is_wanted(std::string_view name) const;
  void select_fields(std::string& out, std::size_t start) const;
  void to_csv(std::string& out, std::size_t start) const;
  void to_cloud_event(std::string& out, std::size_t start) const;

  Format format_;
  RowKind kind_;
  bool quote_integers_;
  std::vector<std::string> fields_;  // empty: all
  std::string origin_;
  std::string begin_;
  std::string_view separator_, end_of_row_;
};

}  // namespace rowtrail::server
