// Client requests as they travel to another coordinator, and its answers.
#ifndef DYNAMO_NODE_SERVICE_FORWARD_CODEC_H_
#define DYNAMO_NODE_SERVICE_FORWARD_CODEC_H_

#include "node/env/request_handler.h"
#include "node/env/transport.h"
#include "node/protocol/peer.pb.h"

namespace dynamo {

SharedBytes EncodeForward(const GetRequest& request);
SharedBytes EncodeForward(const PutRequest& request, uint64_t request_id);
SharedBytes EncodeForward(const DeleteRequest& request, uint64_t request_id);

// kInvalidArgument, kCorrupt: malformed.
Result<GetRequest> DecodeForward(const peer::ForwardGet& message);
Result<PutRequest> DecodeForward(const peer::ForwardPut& message);
Result<DeleteRequest> DecodeForward(const peer::ForwardDelete& message);

SharedBytes EncodeForwardReply(const Result<GetReply>& reply);
SharedBytes EncodeForwardReply(const Result<PutReply>& reply);
SharedBytes EncodeForwardReply(const Status& reply);

Result<GetReply> DecodeGetReply(const peer::Response& response);
Result<PutReply> DecodePutReply(const peer::Response& response, bool return_object);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_FORWARD_CODEC_H_
