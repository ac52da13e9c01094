#include "node/api/admin_door.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>
#include <utility>

#include "tests/unit/api/fake_handler.h"

namespace dynamo {
namespace {

namespace http = boost::beast::http;
using http::verb;

class FakeAdmin : public AdminHandler {
 public:
  NodeIdentity Identity() const override { return {NodeId{1}, cluster, 4, ready ? "normal" : "empty", !ready}; }
  bool Ready() const override { return ready; }
  std::shared_ptr<const Topology> CurrentTopology() const override { return topology; }
  std::vector<NodeInfo> Members() const override {
    NodeInfo self;
    self.id = NodeId{1};
    self.name = "a";
    self.peer_address = "127.0.0.1:8099";
    return {self};
  }
  std::vector<HintCount> Hints() const override { return {{NodeId{2}, 3, 300}}; }
  Async<Result<KeyLocation>> Locate(ObjectKey key) override {
    located.push_back(std::move(key));
    KeyLocation location;
    location.position = {1, 2};
    location.walk = {{5, NodeId{2}, "z2", WalkStep::Role::kSkippedSameZone}};
    location.holders = {{NodeId{2}, true, true, {3, 4}, 2, false}};
    co_return location;
  }
  Async<Result<std::shared_ptr<const Topology>>> Create(CreateCluster request) override {
    created.push_back(std::move(request));
    if (refuse) co_return Fail(Errc::kAlreadyExists, "node at 127.0.0.2:8099 is not empty");
    co_return topology;
  }
  Result<RepairProgress> StartRepair(std::string operation_id, std::optional<PartitionId> partition) override {
    if (refuse) return Fail(Errc::kInvalidArgument, "this node does not own partition 5: ask one of b");
    if (repairs.empty() || repairs.back().operation_id != operation_id) {
      repaired.push_back(partition);
      repairs.emplace_back().operation_id = std::move(operation_id);
      repairs.back().exchanges = 6;
    }
    return repairs.back();
  }
  std::optional<RepairProgress> Repair(const std::string& operation_id) const override {
    for (const RepairProgress& repair : repairs) {
      if (repair.operation_id == operation_id) return repair;
    }
    return std::nullopt;
  }
  Async<Result<std::vector<TreeRoot>>> TreeRoots(PartitionId partition) override {
    if (partition > 7) co_return Fail(Errc::kInvalidArgument, "no partition 8");
    co_return std::vector<TreeRoot>{{3, {1, 2}, 4}};
  }
  Async<std::vector<MemberReport>> Reports() override { co_return std::vector<MemberReport>{}; }
  Async<Result<uint64_t>> Change(TopologyChange change) override {
    changed.push_back(std::move(change));
    if (refuse) co_return Fail(Errc::kConflict, "the topology is at epoch 9, not 8");
    co_return uint64_t{10};
  }

  std::vector<RepairProgress> repairs;
  std::vector<std::optional<PartitionId>> repaired;
  bool ready = false, refuse = false;
  ClusterId cluster;
  std::shared_ptr<const Topology> topology;
  std::vector<ObjectKey> located;
  std::vector<CreateCluster> created;
  std::vector<TopologyChange> changed;
};

class AdminDoorTest : public testing::Test {
 protected:
  HttpResponse Ask(verb method, const std::string& target, std::string body = {}) {
    HttpRequest request(method, target, 11);
    request.body() = std::move(body);
    return RunNow(door_.Answer(std::move(request)));
  }
  void ClusterExists() {
    auto topology = std::make_shared<Topology>();
    topology->cluster = ClusterId{{0x0123456789abcdef, 0x0fedcba987654321}};
    topology->version = {1, 9};
    topology->partitions = 8;
    topology->members = {{NodeId{1}, "a", "z1", 1, MemberState::kNormal}, {NodeId{2}, "b", "z2", 2}};
    topology->current =
        TokenMap({NodeId{1}, NodeId{2}, NodeId{1}, NodeId{2}, NodeId{1}, NodeId{2}, NodeId{1}, NodeId{2}});
    topology->types["siblings"] = {};
    admin_.topology = topology;
    admin_.cluster = topology->cluster;
    admin_.ready = true;
  }

  FakeAdmin admin_;
  Metrics metrics_;
  AdminDoor door_{&admin_, &metrics_};
};

TEST_F(AdminDoorTest, HealthIsNotReadiness) {
  EXPECT_EQ(Ask(verb::get, "/healthz").result_int(), 200u);
  EXPECT_EQ(Ask(verb::get, "/readyz").result_int(), 503u);
  ClusterExists();
  EXPECT_EQ(Ask(verb::get, "/readyz").result_int(), 200u);
}

TEST_F(AdminDoorTest, AStoppingNodeIsHealthyAndNotReady) {
  ClusterExists();
  door_.SetStopping();
  EXPECT_EQ(Ask(verb::get, "/healthz").result_int(), 200u);
  EXPECT_EQ(Ask(verb::get, "/readyz").result_int(), 503u);
}

TEST_F(AdminDoorTest, MetricsAreInPrometheusText) {
  metrics_.counter("dynamo_gets_total", "Gets answered.", {{"outcome", "ok"}}).Add(2);
  metrics_.counter("dynamo_gets_total", "Gets answered.", {{"outcome", "failed"}}).Add(1);
  metrics_.histogram("dynamo_get_seconds", "Latency of gets.").Record(Duration(1500));
  const HttpResponse response = Ask(verb::get, "/metrics");
  EXPECT_NE(response.body().find("# TYPE dynamo_gets_total counter"), std::string::npos) << response.body();
  EXPECT_NE(response.body().find("dynamo_gets_total{outcome=\"ok\"} 2"), std::string::npos);
  EXPECT_NE(response.body().find("dynamo_get_seconds_count 1"), std::string::npos);
  EXPECT_EQ(response.body().find("# TYPE dynamo_gets_total counter"),
            response.body().rfind("# TYPE dynamo_gets_total counter"));
}

TEST_F(AdminDoorTest, IdentityAndTopologyAreReadBackAsTheyWereSaid) {
  EXPECT_EQ(Ask(verb::get, "/topology").result_int(), 503u);
  ClusterExists();
  const auto identity = admin::IdentityFromJson(Ask(verb::get, "/identity").body()).value();
  EXPECT_EQ(identity.node_id, "0000000000000001");
  EXPECT_EQ(identity.cluster_id, "01234567-89ab-cdef-0fed-cba987654321");
  EXPECT_EQ(identity.boot_number, 4u);
  EXPECT_FALSE(identity.empty_volume);
  const auto topology = admin::TopologyFromJson(Ask(verb::get, "/topology").body()).value();
  EXPECT_EQ(topology.epoch, 9u);
  EXPECT_EQ(topology.owners.size(), 8u);
  EXPECT_EQ(topology.members.at(1).tokens, 4u);
  EXPECT_EQ(topology.members.at(1).capacity, 2u);
  EXPECT_EQ(topology.types.at(0).policy, "siblings");
}

TEST_F(AdminDoorTest, MembersJoinTheTopologyWithWhatGossipKnows) {
  ClusterExists();
  const auto members = admin::MembersFromJson(Ask(verb::get, "/members").body()).value();
  ASSERT_EQ(members.members.size(), 2u);
  EXPECT_EQ(members.members[0].liveness, "alive");
  EXPECT_EQ(members.members[0].peer_address, "127.0.0.1:8099");
  EXPECT_EQ(members.members[0].state, "normal");
  EXPECT_EQ(members.members[1].liveness, "unknown");
}

TEST_F(AdminDoorTest, HintsAndLocationsAreTold) {
  ClusterExists();
  const auto hints = admin::HintsFromJson(Ask(verb::get, "/hints").body()).value();
  EXPECT_EQ(hints.total, 3u);
  EXPECT_EQ(hints.owners.at(0).bytes, 300u);
  const auto location =
      admin::LocationFromJson(Ask(verb::get, "/locate?type=siblings&bucket=b%20c&key=k").body()).value();
  EXPECT_EQ(admin_.located.at(0), (ObjectKey{"siblings", "b c", "k"}));
  EXPECT_EQ(location.walk.at(0).role, "skipped: same zone");
  EXPECT_EQ(location.walk.at(0).name, "b");
  EXPECT_EQ(location.holders.at(0).siblings, 2u);
  EXPECT_EQ(Ask(verb::get, "/locate?bucket=b").result_int(), 400u);
}

TEST_F(AdminDoorTest, ACreateIsOneOperationHoweverOftenItIsAsked) {
  ClusterExists();
  const std::string body =
      R"({"type":"create","partitions":64,"members":[{"peerAddress":"127.0.0.1:8099","zone":"z1","capacity":2}]})";
  const auto operation = admin::OperationFromJson(Ask(verb::put, "/operations/op-1", body).body()).value();
  EXPECT_EQ(operation.state, "done");
  EXPECT_EQ(operation.cluster_id, "01234567-89ab-cdef-0fed-cba987654321");
  EXPECT_EQ(Ask(verb::put, "/operations/op-1", body).result_int(), 200u);
  ASSERT_EQ(admin_.created.size(), 1u);
  EXPECT_EQ(admin_.created[0].operation_id, "op-1");
  EXPECT_EQ(admin_.created[0].partitions, 64u);
  EXPECT_EQ(admin_.created[0].members.at(0).capacity, 2u);
  EXPECT_EQ(admin::OperationFromJson(Ask(verb::get, "/operations/op-1").body()).value().state, "done");
  EXPECT_EQ(Ask(verb::get, "/operations/none").result_int(), 404u);
}

TEST_F(AdminDoorTest, ARefusedCreateSaysWhyAndMayBeTriedAgain) {
  ClusterExists();
  admin_.refuse = true;
  const std::string body = R"({"type":"create","members":[]})";
  const HttpResponse refused = Ask(verb::put, "/operations/op-1", body);
  EXPECT_EQ(refused.result_int(), 409u);
  EXPECT_NE(refused.body().find("127.0.0.2:8099 is not empty"), std::string::npos);
  EXPECT_EQ(admin::OperationFromJson(Ask(verb::get, "/operations/op-1").body()).value().state, "failed");
  admin_.refuse = false;
  EXPECT_EQ(Ask(verb::put, "/operations/op-1", body).result_int(), 200u);
}

TEST_F(AdminDoorTest, ARepairRunsOnAndIsFollowedByItsId) {
  ClusterExists();
  const auto started =
      admin::RepairFromJson(Ask(verb::put, "/operations/r-1", R"({"type":"repair","partition":5})").body()).value();
  EXPECT_EQ(started.state, "running");
  EXPECT_EQ(started.exchanges, 6u);
  EXPECT_EQ(Ask(verb::put, "/operations/r-1", R"({"type":"repair","partition":5})").result_int(), 200u);
  ASSERT_EQ(admin_.repaired.size(), 1u);
  EXPECT_EQ(admin_.repaired[0], std::optional<PartitionId>(5));
  admin_.repairs[0].state = RepairProgress::State::kDone;
  admin_.repairs[0].exchanges_done = 5;
  admin_.repairs[0].exchanges_failed = 1;
  admin_.repairs[0].leaves_differing = 2;
  admin_.repairs[0].keys_repaired = 17;
  const auto done = admin::RepairFromJson(Ask(verb::get, "/operations/r-1").body()).value();
  EXPECT_EQ(done.state, "done");
  EXPECT_EQ(done.type, "repair");
  EXPECT_EQ(done.exchanges_done, 5u);
  EXPECT_EQ(done.exchanges_failed, 1u);
  EXPECT_EQ(done.leaves_differing, 2u);
  EXPECT_EQ(done.keys_repaired, 17u);
}

TEST_F(AdminDoorTest, ARepairWithoutAPartitionIsOfAllThatTheNodeOwns) {
  ClusterExists();
  EXPECT_EQ(Ask(verb::put, "/operations/r-1", R"({"type":"repair"})").result_int(), 200u);
  EXPECT_EQ(admin_.repaired.at(0), std::nullopt);
  admin_.refuse = true;
  const HttpResponse refused = Ask(verb::put, "/operations/r-2", R"({"type":"repair","partition":5})");
  EXPECT_EQ(refused.result_int(), 400u);
  EXPECT_NE(refused.body().find("does not own partition 5"), std::string::npos);
  for (const char* bad : {R"({"type":"repair","partition":-2})", R"({"type":"repair","partition":4096})",
                          R"({"type":"repair","partition":"all"})"}) {
    EXPECT_EQ(Ask(verb::put, "/operations/r-3", bad).result_int(), 400u) << bad;
  }
}

TEST_F(AdminDoorTest, RootsOfMerkleTreesAreTold) {
  ClusterExists();
  const auto roots = admin::RootsFromJson(Ask(verb::get, "/roots?partition=5").body()).value();
  EXPECT_EQ(roots.node_id, "0000000000000001");
  EXPECT_EQ(roots.partition, 5u);
  EXPECT_EQ(roots.trees.at(0).n_val, 3u);
  EXPECT_EQ(roots.trees.at(0).root, "00000000000000010000000000000002");
  EXPECT_EQ(roots.trees.at(0).leaves_marked, 4u);
  for (const char* bad : {"/roots", "/roots?partition=", "/roots?partition=x", "/roots?partition=8"}) {
    EXPECT_EQ(Ask(verb::get, bad).result_int(), 400u) << bad;
  }
}

TEST_F(AdminDoorTest, ABucketTypeIsCreatedByAnOperation) {
  ClusterExists();
  const std::string body =
      R"({"type":"create-bucket-type","name":"carts","policy":"lww","durability":"interval","nVal":5,"epoch":9})";
  const auto operation = admin::OperationFromJson(Ask(verb::put, "/operations/op-1", body).body()).value();
  EXPECT_EQ(operation.state, "done");
  EXPECT_EQ(operation.epoch, 10u);
  EXPECT_EQ(operation.cluster_id, "01234567-89ab-cdef-0fed-cba987654321");
  ASSERT_EQ(admin_.changed.size(), 1u);
  EXPECT_EQ(admin_.changed[0].operation_id, "op-1");
  EXPECT_EQ(admin_.changed[0].epoch, 9u);
  const auto& wanted = std::get<CreateBucketType>(admin_.changed[0].what);
  EXPECT_EQ(wanted.name, "carts");
  EXPECT_EQ(wanted.type, (BucketType{ConflictPolicy::kLastWriterWins, 5, BucketType::Durability::kInterval}));
  EXPECT_EQ(admin::OperationFromJson(Ask(verb::get, "/operations/op-1").body()).value().epoch, 10u);
}

TEST_F(AdminDoorTest, WhoComesSecondIsToldTheEpoch) {
  ClusterExists();
  admin_.refuse = true;
  const HttpResponse refused = Ask(verb::put, "/operations/op-1", R"({"type":"create-bucket-type","name":"carts"})");
  EXPECT_EQ(refused.result_int(), 409u);
  EXPECT_NE(refused.body().find("at epoch 9, not 8"), std::string::npos);
  EXPECT_FALSE(admin_.changed.at(0).epoch.has_value());
  admin_.refuse = false;
  EXPECT_EQ(Ask(verb::put, "/operations/op-1", R"({"type":"create-bucket-type","name":"carts"})").result_int(), 200u);
}

TEST_F(AdminDoorTest, MalformedOperationsAreRefused) {
  for (const char* bad : {"", "[]", R"({"type":"destroy"})", R"({"type":"create","partitions":"many"})",
                          R"({"type":"create","partitions":-1})", R"({"type":"create","members":{}})",
                          R"({"type":"create","clusterID":"x"})", R"({"type":7})",
                          R"({"type":"create-bucket-type","name":"t","policy":"first"})",
                          R"({"type":"create-bucket-type","name":"t","durability":"never"})",
                          R"({"type":"create-bucket-type","name":"t","nVal":-1})"}) {
    EXPECT_EQ(Ask(verb::put, "/operations/x", bad).result_int(), 400u) << bad;
  }
  EXPECT_TRUE(admin_.created.empty());
  EXPECT_TRUE(admin_.changed.empty());
  EXPECT_EQ(Ask(verb::put, "/operations/", "{}").result_int(), 400u);
  EXPECT_EQ(Ask(verb::delete_, "/identity").result_int(), 405u);
}

}  // namespace
}  // namespace dynamo
