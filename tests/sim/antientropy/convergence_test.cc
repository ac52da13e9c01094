// Replicas that differ although nobody keeps a hint become equal by themselves.
#include "tests/sim/cluster/convergence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/cluster/trees.h"

namespace dynamo::sim {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

constexpr Duration kLimit = std::chrono::seconds(30);

// Nothing but anti-entropy repairs here: no hints, and nobody reads.
SimClusterConfig Forgetful() {
  SimClusterConfig config;
  config.nodes = 5;
  config.shards = 2;
  config.service.hint_bytes_max = 0;
  config.service.anti_entropy_interval = std::chrono::seconds(10);
  return config;
}

class AntiEntropyScenario : public testing::Test {
 protected:
  explicit AntiEntropyScenario(SimClusterConfig config = Forgetful()) : cluster_(&world_, std::move(config)) {
    EXPECT_TRUE(cluster_.Create().has_value());
    for (int i = 0; i < 60; ++i) keys_.push_back({i % 2 == 0 ? "siblings" : "lww", "b", "key" + std::to_string(i)});
  }

  void PutAll(size_t at, const std::string& value) {
    for (const ObjectKey& key : keys_) {
      PutRequest request;
      request.key = key;
      request.content.value = value;
      ASSERT_TRUE(world_.Await(cluster_.clients(), cluster_.Put(at, std::move(request), kLimit)).has_value());
    }
  }
  void WaitUntilEqual() {
    const auto equal = [this] { return CompareReplicas(cluster_, keys_).empty(); };
    EXPECT_TRUE(world_.RunUntil(equal, world_.now() + std::chrono::seconds(120)));
    EXPECT_THAT(CompareReplicas(cluster_, keys_), IsEmpty());
    EXPECT_THAT(CompareTrees(cluster_), IsEmpty());
  }

  // Keys that anti-entropy found to differ, on nodes that run.
  uint64_t Repaired() {
    uint64_t repaired = 0;
    for (size_t i = 0; i < cluster_.size(); ++i) {
      for (const auto& figure : cluster_.node(i).metrics().Collect()) {
        if (figure.name == "dynamo_anti_entropy_keys_repaired_total") repaired += figure.counter->value();
      }
    }
    return repaired;
  }

  SimWorld world_{42};
  SimCluster cluster_;
  std::vector<ObjectKey> keys_;
};

TEST_F(AntiEntropyScenario, ANodeThatWasAwayWithoutHintsIsEqualTwoMinutesLater) {
  PutAll(0, "before");
  cluster_.node(2).Crash();
  world_.RunFor(std::chrono::seconds(30));
  PutAll(0, "meanwhile");
  ASSERT_EQ(cluster_.HintsAtRest(), 0u);
  cluster_.node(2).Start();
  ASSERT_TRUE(world_.RunUntil([this] { return cluster_.IsWhole(); }, world_.now() + std::chrono::seconds(60)));
  WaitUntilEqual();
  EXPECT_GT(Repaired(), 0u);
}

TEST_F(AntiEntropyScenario, ObjectsThatVanishFromADiskComeBack) {
  PutAll(1, "whole");
  world_.RunFor(std::chrono::seconds(5));
  // Behind the node's back, while it is down.
  SimNode& node = cluster_.node(3);
  node.Crash();
  WriteOps ops;
  for (const auto& [key, object] : node.disk().applied(ColumnFamily::kObjects)) {
    ops.push_back({WriteOp::Kind::kDelete, ColumnFamily::kObjects, key, {}});
  }
  ASSERT_FALSE(ops.empty());
  node.disk().Apply(ops);
  node.Start();
  ASSERT_TRUE(world_.RunUntil([this] { return cluster_.IsWhole(); }, world_.now() + std::chrono::seconds(60)));
  WaitUntilEqual();
  EXPECT_GE(Repaired(), ops.size());
}

TEST_F(AntiEntropyScenario, TwoSidesOfACutThatWroteApartAreJoined) {
  // Nodes 0 and 1 on one side.
  for (HostId here : {1u, 2u}) {
    for (HostId there : {3u, 4u, 5u}) {
      cluster_.network().Cut(here, there);
      cluster_.network().Cut(there, here);
    }
  }
  world_.RunFor(std::chrono::seconds(30));
  for (size_t at : {0u, 3u}) {
    for (const ObjectKey& key : keys_) {
      PutRequest request;
      request.key = key;
      request.content.value = "side of " + std::to_string(at);
      request.options.w = request.options.dw = QuorumValue::Number(1);
      // Some have no owner on a side.
      static_cast<void>(world_.Await(cluster_.clients(), cluster_.Put(at, std::move(request), kLimit)));
    }
  }
  ASSERT_THAT(CompareReplicas(cluster_, keys_), Not(IsEmpty()));
  cluster_.network().HealAll();
  ASSERT_TRUE(world_.RunUntil([this] { return cluster_.IsWhole(); }, world_.now() + std::chrono::seconds(60)));
  WaitUntilEqual();
}

class RottingScenario : public AntiEntropyScenario {
 protected:
  static SimClusterConfig Rescanning() {
    SimClusterConfig config = Forgetful();
    config.service.anti_entropy_rescan = std::chrono::seconds(20);
    return config;
  }
  RottingScenario() : AntiEntropyScenario(Rescanning()) {}
};

TEST_F(RottingScenario, WhatRotsOnADiskIsFoundByTheRescanAndGotFromThePeers) {
  PutAll(0, "whole");
  world_.RunFor(std::chrono::seconds(5));
  for (int i = 0; i < 5; ++i) static_cast<void>(cluster_.node(1).disk().SpoilOne());
  ASSERT_THAT(CompareReplicas(cluster_, keys_), Not(IsEmpty()));
  WaitUntilEqual();
  // None is left to be turned back.
  const auto repaired = cluster_.node(1).disk().applied(ColumnFamily::kObjects);
  for (const auto& [key, object] : repaired) EXPECT_TRUE(DecodeObjectHeader(object).has_value());
}

}  // namespace
}  // namespace dynamo::sim
