// Requests to other nodes, and what their answers tell of them.
#ifndef DYNAMO_NODE_SERVICE_PEERS_H_
#define DYNAMO_NODE_SERVICE_PEERS_H_

#include <functional>

#include "node/core/reap/generation.h"
#include "node/protocol/peer.pb.h"
#include "node/service/peer_latency.h"
#include "node/service/shard_context.h"

namespace dynamo {

class Peers {
 public:
  // Called once, or never if the shard is killed first. Errors as the transport's,
  // or the one the peer answered with.
  using Reply = std::function<void(Result<peer::Response>)>;

  explicit Peers(ShardContext* shard) : shard_(shard) {}

  void Call(NodeId to, SharedBytes body, TimePoint deadline, Reply reply);
  Async<Result<peer::Response>> Ask(NodeId to, SharedBytes body, TimePoint deadline);

  const PeerLatency& latency() const { return latency_; }

  // Called when a peer could surely not be reached, and when one that was held for
  // down answered.
  void OnSign(std::function<void(NodeId, bool alive)> listener) { sign_ = std::move(listener); }
  // Called when a peer refused what was read before the generation that it is at.
  void OnStale(std::function<void(PartitionId, ReapGeneration)> listener) { stale_ = std::move(listener); }

 private:
  void Judge(NodeId peer, Duration latency, const Result<peer::Response>& response);

  ShardContext* shard_;
  PeerLatency latency_;
  std::function<void(NodeId, bool alive)> sign_;
  std::function<void(PartitionId, ReapGeneration)> stale_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_PEERS_H_
