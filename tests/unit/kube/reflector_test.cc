#include "common/kube/reflector.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/serialize.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "common/kube/informer.h"
#include "tests/lib/kube/fake_api_server.h"
#include "tests/lib/kube/manual_clock.h"

namespace dynamo::kube {
namespace {

using ::dynamo::testing::FakeApiServer;
using ::dynamo::testing::FakeReply;
using ::dynamo::testing::FakeRequest;
using ::dynamo::testing::ManualClock;

Object NamedPod(const std::string& name) {
  return {{"kind", "Pod"}, {"metadata", {{"name", name}}}, {"spec", Object{}}};
}

class ReflectorTest : public ::testing::Test {
 protected:
  ReflectorTest()
      : client_(*RestClient::Make(server_.config(), &clock_, nullptr, {})),
        informer_(client_.get(), Logger(), {Pods(), "ns", {}},
                  [this](const std::string& key, const ObjectRef& before, const ObjectRef& after) {
                    const std::lock_guard lock(mutex_);
                    changes_.push_back((!before ? "+" : !after ? "-" : "*") + key);
                    changed_.notify_all();
                  }) {}

  void Add(const std::string& name) { server_.Do("POST", "/api/v1/namespaces/ns/pods", NamedPod(name)); }
  void Remove(const std::string& name) { server_.Do("DELETE", "/api/v1/namespaces/ns/pods/" + name); }
  ::testing::AssertionResult Sees(const std::string& change) {
    std::unique_lock lock(mutex_);
    const bool seen = changed_.wait_for(lock, std::chrono::seconds(10),
                                        [&] { return std::ranges::find(changes_, change) != changes_.end(); });
    changes_.clear();
    return seen ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << "never saw " << change;
  }
  int Requests(const std::string& request) { return static_cast<int>(std::ranges::count(server_.requests(), request)); }

  ManualClock clock_;
  FakeApiServer server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> changes_;
  std::unique_ptr<RestClient> client_;
  Informer informer_;
};

TEST_F(ReflectorTest, SeesWhatWasThereAndWhatChanges) {
  Add("a");
  EXPECT_FALSE(informer_.store().synced());
  informer_.Start();
  EXPECT_TRUE(Sees("+ns/a"));
  EXPECT_TRUE(informer_.store().synced());
  Add("b");
  EXPECT_TRUE(Sees("+ns/b"));
  server_.Do("PATCH", "/api/v1/namespaces/ns/pods/b", {{"spec", {{"x", 1}}}});
  EXPECT_TRUE(Sees("*ns/b"));
  Remove("a");
  EXPECT_TRUE(Sees("-ns/a"));
  EXPECT_EQ(informer_.store().List().size(), 1u);
  EXPECT_EQ(IntAt(*informer_.store().Get("ns/b"), "spec.x"), 1);
}

TEST_F(ReflectorTest, AGoneInsideTheStreamListsAgainAndMakesUpForMissedDeletions) {
  Add("a");
  informer_.Start();
  EXPECT_TRUE(Sees("+ns/a"));
  server_.AwaitWatches(1);
  // A deletion that no watch tells of.
  server_.SendToWatches("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}}\n");
  server_.set_intercept([this](const FakeRequest& request) -> std::optional<FakeReply> {
    if (request.query.find("watch") == std::string::npos) Remove("a");
    return std::nullopt;
  });
  EXPECT_TRUE(Sees("-ns/a"));
}

TEST_F(ReflectorTest, HistoryThatTheServerForgotIsListedAnew) {
  Add("a");
  informer_.Start();
  EXPECT_TRUE(Sees("+ns/a"));
  server_.AwaitWatches(1);
  server_.ForgetHistory();
  Add("b");
  EXPECT_TRUE(Sees("+ns/b"));
}

TEST_F(ReflectorTest, ALineCutInTheMiddleIsNoEventAndTheWatchGoesOnWhereItWas) {
  informer_.Start();
  server_.AwaitWatches(1);
  Add("a");
  EXPECT_TRUE(Sees("+ns/a"));
  server_.SendToWatches("{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"a\",\"namesp");
  server_.CutWatches();
  Add("b");
  EXPECT_TRUE(Sees("+ns/b"));
  EXPECT_NE(informer_.store().Get("ns/a"), nullptr);
}

TEST_F(ReflectorTest, AWatchThatEndsInOrderIsResumedWithoutAList) {
  informer_.Start();
  server_.AwaitWatches(1);
  Add("a");
  EXPECT_TRUE(Sees("+ns/a"));
  server_.EndWatches();
  Add("b");
  EXPECT_TRUE(Sees("+ns/b"));
  EXPECT_EQ(clock_.waited(), Duration(0));
}

TEST_F(ReflectorTest, NonsenseInTheStreamEndsTheWatchNotTheProcess) {
  informer_.Start();
  server_.AwaitWatches(1);
  server_.SendToWatches("no json\n");
  Add("a");
  EXPECT_TRUE(Sees("+ns/a"));
}

TEST_F(ReflectorTest, AListThatFailsLeavesTheStoreUnsyncedAndIsTriedAgain) {
  // The informer asks on until after this test's body.
  server_.set_intercept(
      [failures = std::make_shared<std::atomic<int>>(3)](const FakeRequest&) -> std::optional<FakeReply> {
        if ((*failures)-- > 0) return FakeReply{500, "", {}};
        return std::nullopt;
      });
  Add("a");
  informer_.Start();
  EXPECT_TRUE(Sees("+ns/a"));
  EXPECT_GE(clock_.waited(), std::chrono::seconds(2));
}

TEST_F(ReflectorTest, StopEndsAWatchThatIsSilent) {
  informer_.Start();
  server_.AwaitWatches(1);
  informer_.Stop();  // Would block for the 90 s of silence otherwise.
}

TEST(WatchStream, SilenceForTooLongIsADeadConnection) {
  ManualClock clock;
  FakeApiServer server;
  const auto client = *RestClient::Make(server.config(), &clock, nullptr, {});
  WatchStream stream(client.get(), {std::chrono::minutes(5), std::chrono::milliseconds(20)});
  const auto end = stream.Run(Pods(), "ns", {}, "1", [](WatchEvent) {});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, ApiError::Kind::kUnknown);
}

TEST(Store, AListThatIsOlderThanTheWatchDeletesOnlyInTheStore) {
  std::vector<std::string> deleted;
  Store store([&](const std::string& key, const ObjectRef&, const ObjectRef& after) {
    if (!after) deleted.push_back(key);
  });
  const Object pod{{"metadata", {{"name", "a"}, {"namespace", "ns"}, {"resourceVersion", "7"}}}};
  store.Take({WatchEvent::Type::kAdded, pod});
  EXPECT_FALSE(store.synced());
  store.Replace({});
  EXPECT_TRUE(store.synced());
  EXPECT_EQ(deleted, std::vector<std::string>{"ns/a"});
  store.Take({WatchEvent::Type::kDeleted, pod});  // Known already.
  EXPECT_EQ(deleted.size(), 1u);
}

}  // namespace
}  // namespace dynamo::kube
