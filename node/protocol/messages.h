// Requests and answers between nodes, to and from the body of a frame (frame.h).
#ifndef DYNAMO_NODE_PROTOCOL_MESSAGES_H_
#define DYNAMO_NODE_PROTOCOL_MESSAGES_H_

#include <memory>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "node/protocol/peer.pb.h"

namespace dynamo {

// Made once, shared by all the nodes it goes to.
std::shared_ptr<const Bytes> EncodeRequest(const peer::Request& request);
std::shared_ptr<const Bytes> EncodeResponse(const peer::Response& response);
// The answer itself, or the failure that says that no frame can carry it: its
// caller is told at once and need not wait for its deadline.
std::shared_ptr<const Bytes> FittingAnswer(std::shared_ptr<const Bytes> answer);
// The refusal of a request.
std::shared_ptr<const Bytes> EncodeFailure(const Error& error);

// kCorrupt: malformed. kUnsupported: a kind that this version does not know.
Result<peer::Request> ParseRequest(std::string_view body);

// A Failure comes back as the error it carries; a code that this version does not
// know becomes kInternal. kCorrupt and kUnsupported as above.
Result<peer::Response> ParseResponse(std::string_view body);

}  // namespace dynamo

#endif  // DYNAMO_NODE_PROTOCOL_MESSAGES_H_
