// A quiet simulated cluster in which a test decides who is up.
#ifndef DYNAMO_TESTS_SIM_QUORUMS_FIXTURE_H_
#define DYNAMO_TESTS_SIM_QUORUMS_FIXTURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/check.h"
#include "node/core/ring/preference_list.h"
#include "tests/sim/cluster/cluster.h"

namespace dynamo::sim {

struct Quorums {
  uint32_t n, r, w;
};

class QuietCluster {
 public:
  QuietCluster(size_t nodes, uint32_t n_val) : QuietCluster(Config(nodes, n_val)) {}
  explicit QuietCluster(const SimClusterConfig& config)
      : world_(config.nodes * 10 + config.n_val), cluster_(&world_, config) {
    const Status created = cluster_.Create();
    DYNAMO_CHECK(created.has_value());
    key_ = {"siblings", "quorums", "key"};
    FindOwners(config.n_val);
  }

  SimCluster& cluster() { return cluster_; }
  SimWorld& world() { return world_; }
  // Node indices: the key's owners in order, then all others.
  const std::vector<size_t>& owners() const { return owners_; }
  const std::vector<size_t>& others() const { return others_; }

  // Crashes nodes and waits until the others know.
  void TakeDown(const std::vector<size_t>& nodes) {
    for (size_t node : nodes) cluster_.node(node).Crash();
    const bool known = world_.RunUntil([&] { return KnownDown(nodes); }, world_.now() + std::chrono::minutes(1));
    DYNAMO_CHECK(known);
  }

  Result<PutReply> Put(size_t at, const Quorums& quorums, bool sloppy, const std::string& value,
                       const Bytes& context = {}) {
    PutRequest request;
    request.key = key_;
    request.content.value = value;
    request.context = context;
    request.options.w = QuorumValue::Number(quorums.w);
    request.options.dw = QuorumValue::Number(quorums.w);
    request.options.sloppy_quorum = sloppy;
    return world_.Await(cluster_.clients(), cluster_.Put(at, std::move(request), kLimit));
  }
  Result<GetReply> Get(size_t at, const Quorums& quorums, bool sloppy) {
    GetRequest request;
    request.key = key_;
    request.options.r = QuorumValue::Number(quorums.r);
    request.options.sloppy_quorum = sloppy;
    return world_.Await(cluster_.clients(), cluster_.Get(at, std::move(request), kLimit));
  }
  static std::vector<std::string> ValuesOf(const GetReply& reply) {
    std::vector<std::string> out;
    for (const Sibling& sibling : reply.object.siblings) out.push_back(sibling.content.value);
    return out;
  }
  const ObjectKey& key() const { return key_; }

 private:
  static constexpr Duration kLimit = std::chrono::seconds(30);

  static SimClusterConfig Config(size_t nodes, uint32_t n_val) {
    SimClusterConfig config;
    config.nodes = nodes;
    config.n_val = n_val;
    return config;
  }

  void FindOwners(uint32_t n_val) {
    const auto topology = cluster_.node(0).admin().CurrentTopology();
    const PartitionId partition = PartitionOf(PositionOf(key_, topology->ring_seed), topology->partitions);
    const PreferenceList list = WalkRing(*topology, partition, n_val);
    for (NodeId owner : list.owners) owners_.push_back(IndexOf(owner));
    for (NodeId fallback : list.fallbacks) others_.push_back(IndexOf(fallback));
  }

  size_t IndexOf(NodeId id) {
    for (size_t i = 0; i < cluster_.size(); ++i) {
      if (cluster_.node(i).admin().Identity().node == id) return i;
    }
    DYNAMO_CHECK(false);
  }

  // Each node that runs routes to running nodes only.
  bool KnownDown(const std::vector<size_t>& down) {
    for (size_t i = 0; i < cluster_.size(); ++i) {
      if (!cluster_.node(i).running()) continue;
      if (cluster_.node(i).service().view()->up.size() != cluster_.size() - down.size()) return false;
    }
    return true;
  }

  SimWorld world_;
  SimCluster cluster_;
  ObjectKey key_;
  std::vector<size_t> owners_, others_;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_QUORUMS_FIXTURE_H_
