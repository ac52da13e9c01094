// What the admin API says, as plain values: one definition for the node that
// answers, dynamoctl, and the operator.
#ifndef DYNAMO_COMMON_ADMIN_TYPES_H_
#define DYNAMO_COMMON_ADMIN_TYPES_H_

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace dynamo::admin {

// GET /identity
struct Identity {
  std::string node_id;
  std::string cluster_id;  // Empty until a cluster is created.
  uint64_t boot_number = 0;
  std::string state;  // "empty" or "normal".
  bool empty_volume = true;
};

struct Member {
  std::string id, name, zone;
  uint32_t capacity = 1;
  std::string state;     // Of the topology: "normal", "joining", ...; empty: of no topology.
  std::string liveness;  // As the answering node sees it: "alive", "suspect", "dead", "unknown".
  uint32_t tokens = 0;
  std::string peer_address, http_address, pb_address, admin_address;
  std::string version;
  uint64_t incarnation = 0;
};

// GET /members
struct Members {
  std::string node_id;  // Who says so.
  std::vector<Member> members;
};

// What an administrator declared lost for good; see docs/recovery.md.
struct Loss {
  std::string kind;  // "forced-topology" or "accepted-loss".
  uint64_t generation = 0, epoch = 0;
  std::string operation_id, by;
  uint64_t at_ms = 0;  // Since 1970, by the clock of the node that was asked.
  std::vector<std::string> nodes;
  std::vector<uint32_t> partitions;
};

// GET /topology
struct Topology {
  std::string cluster_id;
  uint64_t generation = 0, epoch = 0;
  uint32_t partitions = 0;
  std::string hash;
  std::vector<std::string> voters;
  std::vector<Member> members;      // Without liveness and addresses.
  std::vector<std::string> owners;  // Node id of each token, in ring order.
  // The map that a change of the members moves to; empty: none is under way.
  std::vector<std::string> pending_owners;
  std::string change;               // For people: which change that is; also while a member has yet to leave.
  uint32_t moved = 0, to_move = 0;  // Partitions.
  struct Type {
    std::string name, policy, durability;
    uint32_t n_val = 3;
  };
  std::vector<Type> types;
  std::vector<Loss> losses;  // Oldest first.
};

// GET /hints
struct Hints {
  struct Owner {
    std::string node_id;
    uint64_t hints = 0, bytes = 0;
  };
  uint64_t total = 0;
  std::vector<Owner> owners;
};

// GET /locate?type=T&bucket=B&key=K
struct Location {
  std::string position;
  uint32_t partition = 0;
  uint32_t n_val = 0;
  struct Step {
    uint32_t partition = 0;
    std::string node_id, name, zone;
    std::string role;  // "owner", "fallback", "skipped: same node", "skipped: same zone".
  };
  std::vector<Step> walk;
  struct Holder {
    std::string node_id, name;
    bool reachable = false, has_object = false, hint = false;
    std::string digest;
    uint32_t siblings = 0;
  };
  std::vector<Holder> holders;
};

// GET /safety?without=ID (an id or a name; none: as it is now)
struct Safety {
  std::string node_id;  // Who says so, of those it holds for ready.
  std::string verdict;  // "safe", "unsafe", "unknown": by majorities of the owners, and by hints.
  std::string why;      // For people; empty if safe.
  uint64_t hints = 0;   // That the members keep, all together.
  struct Keeper {
    std::string node_id, name;
    uint64_t hints = 0, bytes = 0;  // For others: its disk may be their only one.
  };
  std::vector<Keeper> keepers;          // Of any.
  std::vector<std::string> unanswered;  // Members, by name: nobody knows what they keep.
  uint64_t epoch = 0;
  std::string change;  // Of the members, under way; empty: none.
  struct Partition {
    uint32_t partition = 0, n_val = 0;
    uint32_t owners = 0, ready = 0, ready_without = 0;
  };
  std::vector<Partition> partitions;  // That would lack an owner, the weakest first.
};

// PUT /operations/{id}: {"type": "create", ...}
struct CreateOperation {
  std::string cluster_id;  // Empty: drawn.
  uint32_t partitions = 256;
  uint64_t ring_seed = 0;  // 0: drawn.
  uint32_t n_val = 3;
  struct Member {
    std::string peer_address, zone;
    uint32_t capacity = 0;
  };
  std::vector<Member> members;
};

// PUT /operations/{id}: {"type": "create-bucket-type", ...}
struct CreateTypeOperation {
  std::string name;
  std::string policy = "siblings";  // Or "lww".
  std::string durability = "sync";  // Or "interval", "memory".
  uint32_t n_val = 3;
  uint64_t epoch = 0;  // Only if the topology is at it; 0: at any.
};

// PUT /operations/{id}: {"type": T, ...}. Nodes are named by id or by name; an empty
// zone and a capacity of 0 are what the node itself says.
//  join       node_id, zone, capacity
//  leave, forget   node_id
//  replace    old_id by node_id, zone, capacity
//  capacity   node_id, capacity
//  cancel, cancel-leave, rebalance
//  change     join, leave and capacities at once; also PUT /plan, which changes nothing
struct MemberOperation {
  struct Staged {
    std::string node_id, zone;
    uint32_t capacity = 0;
  };
  std::string node_id, old_id, zone;
  uint32_t capacity = 0;
  uint64_t epoch = 0;  // Only if the topology is at it; 0: at any.
  std::vector<Staged> join, capacities;
  std::vector<std::string> leave;
};

// PUT /operations/{id}: {"type": "force-topology", ...} and {"type": "accept-loss", ...}
struct LossOperation {
  std::string cluster_id;            // Has to be the cluster's own.
  std::vector<std::string> nodes;    // Whose disks are lost for good, by id or name.
  std::vector<uint32_t> partitions;  // accept-loss.
  std::string by;                    // Who asks, for the record.
};

// PUT /plan
struct Plan {
  uint64_t epoch = 0;  // That it was made on.
  uint32_t partitions = 0, n_val = 0;
  uint32_t moves = 0;             // Tokens that change hands.
  uint32_t replicas_to_copy = 0;  // Partitions copied to a new owner, each counted.
  struct Member {
    std::string id, name, zone, change;  // "stays", "joins", "leaves", "capacity".
    uint32_t capacity = 1, tokens_before = 0, tokens_after = 0;
    double ideal_after = 0;
  };
  std::vector<Member> members;
  std::vector<std::string> unsatisfied;
};

// GET and PUT /operations/{id}
struct Operation {
  std::string id, type;
  std::string state;  // "running", "done", "cancelled", "failed".
  std::string message;
  std::string cluster_id;
  uint64_t epoch = 0;               // Of the topology that has what was asked for; 0: not yet.
  uint32_t moved = 0, to_move = 0;  // Partitions, while members change.
  // Of these, those that go no further until somebody comes back.
  struct Wait {
    std::vector<uint32_t> partitions;
    std::vector<std::string> owners;     // Away: what they have is missing, or its loss accepted.
    std::vector<std::string> receivers;  // Away: who is to get it.
  };
  std::vector<Wait> waits;
  // About the copies that the change makes, as members say while it runs; -1: not known.
  // What was copied before a receiver's start is not in it.
  int64_t bytes_done = -1, bytes_in_all = -1, bytes_per_second = -1, seconds_left = -1;
  std::vector<std::string> unanswered;  // Members, by name, whose share in it is not known.
};

// PUT /operations/{id}: {"type": "repair", ...}
struct RepairOperation {
  int64_t partition = -1;  // -1: all that the node owns.
};

// GET and PUT /operations/{id} of a repair
struct Repair {
  std::string id, type;
  std::string state;  // "running", "done".
  uint64_t exchanges = 0, exchanges_done = 0, exchanges_failed = 0;
  uint64_t leaves_differing = 0, keys_repaired = 0, keys_failed = 0;
};

// GET /roots?partition=P
struct Roots {
  std::string node_id;
  uint32_t partition = 0;
  struct Tree {
    uint32_t n_val = 0;
    std::string root;
    uint32_t leaves_marked = 0;
  };
  std::vector<Tree> trees;
};

boost::json::value ToJson(const Identity& value);
boost::json::value ToJson(const Members& value);
boost::json::value ToJson(const Topology& value);
boost::json::value ToJson(const Hints& value);
boost::json::value ToJson(const Location& value);
boost::json::value ToJson(const Safety& value);
boost::json::value ToJson(const CreateOperation& value);
boost::json::value ToJson(const CreateTypeOperation& value);
boost::json::value ToJson(const MemberOperation& value);
boost::json::value ToJson(const LossOperation& value);
boost::json::value ToJson(const Plan& value);
boost::json::value ToJson(const Operation& value);
boost::json::value ToJson(const RepairOperation& value);
boost::json::value ToJson(const Repair& value);
boost::json::value ToJson(const Roots& value);

// kInvalidArgument: not of that shape; names what is missing or wrong.
Result<Identity> IdentityFromJson(std::string_view text);
Result<Members> MembersFromJson(std::string_view text);
Result<Topology> TopologyFromJson(std::string_view text);
Result<Hints> HintsFromJson(std::string_view text);
Result<Location> LocationFromJson(std::string_view text);
Result<Safety> SafetyFromJson(std::string_view text);
Result<CreateOperation> CreateOperationFromJson(std::string_view text);
Result<CreateTypeOperation> CreateTypeOperationFromJson(std::string_view text);
Result<MemberOperation> MemberOperationFromJson(std::string_view text);
Result<LossOperation> LossOperationFromJson(std::string_view text);
Result<Plan> PlanFromJson(std::string_view text);
Result<Operation> OperationFromJson(std::string_view text);
Result<RepairOperation> RepairOperationFromJson(std::string_view text);
Result<Repair> RepairFromJson(std::string_view text);
Result<Roots> RootsFromJson(std::string_view text);

}  // namespace dynamo::admin

#endif  // DYNAMO_COMMON_ADMIN_TYPES_H_
