// The summary of a day.
#include "server/handlers.h"
#include "server/json_text.h"
#include "server/list.h"

#include "insight/insight.h"
#include <fmt/format.h>

namespace rowtrail::server {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;

insight::SpanKind span_kind(std::string_view name) {
  if (name == "week") return insight::SpanKind::Week;
  if (name == "month") return insight::SpanKind::Month;
  return insight::SpanKind::Day;
}

}  // namespace

Outcome<Response> get_summary(const Call& call, const Services& services) {
  std::string date = call.path[0];
  if (date == "today") date = insight::date_text(call.now_us);
  if (date == "yesterday") date = insight::date_text(call.now_us - kDayUs);
  const auto span = insight::span_of(span_kind(call.parameter("span").value_or("day")), date);
  if (!span) {
    return Problem{ProblemId::InvalidParameter, span.error().message,
                   "A date is 2026-11-24, today or yesterday, in UTC.", "date"};
  }
  const auto sheet = insight::make_fact_sheet(*services.reader, *span);
  Response response;
  response.content_type = format_kind(call.format).media_type;
  response.body =
      insight::render(sheet, call.format == Format::Markdown ? insight::SummaryFormat::Markdown
                                                             : insight::SummaryFormat::Json);
  return response;
}

}  // namespace rowtrail::server
