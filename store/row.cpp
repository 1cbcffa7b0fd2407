#include "store/row.h"

#include "store/store.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/reader.h>

namespace rowtrail::store {
namespace {

using core::Errc;
using core::Error;
using core::Result;

constexpr std::size_t kFoldMax = 1000;  // changes looked at for columns that images lack

/// Scalars of a flat JSON value in order, each as JSON text, with their names in an object.
struct Flat : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Flat> {
  enum class Shape : std::uint8_t { Scalar, Array, Object };
  Shape shape = Shape::Scalar;
  std::vector<std::string> names;
  std::vector<std::string> values;
  bool open = false;

  bool add(std::string text) {
    values.push_back(std::move(text));
    return true;
  }
  bool Null() { return add("null"); }
  bool Bool(bool value) { return add(value ? "true" : "false"); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return add(std::string(text, size));
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    std::string json;
    normalize::append_json_string(json, {text, size});
    return add(std::move(json));
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    names.emplace_back(text, size);
    return true;
  }
  bool begin(Shape as) {
    if (open || !values.empty()) return false;  // nested
    open = true;
    shape = as;
    return true;
  }
  bool StartObject() { return begin(Shape::Object); }
  bool StartArray() { return begin(Shape::Array); }
  bool EndObject(rapidjson::SizeType) { return true; }
  bool EndArray(rapidjson::SizeType) { return true; }
};

std::optional<Flat> parse_flat(std::string_view text) {
  Flat flat;
  rapidjson::Reader reader;
  rapidjson::MemoryStream memory(text.data(), text.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(memory);
  constexpr unsigned kFlags = rapidjson::kParseNumbersAsStringsFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseIterativeFlag;
  if (!reader.Parse<kFlags>(stream, flat)) return std::nullopt;
  return flat;
}

std::string key_object(const std::vector<std::string>& names,
                       const std::vector<std::string>& values) {
  std::string out = "{";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ',';
    normalize::append_json_string(out, names[i]);
    out.append(":").append(values[i]);
  }
  return out + "}";
}

/// What `key` may mean for a key of these columns, as canonical objects.
std::vector<std::string> readings(std::string_view key, const std::vector<std::string>& columns) {
  std::vector<std::string> out;
  const auto flat = parse_flat(key);
  if (flat && flat->shape == Flat::Shape::Object && flat->names == columns) {
    out.push_back(key_object(columns, flat->values));
  }
  if (flat && flat->shape == Flat::Shape::Array && flat->values.size() == columns.size()) {
    out.push_back(key_object(columns, flat->values));
  }
  if (columns.size() != 1) return out;
  if (flat && flat->shape == Flat::Shape::Scalar && flat->values.size() == 1) {
    out.push_back(key_object(columns, flat->values));
  }
  std::string text;
  normalize::append_json_string(text, key);
  out.push_back(key_object(columns, {text}));
  return out;
}

struct Layout {
  std::uint32_t version = 0;
  std::vector<std::string> columns, key;
};

Layout parse_layout(const StoredSchema& schema) {
  Layout layout;
  rapidjson::Document document;
  document.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag>(
      schema.payload.data(), schema.payload.size());
  const auto list = [&](const char* name) -> const rapidjson::Value* {
    if (document.HasParseError() || !document.IsObject() || !document.HasMember(name) ||
        !document[name].IsArray()) {
      throw core::Failure(core::Area::Store, false,
                          fmt::format("record {} is a damaged table schema; `rowtrail verify` says "
                                      "what else is",
                                      schema.seq));
    }
    return &document[name];
  };
  if (document.HasMember("version") && document["version"].IsString()) {
    const std::string_view text = document["version"].GetString();
    std::from_chars(text.data(), text.data() + text.size(), layout.version);
  }
  for (const auto& column : list("columns")->GetArray()) {
    layout.columns.emplace_back(column["name"].GetString(), column["name"].GetStringLength());
  }
  for (const auto& name : list("primary_key")->GetArray()) {
    layout.key.emplace_back(name.GetString(), name.GetStringLength());
  }
  return layout;
}

Filter table_filter(const RowKey& row, std::optional<std::int64_t> at_us) {
  Filter filter;
  filter.source = row.source;
  filter.database = row.database;
  filter.table = row.table;
  if (at_us && *at_us < std::numeric_limits<std::int64_t>::max()) filter.until_us = *at_us + 1;
  return filter;
}

bool has_changes(Reader& reader, const Filter& filter) {
  bool found = false;
  Page one;
  one.limit = 1;
  reader.changes(filter, one, [&](const StoredChange&) {
    found = true;
    return false;
  });
  return found;
}

bool key_is_known(Reader& reader, const RowKey& row, const std::string& key) {
  Filter filter = table_filter(row, std::nullopt);
  filter.pk = key;
  if (has_changes(reader, filter)) return true;
  filter.pk.reset();
  filter.old_pk = key;
  return has_changes(reader, filter);
}

/// `committed_at` of the change's transaction.
std::string commit_time(const StoredChange& change) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag>(
      change.transaction_payload.data(), change.transaction_payload.size());
  if (!document.IsObject() || !document.HasMember("committed_at") ||
      !document["committed_at"].IsString()) {
    return {};
  }
  return document["committed_at"].GetString();
}

void tell_by(RowState& state, RowBasis basis, const StoredChange& change) {
  state.basis = basis;
  state.seq = change.seq;
  state.committed_at = commit_time(change);
}

normalize::ParsedChange parsed(const StoredChange& change) {
  auto result = normalize::parse_change(change.payload);
  if (!result) {
    throw core::Failure(core::Area::Store, false,
                        fmt::format("record {}: {}", change.seq, result.error().message));
  }
  return *std::move(result);
}

std::string object_of(const std::map<std::string, std::string>& values,
                      const std::vector<std::string>& order) {
  std::string out = "{";
  const auto add = [&](const std::string& name, const std::string& value) {
    if (out.size() > 1) out += ',';
    normalize::append_json_string(out, name);
    out.append(":").append(value);
  };
  for (const auto& name : order) {
    if (const auto found = values.find(name); found != values.end()) add(name, found->second);
  }
  for (const auto& [name, value] : values) {
    if (std::find(order.begin(), order.end(), name) == order.end()) add(name, value);
  }
  return out + "}";
}

/// Column values gathered from images, the newest first.
class Image {
 public:
  void add(const std::optional<normalize::Members>& image, const normalize::Members& cells,
           std::string_view side) {
    if (!image) return;
    for (const auto& member : *image) {
      if (!values_.emplace(member.name, member.json).second) continue;
      for (const auto& cell : cells) {
        if (cell.name == std::string(side) + member.name) cells_.emplace(member.name, cell.json);
      }
    }
  }
  [[nodiscard]] bool has_all(const std::vector<std::string>& columns) const {
    return std::all_of(columns.begin(), columns.end(),
                       [&](const auto& name) { return values_.contains(name); });
  }
  void into(RowState& state, const std::vector<std::string>& columns) const {
    state.row = object_of(values_, columns);
    if (!cells_.empty()) state.cells = object_of(cells_, columns);
    state.complete = has_all(columns);
  }

 private:
  std::map<std::string, std::string> values_, cells_;
};

/// Columns of every layout of the row's table, by version. Read before the changes: a Reader gives
/// one answer at a time.
using Layouts = std::map<std::uint32_t, std::vector<std::string>>;

Layouts layouts_of(Reader& reader, const RowKey& row) {
  Layouts layouts;
  for (const auto& schema : reader.schemas(row.source, row.database, row.table)) {
    auto layout = parse_layout(schema);
    layouts[layout.version] = std::move(layout.columns);
  }
  return layouts;
}

bool contains(const std::vector<std::string>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

std::string key_text(const std::optional<normalize::Members>& key) {
  if (!key) return {};
  std::string out = "{";
  for (const auto& member : *key) {
    if (out.size() > 1) out += ',';
    normalize::append_json_string(out, member.name);
    out.append(":").append(member.json);
  }
  return out + "}";
}

/// What was done to the whole table after the row's last change: emptied, dropped, or altered.
void apply_statements(Reader& reader, const RowKey& row, std::optional<std::int64_t> at_us,
                      RowState& state) {
  // Of all tables: one statement may drop several, or the whole database.
  Filter filter = table_filter(row, at_us);
  filter.database.clear();
  filter.table.clear();
  filter.statements = true;
  Page page;
  page.after_seq = state.seq;
  page.ascending = true;
  page.limit = 0;
  reader.changes(filter, page, [&](const StoredChange& change) {
    const auto statement = parsed(change);
    const auto fate =
        normalize::table_fate(statement.sql, statement.database, row.database, row.table);
    if (fate == normalize::TableFate::Altered) state.ddl = change.seq;
    if (fate != normalize::TableFate::Gone) return true;
    state = {};
    tell_by(state, RowBasis::Gone, change);
    return false;
  });
}

/// Walks back while images lack columns (binlog_row_image=MINIMAL logs only what was set).
void fold(Reader& reader, const RowKey& row, std::optional<std::int64_t> at_us, RowState& state) {
  Layouts layouts = layouts_of(reader, row);
  Image image;
  std::vector<std::string> columns;
  bool first = true;
  Page page;
  page.limit = kFoldMax;
  row_changes(reader, row, at_us, page, [&](const StoredChange& change) {
    const auto parts = parsed(change);
    if (first) columns = layouts[parts.schema_version];
    // An older change that removed a row, or moved it away, tells of another life of the key.
    if (!first && (!parts.new_row || !contains(row.keys, key_text(parts.pk)))) return false;
    first = false;
    image.add(parts.new_row, parts.cells, "new.");
    image.add(parts.old_row, parts.cells, "old.");
    return !image.has_all(columns) && parts.op == normalize::Op::Update;
  });
  image.into(state, columns);
}

/// Nothing up to the time: the first change after it tells.
RowState from_first_change(Reader& reader, const RowKey& row) {
  Layouts layouts = layouts_of(reader, row);
  RowState state;
  Page page;
  page.ascending = true;
  page.limit = 1;
  row_changes(reader, row, std::nullopt, page, [&](const StoredChange& change) {
    const auto parts = parsed(change);
    tell_by(state, RowBasis::NotYet, change);
    const bool was_here =
        parts.old_row && (contains(row.keys, key_text(parts.pk)) ? !parts.old_pk : true);
    if (!was_here) return false;
    state.basis = RowBasis::BeforeImage;
    Image image;
    image.add(parts.old_row, parts.cells, "old.");
    image.into(state, layouts[parts.schema_version]);
    return false;
  });
  return state;
}

}  // namespace

std::string_view row_basis_name(RowBasis basis) {
  switch (basis) {
    case RowBasis::AfterImage:
      return "after_image";
    case RowBasis::BeforeImage:
      return "before_image";
    case RowBasis::Gone:
      return "gone";
    case RowBasis::NotYet:
      return "not_yet";
  }
  return "";
}

Result<RowKey> find_row(Reader& reader, const std::string& source, const std::string& database,
                        const std::string& table, std::string_view key) {
  RowKey row{source, database, table, {}};
  const auto schemas = reader.schemas(source, database, table);
  const std::string name = database + "." + table;
  if (schemas.empty()) {
    return Error{Errc::NotFound, fmt::format("The log holds no row of {}{}.", name,
                                             source.empty() ? "" : " from " + source)};
  }
  std::set<std::string> sources;
  std::vector<std::vector<std::string>> keys;
  for (const auto& schema : schemas) {
    sources.insert(schema.source);
    auto columns = parse_layout(schema).key;
    if (!columns.empty() && std::find(keys.begin(), keys.end(), columns) == keys.end()) {
      keys.push_back(std::move(columns));
    }
  }
  if (sources.size() > 1) {
    return Error{Errc::Invalid, fmt::format("{} is a table of several sources ({}); name one.",
                                            name, fmt::join(sources, ", "))};
  }
  row.source = *sources.begin();
  if (keys.empty()) {
    return Error{Errc::Invalid,
                 fmt::format("{} has no primary key, so its rows have no name.", name)};
  }
  bool read = false;
  for (const auto& columns : keys) {
    for (auto& reading : readings(key, columns)) {
      read = true;
      if (!contains(row.keys, reading) && key_is_known(reader, row, reading)) {
        row.keys.push_back(std::move(reading));
      }
    }
  }
  if (!read) {
    return Error{Errc::Invalid,
                 fmt::format("The key of {} is ({}): give a JSON array of {} values in this order.",
                             name, fmt::join(keys.back(), ", "), keys.back().size())};
  }
  if (row.keys.empty()) {
    return Error{Errc::NotFound, fmt::format("The log holds no change of the row of {} with the "
                                             "key {}.",
                                             name, key)};
  }
  return row;
}

void row_changes(Reader& reader, const RowKey& row, std::optional<std::int64_t> at_us,
                 const Page& page, const std::function<bool(const StoredChange&)>& visit) {
  // A key's changes come out of an index, those that moved rows away from it out of another; there
  // are mostly none of these.
  std::map<std::uint64_t, StoredChange> others;
  Filter filter = table_filter(row, at_us);
  for (std::size_t i = 0; i < row.keys.size(); ++i) {
    filter.pk.reset();
    filter.old_pk = row.keys[i];
    reader.changes(filter, page, [&](const StoredChange& change) {
      others.emplace(change.seq, change);
      return true;
    });
    if (i == 0) continue;
    filter.old_pk.reset();
    filter.pk = row.keys[i];
    reader.changes(filter, page, [&](const StoredChange& change) {
      others.emplace(change.seq, change);
      return true;
    });
  }
  std::uint64_t given = 0;
  bool more = true;
  const auto give = [&](const StoredChange& change) {
    more = visit(change) && (++given < page.limit || page.limit == 0);
    return more;
  };
  // Gives what comes before `seq` in the page's order.
  const auto give_others = [&](std::optional<std::uint64_t> seq) {
    while (more && !others.empty()) {
      const auto next = page.ascending ? others.begin() : std::prev(others.end());
      if (seq && (page.ascending ? next->first >= *seq : next->first <= *seq)) break;
      give(next->second);
      others.erase(next);
    }
  };
  filter.old_pk.reset();
  filter.pk = row.keys.front();
  reader.changes(filter, page, [&](const StoredChange& change) {
    give_others(change.seq);
    others.erase(change.seq);
    return more && give(change);
  });
  give_others(std::nullopt);
}

RowState row_at(Reader& reader, const RowKey& row, std::optional<std::int64_t> at_us) {
  RowState state;
  bool found = false;
  Page newest;
  newest.limit = 1;
  row_changes(reader, row, at_us, newest, [&](const StoredChange& change) {
    found = true;
    const auto parts = parsed(change);
    const bool here = parts.new_row && contains(row.keys, key_text(parts.pk));
    tell_by(state, here ? RowBasis::AfterImage : RowBasis::Gone, change);
    return false;
  });
  if (!found) {
    state = from_first_change(reader, row);
  } else if (state.basis == RowBasis::AfterImage) {
    fold(reader, row, at_us, state);
    apply_statements(reader, row, at_us, state);
  }
  return state;
}

}  // namespace rowtrail::store
