#include "common/kube/leader_elector.h"

#include <gtest/gtest.h>

#include "common/kube/controller.h"
#include "tests/lib/kube/fake_api_server.h"
#include "tests/lib/kube/manual_clock.h"

namespace dynamo::kube {
namespace {

using ::dynamo::testing::FakeApiServer;
using ::dynamo::testing::FakeReply;
using ::dynamo::testing::FakeRequest;
using ::dynamo::testing::ManualClock;

constexpr char kLease[] = "/apis/coordination.k8s.io/v1/namespaces/ns/leases/operator";

class LeaderElectorTest : public ::testing::Test {
 protected:
  LeaderElectorTest() : client_(*RestClient::Make(server_.config(), &clock_, nullptr, {})) {}
  LeaderElector Elector(const std::string& identity) {
    return LeaderElector(client_.get(), Logger(), &metrics_, {"ns", "operator", identity});
  }

  ManualClock clock_;
  FakeApiServer server_;
  Metrics metrics_;
  std::unique_ptr<RestClient> client_;
};

TEST_F(LeaderElectorTest, OneOfTwoLeads) {
  LeaderElector first = Elector("first"), second = Elector("second");
  EXPECT_TRUE(first.TryOnce());
  EXPECT_FALSE(second.TryOnce());
  EXPECT_TRUE(first.TryOnce());
  EXPECT_EQ(StringAt(server_.Get(kLease), "spec.holderIdentity"), "first");
}

TEST_F(LeaderElectorTest, TheNextOneLeadsWhenTheLeaseWasNotRenewedForItsWholeTime) {
  LeaderElector first = Elector("first"), second = Elector("second");
  EXPECT_TRUE(first.TryOnce());
  EXPECT_FALSE(second.TryOnce());
  clock_.Advance(std::chrono::seconds(14));
  EXPECT_TRUE(first.TryOnce());
  EXPECT_FALSE(second.TryOnce());
  clock_.Advance(std::chrono::seconds(14));
  EXPECT_FALSE(second.TryOnce());
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_TRUE(second.TryOnce());
  EXPECT_FALSE(first.TryOnce());
  EXPECT_EQ(IntAt(server_.Get(kLease), "spec.leaseTransitions"), 1);
}

TEST_F(LeaderElectorTest, AReleasedLeaseIsTakenAtOnce) {
  LeaderElector first = Elector("first"), second = Elector("second");
  EXPECT_TRUE(first.TryOnce());
  first.Release();
  EXPECT_TRUE(second.TryOnce());
}

TEST_F(LeaderElectorTest, WhoCannotRenewForTenSecondsGivesUp) {
  LeaderElector first = Elector("first");
  StopFlag stop(&clock_);
  ASSERT_TRUE(first.Acquire(stop));
  EXPECT_EQ(metrics_.gauge("leader_election_master_status", "", {{"name", "operator"}}).value(), 1);
  server_.set_intercept([](const FakeRequest&) -> std::optional<FakeReply> { return FakeReply{500, "", {}}; });
  const TimePoint before = clock_.Now();
  EXPECT_FALSE(first.Hold(stop));
  EXPECT_GE(clock_.Now() - before, std::chrono::seconds(10));
  EXPECT_LT(clock_.Now() - before, std::chrono::seconds(15));
  EXPECT_EQ(metrics_.gauge("leader_election_master_status", "", {{"name", "operator"}}).value(), 0);
}

TEST_F(LeaderElectorTest, AManagerStartsNothingBeforeItLeadsAndEndsWhenItLeadsNoMore) {
  LeaderElector other = Elector("other"), own = Elector("own");
  ASSERT_TRUE(other.TryOnce());
  Manager manager({}, {}, &own, &clock_, Logger());
  std::atomic<int> patches = 0;
  server_.set_intercept([&](const FakeRequest& request) -> std::optional<FakeReply> {
    if (request.method != "PATCH" || ++patches < 3) return std::nullopt;
    return FakeReply{500, "", {}};
  });
  EXPECT_EQ(manager.Run(), Manager::End::kLeadershipLost);
  EXPECT_EQ(StringAt(server_.Get(kLease), "spec.holderIdentity"), "own");
}

}  // namespace
}  // namespace dynamo::kube
