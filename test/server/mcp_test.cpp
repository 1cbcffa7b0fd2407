// The Model Context Protocol as a function: both eras, headers, tools, resources, prompts.
#include "server/mcp.h"

#include "server/mcp_text.h"

#include <sstream>

#include "fixture.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace rowtrail;
using namespace rowtrail::server;
using namespace rowtrail::server::testing;

namespace {

constexpr std::string_view kMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
    R"("io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},)"
    R"("io.modelcontextprotocol/clientCapabilities":{}})";

Request post(std::string body, std::vector<Header> headers = {}) {
  Request request;
  request.method = "POST";
  request.target = "/mcp";
  request.headers = {{"Host", "localhost"},
                     {"Authorization", "Bearer " + std::string(kToken)},
                     {"Content-Type", "application/json"},
                     {"Accept", "application/json, text/event-stream"}};
  request.headers.insert(request.headers.end(), headers.begin(), headers.end());
  request.body = std::move(body);
  return request;
}

/// A request of revision 2026-07-28; `params` holds members, or nothing.
Request modern(std::string_view method, std::string_view params = {}, std::string_view name = {}) {
  std::vector<Header> headers = {{"MCP-Protocol-Version", "2026-07-28"},
                                 {"Mcp-Method", std::string(method)}};
  if (!name.empty()) headers.push_back({"Mcp-Name", std::string(name)});
  return post(fmt::format(R"({{"jsonrpc":"2.0","id":1,"method":"{}","params":{{{}{}{}}}}})", method,
                          params, params.empty() ? "" : ",", kMeta),
              headers);
}

Request legacy(std::string_view method, std::string_view params = "{}") {
  return post(
      fmt::format(R"({{"jsonrpc":"2.0","id":"a","method":"{}","params":{}}})", method, params),
      {{"MCP-Protocol-Version", "2025-11-25"}});
}

rapidjson::Document parse(const Response& response) {
  rapidjson::Document document;
  document.Parse(response.body.data(), response.body.size());
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

int error_code(const Response& response) {
  const auto document = parse(response);
  return document.HasMember("error") ? document["error"]["code"].GetInt() : 0;
}

Request tool(std::string_view name, std::string_view arguments) {
  return modern("tools/call", fmt::format(R"("name":"{}","arguments":{})", name, arguments), name);
}

/// The structured answer of a tool that must succeed; the text is the same.
rapidjson::Document call_tool(Site& site, std::string_view name, std::string_view arguments) {
  const auto response = site.ask(tool(name, arguments));
  INFO(response.body);
  CHECK(response.status == 200);
  const auto message = parse(response);
  REQUIRE(message.HasMember("result"));
  const auto& result = message["result"];
  CHECK(std::string_view(result["resultType"].GetString()) == "complete");
  CHECK_FALSE(result.HasMember("isError"));
  REQUIRE(result.HasMember("structuredContent"));
  rapidjson::Document structured, text;
  structured.CopyFrom(result["structuredContent"], structured.GetAllocator());
  text.Parse(result["content"][0]["text"].GetString());
  CHECK(structured == text);
  return structured;
}

std::string tool_failure(Site& site, std::string_view name, std::string_view arguments) {
  const auto response = site.ask(tool(name, arguments));
  INFO(response.body);
  const auto message = parse(response);
  REQUIRE(message.HasMember("result"));
  CHECK(message["result"].HasMember("isError"));
  return message["result"]["content"][0]["text"].GetString();
}

}  // namespace

TEST_CASE("mcp: the revision without handshake discovers, lists and names itself") {
  Site site;
  const auto message = parse(site.ask(modern("server/discover")));
  const auto& result = message["result"];
  CHECK(std::string_view(result["supportedVersions"][0].GetString()) == "2026-07-28");
  CHECK(
      std::string_view(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"].GetString()) ==
      "rowtrail");
  CHECK(result["ttlMs"].GetInt() > 0);
  for (const char* method :
       {"tools/list", "prompts/list", "resources/list", "resources/templates/list"}) {
    INFO(method);
    const auto list = parse(site.ask(modern(method)));
    CHECK(list["result"].HasMember("ttlMs"));
    CHECK(list["result"].HasMember("cacheScope"));
  }
}

TEST_CASE("mcp: the handshake of 2025-11-25 is answered, and older ones with a version we have") {
  Site site;
  const auto ask = [&](const char* version) {
    const auto message = parse(site.ask(
        post(fmt::format(R"({{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{)"
                         R"("protocolVersion":"{}","capabilities":{{}},"clientInfo":{{"name":"x",)"
                         R"("version":"1"}}}}}})",
                         version))));
    CHECK(message["result"].HasMember("capabilities"));
    CHECK_FALSE(message["result"].HasMember("resultType"));
    return std::string(message["result"]["protocolVersion"].GetString());
  };
  CHECK(ask("2025-11-25") == "2025-11-25");
  CHECK(ask("2025-06-18") == "2025-06-18");
  CHECK(ask("2024-11-05") == "2025-11-25");
  CHECK(site.ask(post(R"({"jsonrpc":"2.0","method":"notifications/initialized"})")).status == 202);
  CHECK(parse(site.ask(legacy("ping")))["result"].ObjectEmpty());
  CHECK(parse(site.ask(legacy("tools/list")))["result"]["tools"].Size() ==
        mcp::catalogue().tools.size());
}

TEST_CASE("mcp: headers must say what the body says") {
  Site site;
  const auto with = [&](std::vector<Header> headers, std::string_view method,
                        std::string_view params) {
    return site.ask(
        post(fmt::format(R"({{"jsonrpc":"2.0","id":7,"method":"{}","params":{{{}{}}}}})", method,
                         params, kMeta),
             std::move(headers)));
  };
  const Header version{"MCP-Protocol-Version", "2026-07-28"};
  const std::string named = R"("name":"rowtrail_status",)";
  const auto refused = [&](const Response& response) {
    CHECK(response.status == 400);
    CHECK(error_code(response) == -32020);
    CHECK(parse(response)["id"].GetInt() == 7);
  };
  refused(with({version}, "tools/list", ""));
  refused(with({version, {"Mcp-Method", "TOOLS/LIST"}}, "tools/list", ""));
  refused(with({version, {"Mcp-Method", "prompts/list"}}, "tools/list", ""));
  refused(with({{"Mcp-Method", "tools/list"}}, "tools/list", ""));
  refused(with({{"MCP-Protocol-Version", "2025-11-25"}, {"Mcp-Method", "tools/list"}}, "tools/list",
               ""));
  refused(with({version, {"Mcp-Method", "tools/call"}}, "tools/call", named));
  refused(
      with({version, {"Mcp-Method", "tools/call"}, {"Mcp-Name", "other"}}, "tools/call", named));
  CHECK(with({version, {"mcp-method", "tools/call"}, {"MCP-NAME", "rowtrail_status"}}, "tools/call",
             named)
            .status == 200);
  CHECK(
      with({version, {"Mcp-Method", "tools/call"}, {"Mcp-Name", "=?base64?cm93dHJhaWxfc3RhdHVz?="}},
           "tools/call", named)
          .status == 200);
}

TEST_CASE("mcp: what a request must have, and what is no request") {
  Site site;
  const auto raw = [&](const std::string& body) {
    return site.ask(
        post(body, {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", "server/discover"}}));
  };
  const auto code = [&](const std::string& body, unsigned status = 400) {
    const auto response = raw(body);
    INFO(body << response.body);
    CHECK(response.status == status);
    return error_code(response);
  };
  CHECK(code("{") == -32700);
  CHECK(code("[]") == -32600);
  CHECK(code("7") == -32600);
  CHECK(code(R"({"jsonrpc":"1.0","id":1,"method":"server/discover"})") == -32600);
  CHECK(code(R"({"jsonrpc":"2.0","id":null,"method":"server/discover"})") == -32600);
  CHECK(code(R"({"jsonrpc":"2.0","id":1.5,"method":"server/discover"})") == -32600);
  CHECK(code(R"({"jsonrpc":"2.0","id":1,"method":"server/discover","params":[]})") == -32600);
  CHECK(code(R"({"jsonrpc":"2.0","id":1})") == -32600);
  CHECK(code(R"({"jsonrpc":"2.0","id":1,"result":{}})") == -32600);
  CHECK(code(R"({"jsonrpc":"2.0","id":1,"method":"server/discover"})") == -32602);
  CHECK(code(R"({"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{)"
             R"("io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})") == -32602);
  const auto unknown = site.ask(modern("unknown/method"));
  CHECK(unknown.status == 404);
  CHECK(error_code(unknown) == -32601);
  for (const char* gone : {"initialize", "ping", "logging/setLevel", "resources/subscribe"}) {
    CHECK(site.ask(modern(gone)).status == 404);
  }
  const auto other = site.ask(post(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{)"
      R"("io.modelcontextprotocol/protocolVersion":"v9","io.modelcontextprotocol/clientCapabilities":{}}}})",
      {{"MCP-Protocol-Version", "v9"}, {"Mcp-Method", "tools/list"}}));
  CHECK(other.status == 400);
  CHECK(error_code(other) == -32022);
  CHECK(std::string_view(parse(other)["error"]["data"]["requested"].GetString()) == "v9");
}

TEST_CASE("mcp: token, origin, method and content type are checked before anything else") {
  Site site;
  const auto status = [&](const char* name, const char* value) {
    auto request = modern("server/discover");
    std::erase_if(request.headers, [&](const Header& header) { return header.name == name; });
    if (value != nullptr) request.headers.push_back({name, value});
    return site.ask(std::move(request)).status;
  };
  CHECK(status("Authorization", nullptr) == 401);
  CHECK(status("Content-Type", "text/plain") == 415);
  CHECK(status("Content-Type", "application/json; charset=utf-8") == 200);
  CHECK(status("Origin", "http://evil.example") == 403);
  CHECK(status("Origin", "null") == 403);
  CHECK(status("Origin", "http://localhost:9999") == 403);
  CHECK(status("Origin", "http://localhost") == 200);
  CHECK(status("Host", "evil.example") == 421);
  for (const char* method : {"GET", "DELETE", "PUT"}) {
    auto request = modern("server/discover");
    request.method = method;
    CHECK(site.ask(std::move(request)).status == 405);
  }
}

TEST_CASE("mcp: every tool is read-only and says what it takes and gives") {
  Site site;
  const auto message = parse(site.ask(modern("tools/list")));
  for (const auto& row : message["result"]["tools"].GetArray()) {
    INFO(row["name"].GetString());
    CHECK(std::string_view(row["name"].GetString()).starts_with("rowtrail_"));
    CHECK(row["annotations"]["readOnlyHint"].GetBool());
    CHECK(std::string_view(row["inputSchema"]["type"].GetString()) == "object");
    CHECK(std::string_view(row["outputSchema"]["type"].GetString()) == "object");
    CHECK(row["description"].GetStringLength() > 80);
  }
  // The list is the same every time, so that it can be kept.
  CHECK(site.ask(modern("tools/list")).body == site.ask(modern("tools/list")).body);
}

TEST_CASE("mcp: tools answer with what the API has, to cite and to look at") {
  Site site;
  const auto events = call_tool(site, "rowtrail_search_events", R"({"actor":"anna","limit":2})");
  CHECK(events["events"].Size() == 2);
  CHECK_FALSE(events["events"][0].HasMember("attributes"));
  CHECK(events["next"].IsString());
  CHECK(std::string_view(events["guide"]["more"].GetString()).find("narrow by") !=
        std::string_view::npos);
  CHECK(std::string_view(events["guide"]["link"].GetString()) ==
        "http://localhost/events?actor=anna");
  const auto next = call_tool(
      site, "rowtrail_search_events",
      fmt::format(R"({{"actor":"anna","limit":2,"cursor":"{}"}})", events["next"].GetString()));
  CHECK(next["events"][0]["seq"].GetInt() < events["events"][1]["seq"].GetInt());

  const auto event = call_tool(site, "rowtrail_get_event", R"({"seq":3})");
  CHECK(event["event"]["seq"].GetInt() == 3);
  CHECK(event["changes"].Size() == 2);
  CHECK_FALSE(event["changes"][0]["old"].HasMember("id"));  // unchanged
  CHECK(event["changes"][0]["old"]["quantity"].GetInt() == 12);
  const auto whole =
      call_tool(site, "rowtrail_get_event", R"({"seq":"3","detail":"detailed","proof":true})");
  CHECK(whole["changes"][0]["old"].HasMember("id"));
  CHECK(std::string_view(whole["proof"].GetString()).starts_with("c2sp.org/tlog-proof@v1\n"));

  const auto history =
      call_tool(site, "rowtrail_object_history", R"({"type":"product","id":1,"limit":3})");
  CHECK(history["events"].Size() == 3);
  const auto row = call_tool(site, "rowtrail_row_at",
                             R"({"database":"pharmacy","table":"stock","pk":1,"limit":1})");
  CHECK(row["state"]["row"]["quantity"].GetInt() == 7);
  const auto transaction =
      call_tool(site, "rowtrail_transaction", R"({"source":"pharmacy","id":"gtid:1"})");
  CHECK(transaction["changes"].Size() == 2);
  CHECK(call_tool(site, "rowtrail_stats", "{}")["types"]["distinct"].GetInt() == 1);
  CHECK(call_tool(site, "rowtrail_list_types", "{}")["types"].Size() == 1);
  CHECK(call_tool(site, "rowtrail_list_anomalies", R"({"actor":"anna","limit":1})")["anomalies"]
            .Size() == 1);
  const auto explained = call_tool(site, "rowtrail_explain", R"({"seq":40})");
  CHECK(text(explained, "formula").find("negative binomial") != std::string::npos);
  CHECK(explained["acknowledgements"][0]["note"] == "stocktaking");
  CHECK(call_tool(site, "rowtrail_status", "{}").HasMember("origin"));
  CHECK(call_tool(site, "rowtrail_summarize_day", R"({"date":"2026-11-25","detail":"detailed"})")
            .HasMember("facts"));
}

TEST_CASE("mcp: the largest BIGINT comes as it is, as text") {
  Site site;
  const auto event = call_tool(site, "rowtrail_get_event", R"({"seq":3,"detail":"detailed"})");
  CHECK(std::string_view(event["event"]["attributes"]["big"].GetString()) ==
        "18446744073709551615");
  for (const char* key :
       {"18446744073709551615", "\"18446744073709551615\"", "[18446744073709551615]"}) {
    CHECK(tool_failure(site, "rowtrail_row_at",
                       fmt::format(R"({{"database":"pharmacy","table":"stock","pk":{}}})", key))
              .find("18446744073709551615") != std::string::npos);
  }
}

TEST_CASE("mcp: arguments that cannot be used come back as advice, not as protocol errors") {
  Site site;
  const auto says = [&](const char* name, const char* arguments, const char* what) {
    INFO(name << arguments);
    const auto text = tool_failure(site, name, arguments);
    INFO(text);
    CHECK(text.find(what) != std::string::npos);
  };
  says("rowtrail_search_events", R"({"actr":"anna"})", "`actor`");
  says("rowtrail_search_events", R"({"severity":"urgent"})", "critical");
  says("rowtrail_search_events", R"({"since":"whenever"})", "is not a time");
  says("rowtrail_search_events", R"({"actor":7})", "is a string");
  says("rowtrail_search_events", R"({"limit":5000})", "1000");
  says("rowtrail_search_events", R"({"limit":0})", "limit");
  says("rowtrail_search_events", R"({"cursor":"x"})", "cursor");
  says("rowtrail_search_events", R"({"max_tokens":1})", "max_tokens");
  says("rowtrail_search_events", R"({"detail":"all"})", "concise");
  says("rowtrail_get_event", R"({})", "`seq` is needed");
  says("rowtrail_get_event", R"({"seq":4})", "no event");
  says("rowtrail_get_event", R"({"seq":-1})", "whole number");
  says("rowtrail_object_history", R"({"type":"product"})", "`id` is needed");
  says("rowtrail_row_at", R"({"database":"pharmacy","table":"stock","pk":1e300})", "strings");
  says("rowtrail_row_at", R"({"database":"pharmacy","table":"stock","pk":{}})", "string");
  says("rowtrail_summarize_day", R"({"date":"soon"})", "2026-11-24");
  CHECK(error_code(site.ask(tool("rowtrail_drop_table", "{}"))) == -32602);
  CHECK(error_code(site.ask(modern("tools/call", R"("name":"rowtrail_status","arguments":[])",
                                   "rowtrail_status"))) == -32602);
}

TEST_CASE("mcp: answers stay within the tokens wished for") {
  Site site;
  const auto response = site.ask(
      tool("rowtrail_search_events", R"({"max_tokens":500,"limit":1000,"detail":"detailed"})"));
  const auto message = parse(response);
  const std::string_view text = message["result"]["content"][0]["text"].GetString();
  CHECK(text.size() < 2500);  // 500 tokens, the last record and the guide
  CHECK(message["result"]["structuredContent"]["next"].IsString());
}

TEST_CASE("mcp: long texts are shortened where they may be, updates to what changed") {
  CHECK(mcp::with_short_strings(R"({"a":"short","b":"0123456789"})", 6) ==
        R"({"a":"short","b":"012345… [4 bytes more]"})");
  CHECK(mcp::with_short_strings("[\"aäöü\"]", 4) == "[\"aä… [4 bytes more]\"]");
  CHECK(mcp::with_short_strings(R"(["a\"b\u00e9cd"])", 5) == R"(["a\"b… [8 bytes more]"])");
  CHECK(mcp::with_short_strings(R"(["\ud83d\ude00\ud83d\ude00"])", 17) ==
        R"(["\ud83d\ude00… [12 bytes more]"])");
  CHECK(mcp::without_unchanged(R"({"changes":7})") == R"({"changes":7})");
  CHECK(mcp::with_fewer(R"({"a":[{"b":1},{"b":2},{"b":3}],"c":[]})", "a", 30) ==
        R"({"a":[{"b":1},{"b":2}],"c":[]})");
  CHECK(
      mcp::without_unchanged(
          R"({"changes":[{"op":"update","old":{"id":1,"a":2},"new":{"id":1,"a":3},"changed":["a"]},)"
          R"({"op":"insert","old":null,"new":{"id":2}}],"next":null})") ==
      R"({"changes":[{"op":"update","old":{"a":2},"new":{"a":3},"changed":["a"]},)"
      R"({"op":"insert","old":null,"new":{"id":2}}],"next":null})");
}

TEST_CASE("mcp: resources are read by their URI, unknown ones are an error of their era") {
  Site site;
  const auto list = parse(site.ask(modern("resources/list")));
  std::size_t read = 0;
  for (const auto& resource : list["result"]["resources"].GetArray()) {
    const std::string uri = resource["uri"].GetString();
    INFO(uri);
    const auto message =
        parse(site.ask(modern("resources/read", fmt::format(R"("uri":"{}")", uri), uri)));
    REQUIRE(message.HasMember("result"));
    const auto& contents = message["result"]["contents"][0];
    CHECK(contents["uri"].GetString() == uri);
    CHECK(contents["mimeType"] == resource["mimeType"]);
    CHECK(contents["text"].GetStringLength() > 0);
    ++read;
  }
  CHECK(read > 10);
  CHECK(site.ask(modern("resources/read", R"("uri":"rowtrail://rule/stock-transfer")",
                        "rowtrail://rule/stock-transfer"))
            .body.find("event: inventory.transfer") != std::string::npos);
  for (const char* uri :
       {"rowtrail://event/4", "rowtrail://event/x", "rowtrail://event/", "rowtrail://rule/none",
        "rowtrail://summary/soon", "file:///etc/passwd", "x"}) {
    INFO(uri);
    CHECK(error_code(site.ask(modern("resources/read", fmt::format(R"("uri":"{}")", uri), uri))) ==
          -32602);
    CHECK(error_code(site.ask(legacy("resources/read", fmt::format(R"({{"uri":"{}"}})", uri)))) ==
          -32002);
  }
}

TEST_CASE("mcp: prompts fill in their arguments and complete them") {
  Site site;
  const auto message = parse(site.ask(modern(
      "prompts/get", R"("name":"investigate_object","arguments":{"type":"product","id":"7"})",
      "investigate_object")));
  CHECK(std::string_view(message["result"]["messages"][0]["content"]["text"].GetString())
            .find("Investigate product 7") == 0);
  CHECK(error_code(site.ask(modern("prompts/get", R"("name":"investigate_object")",
                                   "investigate_object"))) == -32602);
  CHECK(error_code(site.ask(modern("prompts/get", R"("name":"none")", "none"))) == -32602);
  const auto completed = parse(
      site.ask(modern("completion/complete", R"("ref":{"type":"ref/prompt","name":"review_day"},)"
                                             R"("argument":{"name":"date","value":"yes"})")));
  CHECK(completed["result"]["completion"]["values"].Size() == 1);
}

TEST_CASE("mcp: a line in, a line out, and nothing else") {
  std::istringstream in(
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
      "\"2025-11-25\","
      "\"capabilities\":{},\"clientInfo\":{\"name\":\"x\",\"version\":\"1\"}}}\n"
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"
      "\n"
      "not json\n" +
      std::string(2 << 20, 'x') + "\n" +
      "{\"jsonrpc\":\"2.0\",\"id\":\"m\",\"method\":\"server/discover\",\"params\":{" +
      std::string(kMeta) + "}}\n" +
      "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}");  // without a line end
  std::ostringstream out;
  auto options = test_options();
  options.open_reader = [] { return std::make_unique<MemoryReader>(10); };
  serve_mcp(in, out, options);
  std::istringstream lines(out.str());
  std::vector<std::string> ids;
  for (std::string line; std::getline(lines, line);) {
    rapidjson::Document document;
    document.Parse(line.data(), line.size());
    REQUIRE_FALSE(document.HasParseError());
    const bool named = document.HasMember("id");
    ids.push_back(!named                      ? "none"
                  : document["id"].IsString() ? document["id"].GetString()
                                              : std::to_string(document["id"].GetInt()));
  }
  CHECK(ids == std::vector<std::string>{"1", "none", "none", "m", "2"});
}

TEST_CASE("mcp: a store that fails is an error of the request, and is opened again") {
  int opened = 0;
  auto options = test_options();
  options.open_reader = [&opened] {
    auto reader = std::make_unique<MemoryReader>(10);
    reader->broken = ++opened == 1;
    return reader;
  };
  const std::string call =
      R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"rowtrail_list_types"}})";
  std::istringstream in(call + "\n" + call + "\n");
  std::ostringstream out;
  serve_mcp(in, out, options);
  CHECK(out.str().starts_with(R"({"jsonrpc":"2.0","id":5,"error":{"code":-32603)"));
  CHECK(out.str().find("inventory.transfer") != std::string::npos);
}
