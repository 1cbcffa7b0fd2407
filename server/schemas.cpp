// JSON Schemas of the answers, for OpenAPI. They describe what normalize/ and infer/ render; the
// tests hold sample answers against them.
#include "server/route.h"

namespace rowtrail::server {
namespace {

constexpr Schema kSchemas[] = {
    {"Actor", R"({"type":"object","description":"Who did it, and how that is known.",
"properties":{"id":{"type":"string"},"via":{"type":"string","enum":["context","comment","column","session"]},
"confidence":{"type":"string","enum":["exact","corroborated","heuristic","unknown"]}}})"},
    {"Object", R"({"type":"object","required":["type","id"],
"properties":{"type":{"type":"string"},"id":{"type":"string"},"role":{"type":"string"}}})"},
    {"Event", R"({"type":"object","description":"A business event.",
"required":["seq","type","time","source","transaction"],
"properties":{"seq":{"type":"integer","minimum":0},"type":{"type":"string"},
"time":{"type":"string","format":"date-time"},"source":{"type":"string"},"transaction":{"type":"string"},
"title":{"type":"string"},"summary":{"type":"string"},
"severity":{"type":"string","enum":["info","low","medium","high","critical"]},
"objects":{"type":"array","items":{"$ref":"#/components/schemas/Object"}},
"actor":{"anyOf":[{"$ref":"#/components/schemas/Actor"},{"type":"null"}]},
"attributes":{"type":"object"},
"rule":{"type":"object","properties":{"id":{"type":"string"},"version":{"type":"string"}}},
"evidence":{"type":"array","description":"seqs of the changes it was inferred from","items":{"type":"integer"}}}})"},
    {"EventPage", R"({"type":"object","required":["events","next"],
"properties":{"events":{"type":"array","items":{"$ref":"#/components/schemas/Event"}},
"next":{"$ref":"#/components/schemas/Next"}}})"},
    {"Next",
     R"({"type":["string","null"],"description":"Cursor of the next page; null on the last."})"},
    {"Change", R"({"type":"object","description":"One row before and after.",
"required":["seq","source","transaction","ordinal","op"],
"properties":{"seq":{"type":"integer","minimum":0},"source":{"type":"string"},"transaction":{"type":"string"},
"ordinal":{"type":"integer","minimum":0},
"position":{"type":"object","properties":{"file":{"type":"string"},"pos":{"type":"integer"}}},
"committed_at":{"type":"string","format":"date-time"},"database":{"type":"string"},"table":{"type":"string"},
"op":{"type":"string","enum":["insert","update","delete","truncate","ddl","snapshot"]},
"pk":{"type":["object","null"]},"old_pk":{"type":["object","null"]},
"old":{"type":["object","null"]},"new":{"type":["object","null"]},
"changed":{"type":"array","items":{"type":"string"}},"cells":{"type":"object"},
"schema_version":{"type":"integer"},"server_id":{"type":"integer"},"thread_id":{"type":"integer"},
"query":{"type":"string"},"statement":{"type":"integer"},"sql":{"type":"string"},
"actor":{"anyOf":[{"$ref":"#/components/schemas/Actor"},{"type":"null"}]}}})"},
    {"ChangePage", R"({"type":"object","required":["changes","next"],
"properties":{"changes":{"type":"array","items":{"$ref":"#/components/schemas/Change"}},
"next":{"$ref":"#/components/schemas/Next"}}})"},
    {"ObjectTimeline", R"({"type":"object","required":["object","events","next"],
"properties":{"object":{"$ref":"#/components/schemas/Object"},
"events":{"type":"array","items":{"$ref":"#/components/schemas/Event"}},
"next":{"$ref":"#/components/schemas/Next"}}})"},
    {"TransactionPage", R"({"type":"object","required":["transaction","events","changes","next"],
"properties":{"transaction":{"type":"object","required":["seq"],"properties":{"seq":{"type":"integer"}}},
"events":{"type":"array","items":{"$ref":"#/components/schemas/Event"}},
"changes":{"type":"array","items":{"$ref":"#/components/schemas/Change"}},
"next":{"$ref":"#/components/schemas/Next"}}})"},
    {"Status",
     R"({"type":"object","required":["status"],"properties":{"status":{"type":"string"}}})"},
    {"Readiness",
     R"({"type":"object","required":["status","source_connected","store_writable","lag_s"],
"properties":{"status":{"type":"string","enum":["ready","not ready"]},"source_connected":{"type":"boolean"},
"store_writable":{"type":"boolean"},"lag_s":{"type":"number"},"detail":{"type":"string"}}})"},
    {"Document", R"({"type":"object"})"},
    {"Problem",
     R"({"type":"object","description":"RFC 9457 problem.","required":["type","title","status"],
"properties":{"type":{"type":"string","format":"uri-reference"},"title":{"type":"string"},
"status":{"type":"integer"},"detail":{"type":"string"},
"hint":{"type":"string","description":"what would be right"},
"parameter":{"type":"string","description":"the parameter to blame"}}})"},
    {"ProblemAbout", R"({"type":"object","required":["type","title","status","about"],
"properties":{"type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},
"about":{"type":"string"}}})"},
};

}  // namespace

std::span<const Schema> schemas() {
  return kSchemas;
}

}  // namespace rowtrail::server
