// The register's questions and answers, to and from messages between nodes.
#ifndef DYNAMO_NODE_SERVICE_REGISTER_CODEC_H_
#define DYNAMO_NODE_SERVICE_REGISTER_CODEC_H_

#include "common/base/result.h"
#include "node/core/consensus/acceptor.h"
#include "node/protocol/peer.pb.h"

namespace dynamo {

// A voter is asked to promise, or to accept a topology.
struct VoteRequest {
  TopologyVersion decision;
  Ballot ballot;
  Bytes topology;  // Empty: to promise.
};

peer::Request ToProto(const VoteRequest& request);
// kInvalidArgument: no ballot, or no epoch.
Result<VoteRequest> FromProto(const peer::Vote& vote);

peer::Response ToProto(const VoterAnswer& answer);
// kCorrupt: a kind that is none.
Result<VoterAnswer> FromProto(const peer::VoterReply& reply);

// A topology that may be the outcome of `decision`, which follows `base`: decoded,
// of its cluster, its epoch and its ring. kInvalidArgument: it is not.
Result<Topology> DecodeProposal(const Bytes& encoded, const Topology& base, const TopologyVersion& decision);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_REGISTER_CODEC_H_
