// Many administrators, voters that crash, a network that cuts, loses, repeats and
// reorders: one topology for each epoch, nothing acknowledged lost, one in the end.
#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "tests/sim/register/fixture.h"

namespace dynamo::sim {
namespace {

class Chaos {
 public:
  explicit Chaos(uint64_t seed) : cluster_(seed, Config(seed)), rng_(cluster_.world().MakeRng("chaos")) {}

  void Run() {
    SpoilNetwork();
    for (int step = 0; step < 150; ++step) {
      const size_t at = rng_.Below(cluster_.cluster().size());
      Break(at);
      if (rng_.Chance(0.5) && cluster_.node(at).started()) Administer(at);
      cluster_.world().RunFor(Duration(rng_.Between(1'000, 400'000)));
      cluster_.Look();
    }
    cluster_.cluster().network().HealAll();
    cluster_.StartAll();
    cluster_.world().RunFor(std::chrono::seconds(15));
    EXPECT_TRUE(cluster_.AwaitAgreed()) << "no agreement after heal";
    cluster_.Look();
    Judge();
  }
  size_t acknowledged() const { return acknowledged_; }
  size_t epochs() const { return cluster_.epochs_seen(); }

 private:
  static SimClusterConfig Config(uint64_t seed) {
    SimClusterConfig config;
    config.nodes = 3 + seed % 4;
    return config;
  }
  // Once the cluster is created: that is another promise.
  void SpoilNetwork() {
    NetworkConfig& network = cluster_.cluster().network().config();
    network.drop = 0.02;
    network.duplicate = 0.05;
    network.reorder = 0.05;
  }

  void Break(size_t at) {
    const uint64_t what = rng_.Below(10);
    SimNode& node = cluster_.node(at);
    if (what == 0 && node.running()) node.Crash();
    if (what <= 2 && !node.running()) node.Start();
    if (what == 3) cluster_.CutOff({at});
    if (what == 4) cluster_.CutOff({at, rng_.Below(cluster_.cluster().size())});
    if (what >= 5 && what <= 6) cluster_.cluster().network().HealAll();
  }

  // A third of them asks again what somebody has asked before.
  void Administer(size_t at) {
    std::string name = "type-" + std::to_string(asked_.size());
    if (rng_.Chance(0.33) && !asked_.empty()) name = "type-" + std::to_string(rng_.Below(asked_.size()));
    const auto topology = cluster_.TopologyAt(at);
    if (!topology) return;
    std::optional<uint64_t> epoch;
    if (rng_.Chance(0.5)) epoch = topology->version.epoch;
    asked_[name].push_back(cluster_.Ask(at, CreateType(name, name, epoch)));
  }

  void Judge() {
    EXPECT_EQ(cluster_.violation(), "");
    const auto topology = cluster_.TopologyAt(0);
    for (const auto& [name, outcomes] : asked_) {
      std::optional<uint64_t> epoch;
      for (const auto& outcome : outcomes) {
        if (!outcome->has_value() || !(*outcome)->has_value()) continue;
        ++acknowledged_;
        EXPECT_TRUE(topology->types.contains(name)) << name << " was acknowledged and is lost";
        EXPECT_EQ(epoch.value_or(***outcome), ***outcome) << name << " has two epochs";
        epoch = ***outcome;
      }
    }
    // Each epoch but the first made one type.
    EXPECT_EQ(topology->types.size(), 3 + topology->version.epoch - 1);
  }

  RegisterCluster cluster_;
  Rng rng_;
  std::map<std::string, std::vector<RegisterCluster::Outcome>> asked_;
  size_t acknowledged_ = 0;
};

TEST(TopologyRegisterChaos, KeepsOneTopologyAnEpochAndLosesNothingAcknowledged) {
  size_t acknowledged = 0, epochs = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chaos chaos(seed);
    chaos.Run();
    acknowledged += chaos.acknowledged();
    epochs += chaos.epochs();
  }
  std::cout << acknowledged << " changes acknowledged, " << epochs << " epochs seen\n";
  EXPECT_GT(acknowledged, 100u);
}

}  // namespace
}  // namespace dynamo::sim
