#include "node/adapter/kubernetes_seeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/lib/kube/fake_api_server.h"
#include "tests/lib/temporary_folder.h"

namespace dynamo {
namespace {

using ::testing::ElementsAre;
using testing::FakeApiServer;
using testing::FakeReply;
using testing::FakeRequest;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSlices[] = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices";

kube::Object Slice(const std::string& name, const std::string& service, const std::string& rest) {
  return *kube::ParseObject(R"({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": ")" +
                            name + R"(", "namespace": "shop", "labels": {"kubernetes.io/service-name": ")" + service +
                            R"("}}, )" + rest + "}");
}

class KubernetesSeedsTest : public ::testing::Test {
 protected:
  void Add(const std::string& name, const std::string& service, const std::string& rest) {
    server_.Do("POST", kSlices, Slice(name, service, rest));
  }
  Result<std::vector<std::string>> LookUp(const std::string& service = "demo-nodes") {
    auto config = server_.config();
    config.default_namespace = "shop";
    config.token_file = token_file_;
    return KubernetesSeeds(*ParseKubernetesService(service), 8099, [config] { return config; }).LookUp();
  }

  FakeApiServer server_;
  std::string token_file_;
};

TEST_F(KubernetesSeedsTest, EveryEndpointIsAPeerReadyOrNot) {
  Add("demo-nodes-1", "demo-nodes",
      R"("addressType": "IPv4", "ports": [{"name": "admin", "port": 8091}, {"name": "peer", "port": 7000}], "endpoints":
         [{"addresses": ["10.0.0.1"], "conditions": {"ready": true}}, {"addresses": ["10.0.0.2"], "conditions": {"ready": false}}])");
  Add("demo-nodes-2", "demo-nodes", R"("addressType": "IPv6", "endpoints": [{"addresses": ["fd00::3"]}])");
  EXPECT_THAT(*LookUp(), ElementsAre("10.0.0.1:7000", "10.0.0.2:7000", "[fd00::3]:8099"));
  EXPECT_THAT(*LookUp("shop/demo-nodes"), ::testing::SizeIs(3));
}

TEST_F(KubernetesSeedsTest, OtherServicesAreNotAskedFor) {
  Add("other-1", "other", R"("addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.9"]}])");
  EXPECT_THAT(*LookUp(), IsEmpty());
  EXPECT_THAT(*LookUp("elsewhere/other"), IsEmpty());
}

TEST_F(KubernetesSeedsTest, AMissingPermissionIsSaid) {
  server_.set_intercept([](const FakeRequest&) {
    return FakeReply{403, R"({"kind": "Status", "message": "endpointslices is forbidden", "reason": "Forbidden"})", {}};
  });
  const auto found = LookUp();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::kUnavailable);
  EXPECT_THAT(found.error().message, HasSubstr("shop/demo-nodes"));
  EXPECT_THAT(found.error().message, HasSubstr("endpointslices is forbidden"));
}

TEST_F(KubernetesSeedsTest, TheTokenIsReadAnewEachTime) {
  const TemporaryFolder folder;
  token_file_ = folder.path() + "/token";
  std::vector<std::string> seen;
  server_.set_intercept([&seen](const FakeRequest& request) -> std::optional<FakeReply> {
    seen.push_back(request.authorization);
    return std::nullopt;
  });
  std::ofstream(token_file_) << "first";
  EXPECT_TRUE(LookUp());
  std::ofstream(token_file_) << "second";
  EXPECT_TRUE(LookUp());
  EXPECT_THAT(seen, ElementsAre("Bearer first", "Bearer second"));
}

TEST_F(KubernetesSeedsTest, AServerInTroubleIsUnavailable) {
  server_.set_intercept([](const FakeRequest&) { return FakeReply{500, "oops", {}}; });
  EXPECT_EQ(LookUp().error().code, Errc::kUnavailable);
}

TEST(KubernetesSeeds, OutsideOfAPodTheReasonIsPassedOn) {
  const KubernetesSeeds seeds({"", "demo-nodes"}, 8099,
                              [] { return Fail(Errc::kNotFound, "this is no pod: there is no token"); });
  EXPECT_EQ(seeds.LookUp().error().code, Errc::kNotFound);
}

TEST(PeersOf, SlicesOfOtherShapesAreNoPeers) {
  for (const char* rest :
       {R"("addressType": "FQDN", "endpoints": [{"addresses": ["x.example"]}])", R"("endpoints": [])",
        R"("addressType": "IPv4")", R"("addressType": "IPv4", "endpoints": [{}, 1, null])",
        R"("addressType": "IPv4", "endpoints": [{"addresses": [1, null]}], "ports": 3)"}) {
    EXPECT_THAT(PeersOf({Slice("s", "demo-nodes", rest)}, 8099), IsEmpty()) << rest;
  }
}

TEST(ParseKubernetesService, TakesANameWithOrWithoutItsNamespace) {
  EXPECT_EQ(ParseKubernetesService("demo-nodes")->namespace_, "");
  EXPECT_EQ(ParseKubernetesService("shop/demo-nodes")->namespace_, "shop");
  EXPECT_EQ(ParseKubernetesService("shop/demo-nodes")->name, "demo-nodes");
  for (const char* wrong : {"", "/", "/x", "x/", "a/b/c"}) {
    EXPECT_EQ(ParseKubernetesService(wrong).error().code, Errc::kInvalidArgument) << wrong;
  }
}

}  // namespace
}  // namespace dynamo
