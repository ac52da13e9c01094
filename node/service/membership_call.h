// Requests of membership to its peers, awaited.
#ifndef DYNAMO_NODE_SERVICE_MEMBERSHIP_CALL_H_
#define DYNAMO_NODE_SERVICE_MEMBERSHIP_CALL_H_

#include <string>
#include <variant>
#include <vector>

#include "common/base/ids.h"
#include "common/base/result.h"
#include "node/env/async.h"
#include "node/protocol/peer.pb.h"
#include "node/service/shard_env.h"

namespace dynamo {

// A known node, or whoever listens at an address.
using Whom = std::variant<NodeId, std::string>;

Result<peer::Response> ParseReply(const Result<Bytes>& reply);

// A refusal comes back as its error; other errors as Transport's.
Async<Result<peer::Response>> Ask(ShardEnv env, Whom whom, SharedBytes body, TimePoint deadline);

// At the same time; the answers are in the order of the addresses.
Async<std::vector<Result<peer::Response>>> AskAll(ShardEnv env, std::vector<std::string> addresses, SharedBytes body,
                                                  TimePoint deadline);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_MEMBERSHIP_CALL_H_
