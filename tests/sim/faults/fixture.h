// A small cluster whose machines a test breaks one by one.
#ifndef DYNAMO_TESTS_SIM_FAULTS_FIXTURE_H_
#define DYNAMO_TESTS_SIM_FAULTS_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/quorums/fixture.h"

namespace dynamo::sim {

// Every read goes to the disk, so that what is wrong with it shows.
inline SimClusterConfig WithoutMemory(size_t nodes, uint32_t n_val) {
  SimClusterConfig config;
  config.nodes = nodes;
  config.n_val = n_val;
  config.disk.memory_misses = 1;
  config.service.clock_cache_entries = 1;
  return config;
}

class FaultScenario : public ::testing::Test {
 protected:
  static constexpr Quorums kTwoOfThree{3, 2, 2};

  void Make(const SimClusterConfig& config) { quiet_ = std::make_unique<QuietCluster>(config); }
  SimCluster& cluster() { return quiet_->cluster(); }
  SimNode& node(size_t index) { return cluster().node(index); }
  size_t owner(size_t place) const { return quiet_->owners()[place]; }

  // By a client that has read; W of its owners have it on disk then.
  void Write(const std::string& value, const Quorums& quorums = kTwoOfThree) {
    const auto before = quiet_->Get(owner(0), quorums, /*sloppy=*/true);
    const auto put = quiet_->Put(owner(0), quorums, /*sloppy=*/true, value, before ? before->context : Bytes());
    ASSERT_TRUE(put.has_value()) << put.error().message;
  }
  Result<PutReply> PutAt(size_t index, const std::string& value, const Bytes& context = {}) {
    return quiet_->Put(index, kTwoOfThree, /*sloppy=*/true, value, context);
  }
  Result<GetReply> GetAt(size_t index, const Quorums& quorums = kTwoOfThree) {
    return quiet_->Get(index, quorums, /*sloppy=*/true);
  }
  std::vector<std::string> ValuesAt(size_t index, const Quorums& quorums = kTwoOfThree) {
    const auto reply = GetAt(index, quorums);
    EXPECT_TRUE(reply.has_value()) << reply.error().message;
    return reply ? QuietCluster::ValuesOf(*reply) : std::vector<std::string>();
  }

  void Restart(size_t index) {
    if (node(index).running()) node(index).Crash();
    node(index).Start();
    AwaitWhole();
  }
  void AwaitWhole() {
    EXPECT_TRUE(Await([this] { return cluster().IsWhole(); }));
  }
  bool Await(const std::function<bool()>& done) {
    return quiet_->world().RunUntil(done, quiet_->world().now() + std::chrono::minutes(2));
  }
  void RunFor(Duration duration) { quiet_->world().RunFor(duration); }

  std::unique_ptr<QuietCluster> quiet_;
};

}  // namespace dynamo::sim

#endif  // DYNAMO_TESTS_SIM_FAULTS_FIXTURE_H_
