// A cluster with spare nodes, its administrators, and clients that write all the time.
#ifndef DYNAMO_TESTS_SIM_RING_CHANGES_FIXTURE_H_
#define DYNAMO_TESTS_SIM_RING_CHANGES_FIXTURE_H_

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node/core/ring/preference_list.h"
#include "tests/sim/register/fixture.h"

namespace dynamo::sim {

inline SimClusterConfig WithSpares(size_t members, size_t spares, ShardIndex shards = 1) {
  SimClusterConfig config;
  config.nodes = members + spares;
  config.spares = spares;
  config.shards = shards;
  // Nothing moves by itself: what is looked at here is what administrators see.
  config.service.transfer_max_concurrent = 0;
  return config;
}

template <class What>
TopologyChange ChangeTo(What what, const std::string& id, std::optional<uint64_t> epoch = {}) {
  TopologyChange change;
  change.operation_id = id;
  change.epoch = epoch;
  change.what = std::move(what);
  return change;
}

class RingCluster : public RegisterCluster {
 public:
  using RegisterCluster::RegisterCluster;

  NodeId IdOf(size_t index) { return node(index).admin().Identity().node; }
  Member Newcomer(size_t index) {
    return {.id = IdOf(index), .name = node(index).config().service.self.name, .zone = "zone1", .capacity = 1};
  }
  ChangeMembers Join(size_t index) { return {{Newcomer(index)}, {}, {}}; }
  ChangeMembers Leave(size_t index) { return {{}, {IdOf(index)}, {}}; }
  MemberState StateOf(size_t index, size_t seen_by = 0) {
    const Member* member = TopologyAt(seen_by)->Find(IdOf(index));
    return member == nullptr ? MemberState{} : member->state;
  }
  // All of these hold one topology.
  bool AwaitAgreedAt(const std::vector<size_t>& at, Duration limit = std::chrono::minutes(2)) {
    return world().RunUntil(
        [&] {
          return std::ranges::all_of(
              at, [&](size_t i) { return node(i).started() && TopologyAt(i) && *TopologyAt(i) == *TopologyAt(at[0]); });
        },
        world().now() + limit);
  }

  // ---- Clients

  Result<PutReply> Put(size_t at, const std::string& key, const std::string& value, uint32_t w = 2) {
    PutRequest request;
    request.key = {"siblings", "bucket", key};
    request.content.value = value;
    request.options.w = QuorumValue::Number(w);
    return world().Await(cluster().clients(), cluster().Put(at, std::move(request), std::chrono::seconds(10)));
  }
  Result<GetReply> Get(size_t at, const std::string& key, uint32_t r = 2) {
    GetRequest request;
    request.key = {"siblings", "bucket", key};
    request.options.r = QuorumValue::Number(r);
    return world().Await(cluster().clients(), cluster().Get(at, std::move(request), std::chrono::seconds(10)));
  }
  bool Has(size_t at, const std::string& key, const std::string& value) {
    const auto got = Get(at, key);
    return got && std::ranges::any_of(got->object.siblings,
                                      [&](const Sibling& sibling) { return sibling.content.value == value; });
  }
};

// Of these keys, which were acknowledged since a change began, one that somebody who
// is about to own it does not have, though all have been up for long; empty: none.
inline std::string NotSentToPending(RingCluster& cluster, const std::vector<std::string>& keys) {
  const auto topology = cluster.TopologyAt(0);
  for (const std::string& key : keys) {
    const auto location =
        cluster.world().Await(cluster.node(0).scope(0), cluster.node(0).admin().Locate({"siblings", "bucket", key}));
    if (!location) return key + ": " + location.error().message;
    for (const NodeId node : PendingOwners(*topology, location->partition, location->n_val)) {
      const auto holder = std::ranges::find(location->holders, node, &KeyLocation::Holder::node);
      if (holder == location->holders.end() || !holder->has_object) return key + " was not sent to a pending owner";
    }
  }
  return "";
}

// Nodes hear of a join one after another, one of them last of all and from those it
// writes to. Returns the violation, if it comes to one.
inline std::string WriteWhileAJoinIsHeardOf(uint64_t seed, SimClusterConfig config) {
  config.nodes = 5;
  config.spares = 1;
  config.service.transfer_max_concurrent = 0;
  RingCluster cluster(seed, config);
  const size_t last = 3;
  cluster.CutOff({last});
  if (!cluster.Change(0, ChangeTo(cluster.Join(4), "join")).has_value()) return "the join was not decided";
  cluster.AwaitAgreedAt({0, 1, 2, 4});
  cluster.cluster().network().HealAll();
  std::vector<std::string> keys;
  for (int i = 0; i < 12; ++i) {
    const std::string key = "key" + std::to_string(i);
    if (cluster.Put(i < 6 ? last : static_cast<size_t>(i) % 3, key, "value").has_value()) keys.push_back(key);
  }
  cluster.AwaitAgreedAt({0, 1, 2, 3, 4});
  cluster.world().RunFor(std::chrono::seconds(30));
  if (keys.size() < 6) return "no writes";
  return NotSentToPending(cluster, keys);
}

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_RING_CHANGES_FIXTURE_H_
