// The fact sheet as one HTML file that can be mailed: styles in the tags that mail programs keep,
// charts as inline SVG, nothing loaded from anywhere.
#include <algorithm>
#include <charconv>

#include "insight/phrases.h"
#include "insight/summary.h"
#include <fmt/format.h>

namespace rowtrail::insight {
namespace {

constexpr std::size_t kRowsMax = 15;
constexpr double kChartWidth = 640;
constexpr double kChartHeight = 120;

double number(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// A bar per slice of time, a line where the usual lies.
std::string slices_chart(const std::vector<const Fact*>& facts) {
  double most = 1;
  for (const auto* fact : facts) {
    most = std::max(most, number(fact->value));
    if (fact->usual) most = std::max(most, number(fact->usual->median));
  }
  const double step = kChartWidth / static_cast<double>(facts.size());
  std::string out = fmt::format(
      "<svg role=\"img\" aria-label=\"Events over time\" width=\"100%\" viewBox=\"0 0 {:.0f} "
      "{:.0f}\">",
      kChartWidth, kChartHeight + 18);
  const auto height = [&](const std::string& value) { return number(value) / most * kChartHeight; };
  double x = 0;
  for (std::size_t i = 0; i < facts.size(); ++i, x += step) {
    const auto& fact = *facts[i];
    std::string hint = fmt::format("{}: {} {}", fact.title, fact.value, fact.unit);
    if (fact.usual) hint += fmt::format(", usual {}", fact.usual->median);
    const double high = height(fact.value);
    out += fmt::format(
        "<g><title>{}</title><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
        "fill=\"#3b6ea8\"/>",
        html_escaped(hint), x + 1, kChartHeight - high, step - 2, high);
    if (fact.usual) {
      const double y = kChartHeight - height(fact.usual->median);
      out += fmt::format(
          "<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#c2571a\" "
          "stroke-width=\"2\"/>",
          x, x + step, y, y);
    }
    out += "</g>";
    if (i % std::max<std::size_t>(1, facts.size() / 8) == 0) {
      const auto label = fact.title.size() == 10 ? fact.title.substr(5) : fact.title;
      out += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" font-size=\"11\" fill=\"#666\">{}</text>",
                         x + 1, kChartHeight + 14, html_escaped(label));
    }
  }
  return out + "</svg>";
}

/// A bar as long as the value, with a mark where the usual lies.
std::string bar(const Fact& fact, double most) {
  constexpr double kWidth = 120;
  std::string out = fmt::format(
      "<svg width=\"{0:.0f}\" height=\"10\" viewBox=\"0 0 {0:.0f} 10\" aria-hidden=\"true\"><rect "
      "width=\"{1:.1f}\" height=\"10\" fill=\"#3b6ea8\"/>",
      kWidth, number(fact.value) / most * (kWidth - 2));
  if (fact.usual) {
    out += fmt::format("<rect x=\"{:.1f}\" width=\"2\" height=\"10\" fill=\"#c2571a\"/>",
                       number(fact.usual->median) / most * (kWidth - 2));
  }
  return out + "</svg>";
}

std::string table(const char* title, std::vector<const Fact*> facts) {
  const bool more = facts.size() > kRowsMax;
  if (more) facts.resize(kRowsMax);
  double most = 1;
  for (const auto* fact : facts) {
    most = std::max(most, number(fact->value));
    if (fact->usual) most = std::max(most, number(fact->usual->median));
  }
  std::string out = fmt::format(
      "<h2>{}</h2><table><tr><th></th><th>count</th><th></th><th>usual</th><th>range</th>"
      "<th>difference</th><th>records</th></tr>",
      title);
  for (const auto* fact : facts) {
    out += fmt::format("<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td>",
                       html_escaped(fact->title), fact->value, bar(*fact, most));
    if (fact->usual) {
      out +=
          fmt::format("<td class=\"n\">{}</td><td class=\"n\">{}–{}</td><td class=\"n\">{}</td>",
                      fact->usual->median, fact->usual->min, fact->usual->max, difference(*fact));
    } else {
      out += "<td></td><td></td><td></td>";
    }
    out += fmt::format("<td class=\"n q\">{}</td></tr>", seqs(*fact));
  }
  out += "</table>";
  if (more) out += "<p class=\"q\">and more: --format json has all</p>";
  return out;
}

std::string list(const char* title, const std::vector<std::string>& sentences) {
  if (sentences.empty()) return {};
  std::string out = fmt::format("<h2>{}</h2><ul>", title);
  for (const auto& sentence : sentences) out += "<li>" + html_escaped(sentence) + "</li>";
  return out + "</ul>";
}

constexpr const char* kHead =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width\"><title>{0}</title><style>"
    "body{{font:15px/1.45 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;"
    "color:#222;background:#fff}}h1{{font-size:1.4rem}}h2{{font-size:1.05rem;margin:1.6rem 0 "
    ".4rem}}"
    "table{{border-collapse:collapse;width:100%}}td,th{{padding:.2rem .5rem;text-align:left;"
    "border-bottom:1px solid #ddd;font-weight:normal}}th{{color:#666}}"
    ".n{{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}}.q{{color:#666}}"
    "</style></head><body>\n<h1>{0}</h1>";

}  // namespace

std::string render_html(const FactSheet& sheet) {
  const auto title = html_escaped(fmt::format("rowtrail summary for {} (UTC)", sheet.span.title));
  std::string out = fmt::format(fmt::runtime(kHead), title);
  out += "<p>" + html_escaped(headline(sheet)) + "</p>\n";
  for (const auto& note : notes(sheet)) out += "<p class=\"q\">" + html_escaped(note) + "</p>\n";
  out += slices_chart(sheet.of("slice"));
  out += list("Anomalies", anomaly_sentences(sheet));
  out += list("What stands out", standout_sentences(sheet));
  out += list("New", new_sentences(sheet));
  for (const auto& section : sections()) {
    const auto facts = sheet.of(section.group);
    if (!facts.empty()) out += table(section.title, facts) + "\n";
  }
  out += list("Moved", sum_sentences(sheet));
  out += list("Gaps", gap_sentences(sheet));
  return out + "\n</body></html>\n";
}

}  // namespace rowtrail::insight
