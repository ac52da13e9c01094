#include "node/service/register_codec.h"

#include <utility>

namespace dynamo {
namespace {

void SetBallot(const Ballot& ballot, peer::Ballot* out) {
  out->set_round(ballot.round);
  out->set_boot(ballot.boot);
  out->set_node(ballot.node.value);
}

Ballot ToBallot(const peer::Ballot& ballot) { return {ballot.round(), ballot.boot(), NodeId{ballot.node()}}; }

}  // namespace

peer::Request ToProto(const VoteRequest& request) {
  peer::Request out;
  peer::Vote* vote = out.mutable_vote();
  vote->set_generation(request.decision.generation);
  vote->set_epoch(request.decision.epoch);
  SetBallot(request.ballot, vote->mutable_ballot());
  vote->set_topology(request.topology);
  return out;
}

Result<VoteRequest> FromProto(const peer::Vote& vote) {
  VoteRequest request;
  request.decision = {vote.generation(), vote.epoch()};
  request.ballot = ToBallot(vote.ballot());
  request.topology = vote.topology();
  if (request.decision.epoch == 0 || !request.ballot || !request.ballot.node) {
    return Fail(Errc::kInvalidArgument, "a vote is asked for without an epoch or a ballot");
  }
  return request;
}

peer::Response ToProto(const VoterAnswer& answer) {
  peer::Response out;
  peer::VoterReply* reply = out.mutable_voter_reply();
  reply->set_kind(static_cast<uint32_t>(answer.kind));
  SetBallot(answer.ballot, reply->mutable_ballot());
  SetBallot(answer.highest, reply->mutable_highest());
  SetBallot(answer.accepted, reply->mutable_accepted());
  reply->set_topology(answer.value);
  return out;
}

Result<VoterAnswer> FromProto(const peer::VoterReply& reply) {
  const bool known = reply.kind() >= static_cast<uint32_t>(VoterAnswer::Kind::kPromised) &&
                     reply.kind() <= static_cast<uint32_t>(VoterAnswer::Kind::kBehind);
  if (!known) return Fail(Errc::kCorrupt, "a voter answers what this version does not know");
  VoterAnswer answer;
  answer.kind = static_cast<VoterAnswer::Kind>(reply.kind());
  answer.ballot = ToBallot(reply.ballot());
  answer.highest = ToBallot(reply.highest());
  answer.accepted = ToBallot(reply.accepted());
  answer.value = reply.topology();
  return answer;
}

Result<Topology> DecodeProposal(const Bytes& encoded, const Topology& base, const TopologyVersion& decision) {
  Result<Topology> decoded = DecodeTopology(encoded);
  if (!decoded) return Fail(Errc::kInvalidArgument, "a proposal cannot be read: " + decoded.error().message);
  const bool follows = decoded->cluster == base.cluster && decoded->version == decision &&
                       decoded->partitions == base.partitions && decoded->ring_seed == base.ring_seed;
  if (!follows) return Fail(Errc::kInvalidArgument, "a proposal that cannot follow from the topology here");
  return decoded;
}

}  // namespace dynamo
