#include "server/handlers.h"
#include "server/route.h"

#include <algorithm>
#include <cassert>

namespace rowtrail::server {
namespace {

using enum ParameterKind;
using Names = std::vector<std::string_view>;

Names operator+(Names a, const Names& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const std::vector<Parameter>& query_parameters() {
  static const std::vector<Parameter> table = {
      {"type", Text, "Business events of this type.", "inventory.transfer"},
      {"actor", Text, "Events by this actor.", "anna"},
      {"object", Object, "Events that touch this business object: type/id.", "product/7"},
      {"source", Text, "Records of this source, as the config names it.", "pharmacy"},
      {"database", Text, "Records that concern this database.", "pharmacy"},
      {"table", Text, "Records that concern this table.", "stock"},
      {"severity",
       Choice,
       "Events of this severity, or the records behind them.",
       "high",
       {"info", "low", "medium", "high", "critical"}},
      {"since", Time, "Not before this time: RFC 3339, a date, or a span back from now.", "24h"},
      {"until", Time, "Before this time, exclusive.", "2026-11-24T12:00:00Z"},
      {"q", Text, "Events whose summary contains this text.", "Amoxicillin"},
      {"not", Exclusions,
       "Without events of these values: name:value, separated by commas, where the name is type, "
       "actor, source or severity. A comma or percent sign within a value is percent-encoded.",
       "type:sale.completed,actor:etl"},
      {"transaction", Text, "Records of this transaction: its GTID, or file:pos.",
       "3e11fa47-71ca-11e1-9e33-c80aa9429562:77"},
      {"pk", KeyObject, "Changes of the row with this primary key, as a JSON object.",
       "{\"id\":7}"},
      {"object_type", Text, "Objects of this type.", "sale"},
      {"limit", Count,
       "Records per page, at most 1000; 0 streams everything as ndjson or CSV. A page ends "
       "early at 4 MiB.",
       "100"},
      {"cursor", Cursor, "Where the list goes on: `next` of the page before.", ""},
      {"order",
       Choice,
       "Newest first (desc, the default) or oldest first (asc, the default of limit=0).",
       "asc",
       {"asc", "desc"}},
      {"after", Seq, "Only records with a greater seq.", "1041"},
      {"before", Seq, "Only records with a smaller seq.", "2000"},
      {"at", Time, "The row as it was then: RFC 3339, a date, or a span back from now.",
       "2026-11-24T12:00:00Z"},
      {"fields", Text, "Only these members of every record, separated by commas.", "seq,summary"},
      {"span",
       Choice,
       "The day itself, the ISO week or the month that holds it.",
       "week",
       {"day", "week", "month"}},
      {"code", Text, "The one-time code.", "R4nd0m"},
      {"integers",
       Choice,
       "string: integers beyond 2^53-1 either way as strings, for parsers that would round them.",
       "string",
       {"exact", "string"}},
      {"format", Choice, "The representation, for clients that cannot send Accept.", "ndjson", {}},
  };
  return table;
}

const Names kPaging = {"limit", "cursor", "order", "after", "before"};
const Names kRendering = {"fields", "integers", "format"};
const Names kFilters = {"type",  "actor", "object", "source", "database",    "table", "severity",
                        "since", "until", "q",      "not",    "transaction", "pk"};

const std::vector<Format> kRows = {Format::Json, Format::Ndjson, Format::Csv};
const std::vector<Format> kEventRows = {Format::Json, Format::Ndjson, Format::Csv,
                                        Format::CloudEventBatch};
const Parameter kSeqPath = {"seq", Seq, "Index of the record in its log.", "1042"};

std::vector<Route> make_routes() {
  return {
      {.method = "GET",
       .pattern = "/v1/events",
       .operation = "listEvents",
       .summary = "Business events",
       .about = "The business events of the log, newest first, narrowed by the filters.",
       .handler = list_events,
       .formats = kEventRows,
       .schema = "EventPage",
       .parameters = kFilters + kPaging + kRendering},
      {.method = "GET",
       .pattern = "/v1/events/{seq}",
       .operation = "getEvent",
       .summary = "One business event",
       .about = "The event with this seq. It never changes.",
       .handler = get_event,
       .immutable = true,
       .formats = {Format::Json, Format::CloudEvent},
       .schema = "Event",
       .parameters = kRendering,
       .path_parameters = {kSeqPath}},
      {.method = "GET",
       .pattern = "/v1/events/{seq}/evidence",
       .operation = "getEvidence",
       .summary = "The row changes behind an event",
       .about = "The changes that the event was inferred from, in the order they were made.",
       .handler = get_evidence,
       .immutable = true,
       .formats = kRows,
       .schema = "ChangePage",
       .parameters = Names{"limit", "cursor"} + kRendering,
       .path_parameters = {kSeqPath}},
      {.method = "GET",
       .pattern = "/v1/events/{seq}/proof",
       .operation = "getEventProof",
       .summary = "Why to believe an event",
       .about =
           "What a browser needs to check that the event is in the log: `extra` is base64 of the "
           "leaf (90 bytes), the salt (32) and the payload; `hashes` lead from the leaf's hash to "
           "the root in `checkpoint`, a signed tree head (docs/security.md).",
       .handler = get_event_proof,
       .schema = "EventProof",
       .path_parameters = {kSeqPath}},
      {.method = "GET",
       .pattern = "/v1/changes",
       .operation = "listChanges",
       .summary = "Row changes",
       .about = "Every committed row change, newest first, narrowed by the filters.",
       .handler = list_changes,
       .formats = kRows,
       .schema = "ChangePage",
       .parameters = kFilters + kPaging + kRendering},
      {.method = "GET",
       .pattern = "/v1/objects/{type}/{id}",
       .operation = "getObject",
       .summary = "Timeline of one business object",
       .about =
           "The events that touch the object, newest first. A composite id, or one that starts "
           "with ~, is written as ~ and the base64url of its JSON array.",
       .handler = get_object,
       .formats = kRows,
       .schema = "ObjectTimeline",
       .parameters = Names{"actor", "source", "severity", "since", "until", "q", "not"} + kPaging +
                     kRendering,
       .path_parameters = {{"type", Text, "Type of the object, as rules name it.", "product"},
                           {"id", Key, "Id of the object.", "7"}}},
      {.method = "GET",
       .pattern = "/v1/rows/{database}/{table}/{pk}",
       .operation = "getRow",
       .summary = "One row, at a time, and its history",
       .about =
           "`state` is the row after everything committed up to `at` (now without it), with the "
           "change that tells; `changes` are those that made, moved or removed it, newest "
           "first, not after `at`. A key of several columns, or one that starts with ~, is "
           "written as ~ and the base64url of its JSON array.",
       .handler = get_row,
       .schema = "RowHistory",
       .parameters = Names{"at", "source"} + kPaging + Names{"integers", "format"},
       .path_parameters = {{"database", Text, "The database.", "pharmacy"},
                           {"table", Text, "The table.", "stock"},
                           {"pk", Key, "The primary key's value.", "7"}}},
      {.method = "GET",
       .pattern = "/v1/transactions/{source}/{id}",
       .operation = "getTransaction",
       .summary = "One transaction",
       .about = "The transaction, the events inferred from it, and its changes page by page.",
       .handler = get_transaction,
       .schema = "TransactionPage",
       .parameters = Names{"limit", "cursor"} + Names{"integers", "format"},
       .path_parameters = {{"source", Text, "The source, as the config names it.", "pharmacy"},
                           {"id", Text, "Its GTID, or file:pos of its start.",
                            "3e11fa47-71ca-11e1-9e33-c80aa9429562:77"}}},
      {.method = "GET",
       .pattern = "/v1/gaps",
       .operation = "listGaps",
       .summary = "What could not be captured or trusted",
       .about = "One record for each cause, newest first: its kind, where it was met, what "
                "happened, and "
                "what to do about it.",
       .handler = list_gaps,
       .formats = kRows,
       .schema = "GapPage",
       .parameters = Names{"source", "database", "table", "since", "until", "transaction"} +
                     kPaging + kRendering},
      {.method = "GET",
       .pattern = "/v1/anomalies",
       .operation = "listAnomalies",
       .summary = "What was unusual, why, and what it rests on",
       .about = "The anomalies of the log, newest first. `type` names a detector.",
       .handler = list_anomalies,
       .formats = kRows,
       .schema = "AnomalyPage",
       .parameters = Names{"type", "actor", "source", "severity", "since", "until", "transaction"} +
                     kPaging + kRendering},
      {.method = "GET",
       .pattern = "/v1/anomalies/{seq}",
       .operation = "getAnomaly",
       .summary = "One anomaly explained",
       .about = "The anomaly with this seq, how its detector judges, and who acknowledged it.",
       .handler = get_anomaly,
       .schema = "ExplainedAnomaly",
       .parameters = kRendering,
       .path_parameters = {kSeqPath}},
      {.method = "GET",
       .pattern = "/v1/summaries/{date}",
       .operation = "getSummary",
       .summary = "What happened on a day, in a week or month",
       .about = "Facts with their exact values, what is usual, and the seqs behind them; as "
                "Markdown, a page to read.",
       .handler = get_summary,
       .formats = {Format::Json, Format::Markdown},
       .schema = "Summary",
       .parameters = {"span", "format"},
       .path_parameters = {{"date", Text, "2026-11-24, today or yesterday, in UTC.",
                            "2026-11-24"}}},
      {.method = "GET",
       .pattern = "/v1/types",
       .operation = "listTypes",
       .summary = "Types of business events",
       .about = "Every type of event in the log, how often it was recorded, and the first and last "
                "one.",
       .handler = list_types,
       .schema = "TypeList"},
      {.method = "GET",
       .pattern = "/v1/stats",
       .operation = "getStats",
       .summary = "Counts over events",
       .about =
           "How many events the filters leave, by type, actor, severity, source and object type, "
           "and over time. Counts the newest 100 000; `complete` tells whether these are all.",
       .handler = get_stats,
       .schema = "Stats",
       .parameters = kFilters},
      {.method = "GET",
       .pattern = "/v1/process",
       .operation = "getProcess",
       .summary = "Which event follows which",
       .about =
           "The paths of the objects of one type through the events that the filters leave: how "
           "often one event follows another on the same object, the median time between them, and "
           "the variants, whole paths from an object's first event to its last. Without "
           "`object_type` the type is chosen of which many objects take few ways. Looks at the "
           "newest 50 000 events; `complete` tells whether these are all, "
           "the `…_distinct` numbers whether all paths and variants are listed.",
       .handler = get_process,
       .schema = "Process",
       .parameters = Names{"object_type"} + kFilters},
      {.method = "GET",
       .pattern = "/v1/rules",
       .operation = "listRules",
       .summary = "Rules and what they named",
       .about = "Every version of every rule that was in force, with its text, oldest first; and "
                "how many events there are of each type.",
       .handler = list_rules,
       .schema = "Rules"},
      {.method = "GET",
       .pattern = "/v1/status",
       .operation = "getStatus",
       .summary = "Where the log and its sources stand",
       .about = "Size of the log, durable position of every source, and health.",
       .handler = get_status,
       .schema = "LogStatus"},
      {.method = "GET",
       .pattern = "/v1/stream",
       .operation = "streamEvents",
       .summary = "Business events as they happen",
       .about =
           "Server-sent events without end: `id` is the event's seq, `data` the event. Starts now, "
           "after the event in Last-Event-ID or `after`, or with the history since `since`; "
           "misses nothing and repeats nothing across reconnects. A block with only an id is "
           "a heartbeat and moves Last-Event-ID on.",
       .handler = get_stream,
       .reads_store = false,
       .formats = {Format::EventStream},
       .parameters = kFilters + Names{"after", "integers", "format"}},
      {.method = "POST",
       .pattern = "/mcp",
       .operation = "postMcp",
       .summary = "The Model Context Protocol, for agents",
       .about = "One JSON-RPC message of revision 2026-07-28 or 2025-11-25; docs/mcp.md has the "
                "tools.",
       .handler = post_mcp,
       .scope = ScopeMcp,
       .schema = "Document"},
      {.method = "GET",
       .pattern = "/login",
       .operation = "loginByCode",
       .summary = "Open a browser session",
       .about =
           "Exchanges a one-time code, as the terminal prints it, for a session cookie and leads "
           "to the dashboard.",
       .handler = login_by_code,
       .scope = ScopeNone,
       .reads_store = false,
       .formats = {Format::Json},
       .schema = "Document",
       .parameters = {"code"}},
      {.method = "POST",
       .pattern = "/login",
       .operation = "loginByToken",
       .summary = "Open a browser session with a token",
       .about = "The bearer token of this request opens a session; the cookie is HttpOnly and "
                "SameSite=Strict and lasts 12 hours.",
       .handler = login_by_token,
       .reads_store = false,
       .schema = "Document"},
      {.method = "POST",
       .pattern = "/logout",
       .operation = "logout",
       .summary = "End the browser session",
       .about = "Forgets the session of the request's cookie.",
       .handler = logout,
       .reads_store = false,
       .schema = "Document"},
      {.method = "GET",
       .pattern = "/log/checkpoint",
       .operation = "getCheckpoint",
       .summary = "The signed tree head",
       .about = "The newest signed tree head as a C2SP signed note: origin, size, root, signature. "
                "Keep it elsewhere: `rowtrail verify --since` holds the log against it.",
       .handler = get_checkpoint,
       .formats = {Format::PlainText}},
      {.method = "GET",
       .pattern = "/log/tile/{tile}",
       .operation = "getTile",
       .summary = "Tiles of the Merkle tree",
       .about = "C2SP tlog-tiles: LEVEL/INDEX gives hashes, entries/INDEX the leaves behind their "
                "16-bit lengths. 1234067 is written as x001/x234/067; a tile that is not full as "
                "067.p/WIDTH.",
       .handler = get_tile,
       .immutable = true,
       .rest = true,
       .formats = {Format::Binary},
       .path_parameters = {{"tile", Text, "Level or `entries`, and index.", "0/000"}}},
      {.method = "GET",
       .pattern = "/log/proof/{seq}",
       .operation = "getProof",
       .summary = "Proof of a record",
       .about =
           "The C2SP .tlog-proof of any record, for `rowtrail verify --proof` and other tools.",
       .handler = get_proof,
       .formats = {Format::PlainText},
       .path_parameters = {kSeqPath}},
      {.method = "GET",
       .pattern = "/livez",
       .operation = "getLivez",
       .summary = "Is the process alive",
       .about = "200 as long as the process answers.",
       .handler = get_livez,
       .scope = ScopeNone,
       .reads_store = false,
       .schema = "Status"},
      {.method = "GET",
       .pattern = "/readyz",
       .operation = "getReadyz",
       .summary = "Is rowtrail doing its work",
       .about = "200 when the source is connected, the store writable and the lag under its limit, "
                "otherwise 503 with the reason.",
       .handler = get_readyz,
       .scope = ScopeNone,
       .reads_store = false,
       .schema = "Readiness"},
      {.method = "GET",
       .pattern = "/metrics",
       .operation = "getMetrics",
       .summary = "Numbers for Prometheus",
       .about = "Capture, store and HTTP in the Prometheus text format.",
       .handler = get_metrics,
       .reads_store = false,
       .formats = {Format::Prometheus}},
      {.method = "GET",
       .pattern = "/openapi.json",
       .operation = "getOpenapi",
       .summary = "This API, as OpenAPI 3.1",
       .about = "Generated from the table of routes.",
       .handler = get_openapi,
       .scope = ScopeNone,
       .reads_store = false,
       .immutable = true,
       .schema = "Document"},
      {.method = "GET",
       .pattern = "/problems/{name}",
       .operation = "getProblem",
       .summary = "What a problem type means",
       .about = "The page behind the `type` of an error.",
       .handler = get_problem,
       .scope = ScopeNone,
       .reads_store = false,
       .immutable = true,
       .schema = "ProblemAbout",
       .path_parameters = {{"name", Text, "Last part of the problem's type.", "invalid-cursor"}}},
  };
}

}  // namespace

std::span<const Route> routes() {
  static const std::vector<Route> table = make_routes();
  return table;
}

const Route& route_of(std::string_view operation) {
  const auto table = routes();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Route& row) { return row.operation == operation; });
  assert(found != table.end());
  return *found;
}

const Parameter& query_parameter(std::string_view name) {
  const auto& table = query_parameters();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Parameter& row) { return row.name == name; });
  assert(found != table.end());
  return *found;
}

}  // namespace rowtrail::server
