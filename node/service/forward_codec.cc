#include "node/service/forward_codec.h"

#include <utility>

#include "node/core/version/content_codec.h"
#include "node/core/version/object.h"
#include "node/protocol/messages.h"
#include "node/service/placed_key.h"

namespace dynamo {
namespace {

void EncodeQuorum(const QuorumValue& value, peer::Quorum* out) {
  out->set_kind(static_cast<uint32_t>(value.kind));
  out->set_number(value.number);
}

QuorumValue DecodeQuorum(const peer::Quorum& message) {
  // An unknown word comes back as a number that no N allows.
  if (message.kind() > static_cast<uint32_t>(QuorumValue::Kind::kAll)) return QuorumValue::Number(UINT32_MAX);
  return {static_cast<QuorumValue::Kind>(message.kind()), message.number()};
}

void EncodeOptions(const ReadOptions& options, peer::ReadOptions* out) {
  EncodeQuorum(options.r, out->mutable_r());
  EncodeQuorum(options.pr, out->mutable_pr());
  EncodeQuorum(options.node_confirms, out->mutable_node_confirms());
  if (options.basic_quorum) out->set_basic_quorum(*options.basic_quorum);
  if (options.notfound_ok) out->set_notfound_ok(*options.notfound_ok);
  if (options.sloppy_quorum) out->set_sloppy_quorum(*options.sloppy_quorum);
  if (options.n_val) out->set_n_val(*options.n_val);
  if (options.timeout) out->set_timeout_us(static_cast<uint64_t>(options.timeout->count()));
}

ReadOptions DecodeOptions(const peer::ReadOptions& message) {
  ReadOptions options;
  options.r = DecodeQuorum(message.r());
  options.pr = DecodeQuorum(message.pr());
  options.node_confirms = DecodeQuorum(message.node_confirms());
  if (message.has_basic_quorum()) options.basic_quorum = message.basic_quorum();
  if (message.has_notfound_ok()) options.notfound_ok = message.notfound_ok();
  if (message.has_sloppy_quorum()) options.sloppy_quorum = message.sloppy_quorum();
  if (message.has_n_val()) options.n_val = message.n_val();
  if (message.has_timeout_us()) options.timeout = Duration(static_cast<Duration::rep>(message.timeout_us()));
  return options;
}

void EncodeOptions(const WriteOptions& options, peer::WriteOptions* out) {
  EncodeQuorum(options.w, out->mutable_w());
  EncodeQuorum(options.dw, out->mutable_dw());
  EncodeQuorum(options.pw, out->mutable_pw());
  EncodeQuorum(options.node_confirms, out->mutable_node_confirms());
  if (options.sloppy_quorum) out->set_sloppy_quorum(*options.sloppy_quorum);
  if (options.n_val) out->set_n_val(*options.n_val);
  if (options.timeout) out->set_timeout_us(static_cast<uint64_t>(options.timeout->count()));
}

WriteOptions DecodeOptions(const peer::WriteOptions& message) {
  WriteOptions options;
  options.w = DecodeQuorum(message.w());
  options.dw = DecodeQuorum(message.dw());
  options.pw = DecodeQuorum(message.pw());
  options.node_confirms = DecodeQuorum(message.node_confirms());
  if (message.has_sloppy_quorum()) options.sloppy_quorum = message.sloppy_quorum();
  if (message.has_n_val()) options.n_val = message.n_val();
  if (message.has_timeout_us()) options.timeout = Duration(static_cast<Duration::rep>(message.timeout_us()));
  return options;
}

void EncodeParticipants(const Participants& participants, peer::ForwardReply* out) {
  out->set_coordinator(participants.coordinator.value);
  for (const NodeId node : participants.replicas) out->add_replicas(node.value);
}

Participants DecodeParticipants(const peer::ForwardReply& message) {
  Participants participants{NodeId{message.coordinator()}, {}};
  for (const uint64_t node : message.replicas()) participants.replicas.push_back(NodeId{node});
  return participants;
}

// The policy of an object that was never written matters to nobody, but travels.
Result<Object> DecodeReplyObject(const peer::ForwardReply& message) {
  return message.object().empty() ? Object{} : DecodeObject(message.object());
}

}  // namespace

SharedBytes EncodeForward(const GetRequest& request) {
  peer::Request message;
  peer::ForwardGet* forward = message.mutable_forward_get();
  ToProto(request.key, forward->mutable_key());
  EncodeOptions(request.options, forward->mutable_options());
  return EncodeRequest(message);
}

SharedBytes EncodeForward(const PutRequest& request, uint64_t request_id) {
  peer::Request message;
  peer::ForwardPut* forward = message.mutable_forward_put();
  forward->set_request_id(request_id);
  ToProto(request.key, forward->mutable_key());
  forward->set_content(EncodeContent(request.content));
  forward->set_context(request.context);
  forward->set_condition(static_cast<uint32_t>(request.condition.kind));
  forward->set_condition_value(request.condition.value);
  EncodeOptions(request.options, forward->mutable_options());
  forward->set_return_object(request.return_object);
  return EncodeRequest(message);
}

SharedBytes EncodeForward(const DeleteRequest& request, uint64_t request_id) {
  peer::Request message;
  peer::ForwardDelete* forward = message.mutable_forward_delete();
  forward->set_request_id(request_id);
  ToProto(request.key, forward->mutable_key());
  forward->set_context(request.context);
  EncodeOptions(request.read_options, forward->mutable_read_options());
  EncodeOptions(request.options, forward->mutable_options());
  return EncodeRequest(message);
}

Result<GetRequest> DecodeForward(const peer::ForwardGet& message) {
  return GetRequest{FromProto(message.key()), DecodeOptions(message.options())};
}

Result<PutRequest> DecodeForward(const peer::ForwardPut& message) {
  Result<Content> content = DecodeContent(message.content());
  if (!content) return Fail(std::move(content.error()));
  if (message.condition() > static_cast<uint32_t>(PutCondition::Kind::kMatchesTag)) {
    return Fail(Errc::kInvalidArgument, "a forwarded put has an unknown condition");
  }
  PutRequest request;
  request.key = FromProto(message.key());
  request.content = std::move(*content);
  request.context = message.context();
  request.condition = {static_cast<PutCondition::Kind>(message.condition()), message.condition_value()};
  request.options = DecodeOptions(message.options());
  request.return_object = message.return_object();
  return request;
}

Result<DeleteRequest> DecodeForward(const peer::ForwardDelete& message) {
  return DeleteRequest{FromProto(message.key()), message.context(), DecodeOptions(message.read_options()),
                       DecodeOptions(message.options())};
}

SharedBytes EncodeForwardReply(const Result<GetReply>& reply) {
  if (!reply) return EncodeFailure(reply.error());
  peer::Response response;
  peer::ForwardReply* forward = response.mutable_forward_reply();
  if (!reply->object.never_written()) forward->set_object(EncodeObject(reply->object));
  forward->set_context(reply->context);
  EncodeParticipants(reply->participants, forward);
  return EncodeResponse(response);
}

SharedBytes EncodeForwardReply(const Result<PutReply>& reply) {
  if (!reply) return EncodeFailure(reply.error());
  peer::Response response;
  peer::ForwardReply* forward = response.mutable_forward_reply();
  if (reply->object) forward->set_object(EncodeObject(*reply->object));
  forward->set_context(reply->context);
  EncodeParticipants(reply->participants, forward);
  return EncodeResponse(response);
}

SharedBytes EncodeForwardReply(const Status& reply) {
  if (!reply) return EncodeFailure(reply.error());
  peer::Response response;
  response.mutable_done();
  return EncodeResponse(response);
}

Result<GetReply> DecodeGetReply(const peer::Response& response) {
  if (!response.has_forward_reply()) return Fail(Errc::kInternal, "a coordinator gave another answer than a reply");
  Result<Object> object = DecodeReplyObject(response.forward_reply());
  if (!object) return Fail(std::move(object.error()));
  return GetReply{std::move(*object), response.forward_reply().context(), DecodeParticipants(response.forward_reply())};
}

Result<PutReply> DecodePutReply(const peer::Response& response, bool return_object) {
  if (!response.has_forward_reply()) return Fail(Errc::kInternal, "a coordinator gave another answer than a reply");
  PutReply reply;
  reply.context = response.forward_reply().context();
  reply.participants = DecodeParticipants(response.forward_reply());
  if (!return_object) return reply;
  Result<Object> object = DecodeReplyObject(response.forward_reply());
  if (!object) return Fail(std::move(object.error()));
  reply.object = std::move(*object);
  return reply;
}

}  // namespace dynamo
