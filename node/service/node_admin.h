// What the admin API sees of a node; lives on shard 0.
#ifndef DYNAMO_NODE_SERVICE_NODE_ADMIN_H_
#define DYNAMO_NODE_SERVICE_NODE_ADMIN_H_

#include <memory>
#include <vector>

#include "node/env/admin_handler.h"
#include "node/service/identity.h"
#include "node/service/membership.h"
#include "node/service/shard.h"

namespace dynamo {

class NodeAdmin : public AdminHandler {
 public:
  explicit NodeAdmin(const std::vector<std::unique_ptr<Shard>>* shards)
      : shards_(shards), hints_(shards->size()), serving_(shards->size(), false) {}

  // Called while the node starts; `membership` outlives this.
  void SetIdentity(const StoredIdentity& identity) { identity_ = identity; }
  void SetMembership(Membership* membership) { membership_ = membership; }
  // Reports of the shards, on shard 0's thread.
  void OnServing(ShardIndex shard) { serving_[shard] = true; }
  void OnRolledBack() { rolled_back_ = true; }
  void OnHints(ShardIndex shard, std::vector<HintCount> counts) { hints_[shard] = std::move(counts); }

  NodeIdentity Identity() const override;
  bool Ready() const override;
  bool Removed() const;
  std::shared_ptr<const Topology> CurrentTopology() const override;
  std::vector<NodeInfo> Members() const override;
  std::vector<HintCount> Hints() const override;
  Async<Result<KeyLocation>> Locate(ObjectKey key) override;
  Async<Result<std::shared_ptr<const Topology>>> Create(CreateCluster request) override;

 private:
  const std::vector<std::unique_ptr<Shard>>* shards_;
  StoredIdentity identity_;
  Membership* membership_ = nullptr;
  std::vector<std::vector<HintCount>> hints_;
  std::vector<bool> serving_;
  bool rolled_back_ = false;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_NODE_ADMIN_H_
