// What the admin API sees of a node; lives on shard 0.
#ifndef DYNAMO_NODE_SERVICE_NODE_ADMIN_H_
#define DYNAMO_NODE_SERVICE_NODE_ADMIN_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/env/admin_handler.h"
#include "node/service/identity.h"
#include "node/service/membership.h"
#include "node/service/shard.h"
#include "node/service/topology_register.h"

namespace dynamo {

class NodeAdmin : public AdminHandler {
 public:
  explicit NodeAdmin(const std::vector<std::unique_ptr<Shard>>* shards)
      : shards_(shards), hints_(shards->size()), serving_(shards->size(), false) {}

  // Called while the node starts; both outlive this.
  void SetIdentity(const StoredIdentity& identity) { identity_ = identity; }
  void SetMembership(Membership* membership, TopologyRegister* topology_register) {
    membership_ = membership;
    register_ = topology_register;
  }
  // Reports of the shards, on shard 0's thread.
  void OnServing(ShardIndex shard) { serving_[shard] = true; }
  void OnRolledBack() { rolled_back_ = true; }
  void OnRepair(ShardIndex shard, const RepairProgress& progress);
  void OnHints(ShardIndex shard, std::vector<HintCount> counts) { hints_[shard] = std::move(counts); }

  NodeIdentity Identity() const override;
  bool Ready() const override;
  bool Removed() const;
  // Requests are answered; Ready, unless they had better go elsewhere.
  bool Serving() const;
  std::shared_ptr<const Topology> CurrentTopology() const override;
  std::vector<NodeInfo> Members() const override;
  std::vector<HintCount> Hints() const override;
  Async<Result<KeyLocation>> Locate(ObjectKey key) override;
  Async<Result<std::shared_ptr<const Topology>>> Create(CreateCluster request) override;
  Result<RepairProgress> StartRepair(std::string operation_id, std::optional<PartitionId> partition) override;
  std::optional<RepairProgress> Repair(const std::string& operation_id) const override;
  Async<Result<std::vector<TreeRoot>>> TreeRoots(PartitionId partition) override;
  Async<std::vector<MemberReport>> Reports() override;
  Async<Result<uint64_t>> Change(TopologyChange change) override;
  // Another member asks for this one's.
  void OnReportGet(NodeId from, Responder respond);

 private:
  struct Survey;
  Async<MemberReport> OwnReport();
  static Async<> AnswerReport(NodeAdmin* self, Responder respond);
  // Whether this node may be asked for the partition's trees; none: for all.
  Status MayRepair(std::optional<PartitionId> partition) const;
  // Room for one more: the oldest that has ended goes. False: too many run.
  bool MakeRoomForRepair();

  const std::vector<std::unique_ptr<Shard>>* shards_;
  StoredIdentity identity_;
  Membership* membership_ = nullptr;
  TopologyRegister* register_ = nullptr;
  std::vector<std::vector<HintCount>> hints_;
  std::vector<bool> serving_;
  bool rolled_back_ = false;
  struct OrderedRepair {
    std::string operation_id;
    std::map<ShardIndex, RepairProgress> shards;  // Those that take part.
  };
  std::vector<OrderedRepair> repairs_;  // In the order of their beginning.
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_NODE_ADMIN_H_
