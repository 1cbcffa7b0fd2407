#include "infer/naming.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace rowtrail::infer {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// Is `part` a whole word of `name`, words being parted by '_'?
bool has_word(std::string_view name, std::string_view part) {
  for (std::size_t at = name.find(part); at != std::string_view::npos;
       at = name.find(part, at + 1)) {
    const std::size_t end = at + part.size();
    if ((at == 0 || name[at - 1] == '_') && (end == name.size() || name[end] == '_')) return true;
  }
  return false;
}

}  // namespace

std::string singular(std::string_view table) {
  std::string name = lower(table);
  if (name.starts_with("tbl_") || name.starts_with("tb_")) name.erase(0, name.find('_') + 1);
  const auto ends = [&](std::string_view suffix) {
    return name.size() > suffix.size() && name.ends_with(suffix);
  };
  if (name == "news" || name == "series") return name;
  if (name == "people") return "person";
  if (ends("news") || ends("series") || ends("ss") || ends("us") || ends("is")) return name;
  if (ends("people")) return name.substr(0, name.size() - 6) + "person";
  if (ends("children")) return name.substr(0, name.size() - 3);
  for (const std::string_view with_ie : {"movies", "cookies", "calories"}) {
    if (name.ends_with(with_ie)) return name.substr(0, name.size() - 1);
  }
  if (ends("ies") && name.size() > 4) return name.substr(0, name.size() - 3) + "y";
  if (ends("sses") || ends("uses") || ends("shes") || ends("ches") || ends("xes")) {
    return name.substr(0, name.size() - 2);
  }
  if (ends("s")) name.pop_back();
  return name;
}

std::string word(std::string_view text) {
  std::string out(text.substr(0, 64));
  for (char& c : out) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    if (!plain) c = '_';
  }
  return out;
}

std::string title_of(std::string_view name) {
  std::string title(name);
  std::replace(title.begin(), title.end(), '_', ' ');
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z')
    title[0] = static_cast<char>(title[0] - 32);
  return title;
}

bool is_log_table(std::string_view table) {
  const std::string name = lower(table);
  for (const std::string_view part :
       {"log", "logs", "audit", "audits", "history", "journal", "outbox", "changelog", "trail",
        "archive", "activity", "revisions"}) {
    if (has_word(name, part)) return true;
  }
  return false;
}

bool is_audit_column(std::string_view column) {
  const std::string name = lower(column);
  for (const std::string_view prefix : {"updated", "modified", "changed", "edited", "last_modified",
                                        "last_updated", "last_changed", "mtime"}) {
    if (name.starts_with(prefix)) return true;
  }
  return is_one_of(name, {"version", "row_version", "lock_version", "revision", "rev", "etag"});
}

bool is_amount_column(std::string_view column) {
  return is_one_of(lower(column),
                   {"quantity", "qty", "amount", "balance", "count", "level", "total", "on_hand",
                    "in_stock", "stock", "value", "units", "available"});
}

bool is_status_column(std::string_view column) {
  const std::string name = lower(column);
  return has_word(name, "status") || has_word(name, "state") || has_word(name, "stage") ||
         has_word(name, "phase");
}

bool is_deletion_column(std::string_view column) {
  return is_one_of(lower(column), {"deleted", "deleted_at", "deleted_on", "is_deleted",
                                   "removed_at", "is_removed", "date_deleted"});
}

}  // namespace rowtrail::infer
