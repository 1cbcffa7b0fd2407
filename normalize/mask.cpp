#include "normalize/mask.h"

#include "normalize/cell_text.h"
#include "normalize/json_scanner.h"
#include "normalize/payload.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace rowtrail::normalize {
namespace {

using binlog::Cell;
using binlog::CellKind;
using core::Errc;
using core::Error;
using core::Result;

constexpr std::size_t kShownMin = 8;      // characters a value must have for Last4 to show any
constexpr std::size_t kDigestBytes = 16;  // of the HMAC
constexpr std::string_view kRedacted = "<redacted>";
constexpr std::string_view kHidden = "…";

/// Columns that hold credentials and numbers of persons and cards, by their names.
constexpr std::array<std::string_view, 17> kCredentials = {
    "*password*", "*passwd*", "*passphrase*",  "*secret*",          "*token",       "token*",
    "*api_key*",  "*apikey*", "*private_key*", "*card_number*",     "*cardnumber*", "*card_no",
    "*cvv*",      "ssn",      "*_ssn",         "*social_security*", "*national_id*"};

constexpr std::array<std::string_view, 5> kActions = {"keep", "drop", "redact", "hash", "last4"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

/// '*' stands for any text.
bool fits(std::string_view glob, std::string_view text) {
  const auto star = glob.find('*');
  if (star == std::string_view::npos) return glob == text;
  if (!text.starts_with(glob.substr(0, star))) return false;
  glob.remove_prefix(star + 1);
  text.remove_prefix(star);
  for (std::size_t skip = 0; skip <= text.size(); ++skip) {
    if (fits(glob, text.substr(skip))) return true;
  }
  return false;
}

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  std::string out;
  JsonWriter(out).hex({reinterpret_cast<const char*>(digest.data()), kDigestBytes});
  return out;
}

/// The last four characters of a text that is long enough to keep the others to itself.
std::string last4(std::string_view text) {
  const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  const auto characters = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts));
  std::string out(kHidden);
  if (characters < kShownMin) return out;
  std::size_t at = text.size();
  for (int left = 4; left > 0;) left -= starts(text[--at]) ? 1 : 0;
  return out.append(text.substr(at));
}

/// Copies a JSON document, but for what stands at a path.
template <class Replace>
class PathWriter {
 public:
  PathWriter(JsonScanner& in, std::string& out, const MaskRule& rule, Replace replace)
      : in_(in), out_(out), rule_(rule), replace_(replace) {}

  void value(std::size_t depth) {
    if (!in_.ok()) return;
    if (depth == rule_.path.size()) {
      JsonWriter(out_).string(replace_(in_.value()));
    } else if (in_.take("{")) {
      members(depth);
    } else if (in_.take("[")) {
      out_ += '[';
      if (!in_.take("]")) {
        value(depth);  // of each element
        while (in_.take(",")) {
          out_ += ',';
          value(depth);
        }
        in_.expect("]");
      }
      out_ += ']';
    } else {
      out_ += in_.value();
    }
  }

 private:
  void members(std::size_t depth) {
    const std::size_t start = out_.size();
    std::string name;
    out_ += '{';
    if (in_.take("}")) {
      out_ += '}';
      return;
    }
    do {
      const std::string_view token = in_.string_token();
      in_.expect(":");
      if (!in_.ok()) return;
      const auto text = parse_json_string(token);
      const bool meant = text && fits(rule_.path[depth], lower(*text));
      if (meant && depth + 1 == rule_.path.size() && rule_.action == MaskAction::Drop) {
        in_.value();
        continue;
      }
      if (out_.size() > start + 1) out_ += ',';
      out_.append(token).append(":");
      if (meant) {
        value(depth + 1);
      } else {
        out_ += in_.value();
      }
    } while (in_.take(","));
    in_.expect("}");
    out_ += '}';
  }

  JsonScanner& in_;
  std::string& out_;
  const MaskRule& rule_;
  Replace replace_;
};

void set_masked(Cell& cell, MaskAction action, std::string_view text, binlog::Arena& arena) {
  const std::string_view kept = arena.copy(text);
  cell = {};
  cell.kind = CellKind::Masked;
  cell.wire_type = static_cast<std::uint8_t>(action);
  cell.data = kept.data();
  cell.size = static_cast<std::uint32_t>(kept.size());
}

}  // namespace

std::string_view mask_action_name(MaskAction action) {
  return kActions.at(static_cast<std::size_t>(action));
}

Result<MaskRule> MaskRule::parse(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return Error{Errc::Invalid,
                 fmt::format("'{}': {}; write DATABASE.TABLE.COLUMN[$.PATH] ACTION with an action "
                             "of {}, as in 'pharmacy.patient.ssn redact'",
                             text, what, fmt::join(kActions, ", "))};
  };
  const auto space = text.rfind(' ');
  if (space == std::string_view::npos) return wrong("no action");
  const auto* const action =
      std::find(kActions.begin(), kActions.end(), lower(text.substr(space + 1)));
  if (action == kActions.end()) return wrong("unknown action");
  MaskRule rule;
  rule.action = static_cast<MaskAction>(action - kActions.begin());
  std::string place = lower(text.substr(0, space));
  while (place.ends_with(' ')) place.pop_back();
  if (const auto path = place.find("$."); path != std::string::npos) {
    std::string_view rest = std::string_view(place).substr(path + 2);
    while (true) {
      auto name = rest.substr(0, rest.find('.'));
      if (name.ends_with("[*]")) name.remove_suffix(3);  // elements are looked into anyway
      if (name.empty()) return wrong("a part of the path is empty");
      rule.path.emplace_back(name);
      if (rest.find('.') == std::string_view::npos) break;
      rest.remove_prefix(rest.find('.') + 1);
    }
    place.resize(path);
  }
  const auto first = place.find('.'), second = place.find('.', first + 1);
  if (second == std::string::npos || place.find('.', second + 1) != std::string::npos) {
    return wrong("not three names with dots between");
  }
  rule.database = place.substr(0, first);
  rule.table = place.substr(first + 1, second - first - 1);
  rule.column = place.substr(second + 1);
  if (rule.database.empty() || rule.table.empty() || rule.column.empty()) {
    return wrong("a name is empty");
  }
  return rule;
}

Mask::Mask(std::vector<MaskRule> rules, std::string key)
    : rules_(std::move(rules)), key_(std::move(key)) {
  const bool hashes = std::any_of(rules_.begin(), rules_.end(), [](const MaskRule& rule) {
    return rule.action == MaskAction::Hash;
  });
  if (hashes && key_.size() < kDigestBytes) {
    throw core::Failure(core::Area::Usage, false,
                        "masking with 'hash' needs a key of 16 characters or more: make one with "
                        "`umask 077; openssl rand -base64 32 > mask.key` and name it in "
                        "'mask_key_file'");
  }
  for (const MaskRule& rule : rules_) {
    if (rule.action == MaskAction::Keep) continue;
    add_word(rule.table);
    add_word(rule.column);
  }
  for (const std::string_view glob : kCredentials) add_word(glob);
}

/// The longest piece of a glob that is text.
void Mask::add_word(std::string_view glob) {
  Word longest;
  for (std::size_t at = 0; at < glob.size();) {
    const auto end = std::min(glob.find('*', at), glob.size());
    if (end - at > longest.text.size()) {
      longest = {std::string(glob.substr(at, end - at)), at == 0, end == glob.size()};
    }
    at = end + 1;
  }
  if (!longest.text.empty()) words_.push_back(std::move(longest));
}

MaskPlan Mask::plan(const binlog::TableSchema& schema) const {
  const std::string database = lower(schema.database), table = lower(schema.table);
  MaskPlan plan;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const std::string name = lower(schema.columns[i].name);
    MaskedColumn masked{static_cast<std::uint32_t>(i), MaskAction::Keep, {}};
    bool settled = false;
    for (const MaskRule& rule : rules_) {
      if (!fits(rule.database, database) || !fits(rule.table, table)) continue;
      // Without names nobody can tell which column is meant: then it is each of them.
      const bool meant =
          schema.names_known ? fits(rule.column, name) : rule.action != MaskAction::Keep;
      if (!meant) continue;
      if (!rule.path.empty() && schema.names_known) {
        masked.paths.push_back(&rule);
        continue;
      }
      masked.action = schema.names_known ? rule.action : MaskAction::Redact;
      settled = true;
      break;
    }
    if (!settled && std::any_of(kCredentials.begin(), kCredentials.end(),
                                [&](std::string_view glob) { return fits(glob, name); })) {
      masked.action = MaskAction::Redact;
    }
    if (masked.action != MaskAction::Keep) masked.paths.clear();
    if (masked.action != MaskAction::Keep || !masked.paths.empty()) plan.push_back(masked);
  }
  return plan;
}

std::string Mask::replacement(MaskAction action, std::string_view text) const {
  if (action == MaskAction::Hash) return hmac(key_, text);
  if (action != MaskAction::Last4) return std::string(kRedacted);
  if (!text.starts_with('"')) return last4(text);
  const auto string = parse_json_string(text);
  return string ? last4(*string) : std::string(kHidden);
}

bool Mask::mask_json(const MaskedColumn& how, Cell& cell, binlog::Arena& arena) const {
  std::string text(cell.text());
  for (const MaskRule* rule : how.paths) {
    std::string masked;
    JsonScanner in(text);
    PathWriter writer(in, masked, *rule,
                      [&](std::string_view value) { return replacement(rule->action, value); });
    writer.value(0);
    if (!in.at_end()) return false;
    text = std::move(masked);
  }
  const std::string_view kept = arena.copy(text);
  cell.data = kept.data();
  cell.size = static_cast<std::uint32_t>(kept.size());
  return true;
}

void Mask::mask_cell(const MaskedColumn& how, const binlog::Column& column, Cell& cell,
                     binlog::Arena& arena) const {
  if (cell.kind == CellKind::Absent) return;
  if (!how.paths.empty()) {
    if (cell.kind == CellKind::Null) return;
    const bool document = cell.kind == CellKind::Json || cell.kind == CellKind::Text;
    if (document && mask_json(how, cell, arena)) return;
    return set_masked(cell, MaskAction::Redact, {}, arena);  // paths lead nowhere in it
  }
  if (how.action == MaskAction::Drop) {
    cell = {};
    return;
  }
  if (how.action == MaskAction::Redact) return set_masked(cell, how.action, {}, arena);
  if (cell.kind == CellKind::Null) return;
  std::string text;
  {
    JsonWriter to(text);
    if (cell_needs_note(cell, column)) {
      write_cell_note(to, cell);
    } else {
      write_cell(to, cell, column);
    }
  }
  const std::string masked = replacement(how.action, text);
  set_masked(cell, how.action, masked, arena);
}

std::span<const Cell> Mask::apply(const MaskPlan& plan, const binlog::TableSchema& schema,
                                  std::span<const Cell> image, binlog::Arena& arena) const {
  if (image.empty()) return image;
  const auto cells = arena.make_span<Cell>(image.size());
  std::copy(image.begin(), image.end(), cells.begin());
  for (const MaskedColumn& masked : plan) {
    mask_cell(masked, schema.columns[masked.column], cells[masked.column], arena);
  }
  return cells;
}

bool Mask::mentions(std::string_view sql) const {
  const std::string text = lower(sql);
  return std::any_of(words_.begin(), words_.end(), [&](const Word& word) {
    for (auto at = text.find(word.text); at != std::string::npos;
         at = text.find(word.text, at + 1)) {
      const auto end = at + word.text.size();
      const bool begins = !word.begins || at == 0 || !is_name(text[at - 1]);
      const bool ends = !word.ends || end == text.size() || !is_name(text[end]);
      if (begins && ends) return true;
    }
    return false;
  });
}

}  // namespace rowtrail::normalize
