// The summary of a day, week or month; insight/ computes and renders it.
#include "cli/commands.h"

#include <fstream>

#include "insight/insight.h"
#include <fmt/format.h>

namespace rowtrail::cli {
namespace {

template <class T>
T value_or_throw(core::Result<T> result, const char* option) {
  if (result) return std::move(*result);
  throw core::Failure(core::Area::Usage, false,
                      fmt::format("{}: {}", option, result.error().message));
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) {
    throw core::Failure(core::Area::Usage, false,
                        fmt::format("--out {}: cannot be written; choose a folder that may", path));
  }
}

}  // namespace

int summary_command(const Common& common, const SummaryOptions& options) {
  constexpr std::int64_t kDayUs = 86'400'000'000;
  std::string date = options.date;
  if (date == "today") date = insight::date_text(now_us());
  if (date == "yesterday") date = insight::date_text(now_us() - kDayUs);
  const auto kind = options.month  ? insight::SpanKind::Month
                    : options.week ? insight::SpanKind::Week
                                   : insight::SpanKind::Day;
  const auto span = value_or_throw(insight::span_of(kind, date), "--date");
  const auto format = value_or_throw(insight::parse_summary_format(options.format), "--format");
  const auto reader = store::open_reader(common.config.store_url);
  const auto text = insight::render(insight::make_fact_sheet(*reader, span), format);
  if (options.out.empty()) {
    fmt::print("{}", text);
  } else {
    write_file(options.out, text);
  }
  return 0;
}

}  // namespace rowtrail::cli
