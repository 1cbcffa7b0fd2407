#include "server/handlers.h"
#include "server/list.h"

namespace rowtrail::server {

Outcome<Response> list_gaps(const Call& call, const Services& services) {
  const auto list = read_list(call);
  if (!list) return list.error();
  return answer_list<GapRows>(call, services, *list);
}

}  // namespace rowtrail::server
