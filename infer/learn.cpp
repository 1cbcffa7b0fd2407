// An example → a rule for its like, for a person to name: `rowtrail rules learn`.
#include "infer/discovery.h"
#include "infer/naming.h"
#include "infer/row.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

using normalize::Change;
using normalize::Op;

constexpr std::size_t kTestRowsMax = 40;
constexpr std::size_t kClausesMax = 24;

std::string quoted(std::string_view text) {
  std::string out;
  normalize::append_json_string(out, text);
  return out;
}

bool is_plain(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9');
         });
}

/// A string of an expression.
std::string literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\\' || c == '\'') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string_view image_of(const Change& change) {
  return change.op == Op::Delete ? "before" : "after";
}

struct Part {
  const Discovery::Shape* shape = nullptr;
  std::string name;
  std::vector<std::string> conditions;
  [[nodiscard]] const Change& change() const { return *shape->first; }
  [[nodiscard]] bool is_list() const { return shape->rows > 1; }
};

class Drafter {
 public:
  Drafter(const normalize::Transaction& example, const std::string& name)
      : example_(example), name_(name) {
    discovery_.find_shapes(example);
  }

  core::Result<std::string> run();

 private:
  void name_parts();
  void add_changes(Part& part) const;
  void add_exclusions(Part& part) const;
  void add_joins(Part& part) const;
  [[nodiscard]] bool always_joined(const Part& part, std::string_view column,
                                   const Part& parent) const;
  void write_match();
  void write_objects();
  void write_test();
  void write_image(std::string_view side, const Change& change,
                   std::span<const binlog::Cell> image);
  static std::string cell_text(const binlog::Cell& cell, const binlog::Column& column);

  const normalize::Transaction& example_;
  std::string name_;
  Discovery discovery_;
  std::vector<Part> parts_;
  std::string out_;
};

std::string key_column(const Change& change) {
  if (change.schema == nullptr || change.schema->primary_key.size() != 1) return {};
  const auto& name = change.schema->columns[change.schema->primary_key.front()].name;
  return is_plain(name) ? name : std::string();
}

void Drafter::name_parts() {
  static const std::set<std::string> kTaken = {"before", "after", "true",     "false", "null", "in",
                                               "op",     "table", "database", "sql",   "has"};
  std::set<std::string> used = kTaken;
  for (const auto& shape : discovery_.shapes()) {
    Part part;
    part.shape = &shape;
    std::string noun = word(singular(shape.first->table));
    if (!is_plain(noun)) noun = "row_" + noun;
    if (!is_plain(noun)) noun = "row";
    part.name = noun;
    for (int n = 2; !used.insert(part.name).second; ++n) part.name = fmt::format("{}_{}", noun, n);
    parts_.push_back(std::move(part));
  }
}

/// What an update did to its columns.
void Drafter::add_changes(Part& part) const {
  const Change& change = part.change();
  for (const auto column : part.shape->changed) {
    const auto& name = change.schema->columns[column].name;
    if (!is_plain(name) || is_audit_column(name)) continue;
    if (is_transition(change, column)) {
      const auto is = [&](Side side) {
        binlog::Arena arena;
        const Value value = column_value(change, side, static_cast<int>(column), arena);
        const auto image = side == Side::Before ? "before" : "after";
        if (value.is_null()) return fmt::format("{}.{} == null", image, name);
        std::string text;
        append_text(text, value);
        return fmt::format("string({}.{}) == {}", image, name, literal(text));
      };
      part.conditions.push_back(is(Side::Before) + " && " + is(Side::After));
    } else if (const int sign = delta_sign(change, column); sign != 0) {
      part.conditions.push_back(fmt::format("delta({}) {} 0", name, sign < 0 ? "<" : ">"));
    } else {
      part.conditions.push_back(fmt::format("changed({})", name));
    }
  }
}

/// Columns that only other kinds of row of the same table change.
void Drafter::add_exclusions(Part& part) const {
  const Change& change = part.change();
  if (change.op != Op::Update) return;
  std::set<std::string> others;
  for (const Part& other : parts_) {
    const Change& row = other.change();
    if (&other == &part || row.op != Op::Update || row.table != change.table) continue;
    for (const auto column : other.shape->changed) {
      others.insert(row.schema->columns[column].name);
    }
  }
  for (const auto column : part.shape->changed) others.erase(change.schema->columns[column].name);
  for (const auto& name : others) {
    if (is_plain(name) && !is_audit_column(name)) {
      part.conditions.push_back(fmt::format("!changed({})", name));
    }
  }
}

bool Drafter::always_joined(const Part& part, std::string_view column, const Part& parent) const {
  const auto value = [](const Change& change, int at) {
    binlog::Arena arena;
    std::string text;
    const Side side = change.op == Op::Delete ? Side::Before : Side::After;
    append_text(text, column_value(change, side, at, arena));
    return text;
  };
  const Change& owner = parent.change();
  const auto key = value(owner, static_cast<int>(owner.schema->primary_key.front()));
  const auto number = static_cast<std::uint32_t>(part.shape - discovery_.shapes().data());
  for (std::size_t row = 0; row < example_.changes.size(); ++row) {
    if (discovery_.shape_of()[row] != number) continue;
    const Change& change = example_.changes[row];
    if (value(change, change.schema->find(column)) != key) return false;
  }
  return !key.empty();
}

/// Columns that hold the key of a single row of another table.
void Drafter::add_joins(Part& part) const {
  const Change& change = part.change();
  if (change.schema == nullptr) return;
  for (const Part& parent : parts_) {
    const Change& owner = parent.change();
    const std::string key = key_column(owner);
    if (parent.is_list() || owner.table == change.table || key.empty()) continue;
    for (const auto& column : change.schema->columns) {
      if (!is_plain(column.name)) continue;
      if (!is_reference(column.name, singular(owner.table), key)) continue;
      if (!always_joined(part, column.name, parent)) continue;
      part.conditions.push_back(fmt::format("{}.{} == {}.{}.{}", image_of(change), column.name,
                                            parent.name, image_of(owner), key));
      break;
    }
  }
}

void Drafter::write_match() {
  out_ += "match:\n";
  for (const Part& part : parts_) {
    const Change& change = part.change();
    const auto table = fmt::format("{}.{}", change.database, change.table);
    out_ += fmt::format("  {}:\n    table: {}\n    op: {}\n", part.name, quoted(table),
                        normalize::op_name(change.op));
    if (part.is_list())
      out_ += fmt::format("    count: {}\n", part.shape->rows <= 5 ? "2..5" : "6..n");
    if (part.conditions.empty()) continue;
    out_ += fmt::format("    when: {}\n",
                        quoted(fmt::format("{}", fmt::join(part.conditions, " && "))));
  }
}

void Drafter::write_objects() {
  std::map<std::string, std::vector<std::string>> objects;
  for (const Part& part : parts_) {
    const Change& change = part.change();
    const std::string key = key_column(change);
    if (key.empty()) continue;
    const auto image = image_of(change);
    objects[word(singular(change.table))].push_back(
        quoted(part.is_list() ? fmt::format("{}.map(r, r.{}.{})", part.name, image, key)
                              : fmt::format("{}.{}.{}", part.name, image, key)));
  }
  if (objects.empty()) return;
  out_ += "emit:\n  objects:\n";
  for (const auto& [type, ids] : objects) {
    out_ += fmt::format("    {}: ", quoted(type));
    if (ids.size() == 1) {
      out_ += ids.front() + "\n";
    } else {
      out_ += fmt::format("[{}]\n", fmt::join(ids, ", "));
    }
  }
}

/// As TestRows reads it back.
std::string Drafter::cell_text(const binlog::Cell& cell, const binlog::Column& column) {
  std::string json;
  normalize::append_cell(json, cell, column);
  // Text that would be taken for a number or a time.
  if (cell.kind == binlog::CellKind::Text) return "!!str " + json;
  return json;
}

void Drafter::write_image(std::string_view side, const Change& change,
                          std::span<const binlog::Cell> image) {
  if (image.empty()) return;
  out_ += fmt::format(", {}: {{", side);
  bool first = true;
  for (std::size_t n = 0; n < image.size(); ++n) {
    if (image[n].kind == binlog::CellKind::Absent) continue;
    const auto& column = change.schema->columns[n];
    out_ += fmt::format("{}{}: {}", first ? "" : ", ", quoted(column.name),
                        cell_text(image[n], column));
    first = false;
  }
  out_ += '}';
}

void Drafter::write_test() {
  if (example_.changes.size() > kTestRowsMax) {
    out_ +=
        fmt::format("# the examples have more than {} rows: write a test by hand\n", kTestRowsMax);
    return;
  }
  out_ += fmt::format("tests:\n  - name: {}\n    changes:\n", quoted("transaction " + example_.id));
  for (const Change& change : example_.changes) {
    out_ += fmt::format("      - {{table: {}, op: {}",
                        quoted(fmt::format("{}.{}", change.database, change.table)),
                        normalize::op_name(change.op));
    write_image("before", change, change.before);
    write_image("after", change, change.after);
    if (change.schema == nullptr) out_ += fmt::format(", sql: {}", quoted(change.sql));
    out_ += "}\n";
  }
  out_ += fmt::format("    expect: [{{event: {}}}]\n", name_);
}

core::Result<std::string> Drafter::run() {
  const auto fail = [](std::string why) {
    return core::Error{core::Errc::Invalid, std::move(why)};
  };
  if (example_.changes.empty()) return fail("it has no rows");
  if (discovery_.shapes().size() > kClausesMax) {
    return fail(fmt::format("it has more than {} kinds of row", kClausesMax));
  }
  for (const auto& shape : discovery_.shapes()) {
    if (shape.first->op == Op::Snapshot) return fail("it is a snapshot");
  }
  name_parts();
  std::size_t rank = 0;
  for (Part& part : parts_) {
    add_changes(part);
    add_exclusions(part);
    add_joins(part);
    rank += part.shape->rows == 1 ? 100U : part.shape->rows <= 5 ? 110U : 120U;
    rank += part.conditions.size();
  }
  std::string title = name_;
  std::replace(title.begin(), title.end(), '_', ' ');
  if (title[0] >= 'a' && title[0] <= 'z') title[0] = static_cast<char>(title[0] - 'a' + 'A');
  out_ += fmt::format("id: {0}\ntitle: {1}\nevent: {0}\n", name_, quoted(title));
  // Rules of more kinds of row, and those that ask more, go first, so that none takes a part of
  // another's transaction.
  out_ += fmt::format("priority: {}\n", rank);
  write_match();
  write_objects();
  write_test();
  return std::move(out_);
}

}  // namespace

core::Result<std::string> draft_rule(const normalize::Transaction& example,
                                     const std::string& name) {
  return Drafter(example, name).run();
}

}  // namespace rowtrail::infer
