#include "server/handlers.h"
#include "server/json_text.h"
#include "server/list.h"

#include <optional>

#include <fmt/format.h>

namespace rowtrail::server {
namespace {

/// `"transaction":{…},"events":[…],`
Outcome<std::string> transaction_head(const Call& call, const Services& services,
                                      const store::StoredTransaction& transaction) {
  if (!transaction.payload.starts_with('{') || transaction.payload.size() < 3) {
    return unreadable_record(transaction.seq,
                             {core::Errc::Malformed, "its payload is not a JSON object"});
  }
  std::string head = fmt::format("\"transaction\":{{\"seq\":{},", transaction.seq);
  head.append(transaction.payload, 1).append(",\"events\":[");
  bool first = true;
  for (const auto& event : services.reader->transaction_events(transaction.seq)) {
    if (!first) head += ',';
    first = false;
    if (const auto rendered = EventRows::render(head, event); !rendered) {
      return unreadable_record(event.seq, rendered.error());
    }
  }
  head += "],";
  if (call.parameter("integers") == "string") quote_large_integers(head, 0);
  return head;
}

}  // namespace

Outcome<Response> list_changes(const Call& call, const Services& services) {
  const auto list = read_list(call);
  if (!list) return list.error();
  return answer_list<ChangeRows>(call, services, *list);
}

Outcome<Response> get_transaction(const Call& call, const Services& services) {
  const std::string& source = call.path[0];
  const std::string& id = call.path[1];
  const auto transaction = services.reader->transaction(source, id);
  if (!transaction) {
    return Problem{
        ProblemId::NoSuchRecord, fmt::format("Source {} has no transaction {}.", source, id),
        "The `transaction` of an event or a change is the id to give, with its `source`.", ""};
  }
  auto list = read_list(call);
  if (!list) return list.error();
  list->page.ascending = true;
  list->filter.source = source;
  list->filter.transaction = id;
  const auto head = transaction_head(call, services, *transaction);
  if (!head) return head.error();
  return answer_list<ChangeRows>(call, services, *std::move(list), *head);
}

}  // namespace rowtrail::server
