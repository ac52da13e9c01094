// What the admin API asks of a node. One instance a node, on shard 0.
#ifndef DYNAMO_NODE_ENV_ADMIN_HANDLER_H_
#define DYNAMO_NODE_ENV_ADMIN_HANDLER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "common/base/result.h"
#include "node/core/membership/member_table.h"
#include "node/core/ring/preference_list.h"
#include "node/core/ring/topology.h"
#include "node/core/ring/topology_change.h"
#include "node/core/transfer/copy_progress.h"
#include "node/core/version/object_key.h"
#include "node/env/async.h"

namespace dynamo {

struct CreateMember {
  std::string peer_address;  // Where it listens; the node there must be empty.
  std::string zone;          // Empty: the zone the node itself says.
  uint32_t capacity = 0;     // 0: the capacity the node itself says.
};

struct CreateCluster {
  std::string operation_id;  // The same id again is the same operation.
  ClusterId cluster;         // None: drawn.
  uint32_t partitions = kPartitionsDefault;
  uint64_t ring_seed = 0;  // 0: drawn.
  uint32_t n_val = 3;
  std::vector<CreateMember> members;
};

struct NodeIdentity {
  NodeId node;
  ClusterId cluster;  // None until one is created.
  uint64_t boot_number = 0;
  std::string state;  // "empty", "starting", "normal", "rolled back".
  bool empty_volume = true;
};

struct HintCount {
  NodeId owner;
  uint64_t hints = 0;
  uint64_t bytes = 0;
};

struct KeyLocation {
  Hash128 position;
  PartitionId partition = 0;
  uint32_t n_val = 0;
  std::vector<WalkStep> walk;
  struct Holder {
    NodeId node;
    bool reachable = false;
    bool has_object = false;
    Hash128 digest;
    uint32_t siblings = 0;
    bool hint = false;
  };
  std::vector<Holder> holders;
};

// How far a repair by Merkle trees has come on one node.
struct RepairProgress {
  std::string operation_id;
  enum class State : uint8_t { kRunning, kDone };
  State state = State::kRunning;
  uint64_t exchanges = 0;  // Trees to compare, one for each other owner.
  uint64_t exchanges_done = 0;
  uint64_t exchanges_failed = 0;  // The other owner is away, or refused.
  uint64_t leaves_differing = 0;
  uint64_t keys_repaired = 0;
  uint64_t keys_failed = 0;  // Some owner could not read or write them.
};

// The Merkle tree of one N over a partition.
struct TreeRoot {
  uint32_t n_val = 0;
  Hash128 root;
  uint32_t leaves_marked = 0;  // Written to while it was brought up to date.
};

// What a member says of itself.
struct MemberReport {
  NodeId node;
  bool answered = false;              // False: nobody knows the rest.
  std::vector<HintCount> hints = {};  // That it keeps, by whom they are for.
  // Of the change of that epoch (Topology::change_since): what it copies, since it started.
  uint64_t change_since = 0;
  CopyShares copies = {};
  uint64_t bytes_per_second = 0;
};

class AdminHandler {
 public:
  virtual ~AdminHandler() = default;

  virtual NodeIdentity Identity() const = 0;
  // Serves requests: of a cluster, storage open.
  virtual bool Ready() const = 0;
  // nullptr: of no cluster yet.
  virtual std::shared_ptr<const Topology> CurrentTopology() const = 0;
  virtual std::vector<NodeInfo> Members() const = 0;
  virtual std::vector<HintCount> Hints() const = 0;
  // Asks every member that may hold the key.
  virtual Async<Result<KeyLocation>> Locate(ObjectKey key) = 0;
  // kInvalidArgument; kAlreadyExists: some node is not empty (named), or another
  // create runs; kUnavailable: some node cannot be reached (named). Nothing is
  // changed then.
  virtual Async<Result<std::shared_ptr<const Topology>>> Create(CreateCluster request) = 0;
  // Begins to read what this node owns (of one partition, or all) again and to
  // compare it with the other owners. The same id again is the same repair.
  // kUnavailable: not serving; kInvalidArgument: no such partition, or not this
  // node's; kOverloaded: too many run.
  virtual Result<RepairProgress> StartRepair(std::string operation_id, std::optional<PartitionId> partition) = 0;
  // Of the latest ones.
  virtual std::optional<RepairProgress> Repair(const std::string& operation_id) const = 0;
  // Of all N of which this node owns the partition. Errors as StartRepair, and the
  // store's.
  virtual Async<Result<std::vector<TreeRoot>>> TreeRoots(PartitionId partition) = 0;
  // Of every member of the topology, in its order, each asked now; the wait is bounded.
  virtual Async<std::vector<MemberReport>> Reports() = 0;
  // The epoch that has the change, decided by a majority of the voters. Idempotent
  // by its operation id. Errors as ApplyChange; kUnavailable; kOverloaded;
  // kQuorumUnmet: too few voters answer, nothing was changed; kTimeout: it may still
  // come.
  virtual Async<Result<uint64_t>> Change(TopologyChange change) = 0;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_ENV_ADMIN_HANDLER_H_
