// One shard of a node: its partitions' replicas, the requests for them, and the
// way to the other shards.
#ifndef DYNAMO_NODE_SERVICE_SHARD_H_
#define DYNAMO_NODE_SERVICE_SHARD_H_

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "node/protocol/peer.pb.h"
#include "node/service/anti_entropy.h"
#include "node/service/coordinator.h"
#include "node/service/hinted_handoff.h"
#include "node/service/peers.h"
#include "node/service/reaper.h"
#include "node/service/replica.h"
#include "node/service/request_log.h"
#include "node/service/shard_context.h"
#include "node/service/stray_handback.h"
#include "node/service/transfer.h"

namespace dynamo {

// What the shard tells shard 0 (itself, if it is that): called on this shard's thread.
struct ShardReports {
  std::function<void(NodeId peer, bool alive)> on_sign;
  std::function<void(std::vector<HintCount>)> on_hints;
  std::function<void()> on_serving;
  std::function<void(RepairProgress)> on_repair;
  // Their receivers hold all they must: the register is to have them moved.
  std::function<void(uint64_t since, std::vector<PartitionId>)> on_covered;
  // Others have reaped what is still on this volume: it is an old copy.
  std::function<void()> on_old_disk;
  // A peer holds another topology than this node.
  std::function<void(NodeId peer)> on_other_epoch;
  // This node leaves, owns nothing at that epoch, and this shard holds nothing for
  // anybody.
  std::function<void(uint64_t epoch)> on_drained;
  // Shard 0 only: a request that is membership's.
  std::function<void(NodeId from, const peer::Request&, Responder)> on_membership;
};

class Shard : public PeerHandler {
 public:
  // All outlive this. `shards` has all shards of the node once they are made.
  Shard(ShardEnv env, const ServiceConfig* config, ServiceMetrics* metrics,
        const std::vector<std::unique_ptr<Shard>>* shards);

  void SetReports(ShardReports reports) { reports_ = std::move(reports); }
  void SetSelf(NodeId self);
  void SetBuckets(std::shared_ptr<const BucketMap> buckets) { coordinator_.SetBuckets(std::move(buckets)); }
  // The first view with a topology makes the shard load what it needs to serve.
  void OnView(ClusterViewPtr view);
  // For good: the volume is an old copy.
  void OnRolledBack();
  // When the load has ended; at once if there is no topology yet.
  Async<Status> WaitLoaded();

  void OnPeerRequest(PeerRequest request, Responder respond) override;
  void OnPeerUnreachable(NodeId peer) override;

  ShardContext& context() { return context_; }
  Coordinator& coordinator() { return coordinator_; }
  // What this node has for the key, and whether it could be read.
  Async<Result<Bytes>> ReadLocal(KeyPtr key) { return replica_.Read(std::move(key)); }
  Peers& peers() { return peers_; }
  AntiEntropy& anti_entropy() { return anti_entropy_; }
  Transfer& transfer() { return transfer_; }
  StrayHandback& strays() { return strays_; }
  ReapGenerations& generations() { return replica_.generations(); }
  const std::vector<std::unique_ptr<Shard>>& shards() const { return *shards_; }

 private:
  static Async<Status> Load(Shard* shard);
  static Async<> LoadAndServe(Shard* shard);
  static Async<> AdoptGeneration(Shard* shard, PartitionId partition, ReapGeneration generation);
  void UseAddresses(const ClusterView& view);
  // `before`: nullptr if this is the first.
  void OnTopology(const Topology& topology, const Topology* before);
  void ReportHintsSoon();
  // This node leaves, owns nothing, and holds nothing here any more.
  bool IsDrained();
  void ReportIfDrained();
  static Async<> SyncAndReportDrained(Shard* shard);

  // Members alone may read and write here. Counts whom it refuses.
  Status CheckPeer(NodeId from) const;
  // Refuses a request before anybody has begun it, and for good: its sender asks
  // another node, so a copy of a write that comes once nothing speaks against it must
  // not be carried out here as well.
  void TurnAway(NodeId from, TimePoint deadline, const peer::Request& request, const Error& why, Responder respond);
  bool WasTurnedAway(NodeId from, const peer::Request& request, const Responder& respond);
  // A request of the data path, on the shard that has the key; `key` is nullptr if
  // it is for a whole partition.
  void Serve(NodeId from, TimePoint deadline, KeyPtr key, peer::Request request, Responder respond);
  void ServeMembership(NodeId from, TimePoint deadline, peer::Request request, Responder respond);
  // A responder for the other shard's use that answers here.
  Responder Relay(Shard* there, TimePoint deadline, Responder respond);
  void HandOver(ShardIndex to, NodeId from, TimePoint deadline, KeyPtr key, peer::Request request, Responder respond);
  void ServeGet(const KeyPtr& key, const peer::ReplicaGet& get, Responder respond);
  static Async<> ReadAndRespond(Shard* shard, KeyPtr key, bool digest_only, bool owner, Responder respond);
  // Whether this node is one that the write should go to, as the topology here has it.
  Status CheckPut(const PlacedKey& key, const peer::ReplicaPut& put);
  static Async<> PutAndRespond(Shard* shard, KeyPtr key, peer::ReplicaPut put, Responder respond);
  void ServeForwarded(NodeId from, TimePoint deadline, KeyPtr key, peer::Request request, Responder respond);
  static Async<> Coordinate(Shard* shard, KeyPtr key, peer::Request request, Origin origin,
                            std::function<void(SharedBytes)> respond);

  ShardContext context_;
  Replica replica_;
  Peers peers_;
  DataPath parts_;
  Coordinator coordinator_;
  HintedHandoff handoff_;
  AntiEntropy anti_entropy_;
  Transfer transfer_;
  StrayHandback strays_;
  Reaper reaper_;
  RequestLog requests_, turned_away_;
  ShardReports reports_;
  const std::vector<std::unique_ptr<Shard>>* shards_;
  std::map<NodeId, std::string> addresses_;
  Event loaded_;
  Status load_status_;
  bool loading_ = false;
  bool hint_report_due_ = false;
  // Responders of requests that another shard works on stay here: they belong to
  // this shard's connections.
  struct HandedOver {
    TimePoint deadline;
    Responder respond;
  };
  std::map<uint64_t, HandedOver> handed_over_;
  uint64_t next_handed_over_ = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_SHARD_H_
