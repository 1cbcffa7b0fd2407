#include "server/mcp_text.h"

#include "server/json_text.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace rowtrail::server::mcp {
namespace {

/// Calls `visit(text)` for every element of a JSON array without spaces.
template <class Visit>
void for_each_element(std::string_view array, Visit visit) {
  for (std::size_t at = 1; at + 1 < array.size();) {
    const std::size_t end = json_value_end(array, at);
    visit(array.substr(at, end - at));
    at = end + 1;
  }
}

void append_name(std::string& out, std::string_view name) {
  if (!out.ends_with('{')) out += ',';
  out.append("\"").append(name).append("\":");
}

std::string only_columns(std::string_view image, const std::vector<std::string_view>& names) {
  std::string out = "{";
  for_each_member(image, [&](std::string_view name, std::string_view value) {
    if (std::find(names.begin(), names.end(), name) == names.end()) return;
    append_name(out, name);
    out += value;
  });
  return out + "}";
}

std::string shorter_change(std::string_view change) {
  const std::string_view before = member_text(change, "old"), after = member_text(change, "new");
  if (!before.starts_with('{') || !after.starts_with('{')) return std::string(change);
  std::vector<std::string_view> changed;
  for_each_element(member_text(change, "changed"), [&](std::string_view name) {
    changed.push_back(name.substr(1, name.size() - 2));
  });
  std::string out = "{";
  for_each_member(change, [&](std::string_view name, std::string_view value) {
    append_name(out, name);
    out += name == "old" || name == "new" ? only_columns(value, changed) : std::string(value);
  });
  return out + "}";
}

/// Where a string's text may be cut, at or before `at`: not within an escape or a UTF-8 sequence.
std::size_t cut_before(std::string_view text, std::size_t at) {
  std::size_t safe = 0;
  for (std::size_t i = 0; i < at;) {
    if (text[i] == '\\') {
      const std::size_t size = i + 1 < text.size() && text[i + 1] == 'u' ? 6 : 2;
      // Two halves of one character stay together.
      const bool high = size == 6 && text.substr(i + 2, 1).find_first_of("dD") == 0 &&
                        text.substr(i + 3, 1).find_first_of("89abAB") == 0;
      i += high ? 12 : size;
    } else {
      ++i;
      while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) ++i;
    }
    if (i <= at) safe = i;
  }
  return safe;
}

}  // namespace

std::string_view member_text(std::string_view object, std::string_view name) {
  std::string_view found;
  for_each_member(object, [&](std::string_view key, std::string_view value) {
    if (key == name) found = value;
  });
  return found;
}

std::string without_unchanged(std::string_view object) {
  std::string out = "{";
  for_each_member(object, [&](std::string_view name, std::string_view value) {
    append_name(out, name);
    if (name != "changes" || !value.starts_with('[')) {
      out += value;
      return;
    }
    out += '[';
    for_each_element(value, [&](std::string_view change) {
      if (!out.ends_with('[')) out += ',';
      out += shorter_change(change);
    });
    out += ']';
  });
  return out + "}";
}

std::string with_fewer(std::string_view object, std::string_view list, std::size_t bytes_max) {
  const std::size_t others = object.size() - member_text(object, list).size();
  std::string out = "{";
  for_each_member(object, [&](std::string_view name, std::string_view value) {
    append_name(out, name);
    if (name != list) {
      out += value;
      return;
    }
    std::string kept = "[";
    for_each_element(value, [&](std::string_view element) {
      if (others + kept.size() + element.size() > bytes_max) return;
      kept.append(kept.size() > 1 ? "," : "").append(element);
    });
    out += kept + "]";
  });
  return out + "}";
}

std::string with_short_strings(std::string_view json, std::size_t bytes_max) {
  std::string out;
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] != '"') {
      out += json[at++];
      continue;
    }
    const std::size_t end = json_value_end(json, at);
    const std::string_view text = json.substr(at + 1, end - at - 2);
    if (text.size() <= bytes_max) {
      out.append(json.substr(at, end - at));
    } else {
      const std::size_t cut = cut_before(text, bytes_max);
      out += fmt::format("\"{}… [{} bytes more]\"", text.substr(0, cut), text.size() - cut);
    }
    at = end;
  }
  return out;
}

}  // namespace rowtrail::server::mcp
