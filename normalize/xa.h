// XA transactions between their XA PREPARE and their fate: their rows as they were logged, kept as
// bytes that survive a restart, and made into Changes when the XA COMMIT comes.
//
//   tables  ┌ version u8 = 1 ┬ flavor u8 ┬ thread u32 ┬ { partial images u8 ┬ size u32 ┬ table map
//             body } … ┐
//   events  { tag u8 ┬ size u32 ┬ … } …                                          little-endian
//     Q  a statement's text      S  error u16 ┬ database size u8 ┬ database ┬ sql
//     R  kind u8 ┬ ends statement u8 ┬ partial JSON u8 ┬ flags u16 ┬ table u32 ┬ bitmap(s) ┬ rows
//
// The few bytes of the tables stay in memory; the events, which may be gigabytes, do not.
#pragma once

#include "binlog/binlog.h"
#include "core/core.h"
#include "normalize/transaction.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rowtrail::normalize {

struct Options;
class Normalizer;

/// X'6131',X'',1
[[nodiscard]] std::string xid_text(const binlog::XaId& xid);

/// XA START, END, COMMIT or ROLLBACK with its xid.
struct XaStatement {
  std::string verb;  // upper case
  std::string xid;
};
[[nodiscard]] XaStatement parse_xa_statement(std::string_view sql);

/// The tables whose rows an XA transaction changed: what must be known of it before its rows.
struct XaTables {
  struct Table {
    binlog::TableSchemaPtr schema;
    std::string body;  // of its table map
    bool has_partial_images = false;
  };
  binlog::Flavor flavor = binlog::Flavor::MySql;
  std::uint32_t thread_id = 0;
  std::vector<Table> tables;

  [[nodiscard]] std::string encode() const;
  static core::Result<XaTables> parse(std::string_view encoded);
};

/// Records the events of one XA transaction.
class XaRecorder {
 public:
  void begin(binlog::Flavor flavor);
  void announce(const binlog::TableMap& map);
  void keep(const binlog::RowsQuery& text);
  void keep(const binlog::Query& statement);
  /// False when the rows' table was not announced.
  bool keep(const binlog::RowsEvent& rows, bool whole_images);

  [[nodiscard]] std::size_t size() const noexcept { return events_.size(); }
  [[nodiscard]] bool has_rows() const noexcept { return !tables_.tables.empty(); }
  /// The events since the last call.
  std::string take_events();
  XaTables take_tables();

 private:
  struct Announced {
    binlog::TableSchemaPtr schema;  // held, so that no other gets its address
    std::string body;
    std::size_t index;  // into tables_, or kNoIndex before its first rows
  };
  static constexpr std::size_t kNoIndex = ~std::size_t{0};

  std::size_t index_of(Announced& table);
  void open_item(char tag);
  void close_item();

  XaTables tables_;
  std::string events_;
  std::size_t item_ = 0;  // start of the open item's content
  std::unordered_map<const binlog::TableSchema*, Announced> announced_;
};

/// Makes the Changes of an XA transaction that committed, in as many parts as a Normalizer makes of
/// such rows anywhere else.
class XaRelease {
 public:
  /// `commit` is a Transaction of XaPhase::Committed; `options` those of its Normalizer.
  XaRelease(Options options, std::unique_ptr<Transaction> commit);
  ~XaRelease();
  XaRelease(const XaRelease&) = delete;
  XaRelease& operator=(const XaRelease&) = delete;

  /// The next bytes of what was kept, in order, cut anywhere.
  core::Result<> push(std::string_view events);
  /// There are no more bytes: completes the last part.
  core::Result<> finish();
  /// The next finished part, or null.
  std::unique_ptr<Transaction> take();

 private:
  core::Result<bool> next(binlog::EventBody& out);
  bool read_rows(binlog::Cursor item, binlog::EventBody& out) const;

  std::unique_ptr<Normalizer> normalizer_;
  std::string file_;
  binlog::Event event_;
  std::vector<binlog::TableSchemaPtr> tables_;
  std::string buffer_;
  std::size_t at_ = 0;  // reading place in the buffer
};

}  // namespace rowtrail::normalize
