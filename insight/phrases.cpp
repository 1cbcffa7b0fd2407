#include "insight/phrases.h"

#include <array>

#include <fmt/format.h>

namespace rowtrail::insight {
namespace {

constexpr std::array kSections{Section{"type", "Business events"}, Section{"actor", "People"},
                               Section{"object", "Busiest objects"}, Section{"table", "Tables"}};

std::string value_of(const FactSheet& sheet, std::string_view id) {
  const auto* fact = sheet.find(id);
  return fact == nullptr ? "0" : fact->value;
}

}  // namespace

std::span<const Section> sections() {
  return kSections;
}

std::string headline(const FactSheet& sheet) {
  const auto* events = sheet.find("total/events");
  if (events == nullptr || events->value == "0") return "No business event was recorded.";
  std::string text =
      fmt::format("{} business events in {} transactions ({} row changes)", events->value,
                  value_of(sheet, "total/transactions"), value_of(sheet, "total/row changes"));
  if (events->usual) {
    text += fmt::format("; usual {} ({}–{})", events->usual->median, events->usual->min,
                        events->usual->max);
  }
  return text + ".";
}

std::vector<std::string> notes(const FactSheet& sheet) {
  std::vector<std::string> out;
  if (sheet.recorded_until.empty()) return {"The log is empty."};
  if (sheet.reference.empty()) {
    out.push_back("No earlier span of this kind is fully in the log: nothing to compare with yet.");
  } else {
    out.push_back(fmt::format("Usual: the median of {} earlier {}, with the least and the most.",
                              sheet.reference.size(), sheet.span.usual));
  }
  out.push_back(fmt::format("The record reaches to {}.", sheet.recorded_until));
  return out;
}

std::string difference(const Fact& fact) {
  if (!fact.usual) return {};
  const auto& usual = *fact.usual;
  if (usual.difference == "+0") return {};
  if (usual.percent.empty()) return usual.difference;
  if (fact.value == "0") return usual.difference + " (none)";
  return fmt::format("{} ({} %)", usual.difference, usual.percent);
}

std::string seqs(const Fact& fact) {
  if (fact.seqs.empty()) return {};
  if (fact.seqs.size() == 1) return fmt::format("#{}", fact.seqs[0]);
  return fmt::format("#{}–{}", fact.seqs[0], fact.seqs[1]);
}

std::vector<std::string> standout_sentences(const FactSheet& sheet) {
  std::vector<std::string> out;
  for (const auto& id : sheet.standout) {
    const auto* fact = sheet.find(id);
    if (fact == nullptr || !fact->usual) continue;
    out.push_back(fmt::format("{}: {} {}, usual {} ({}–{}) {}", printable(fact->title), fact->value,
                              fact->unit, fact->usual->median, fact->usual->min, fact->usual->max,
                              seqs(*fact)));
  }
  return out;
}

std::vector<std::string> anomaly_sentences(const FactSheet& sheet) {
  std::vector<std::string> out;
  for (const auto* fact : sheet.of("anomaly")) {
    out.push_back(fmt::format("{}: {} {}", fact->value, printable(fact->title), seqs(*fact)));
  }
  return out;
}

std::vector<std::string> new_sentences(const FactSheet& sheet) {
  std::vector<std::string> out;
  for (const auto* fact : sheet.of("new")) {
    out.push_back(fmt::format("{}: never seen before; {} {} {}", printable(fact->title),
                              fact->value, fact->unit, seqs(*fact)));
  }
  return out;
}

std::vector<std::string> sum_sentences(const FactSheet& sheet) {
  std::vector<std::string> out;
  for (const auto* fact : sheet.of("sum")) {
    out.push_back(fmt::format("{}: {} {}", printable(fact->title), fact->value, seqs(*fact)));
  }
  return out;
}

std::vector<std::string> gap_sentences(const FactSheet& sheet) {
  std::vector<std::string> out;
  for (const auto* fact : sheet.of("gap")) {
    out.push_back(fmt::format("{}: {} {}", printable(fact->title), fact->value, seqs(*fact)));
  }
  if (out.empty()) {
    out.push_back("None: everything the source committed is in the record.");
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return out;
}

std::string markdown_escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace rowtrail::insight
