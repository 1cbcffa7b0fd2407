// rowtrail's MCP endpoint with what the conformance suite wants to find: tools, prompts and
// resources under names of its own, which exercise the parts of the protocol that rowtrail itself
// does not need (progress, logging, input from the client). Only built for tests.
//
//   mcp_conformance_server STORE-URL HOST:PORT     serves until it is killed
#include "server/mcp.h"
#include "store/store.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>

#include <fmt/format.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <signal.h>

namespace rowtrail::server::mcp {
namespace {

constexpr std::string_view kImage =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg"
    "==";
constexpr std::string_view kAudio = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

std::string json_of(const Json& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

const Json* find(const Json* object, const char* name) {
  if (object == nullptr || !object->IsObject() || !object->HasMember(name)) return nullptr;
  return &(*object)[name];
}

Reply text_reply(std::string_view text) {
  Reply reply;
  reply.members = text_content(text);
  return reply;
}

Reply content_reply(std::string_view blocks) {
  Reply reply;
  reply.members = fmt::format("\"content\":[{}]", blocks);
  return reply;
}

std::string image_block() {
  return fmt::format(R"({{"type":"image","data":"{}","mimeType":"image/png"}})", kImage);
}

std::string notification(std::string_view method, std::string_view params) {
  return fmt::format(R"({{"jsonrpc":"2.0","method":"notifications/{}","params":{}}})", method,
                     params);
}

// --- Input from the client, as results ask for it (2026-07-28) ---

std::string elicit(std::string_view message, std::string_view name, std::string_view type) {
  return fmt::format(
      R"({{"method":"elicitation/create","params":{{"message":{},"requestedSchema":)"
      R"({{"type":"object","properties":{{"{}":{{"type":"{}"}}}},"required":["{}"]}}}}}})",
      quoted(message), name, type, name);
}

std::string sample(std::string_view text, int tokens) {
  return fmt::format(
      R"({{"method":"sampling/createMessage","params":{{"messages":[{{"role":"user",)"
      R"("content":{{"type":"text","text":{}}}}}],"maxTokens":{}}}}})",
      quoted(text), tokens);
}

constexpr std::string_view kRoots = R"({"method":"roots/list","params":{}})";

/// A state only this process can have made.
std::string seal(std::string_view text) {
  static const std::string secret = [] {
    std::array<unsigned char, 16> bytes{};
    RAND_bytes(bytes.data(), bytes.size());
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }();
  const std::string input = secret + std::string(text);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data());
  std::string out(text);
  out += '.';
  for (const unsigned char byte : digest) out += fmt::format("{:02x}", byte);
  return out;
}

bool is_sealed(std::string_view state, std::string_view text) {
  return state == seal(text);
}

Reply need(std::string_view requests, std::string_view state = {}) {
  Reply reply;
  reply.type = "input_required";
  reply.members = fmt::format("\"inputRequests\":{{{}}}", requests);
  if (!state.empty()) reply.members += ",\"requestState\":" + quoted(seal(state));
  return reply;
}

const Json* response(const Ask& ask, const char* key) {
  return find(find(&ask.params, "inputResponses"), key);
}

std::string_view state_of(const Ask& ask) {
  return string_of(ask.params, "requestState");
}

std::string_view given_text(const Ask& ask, const char* key, const char* name) {
  const Json* content = find(response(ask, key), "content");
  return content == nullptr ? std::string_view() : string_of(*content, name);
}

bool client_can(const Ask& ask, const char* capability) {
  return find(find(find(&ask.params, "_meta"), "io.modelcontextprotocol/clientCapabilities"),
              capability) != nullptr;
}

Answer ask_name(const Ask& ask, const Json& /*arguments*/) {
  if (response(ask, "user_name") != nullptr) {
    const auto name = given_text(ask, "user_name", "name");
    if (!name.empty()) return text_reply(fmt::format("Hello, {}!", name));
  }
  return need("\"user_name\":" + elicit("What is your name?", "name", "string"));
}

Answer ask_capital(const Ask& ask, const Json& /*arguments*/) {
  if (response(ask, "capital_question") != nullptr) {
    return text_reply(given_text(ask, "capital_question", "text"));
  }
  return need("\"capital_question\":" + sample("What is the capital of France?", 100));
}

Answer ask_roots(const Ask& ask, const Json& /*arguments*/) {
  if (const Json* roots = find(response(ask, "client_roots"), "roots")) {
    return text_reply("Roots: " + json_of(*roots));
  }
  return need(fmt::format("\"client_roots\":{}", kRoots));
}

/// Asks to confirm; a state that was tampered with is an error.
Answer ask_with_state(const Ask& ask, const Json& /*arguments*/) {
  if (!state_of(ask).empty() && !is_sealed(state_of(ask), "confirm")) {
    return RpcError{kInvalidParams, "requestState is not what this server made"};
  }
  if (!state_of(ask).empty() && response(ask, "confirm") != nullptr) return text_reply("state-ok");
  return need("\"confirm\":" + elicit("Please confirm", "ok", "boolean"), "confirm");
}

Answer ask_much(const Ask& ask, const Json& /*arguments*/) {
  const bool all = response(ask, "user_name") != nullptr && response(ask, "greeting") != nullptr &&
                   response(ask, "client_roots") != nullptr;
  if (all && is_sealed(state_of(ask), "much")) return text_reply("all inputs are here");
  return need(fmt::format("\"user_name\":{},\"greeting\":{},\"client_roots\":{}",
                          elicit("What is your name?", "name", "string"),
                          sample("Generate a greeting", 50), kRoots),
              "much");
}

Answer ask_twice(const Ask& ask, const Json& /*arguments*/) {
  if (is_sealed(state_of(ask), "round 2") && response(ask, "step2") != nullptr) {
    return text_reply("both rounds are done");
  }
  if (is_sealed(state_of(ask), "round 1") && response(ask, "step1") != nullptr) {
    return need("\"step2\":" + elicit("Step 2: What is your favorite color?", "color", "string"),
                "round 2");
  }
  return need("\"step1\":" + elicit("Step 1: What is your name?", "name", "string"), "round 1");
}

Answer ask_what_client_can(const Ask& ask, const Json& /*arguments*/) {
  std::string requests;
  if (client_can(ask, "sampling")) requests = "\"sample_input\":" + sample("Sample request", 50);
  if (client_can(ask, "elicitation")) {
    requests.append(requests.empty() ? "" : ",").append("\"elicit_input\":");
    requests += elicit("Elicitation input", "value", "string");
  }
  if (requests.empty() || find(&ask.params, "inputResponses") != nullptr) return text_reply("done");
  return need(requests, "capabilities");
}

Answer need_sampling(const Ask& ask, const Json& /*arguments*/) {
  if (client_can(ask, "sampling")) return text_reply("the client can sample");
  return RpcError{kMissingCapability, "The client must declare sampling",
                  R"({"requiredCapabilities":{"sampling":{}}})"};
}

// --- Requests to the client, on the stream of the call (2025-11-25) ---

/// Responses of clients to requests of ours, by id.
class Responses {
 public:
  std::string next_id() { return fmt::format("server-{}", ++count_); }
  bool take(const Json& message) {
    const std::string id(string_of(message, "id"));
    if (id.empty() || !message.HasMember("result")) return false;
    const std::lock_guard lock(mutex_);
    by_id_[id] = json_of(message["result"]);
    arrived_.notify_all();
    return true;
  }
  std::string wait_for(const std::string& id) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(10), [&] { return by_id_.count(id) > 0; });
    return by_id_.count(id) > 0 ? by_id_[id] : "no response";
  }

 private:
  std::atomic<int> count_{0};
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::string, std::string> by_id_;
};
Responses& responses() {
  static Responses all;
  return all;
}

void append_event(std::string& out, std::string_view message) {
  out.append("event: message\ndata: ").append(message).append("\n\n");
}

/// Sends a request to the client, waits for its response and gives that as the call's text.
Reply ask_client(const Ask& ask, std::string_view request) {
  Reply reply;
  std::string message = R"({"jsonrpc":"2.0","id":)";
  const std::string id = responses().next_id();
  message += quoted(id) + "," + std::string(request.substr(1));
  reply.stream = [message, id, call_id = std::string(ask.id), sent = false](
                     store::Reader& /*reader*/, std::string& out) mutable {
    if (!std::exchange(sent, true)) {
      append_event(out, message);
      return Pull::More;
    }
    append_event(out, fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":{{{}}}}})", call_id,
                                  text_content(responses().wait_for(id))));
    return Pull::End;
  };
  return reply;
}

Reply elicit_form(const Ask& ask, std::string_view message, std::string_view properties) {
  return ask_client(ask, fmt::format(R"({{"method":"elicitation/create","params":{{"message":{},)"
                                     R"("requestedSchema":{{"type":"object","properties":{},)"
                                     R"("required":[]}}}}}})",
                                     quoted(message), properties));
}

Answer sample_prompt(const Ask& ask, const Json& arguments) {
  return ask_client(ask, sample(string_of(arguments, "prompt"), 100));
}

Answer elicit_message(const Ask& ask, const Json& arguments) {
  return elicit_form(ask, string_of(arguments, "message"), R"({"response":{"type":"string"}})");
}

Answer elicit_defaults(const Ask& ask, const Json& /*arguments*/) {
  return elicit_form(
      ask, "Please review and update the form fields with defaults",
      R"({"name":{"type":"string","default":"John Doe"},"age":{"type":"integer","default":30},)"
      R"("score":{"type":"number","default":95.5},"status":{"type":"string",)"
      R"("enum":["active","inactive","pending"],"default":"active"},"verified":{"type":"boolean","default":true}})");
}

Answer elicit_enums(const Ask& ask, const Json& /*arguments*/) {
  return elicit_form(
      ask, "Please select options from the enum fields",
      R"({"untitledSingle":{"type":"string","enum":["option1","option2","option3"]},)"
      R"("titledSingle":{"type":"string","oneOf":[{"const":"value1","title":"First Option"},)"
      R"({"const":"value2","title":"Second Option"},{"const":"value3","title":"Third Option"}]},)"
      R"("legacyEnum":{"type":"string","enum":["opt1","opt2","opt3"],)"
      R"("enumNames":["Option One","Option Two","Option Three"]},)"
      R"("untitledMulti":{"type":"array","minItems":1,"maxItems":3,"items":{"type":"string",)"
      R"("enum":["option1","option2","option3"]}},)"
      R"("titledMulti":{"type":"array","minItems":1,"maxItems":3,"items":{"anyOf":[)"
      R"({"const":"value1","title":"First Choice"},{"const":"value2","title":"Second Choice"},)"
      R"({"const":"value3","title":"Third Choice"}]}}})");
}

// --- Content, notifications ---

Answer log_thrice(const Ask& ask, const Json& /*arguments*/) {
  auto reply = text_reply("Tool with logging executed successfully");
  const Json* meta = find(&ask.params, "_meta");
  const bool wanted =
      ask.era == Era::Legacy || find(meta, "io.modelcontextprotocol/logLevel") != nullptr;
  for (const char* text :
       {"Tool execution started", "Tool processing data", "Tool execution completed"}) {
    if (!wanted) break;
    reply.notifications.push_back(
        notification("message", fmt::format(R"({{"level":"info","data":"{}"}})", text)));
  }
  return reply;
}

Answer report_progress(const Ask& ask, const Json& /*arguments*/) {
  auto reply = text_reply("done");
  const Json* token = find(find(&ask.params, "_meta"), "progressToken");
  if (token == nullptr) return reply;
  for (const int step : {0, 50, 100}) {
    reply.notifications.push_back(notification(
        "progress",
        fmt::format(R"({{"progressToken":{},"progress":{},"total":100}})", json_of(*token), step)));
  }
  return reply;
}

Answer show_mixed(const Ask& /*ask*/, const Json& /*arguments*/) {
  return content_reply(
      R"({"type":"text","text":"Multiple content types test:"},)" + image_block() +
      R"(,{"type":"resource","resource":{"uri":"test://mixed-content-resource",)"
      R"("mimeType":"application/json","text":"{\"test\":\"data\",\"value\":123}"}})");
}

Tool fixture(std::string name, std::string about,
             std::function<Answer(const Ask&, const Json&)> handler,
             std::string properties = "{}") {
  return {std::move(name),
          "",
          std::move(about),
          R"({"type":"object","properties":)" + std::move(properties) + "}",
          "",
          std::move(handler)};
}

auto always(Reply reply) {
  return [reply = std::move(reply)](const Ask&, const Json&) -> Answer { return reply; };
}

std::vector<Tool> fixture_tools() {
  return {
      fixture("test_simple_text", "Text",
              always(text_reply("This is a simple text response for testing."))),
      fixture("test_image_content", "An image", always(content_reply(image_block()))),
      fixture("test_audio_content", "Sound",
              always(content_reply(fmt::format(
                  R"({{"type":"audio","data":"{}","mimeType":"audio/wav"}})", kAudio)))),
      fixture("test_embedded_resource", "A resource",
              always(content_reply(
                  R"({"type":"resource","resource":{"uri":"test://embedded-resource",)"
                  R"("mimeType":"text/plain","text":"This is an embedded resource content."}})"))),
      fixture("test_multiple_content_types", "Text, image and resource", show_mixed),
      fixture("test_error_handling", "An error",
              always(tool_error("This tool intentionally returns an error for testing"))),
      fixture("test_tool_with_logging", "Log messages", log_thrice),
      fixture("test_logging_tool", "Log messages, if asked for", log_thrice),
      fixture("test_tool_with_progress", "Progress", report_progress),
      fixture("test_streaming_elicitation", "Asks for input", ask_name),
      fixture("test_missing_capability", "Needs sampling", need_sampling),
      fixture("test_sampling", "Asks the client's model", sample_prompt,
              R"({"prompt":{"type":"string"}})"),
      fixture("test_elicitation", "Asks the user", elicit_message,
              R"({"message":{"type":"string"}})"),
      fixture("test_elicitation_sep1034_defaults", "Asks with defaults", elicit_defaults),
      fixture("test_elicitation_sep1330_enums", "Asks with enumerations", elicit_enums),
      fixture("test_input_required_result_elicitation", "Needs a name", ask_name),
      fixture("test_input_required_result_sampling", "Needs a model", ask_capital),
      fixture("test_input_required_result_list_roots", "Needs roots", ask_roots),
      fixture("test_input_required_result_request_state", "Needs a confirmation", ask_with_state),
      fixture("test_input_required_result_tampered_state", "Needs a confirmation", ask_with_state),
      fixture("test_input_required_result_multiple_inputs", "Needs much", ask_much),
      fixture("test_input_required_result_multi_round", "Needs two rounds", ask_twice),
      fixture("test_input_required_result_capabilities", "Needs what can be had",
              ask_what_client_can),
  };
}

Reply prompt_reply(std::string_view blocks) {
  Reply reply;
  reply.members = fmt::format("\"messages\":[{}]", blocks);
  return reply;
}

std::string user(std::string_view block) {
  return fmt::format(R"({{"role":"user","content":{}}})", block);
}

std::string text_block(std::string_view text) {
  return R"({"type":"text","text":)" + quoted(text) + "}";
}

Answer prompt_for_context(const Ask& ask, const Json& /*arguments*/) {
  if (response(ask, "user_context") == nullptr) {
    return need("\"user_context\":" +
                elicit("What context should the prompt use?", "context", "string"));
  }
  return prompt_reply(user(text_block(given_text(ask, "user_context", "context"))));
}

Answer prompt_with_arguments(const Ask& /*ask*/, const Json& arguments) {
  return prompt_reply(
      user(text_block(fmt::format("Prompt with arguments: arg1='{}', arg2='{}'",
                                  string_of(arguments, "arg1"), string_of(arguments, "arg2")))));
}

Answer prompt_with_resource(const Ask& /*ask*/, const Json& arguments) {
  return prompt_reply(
      user(fmt::format(R"({{"type":"resource","resource":{{"uri":{},"mimeType":"text/plain",)"
                       R"("text":"Embedded resource content for testing."}}}})",
                       quoted(string_of(arguments, "resourceUri")))) +
      "," + user(text_block("Please process the embedded resource above.")));
}

std::vector<Prompt> fixture_prompts() {
  return {
      {"test_simple_prompt",
       "",
       "Text",
       {},
       always(prompt_reply(user(text_block("This is a simple prompt for testing."))))},
      {"test_prompt_with_arguments",
       "",
       "Arguments",
       {{"arg1", "First", true, {}}, {"arg2", "Second", true, {}}},
       prompt_with_arguments},
      {"test_prompt_with_embedded_resource",
       "",
       "A resource",
       {{"resourceUri", "Its URI", true, {}}},
       prompt_with_resource},
      {"test_prompt_with_image",
       "",
       "An image",
       {},
       always(prompt_reply(user(image_block()) + "," +
                           user(text_block("Please analyze the image above."))))},
      {"test_input_required_result_prompt", "", "Needs input", {}, prompt_for_context},
  };
}

std::optional<Reply> contents(std::string_view uri, std::string_view mime_type,
                              std::string_view kind, std::string_view value) {
  Reply reply;
  reply.members = fmt::format(R"("contents":[{{"uri":{},"mimeType":"{}","{}":{}}}])", quoted(uri),
                              mime_type, kind, quoted(value));
  reply.ttl_ms = 1000;
  return reply;
}

std::optional<Reply> read_fixture(const Ask& /*ask*/, std::string_view uri) {
  if (uri == "test://static-text") {
    return contents(uri, "text/plain", "text", "This is the content of the static text resource.");
  }
  if (uri == "test://watched-resource") return contents(uri, "text/plain", "text", "Watched");
  if (uri == "test://static-binary") return contents(uri, "image/png", "blob", kImage);
  constexpr std::string_view kBegin = "test://template/", kEnd = "/data";
  if (!uri.starts_with(kBegin) || !uri.ends_with(kEnd)) return std::nullopt;
  const auto id = uri.substr(kBegin.size(), uri.size() - kBegin.size() - kEnd.size());
  return contents(
      uri, "application/json", "text",
      fmt::format(R"({{"id":{},"templateTest":true,"data":"Data for ID: {}"}})", quoted(id), id));
}

std::vector<Resource> list_fixtures(const Ask& /*ask*/) {
  return {{"test://static-text", "static-text", "Static text", "text/plain"},
          {"test://static-binary", "static-binary", "Static binary", "image/png"},
          {"test://watched-resource", "watched-resource", "Watched", "text/plain"}};
}

Answer accept(const Ask& /*ask*/) {
  return Reply{};
}

template <class Rows>
void append(Rows& rows, Rows more) {
  std::move(more.begin(), more.end(), std::back_inserter(rows));
}

Catalogue with_fixtures() {
  Catalogue all = catalogue();
  append(all.tools, fixture_tools());
  append(all.prompts, fixture_prompts());
  all.resources.push_back({"test://", "test://template/{id}/data", "template", "A template",
                           "Data by id", "application/json", list_fixtures, read_fixture});
  for (const char* name : {"logging/setLevel", "resources/subscribe", "resources/unsubscribe"}) {
    all.methods.push_back({name, false, true, accept});
  }
  all.on_response = [](const Json& message) { return responses().take(message); };
  return all;
}

}  // namespace
}  // namespace rowtrail::server::mcp

int main(int argc, char** argv) {
  using namespace rowtrail;
  if (argc != 3) {
    std::fprintf(stderr, "usage: mcp_conformance_server STORE-URL HOST:PORT\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  const auto catalogue = server::mcp::with_fixtures();
  server::Options options;
  options.listen = argv[2];
  options.no_auth = true;
  options.threads = 4;  // a call that asks the client keeps one
  options.mcp = &catalogue;
  options.open_reader = [url = std::string(argv[1])] { return store::open_reader(url); };
  server::Server server(options);
  server.start();
  std::puts("serving");
  std::fflush(stdout);
  int signal_number = 0;
  sigwait(&stop, &signal_number);
  server.stop();
  return 0;
}
