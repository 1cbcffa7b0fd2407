// What all lists share: filters from the query, pages and cursors, the Link header, JSON or ndjson,
// and streams without end for limit=0.
#pragma once

#include "server/cursor.h"
#include "server/route.h"
#include "server/row_text.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rowtrail::server {

/// Size of one chunk of a stream, about.
constexpr std::size_t kChunkBytes = 128 * 1024;

/// Sets the member that a checked query parameter narrows; false when it is no filter.
bool assign_filter(store::Filter& filter, std::string_view name, std::string_view value,
                   std::int64_t now_us);

struct List {
  store::Filter filter;
  store::Page page;  // limit as asked; 0 only for streams
  std::string binding;
  std::optional<store::RowKey> row;        // of RowChanges
  std::optional<std::int64_t> at_us = {};  // likewise: not after it
};

/// Reads the call's list parameters. Routes set what their path fixes in `filter` afterwards.
[[nodiscard]] Outcome<List> read_list(const Call& call);

/// A list that counts by offset: `limit`, and the cursor's number as the first offset.
struct Slice {
  std::uint64_t offset = 0;
  std::uint64_t limit = kLimitDefault;
  std::string binding;
};
[[nodiscard]] Outcome<Slice> read_slice(const Call& call);

/// The cursor of the next page, in the body and in Link.
void set_next_link(Response& response, const Call& call, const std::string& cursor);

/// Opens and closes the body of a page: `{<head>"events":[` … `],"next":…}` in JSON.
class PageBody {
 public:
  /// `head` holds JSON members before the list, ending in a comma.
  PageBody(const Call& call, const RowText& style, std::string_view head, std::string_view member);
  /// Where the next row is to be appended as JSON; call end_row() after it.
  std::string& begin_row();
  void end_row();
  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
  [[nodiscard]] bool full() const noexcept { return body_.size() >= bytes_max_; }
  /// `next` is empty on the last page.
  [[nodiscard]] Response finish(const Call& call, const std::string& next);

 private:
  const RowText& style_;
  Format format_;
  std::size_t bytes_max_;
  std::size_t row_start_ = 0;
  std::uint64_t rows_ = 0;
  std::string body_;
};

/// How this call wants its rows; asks the store for the log's name when CloudEvents carry it.
[[nodiscard]] RowText row_text(const Call& call, const Services& services, RowKind kind);

/// The problem of a payload that cannot be rendered; the reason goes to the log.
[[nodiscard]] Problem unreadable_record(std::uint64_t seq, const core::Error& error);

/// The kinds of row that lists hold.
struct EventRows {
  using Row = store::StoredEvent;
  static constexpr std::string_view kMember = "events";
  static constexpr RowKind kKind = RowKind::Event;
  static void read(store::Reader& reader, const List& list, const store::Page& page,
                   const store::Visitor<Row>& visit);
  static core::Result<> render(std::string& out, const Row& row);
};
struct ChangeRows {
  using Row = store::StoredChange;
  static constexpr std::string_view kMember = "changes";
  static constexpr RowKind kKind = RowKind::Change;
  static void read(store::Reader& reader, const List& list, const store::Page& page,
                   const store::Visitor<Row>& visit);
  static core::Result<> render(std::string& out, const Row& row);
};
struct GapRows {
  using Row = store::StoredGap;
  static constexpr std::string_view kMember = "gaps";
  static constexpr RowKind kKind = RowKind::Gap;
  static void read(store::Reader& reader, const List& list, const store::Page& page,
                   const store::Visitor<Row>& visit);
  static core::Result<> render(std::string& out, const Row& row);
};
struct AnomalyRows {
  using Row = store::StoredAnomaly;
  static constexpr std::string_view kMember = "anomalies";
  static constexpr RowKind kKind = RowKind::Anomaly;
  static void read(store::Reader& reader, const List& list, const store::Page& page,
                   const store::Visitor<Row>& visit);
  static core::Result<> render(std::string& out, const Row& row);
};
/// The changes of one row.
struct RowChanges : ChangeRows {
  static void read(store::Reader& reader, const List& list, const store::Page& page,
                   const store::Visitor<Row>& visit);
};

/// The page, or for limit=0 the stream. `head` holds members before the list, ending in a comma.
template <class Rows>
[[nodiscard]] Outcome<Response> answer_list(const Call& call, const Services& services, List list,
                                            std::string_view head = {});
extern template Outcome<Response> answer_list<EventRows>(const Call&, const Services&, List,
                                                         std::string_view);
extern template Outcome<Response> answer_list<ChangeRows>(const Call&, const Services&, List,
                                                          std::string_view);
extern template Outcome<Response> answer_list<GapRows>(const Call&, const Services&, List,
                                                       std::string_view);

extern template Outcome<Response> answer_list<AnomalyRows>(const Call&, const Services&, List,
                                                           std::string_view);
extern template Outcome<Response> answer_list<RowChanges>(const Call&, const Services&, List,
                                                          std::string_view);

}  // namespace rowtrail::server
