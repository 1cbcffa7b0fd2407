#include "infer/infer.h"

#include <charconv>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

constexpr std::string_view kSeverities[] = {"info", "low", "medium", "high", "critical"};
constexpr std::string_view kEvidence = ",\"evidence\":[";

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  normalize::append_json_string(out, text);
}

}  // namespace

std::string_view severity_name(Severity severity) {
  return kSeverities[static_cast<std::size_t>(severity)];
}

core::Result<Severity> parse_severity(std::string_view name) {
  for (std::size_t n = 0; n < std::size(kSeverities); ++n) {
    if (kSeverities[n] == name) return static_cast<Severity>(n);
  }
  return core::Error{
      core::Errc::Invalid,
      fmt::format("severity '{}' is none of info, low, medium, high, critical", name)};
}

void append_event(std::string& out, const BusinessEvent& event,
                  const normalize::Transaction& transaction) {
  out += "{\"type\":";
  normalize::append_json_string(out, event.type);
  append_member(out, "time", binlog::format_utc(event.time_us, event.time_has_fraction ? 6 : 0));
  append_member(out, "source", transaction.source);
  append_member(out, "transaction", transaction.id);
  append_member(out, "title", event.title);
  append_member(out, "summary", event.summary);
  append_member(out, "severity", severity_name(event.severity));
  out += ",\"objects\":[";
  for (std::size_t n = 0; n < event.objects.size(); ++n) {
    const auto& object = event.objects[n];
    out += n == 0 ? "{\"type\":" : ",{\"type\":";
    normalize::append_json_string(out, object.type);
    append_member(out, "id", object.id);
    if (!object.role.empty()) append_member(out, "role", object.role);
    out += '}';
  }
  out += "],\"actor\":{\"id\":";
  if (event.actor.id.empty()) {
    out += "null,\"via\":\"unknown\",\"confidence\":\"unknown\"}";
  } else {
    normalize::append_json_string(out, event.actor.id);
    append_member(out, "via", event.actor.via);
    append_member(out, "confidence", event.actor.confidence);
    out += '}';
  }
  out += ",\"attributes\":";
  out += event.attributes;
  out += ",\"rule\":{\"id\":";
  normalize::append_json_string(out, event.rule_id);
  if (!event.rule_version.empty()) append_member(out, "version", event.rule_version);
  out += '}';
  for (std::size_t n = 0; n < event.because.size(); ++n) {
    out += n == 0 ? ",\"because\":[{\"transaction\":" : ",{\"transaction\":";
    normalize::append_json_string(out, event.because[n].transaction);
    fmt::format_to(std::back_inserter(out), ",\"event\":{}}}", event.because[n].index);
  }
  if (!event.because.empty()) out += ']';
  out += kEvidence;
  for (std::size_t n = 0; n < event.evidence.size(); ++n) {
    if (n > 0) out += ',';
    fmt::format_to(std::back_inserter(out), "{}", event.evidence[n]);
  }
  out += "]}";
}

core::Result<> append_rendered_event(std::string& out, std::uint64_t seq,
                                     std::uint64_t transaction_seq, std::string_view payload,
                                     std::string_view because) {
  const auto evidence = payload.rfind(kEvidence);
  if (payload.size() < 2 || payload.front() != '{' || evidence == std::string_view::npos ||
      !payload.ends_with("]}")) {
    return core::Error{core::Errc::Malformed,
                       fmt::format("event {} is not in canonical form", seq)};
  }
  fmt::format_to(std::back_inserter(out), "{{\"seq\":{},", seq);
  const auto list = evidence + kEvidence.size();
  out += payload.substr(1, list - 1);
  if (!because.empty()) {
    out.append(because).append("]}");
    return {};
  }
  const char* at = payload.data() + list;
  const char* end = payload.data() + payload.size() - 2;
  while (at < end) {
    std::uint64_t ordinal = 0;
    const auto parsed = std::from_chars(at, end, ordinal);
    const bool goes_on = parsed.ptr != end && *parsed.ptr == ',' && parsed.ptr + 1 != end;
    if (parsed.ec != std::errc{} || (parsed.ptr != end && !goes_on)) {
      return core::Error{core::Errc::Malformed, fmt::format("event {} has no valid evidence", seq)};
    }
    if (at != payload.data() + list) out += ',';
    fmt::format_to(std::back_inserter(out), "{}", transaction_seq + 1 + ordinal);
    at = parsed.ptr + (parsed.ptr != end ? 1 : 0);
  }
  out += "]}";
  return {};
}

std::string_view actor_json(std::string_view event_payload) {
  // Texts cannot hold an unescaped quote, so the first `,"actor":{` outside them is the member.
  constexpr std::string_view kActor = "],\"actor\":{";
  const auto found = event_payload.find(kActor);
  if (found == std::string_view::npos) return {};
  const auto begin = found + kActor.size() - 1;
  const auto end = event_payload.find(",\"attributes\":", begin);
  return end == std::string_view::npos ? std::string_view{}
                                       : event_payload.substr(begin, end - begin);
}

}  // namespace rowtrail::infer
