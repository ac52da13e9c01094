#include "node/api/http_objects.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/base64.h"
#include "node/api/http_content.h"
#include "node/api/riak_values.h"

namespace dynamo {
namespace {

HttpResponse OneValue(const Sibling& sibling, const ObjectKey& key) {
  HttpResponse response(HttpStatus::ok, kHttp11);
  for (const auto& [name, value] : HeadersOf(sibling, key)) SetHeader(response, name, value);
  response.body() = sibling.content.value;
  return response;
}

HttpResponse Siblings(const std::vector<const Sibling*>& siblings, const ObjectToSend& send) {
  HttpResponse response(HttpStatus::multiple_choices, kHttp11);
  if (send.accept.find("multipart/mixed") != std::string_view::npos) {
    const std::string boundary = BoundaryFor(siblings);
    SetHeader(response, "Content-Type", "multipart/mixed; boundary=" + boundary);
    response.body() = MultipartBody(siblings, send.key, boundary);
  } else {
    SetHeader(response, "Content-Type", "text/plain");
    response.body() = "Siblings:\n";
    for (const Sibling* sibling : siblings) response.body() += EntityTagOf(*sibling) + "\n";
  }
  return response;
}

}  // namespace

HttpResponse ObjectResponse(const ObjectToSend& send) {
  const std::vector<const Sibling*> siblings = SortedSiblings(send.object);
  HttpResponse response;
  if (send.vtag) {
    const auto found = std::find_if(siblings.begin(), siblings.end(),
                                    [&send](const Sibling* sibling) { return EntityTagOf(*sibling) == *send.vtag; });
    if (found == siblings.end()) return TextResponse(HttpStatus::not_found, "no sibling has this vtag");
    response = OneValue(**found, send.key);
  } else if (siblings.size() == 1) {
    response = OneValue(*siblings[0], send.key);
  } else {
    response = Siblings(siblings, send);
  }
  SetHeader(response, "X-Riak-Vclock", Base64Encode(send.context));
  return response;
}

HttpResponse NotFoundResponse(const GetReply& reply) {
  HttpResponse response = TextResponse(HttpStatus::not_found, "not found");
  if (reply.object.deleted()) {
    SetHeader(response, "X-Riak-Vclock", Base64Encode(reply.context));
    SetHeader(response, "X-Riak-Deleted", "true");
  }
  return response;
}

void SetParticipants(const Participants& participants, HttpResponse* response) {
  if (participants.coordinator) SetHeader(*response, "X-Dynamo-Coordinator", ToString(participants.coordinator));
  std::string replicas;
  for (NodeId node : participants.replicas) {
    if (!replicas.empty()) replicas += ", ";
    replicas += ToString(node);
  }
  if (!replicas.empty()) SetHeader(*response, "X-Dynamo-Replicas", replicas);
}

}  // namespace dynamo
