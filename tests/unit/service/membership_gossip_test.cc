#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/service/membership_cluster.h"

namespace dynamo {
namespace {

using namespace std::chrono_literals;
using Cluster = MembershipCluster;

// A cluster of all its nodes, settled.
struct Created : Cluster {
  Created(int nodes, uint64_t seed, std::vector<int> seed_nodes = {}) : Cluster(nodes, seed, std::move(seed_nodes)) {
    std::vector<int> all;
    all.reserve(static_cast<size_t>(nodes));
    for (int node = 0; node < nodes; ++node) all.push_back(node);
    topology = *Create(0, Request(all));
    Run(3s);
  }
  bool AllSee(int subject, bool up) {
    for (int node = 0; node < size(); ++node) {
      if (node != subject && running(node) && (*this)[node].view().IsUp(ids(subject)) != up) return false;
    }
    return true;
  }
  // Also of nodes that are not running now.
  NodeId ids(int node) {
    for (const Member& member : topology->members) {
      if (member.name == "node-" + std::to_string(node)) return member.id;
    }
    return {};
  }
  TopologyPtr topology;
};

TEST(Gossip, StartsFromOneSeed) {
  Cluster cluster(6, 1, /*seed_nodes=*/{0});
  EXPECT_LT(cluster.RunUntil([&] { return cluster.AllSeeAll(); }, 60s), 5s);
}

TEST(Gossip, AsksItsSeedsAgainWithBackOffWhileItKnowsNobody) {
  Cluster cluster(2, 2, /*seed_nodes=*/{0, 1});
  cluster.Crash(1);
  cluster.Run(60s);
  // 0.5, 1, 2, 4, 8, 10, 10, ... seconds.
  EXPECT_GE(cluster.seeds(0).asked, 7);
  EXPECT_LE(cluster.seeds(0).asked, 12);
  ASSERT_TRUE(cluster.Start(1));
  EXPECT_LT(cluster.RunUntil([&] { return cluster.AllSeeAll(); }, 60s), 1s);
  const int asked = cluster.seeds(0).asked;
  cluster.Run(60s);
  EXPECT_EQ(cluster.seeds(0).asked, asked);
}

TEST(Gossip, LivesThroughSeedsThatCannotBeResolved) {
  Cluster cluster(1, 3, /*seed_nodes=*/{0});
  cluster.seeds(0).failing = true;
  cluster.Run(60s);
  EXPECT_TRUE(cluster[0].view().IsUp(cluster[0].id()));
}

TEST(Gossip, AQuietClusterSpeaksLittleAndPublishesNothing) {
  Created cluster(5, 4);
  cluster.Run(30s);
  uint64_t views = 0;
  for (int node = 0; node < 5; ++node) views += cluster[node].views;
  const uint64_t before = cluster.network.counts().messages;
  cluster.Run(60s);
  for (int node = 0; node < 5; ++node) views -= cluster[node].views;
  EXPECT_EQ(views, 0u);
  // A ping and a gossip a second, each with its answer.
  EXPECT_LE(cluster.network.counts().messages - before, 5u * 60 * 4 * 12 / 10);
}

TEST(Gossip, ANodeThatDiesIsDownForAllWithinSeconds) {
  Created cluster(5, 5);
  cluster.Crash(3);
  EXPECT_LT(cluster.RunUntil([&] { return cluster.AllSee(3, false); }, 60s), 6s);
  cluster.Run(10s);
  EXPECT_EQ(cluster[0].view().nodes.at(cluster.ids(3)).liveness, Liveness::kDead);
}

TEST(Gossip, AFailedRequestTakesTheNodeOutAtOnceForTheOneItFailed) {
  Created cluster(3, 6);
  cluster.Crash(2);
  cluster[0].membership().OnPeerUnreachable(cluster.ids(2));
  EXPECT_FALSE(cluster[0].view().IsUp(cluster.ids(2)));
}

TEST(Gossip, AFalseAlarmIsOverWithinARoundTrip) {
  Created cluster(3, 7);
  cluster[0].membership().OnPeerUnreachable(cluster.ids(2));
  EXPECT_FALSE(cluster[0].view().IsUp(cluster.ids(2)));
  EXPECT_LT(cluster.RunUntil([&] { return cluster.Sees(0, 2); }, 10s), 10ms);
}

TEST(Gossip, ANodeKilledAndRestartedAtOnceIsUpForAllWithinASecond) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Created cluster(5, seed);  // No seeds: it remembers where its peers were.
    cluster.Run(Duration(seed * 37'000));
    cluster.Crash(2);
    ASSERT_TRUE(cluster.Start(2));
    const auto back = [&] {
      for (int node = 0; node < 5; ++node) {
        const auto& info = cluster[node].view().nodes.find(cluster.ids(2));
        if (info == cluster[node].view().nodes.end() || info->second.incarnation >> 32 != 2) return false;
      }
      return cluster.AllSeeAll();
    };
    EXPECT_LT(cluster.RunUntil(back, 60s), 1s) << seed;
    cluster.Run(20s);
    EXPECT_TRUE(cluster.AllSeeAll()) << seed;
  }
}

TEST(Gossip, ANodeRestartedAfterItsDeathIsUpForAllWithinASecond) {
  Created cluster(5, 8);
  cluster.Crash(2);
  cluster.Run(60s);
  ASSERT_TRUE(cluster.Start(2));
  EXPECT_LT(cluster.RunUntil([&] { return cluster.AllSeeAll(); }, 60s), 1s);
}

TEST(Gossip, AWholeClusterRestartedWithoutSeedsFindsItself) {
  Created cluster(5, 9);
  for (int node = 0; node < 5; ++node) cluster.Crash(node);
  for (int node = 0; node < 5; ++node) ASSERT_TRUE(cluster.Start(node));
  EXPECT_LT(cluster.RunUntil([&] { return cluster.AllSeeAll(); }, 60s), 3s);
}

TEST(Gossip, ANodeThatComesBackAtAnotherAddressIsFoundThere) {
  Created cluster(3, 10);
  cluster.Crash(2);
  ASSERT_TRUE(cluster.Start(2, "10.9.9.9:8099"));
  EXPECT_LT(cluster.RunUntil([&] { return cluster.AllSeeAll(); }, 60s), 2s);
  EXPECT_EQ(cluster[0].view().nodes.at(cluster.ids(2)).peer_address, "10.9.9.9:8099");
  cluster.Run(30s);
  EXPECT_TRUE(cluster.AllSeeAll());
}

TEST(Gossip, MembersThatHaveAllMovedFindEachOtherThroughAStranger) {
  Cluster cluster(4, 12, /*seed_nodes=*/{3});
  ASSERT_TRUE(cluster.Create(0, Cluster::Request({0, 1, 2})).has_value());
  cluster.Run(5s);
  for (int node = 0; node < 3; ++node) cluster.Crash(node);
  for (int node = 0; node < 3; ++node) {
    ASSERT_TRUE(cluster.Start(node, "10.9.9." + std::to_string(node + 1) + ":8099"));
  }
  const auto all_see_all = [&] {
    for (int node = 0; node < 3; ++node) {
      for (int other = 0; other < 3; ++other) {
        if (!cluster.Sees(node, other)) return false;
      }
    }
    return true;
  };
  EXPECT_LT(cluster.RunUntil(all_see_all, 120s), 30s);
}

TEST(Gossip, BothSidesOfAHealedPartitionFindEachOther) {
  Created cluster(5, 11);
  cluster.CutOff(3);
  cluster.CutOff(4);
  cluster.Run(120s);
  EXPECT_TRUE(cluster.AllSee(3, false));
  EXPECT_FALSE(cluster.Sees(3, 0));
  cluster.network.HealAll();
  EXPECT_LT(cluster.RunUntil([&] { return cluster.AllSeeAll(); }, 60s), 15s);
}

TEST(Gossip, APausedNodeIsTakenOutAndComesBack) {
  Created cluster(4, 12);
  cluster[1].Pause();
  EXPECT_LT(cluster.RunUntil([&] { return cluster.AllSee(1, false); }, 60s), 8s);
  cluster.Run(30s);
  cluster[1].Resume();
  EXPECT_LT(cluster.RunUntil([&] { return cluster.AllSeeAll(); }, 60s), 5s);
}

TEST(Gossip, MakesTheGossipedStateEqualEverywhere) {
  Created cluster(5, 13);
  cluster[3].number.value = 42;
  const auto all_have_it = [&] {
    for (int node = 0; node < 5; ++node) {
      if (cluster[node].number.value != 42) return false;
    }
    return true;
  };
  EXPECT_LT(cluster.RunUntil(all_have_it, 60s), 8s);
  for (int node = 0; node < 5; ++node) cluster[node].number.value = 0;
  cluster[3].number.value = 42;
  cluster[3].membership().Announce();
  EXPECT_LT(cluster.RunUntil(all_have_it, 60s), 100ms);
}

TEST(Gossip, ANewerTopologyOfferedToOneReachesAllAndIsOnTheirDisks) {
  Created cluster(5, 14);
  Topology next = *cluster.topology;
  next.version.epoch = 7;
  peer::Request offer;
  offer.mutable_offer_topology()->set_topology(EncodeTopology(next));
  cluster[0].membership().OnRequest(cluster.ids(1), offer, [](SharedBytes) {});
  const auto shared = std::make_shared<const Topology>(next);
  EXPECT_LT(cluster.RunUntil([&] { return cluster.AllHave(shared); }, 60s), 8s);
  for (int node = 0; node < 5; ++node) cluster.Crash(node);
  for (int node = 0; node < 5; ++node) ASSERT_TRUE(cluster.Start(node));
  EXPECT_TRUE(cluster.AllHave(shared));
}

TEST(Gossip, AStrangerThatDiesIsForgottenByAll) {
  Created cluster(5, 15, /*seed_nodes=*/{0});
  cluster.Crash(4);
  cluster.Wipe(4);
  ASSERT_TRUE(cluster.Start(4));
  const NodeId stranger = cluster[4].id();
  const auto all_know = [&](bool known) {
    for (int node = 0; node < 4; ++node) {
      if (cluster[node].view().nodes.contains(stranger) != known) return false;
    }
    return true;
  };
  EXPECT_LT(cluster.RunUntil([&] { return all_know(true); }, 60s), 10s);
  cluster.Crash(4);
  EXPECT_LT(cluster.RunUntil([&] { return all_know(false); }, 120s), 60s);
  for (int i = 0; i < 60; ++i) {
    cluster.Run(1s);
    ASSERT_TRUE(all_know(false)) << i;
  }
}

TEST(Gossip, ConvergesAfterAnyMixOfCrashesPausesCutsAndLosses) {
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    Created cluster(5, seed);
    Rng rng(seed);
    cluster.network.config().drop = 0.05;
    cluster.network.config().reset = 0.02;
    cluster.network.config().duplicate = 0.05;
    cluster.network.config().reorder = 0.05;
    for (int i = 0; i < 30; ++i) {
      const int node = static_cast<int>(rng.Below(5));
      switch (rng.Below(4)) {
        case 0: cluster.Crash(node); break;
        case 1: cluster.CutOff(node); break;
        case 2: cluster.network.HealAll(); break;
        default: cluster[node].number.value = rng.Below(1000);
      }
      cluster.Run(Duration(static_cast<int64_t>(rng.Below(4'000'000))));
      if (!cluster.running(node)) ASSERT_TRUE(cluster.Start(node));
    }
    cluster.network.HealAll();
    cluster.network.config() = sim::NetworkConfig{};
    const auto equal = [&] {
      for (int node = 1; node < 5; ++node) {
        if (cluster[node].number.value != cluster[0].number.value) return false;
        if (cluster[node].view().nodes != cluster[0].view().nodes) return false;
      }
      return cluster.AllSeeAll() && cluster.AllHave(cluster.topology);
    };
    EXPECT_LT(cluster.RunUntil(equal, 120s), 30s) << seed;
  }
}

TEST(Gossip, TheSameSeedGivesTheSameTrace) {
  const auto run = [](uint64_t seed) {
    Created cluster(4, seed);
    cluster.Crash(1);
    cluster.Run(10s);
    return cluster.world.trace_hash();
  };
  EXPECT_EQ(run(3), run(3));
  EXPECT_NE(run(3), run(4));
}

}  // namespace
}  // namespace dynamo
