// Answers that carry objects: one value, siblings, none.
#ifndef DYNAMO_NODE_API_HTTP_OBJECTS_H_
#define DYNAMO_NODE_API_HTTP_OBJECTS_H_

#include <optional>
#include <string_view>

#include "node/api/http_server.h"
#include "node/env/request_handler.h"

namespace dynamo {

// Views, for the length of one call.
struct ObjectToSend {
  const Object& object;  // Written, and not deleted.
  std::string_view context;
  const ObjectKey& key;
  std::optional<std::string_view> vtag;  // Only this sibling.
  std::string_view accept;
};

// 200 with the value; 300 with the siblings, as multipart/mixed if `accept` names
// it, else a list of their tags.
HttpResponse ObjectResponse(const ObjectToSend& send);

// 404; of a tombstone with its context and X-Riak-Deleted.
HttpResponse NotFoundResponse(const GetReply& reply);

// X-Dynamo-Coordinator, X-Dynamo-Replicas.
void SetParticipants(const Participants& participants, HttpResponse* response);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_HTTP_OBJECTS_H_
