// The whole program but for its main: client, informers, election, controller, pages.
#include "operator/controller/run_operator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <fstream>
#include <future>
#include <thread>

#include "operator/controller/status_server.h"
#include "tests/lib/kube/fake_api_server.h"
#include "tests/lib/temporary_folder.h"

namespace dynamo::op {
namespace {

using ::testing::HasSubstr;

class RunOperatorTest : public ::testing::Test {
 protected:
  RunOperatorTest() {
    options_.kubeconfig = folder_.path() + "/config";
    options_.watch_namespace = options_.lease_namespace = "shop";
    options_.listen_address = "127.0.0.1";
    options_.port = 0;
    std::ofstream(options_.kubeconfig) << "current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"
                                       << "clusters: [{name: c, cluster: {server: '" << api_.config().where()
                                       << "'}}]\nusers: [{name: u, user: {}}]\n";
  }
  // Runs it until `body`, which gets the URL of its pages, returns.
  void With(const std::function<void(const std::string& url)>& body) {
    std::promise<std::string> started;
    std::promise<std::function<void()>> stop;
    const Logger log(LogLevel::kInfo, [&](LogLevel, std::string_view line) {
      const size_t port = line.find(" port=");
      if (line.starts_with("operator_starting"))
        started.set_value("http://127.0.0.1:" + std::string(line.substr(port + 6)));
    });
    auto end = std::async(std::launch::async, [&] {
      return RunOperator(options_, log, [&](std::function<void()> how) { stop.set_value(std::move(how)); });
    });
    body(started.get_future().get());
    stop.get_future().get()();
    EXPECT_EQ(end.get(), kube::Manager::End::kStopped);
  }
  // False: not within ten seconds.
  static bool Await(const std::function<bool()>& condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return condition();
  }
  static std::string MetricsOf(const std::string& url) {
    const auto answer = httplib::Client(url).Get("/metrics");
    return answer ? answer->body : "";
  }

  TemporaryFolder folder_;
  testing::FakeApiServer api_;
  RunOptions options_;
};

constexpr char kClusters[] = "/apis/dynamo.internal/v1alpha1/namespaces/shop/dynamoclusters";

TEST_F(RunOperatorTest, LeadsAndLooksAfterAClusterThatAppears) {
  With([this](const std::string& url) {
    api_.AwaitWatches(3);
    EXPECT_TRUE(CheckPages(url));
    api_.Do("POST", kClusters, {{"metadata", {{"name", "demo"}}}, {"spec", {{"replicas", 3}, {"version", "1"}}}});
    EXPECT_TRUE(Await([this] { return !api_.List("/apis/apps/v1/namespaces/shop/statefulsets").empty(); }));
    // Counted when the first pass has ended.
    EXPECT_TRUE(
        Await([&url] { return MetricsOf(url).find("controller_runtime_reconcile_total") != std::string::npos; }));
    const std::string metrics = MetricsOf(url);
    for (const char* name : {"leader_election_master_status{name=\"dynamo-operator\"} 1", "workqueue_adds_total",
                             "rest_client_requests_total"}) {
      EXPECT_THAT(metrics, HasSubstr(name));
    }
  });
  const auto lease = api_.Get("/apis/coordination.k8s.io/v1/namespaces/shop/leases/dynamo-operator");
  EXPECT_EQ(kube::StringAt(lease, "spec.holderIdentity"), "");  // Given back.
}

TEST_F(RunOperatorTest, IsNotReadyBeforeItsFirstLists) {
  api_.set_intercept(
      [](const testing::FakeRequest&) -> std::optional<testing::FakeReply> { return testing::FakeReply{500, "", {}}; });
  With([](const std::string& url) {
    const Status well = CheckPages(url);
    ASSERT_FALSE(well);
    EXPECT_THAT(well.error().message, HasSubstr("/readyz: 503"));
    EXPECT_EQ(httplib::Client(url).Get("/healthz")->status, 200);
  });
}

TEST(RunOperator, SaysWhyItCannotStart) {
  RunOptions options;
  options.kubeconfig = "/nowhere/config";
  const auto end = RunOperator(options, Logger(), [](const std::function<void()>&) {});
  ASSERT_FALSE(end);
  EXPECT_THAT(end.error().message, HasSubstr("/nowhere/config"));
  EXPECT_FALSE(CheckPages("http://127.0.0.1:1"));
}

TEST(DrawUuid, IsAnotherEachTime) {
  EXPECT_EQ(DrawUuid().size(), 36u);
  EXPECT_NE(DrawUuid(), DrawUuid());
}

}  // namespace
}  // namespace dynamo::op
