// Members and topologies for the ring's tests.
#ifndef DYNAMO_TESTS_UNIT_CORE_RING_TESTING_H_
#define DYNAMO_TESTS_UNIT_CORE_RING_TESTING_H_

#include <string>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "node/core/ring/topology.h"

namespace dynamo {

// Members 1, 2, ... named node-1, node-2, ..., spread round about `zones` zones.
inline std::vector<Member> MakeMembers(size_t count, size_t zones = 1, std::vector<uint32_t> capacities = {1}) {
  std::vector<Member> members;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t id = i + 1;
    members.push_back({.id = NodeId{id},
                       .name = "node-" + std::to_string(id),
                       .zone = "zone-" + std::to_string(i % zones),
                       .capacity = capacities[i % capacities.size()]});
  }
  return members;
}

// A topology whose map is drawn at random, as no placement would make it.
inline Topology RandomTopology(Rng& rng) {
  Topology topology;
  topology.cluster = ClusterId{{rng.Next() | 1, rng.Next()}};
  topology.version = {.generation = 1 + rng.Below(3), .epoch = 100 + rng.Below(uint64_t{1} << 40)};
  topology.partitions = uint32_t{1} << (3 + rng.Below(5));
  topology.ring_seed = rng.Next();
  topology.members = MakeMembers(1 + rng.Below(12), 1 + rng.Below(5));
  for (Member& member : topology.members) {
    member.zone = "zone-" + std::to_string(rng.Below(4));
    member.capacity = 1 + static_cast<uint32_t>(rng.Below(9));
    member.state = static_cast<MemberState>(1 + rng.Below(5));
  }
  topology.members.front().state = MemberState::kNormal;
  const size_t holders = 1 + rng.Below(topology.members.size());
  const auto random_map = [&] {
    std::vector<NodeId> owners;
    owners.reserve(topology.partitions);
    for (uint32_t i = 0; i < topology.partitions; ++i) owners.push_back(topology.members[rng.Below(holders)].id);
    return TokenMap(std::move(owners));
  };
  topology.current = random_map();
  if (rng.Chance(0.5)) {
    topology.pending = random_map();
    topology.change_since = 1 + rng.Below(topology.version.epoch);
    topology.cancelling = rng.Chance(0.3);
    for (uint32_t i = 0; i < topology.partitions; ++i) topology.moved.push_back(i > 0 && rng.Chance(0.5));
  }
  topology.voters = ChooseVoters(topology.members);
  for (uint32_t id = 1; id <= 1 + rng.Below(3); ++id) topology.context_keys.push_back({id, "secret", id == 1});
  for (const char* name : {"a", "b", "c"}) {
    if (rng.Chance(0.5)) continue;
    topology.types[name] = {.policy = rng.Chance(0.5) ? ConflictPolicy::kSiblings : ConflictPolicy::kLastWriterWins,
                            .n_val = 1 + static_cast<uint32_t>(rng.Below(5)),
                            .durability = static_cast<BucketType::Durability>(1 + rng.Below(3))};
  }
  for (uint64_t epoch = rng.Below(4); epoch > 0; --epoch) {
    const uint64_t made = topology.operations.empty() ? 1 + rng.Below(9) : topology.operations.back().epoch + epoch;
    topology.operations.push_back({"operation-" + std::to_string(epoch), rng.Next(), made, rng.Chance(0.2)});
  }
  if (rng.Chance(0.3)) {
    for (Member& member : topology.members) {
      if (member.state == MemberState::kReplaced) member.state = MemberState::kLost;
    }
    LossRecord loss;
    loss.kind = LossRecord::Kind::kAcceptedLoss;
    loss.version = {1, 7};
    loss.operation_id = "lost";
    loss.since = rng.Below(9);
    loss.by = "somebody";
    loss.at_ms = rng.Next();
    loss.nodes = {topology.members.back().id};
    loss.partitions = {0, 1 + static_cast<uint32_t>(rng.Below(topology.partitions - 1))};
    topology.losses.push_back(std::move(loss));
  }
  return topology;
}

}  // namespace dynamo

#endif  // DYNAMO_TESTS_UNIT_CORE_RING_TESTING_H_
