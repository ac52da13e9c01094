// A simulated cluster, its administrators, and everything they were told.
#ifndef DYNAMO_TESTS_SIM_REGISTER_FIXTURE_H_
#define DYNAMO_TESTS_SIM_REGISTER_FIXTURE_H_

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "tests/sim/cluster/cluster.h"

namespace dynamo::sim {

inline TopologyChange CreateType(const std::string& name, const std::string& id, std::optional<uint64_t> epoch = {}) {
  TopologyChange change;
  change.operation_id = id;
  change.epoch = epoch;
  change.what = CreateBucketType{name, {}};
  return change;
}

class RegisterCluster {
 public:
  using Outcome = std::shared_ptr<std::optional<Result<uint64_t>>>;

  RegisterCluster(uint64_t seed, const SimClusterConfig& config) : world_(seed), cluster_(&world_, config) {
    const Status created = cluster_.Create();
    DYNAMO_CHECK(created.has_value());
    // Voters have asked each other what they remember.
    world_.RunFor(std::chrono::seconds(2));
  }

  SimWorld& world() { return world_; }
  SimCluster& cluster() { return cluster_; }
  SimNode& node(size_t index) { return cluster_.node(index); }
  std::shared_ptr<const Topology> TopologyAt(size_t index) { return node(index).admin().CurrentTopology(); }

  // What an administrator asks of a node that runs; the answer never comes if it dies.
  Outcome Ask(size_t index, TopologyChange change) {
    auto outcome = std::make_shared<std::optional<Result<uint64_t>>>();
    node(index).scope(0).Spawn(Serve(&node(index).admin(), std::move(change), outcome));
    world_.Settle();
    return outcome;
  }
  Result<uint64_t> Change(size_t index, TopologyChange change) {
    const Outcome outcome = Ask(index, std::move(change));
    DYNAMO_CHECK(world_.RunUntil([&] { return outcome->has_value(); }, world_.now() + std::chrono::minutes(1)));
    return **outcome;
  }

  // Cuts these off from all others, both ways.
  void CutOff(const std::vector<size_t>& side) {
    for (size_t a = 0; a < cluster_.size(); ++a) {
      for (size_t b = 0; b < cluster_.size(); ++b) {
        const bool here = std::ranges::find(side, a) != side.end(), there = std::ranges::find(side, b) != side.end();
        if (here != there) cluster_.network().Cut(node(a).config().host, node(b).config().host);
      }
    }
  }
  void StartAll() {
    for (size_t i = 0; i < cluster_.size(); ++i) {
      if (!node(i).running()) node(i).Start();
    }
  }
  // Looks at what every node that runs holds; two topologies of one epoch are kept
  // as a violation.
  void Look() {
    for (size_t i = 0; i < cluster_.size(); ++i) {
      if (!node(i).started()) continue;
      const auto topology = TopologyAt(i);
      if (!topology) continue;
      const auto [seen, fresh] = seen_.emplace(topology->version.epoch, topology);
      if (*seen->second == *topology) continue;
      violation_ = fmt::format("two topologies of epoch {}", topology->version.epoch);
    }
  }
  const std::string& violation() const { return violation_; }
  size_t epochs_seen() const { return seen_.size(); }

  // All nodes run and hold one topology.
  bool Agreed() {
    for (size_t i = 0; i < cluster_.size(); ++i) {
      if (!node(i).started() || !node(i).start_outcome()) return false;
      if (!TopologyAt(i) || HashOf(*TopologyAt(i)) != HashOf(*TopologyAt(0))) return false;
    }
    return true;
  }
  bool AwaitAgreed(Duration limit = std::chrono::minutes(2)) {
    return world_.RunUntil([this] { return Agreed(); }, world_.now() + limit);
  }

 private:
  static Async<> Serve(AdminHandler* admin, TopologyChange change, Outcome outcome) {
    *outcome = co_await admin->Change(std::move(change));
  }

  SimWorld world_;
  SimCluster cluster_;
  std::map<uint64_t, std::shared_ptr<const Topology>> seen_;
  std::string violation_;
};

// A voter whose disk is slow agrees to a change and loses power; the others then
// decide without who was told of it. Returns the violation, if it comes to one.
inline std::string AgreeAndLosePower(uint64_t seed, const SimClusterConfig& given) {
  SimClusterConfig config = given;
  config.nodes = 3;
  RegisterCluster cluster(seed, config);
  SimNode& voter = cluster.node(1);
  cluster.CutOff({2});
  voter.disk().SetSlowness(1000);
  const auto first = cluster.Ask(0, CreateType("first", "first"));
  const bool told = cluster.world().RunUntil([&] { return first->has_value() && (*first)->has_value(); },
                                             cluster.world().now() + std::chrono::seconds(30));
  if (!told) return "";
  cluster.Look();
  voter.Crash();
  voter.disk().SetSlowness(1);
  cluster.cluster().network().HealAll();
  cluster.CutOff({0});
  voter.Start();
  const auto second = cluster.Ask(2, CreateType("second", "second"));
  cluster.world().RunUntil([&] { return second->has_value(); }, cluster.world().now() + std::chrono::seconds(30));
  cluster.Look();
  return cluster.violation();
}

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_REGISTER_FIXTURE_H_
