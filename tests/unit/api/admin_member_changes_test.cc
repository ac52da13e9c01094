// Operations on members, as the admin door takes and tells them.
#include "node/api/admin_member_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/api/admin_door.h"
#include "tests/unit/api/fake_handler.h"

namespace dynamo {
namespace {

namespace http = boost::beast::http;
using http::verb;
using ::testing::HasSubstr;

NodeInfo Heard(uint64_t id, const std::string& name, Liveness liveness = Liveness::kAlive) {
  NodeInfo info;
  info.id = NodeId{id};
  info.name = name;
  info.zone = "z9";
  info.capacity = 3;
  info.liveness = liveness;
  return info;
}

// Decides at once, as one node alone would.
class DecidingAdmin : public AdminHandler {
 public:
  DecidingAdmin() {
    ClusterSpec spec;
    spec.cluster = ClusterId{{1, 2}};
    spec.context_secret = "secret";
    spec.partitions = 16;
    for (uint64_t id = 1; id <= 3; ++id) {
      spec.members.push_back({.id = NodeId{id}, .name = "n" + std::to_string(id), .zone = "z", .capacity = 1});
      nodes.push_back(Heard(id, "n" + std::to_string(id)));
      reports.push_back({.node = NodeId{id}, .answered = true});
    }
    topology = std::make_shared<Topology>(*CreateTopology(spec));
  }
  NodeIdentity Identity() const override { return {}; }
  bool Ready() const override { return true; }
  std::shared_ptr<const Topology> CurrentTopology() const override { return topology; }
  std::vector<NodeInfo> Members() const override { return nodes; }
  std::vector<HintCount> Hints() const override { return {}; }
  Async<Result<KeyLocation>> Locate(ObjectKey) override { co_return KeyLocation{}; }
  Async<Result<std::shared_ptr<const Topology>>> Create(CreateCluster) override { co_return topology; }
  Result<RepairProgress> StartRepair(std::string, std::optional<PartitionId>) override { return RepairProgress{}; }
  std::optional<RepairProgress> Repair(const std::string&) const override { return std::nullopt; }
  Async<Result<std::vector<TreeRoot>>> TreeRoots(PartitionId) override { co_return std::vector<TreeRoot>{}; }
  Async<std::vector<MemberReport>> Reports() override { co_return reports; }
  Async<Result<uint64_t>> Change(TopologyChange change) override {
    auto changed = ApplyChange(*topology, change);
    if (!changed) co_return Fail(changed.error());
    if (changed->next) topology = std::make_shared<Topology>(*changed->next);
    co_return changed->epoch;
  }
  void TakeAllOver() {
    TakeOver all{topology->change_since, {}};
    for (PartitionId p = 0; p < topology->partitions; ++p) all.partitions.push_back(p);
    TopologyChange change;
    change.what = all;
    topology = std::make_shared<Topology>(*ApplyChange(*topology, change)->next);
  }

  std::shared_ptr<const Topology> topology;
  std::vector<NodeInfo> nodes;
  std::vector<MemberReport> reports;
};

class MemberChangesTest : public testing::Test {
 protected:
  HttpResponse Ask(verb method, const std::string& target, std::string body = {}) {
    HttpRequest request(method, target, 11);
    request.body() = std::move(body);
    return RunNow(door_.Answer(std::move(request)));
  }
  admin::Operation Put(const std::string& id, const std::string& body) {
    const HttpResponse response = Ask(verb::put, "/operations/" + id, body);
    EXPECT_EQ(response.result_int(), 200u) << response.body();
    return admin::OperationFromJson(response.body()).value_or(admin::Operation{});
  }
  admin::Operation Get(const std::string& id) {
    return admin::OperationFromJson(Ask(verb::get, "/operations/" + id).body()).value();
  }
  admin::Safety Safety(const std::string& query) {
    const HttpResponse response = Ask(verb::get, "/safety" + query);
    EXPECT_EQ(response.result_int(), 200u) << response.body();
    return admin::SafetyFromJson(response.body()).value();
  }
  std::string Refused(unsigned status, const std::string& body) {
    const HttpResponse response = Ask(verb::put, "/operations/refused", body);
    EXPECT_EQ(response.result_int(), status) << response.body();
    return response.body();
  }

  DecidingAdmin admin_;
  Metrics metrics_;
  AdminDoor door_{&admin_, &metrics_};
};

TEST_F(MemberChangesTest, AJoinRunsUntilAllPartitionsHaveMoved) {
  admin_.nodes.push_back(Heard(4, "n4"));
  const admin::Operation joined = Put("join-4", R"({"type":"join","nodeID":"n4","zone":"z4"})");
  EXPECT_EQ(joined.state, "running");
  EXPECT_EQ(joined.epoch, 2u);
  EXPECT_EQ(joined.moved, 0u);
  EXPECT_GT(joined.to_move, 0u);
  const Member* member = admin_.topology->Find(NodeId{4});
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(member->zone, "z4");
  EXPECT_EQ(member->capacity, 3u) << "what the node itself says";
  EXPECT_EQ(Get("join-4").state, "running");
  EXPECT_EQ(Put("join-4", R"({"type":"join","nodeID":"n4","zone":"z4"})").epoch, 2u) << "the same operation";
  admin_.TakeAllOver();
  EXPECT_EQ(Get("join-4").state, "done");
  EXPECT_EQ(Put("join-4", R"({"type":"join","nodeID":"n4"})").state, "done");
}

TEST_F(MemberChangesTest, AnyNodeTellsOfAnOperationThatWasAskedOfAnother) {
  TopologyChange change;
  change.operation_id = "elsewhere";
  change.what = ChangeMembers{{}, {NodeId{1}}, {}};
  ASSERT_TRUE(RunNow(admin_.Change(change)));
  EXPECT_EQ(Get("elsewhere").state, "running");
  EXPECT_EQ(Ask(verb::get, "/operations/nobody").result_int(), 404u);
}

TEST_F(MemberChangesTest, ALeaveIsTurnedRoundByCancel) {
  EXPECT_EQ(Put("leave", R"({"type":"leave","nodeID":"0000000000000002"})").state, "running");
  EXPECT_EQ(Put("cancel", R"({"type":"cancel-leave"})").state, "done");
  EXPECT_EQ(Get("leave").state, "cancelled");
  EXPECT_EQ(admin_.topology->Find(NodeId{2})->state, MemberState::kNormal);
}

TEST_F(MemberChangesTest, OnlyTheDeadAreReplaced) {
  admin_.nodes.push_back(Heard(7, "n2"));
  EXPECT_THAT(Refused(409, R"({"type":"replace","oldID":"0000000000000002","nodeID":"n2"})"), HasSubstr("alive"));
  admin_.nodes[1].liveness = Liveness::kDead;
  EXPECT_EQ(Put("replace", R"({"type":"replace","oldID":"0000000000000002","nodeID":"n2"})").state, "running");
  EXPECT_EQ(admin_.topology->Find(NodeId{2})->state, MemberState::kReplaced);
  EXPECT_EQ(admin_.topology->Find(NodeId{7})->zone, "z") << "the place of the lost one";
}

TEST_F(MemberChangesTest, CapacityRebalanceAndForgetAreOperationsToo) {
  EXPECT_EQ(Put("rebalance", R"({"type":"rebalance"})").message, "nothing had to change at epoch 1");
  EXPECT_EQ(Put("capacity", R"({"type":"capacity","nodeID":"n1","capacity":2})").epoch, 2u);
  EXPECT_EQ(admin_.topology->Find(NodeId{1})->capacity, 2u);
  if (!admin_.topology->pending.empty()) admin_.TakeAllOver();
  EXPECT_THAT(Refused(400, R"({"type":"forget","nodeID":"n1"})"), HasSubstr("takes part"));
}

TEST_F(MemberChangesTest, SaysWhatANameDoesNotMean) {
  EXPECT_THAT(Refused(400, R"({"type":"join","nodeID":"nobody"})"), HasSubstr("no node 'nobody' has been heard of"));
  EXPECT_THAT(Refused(400, R"({"type":"leave"})"), HasSubstr("nodeID"));
  EXPECT_THAT(Refused(400, R"({"type":"leave","nodeID":"nobody"})"), HasSubstr("no member 'nobody'"));
  EXPECT_THAT(Refused(400, R"({"type":"dance"})"), HasSubstr("rebalance"));
  admin_.nodes.push_back(Heard(8, "twin"));
  admin_.nodes.push_back(Heard(9, "twin"));
  EXPECT_THAT(Refused(400, R"({"type":"join","nodeID":"twin"})"), HasSubstr("2 nodes are called 'twin'"));
  EXPECT_EQ(Put("by-id", R"({"type":"join","nodeID":"0000000000000008"})").state, "running");
}

TEST_F(MemberChangesTest, TheSecondAdministratorIsToldWhatIsUnderWay) {
  EXPECT_EQ(Put("mine", R"({"type":"leave","nodeID":"n1"})").state, "running");
  EXPECT_THAT(Refused(409, R"({"type":"leave","nodeID":"n2"})"), HasSubstr("'mine'"));
  EXPECT_THAT(Refused(409, R"({"type":"leave","nodeID":"n2","epoch":1})"), HasSubstr("at epoch 2, not 1"));
}

TEST_F(MemberChangesTest, APlanChangesNothingAndACommitOfTheSameWordsDoesIt) {
  admin_.nodes.push_back(Heard(4, "n4"));
  const std::string words =
      R"("join":[{"nodeID":"n4","capacity":1}],"leave":["n3"],"capacities":[{"nodeID":"n1","capacity":2}])";
  const HttpResponse response = Ask(verb::put, "/plan", "{" + words + "}");
  ASSERT_EQ(response.result_int(), 200u) << response.body();
  const admin::Plan plan = admin::PlanFromJson(response.body()).value();
  EXPECT_EQ(admin_.topology->version.epoch, 1u);
  EXPECT_EQ(plan.epoch, 1u);
  ASSERT_EQ(plan.members.size(), 4u);
  EXPECT_EQ(plan.members[0].change, "capacity");
  EXPECT_EQ(plan.members[1].change, "stays");
  EXPECT_EQ(plan.members[2].change, "leaves");
  EXPECT_EQ(plan.members[3].change, "joins");
  EXPECT_EQ(Put("commit", R"({"type":"change","epoch":1,)" + words + "}").state, "running");
  for (const auto& member : plan.members) {
    EXPECT_EQ(admin_.topology->pending.TokensOf(*ParseNodeId(member.id)), member.tokens_after) << member.name;
  }
  EXPECT_EQ(Ask(verb::put, "/plan", "{" + words + "}").result_int(), 400u) << "n4 is a member by now";
  EXPECT_EQ(Ask(verb::get, "/plan").result_int(), 405u);
}

TEST_F(MemberChangesTest, TheTopologyTellsOfTheChangeUnderWay) {
  const auto read = [this] { return admin::TopologyFromJson(Ask(verb::get, "/topology").body()).value(); };
  EXPECT_EQ(read().change, "");
  EXPECT_TRUE(read().pending_owners.empty());
  Put("leave", R"({"type":"leave","nodeID":"n3"})");
  EXPECT_EQ(read().change, "the change 'leave' of epoch 2");
  EXPECT_EQ(read().pending_owners.size(), 16u);
  EXPECT_GT(read().to_move, 0u);
}

TEST_F(MemberChangesTest, SafetyNamesThePartitionsThatWouldLackAnOwner) {
  EXPECT_TRUE(Safety("").partitions.empty());
  const admin::Safety without = Safety("?without=n2");
  ASSERT_EQ(without.partitions.size(), 16u);
  EXPECT_EQ(without.partitions[0].ready, 3u);
  EXPECT_EQ(without.partitions[0].ready_without, 2u);
  EXPECT_EQ(without.verdict, "safe") << without.why;
  admin_.nodes[0].liveness = Liveness::kSuspect;
  const admin::Safety weak = Safety("?without=0000000000000002");
  EXPECT_EQ(weak.partitions[0].ready_without, 1u) << "unknown never means ready";
  EXPECT_EQ(weak.verdict, "unsafe");
  EXPECT_EQ(weak.why, "partition 0 with N=3 would have 1 owners that serve, and a majority of 3 is 2");
  EXPECT_EQ(Ask(verb::get, "/safety?without=nobody").result_int(), 400u);
}

TEST_F(MemberChangesTest, AMemberThatKeepsHintsIsNotSafeToLose) {
  admin_.reports[1].hints = {{NodeId{1}, 4, 400}, {NodeId{3}, 1, 100}};
  const admin::Safety without = Safety("?without=n2");
  EXPECT_EQ(without.verdict, "unsafe");
  EXPECT_THAT(without.why, HasSubstr("n2 keeps 5 hints"));
  EXPECT_EQ(without.hints, 5u);
  ASSERT_EQ(without.keepers.size(), 1u);
  EXPECT_EQ(without.keepers[0].node_id, "0000000000000002");
  EXPECT_EQ(without.keepers[0].bytes, 500u);
  const admin::Safety another = Safety("?without=n3");
  EXPECT_EQ(another.verdict, "safe") << "n2 goes on to keep them";
  EXPECT_EQ(another.hints, 5u);
}

TEST_F(MemberChangesTest, SafetyIsUnknownWhileAMemberDoesNotSayWhatItKeeps) {
  admin_.reports[2].answered = false;
  const admin::Safety unknown = Safety("?without=n2");
  EXPECT_EQ(unknown.verdict, "unknown");
  EXPECT_EQ(unknown.why, "n3 did not say what hints they keep");
  EXPECT_EQ(unknown.unanswered, std::vector<std::string>{"n3"});
  admin_.reports.pop_back();
  EXPECT_EQ(Safety("").unanswered, std::vector<std::string>{"n3"}) << "nobody has asked it";
  admin_.reports[1].hints = {{NodeId{1}, 4, 400}};
  EXPECT_EQ(Safety("?without=n2").verdict, "unsafe") << "what is known to be unsafe stays so";
}

TEST_F(MemberChangesTest, ProgressSumsWhatTheMembersHaveCopied) {
  admin_.nodes.push_back(Heard(4, "n4"));
  const admin::Operation begun = Put("join-4", R"({"type":"join","nodeID":"n4"})");
  EXPECT_EQ(begun.bytes_done, -1) << "nobody was asked yet";
  admin_.reports.push_back({.node = NodeId{4}, .answered = true});
  for (MemberReport& report : admin_.reports) report.change_since = 2;
  admin::Operation running = Get("join-4");
  EXPECT_EQ(running.bytes_done, 0);
  admin_.reports[3].copies = {{3, {10, 2, 2000}}};
  admin_.reports[3].bytes_per_second = 100;
  admin_.reports[0].copies = {{3, {2, 2, 2000}}};
  running = Get("join-4");
  EXPECT_EQ(running.bytes_done, 4000);
  EXPECT_EQ(running.bytes_in_all, 12'000);
  EXPECT_EQ(running.bytes_per_second, 100);
  EXPECT_EQ(running.seconds_left, 80);
  EXPECT_TRUE(running.unanswered.empty());
  admin_.reports[0].change_since = 1;
  admin_.reports[1].answered = false;
  running = Get("join-4");
  EXPECT_EQ(running.unanswered, (std::vector<std::string>{"n1", "n2"})) << "one speaks of another change";
  EXPECT_EQ(running.bytes_done, 2000);
  admin_.TakeAllOver();
  EXPECT_EQ(Get("join-4").bytes_done, -1) << "over";
  EXPECT_EQ(Get("join-4").to_move, 0u);
}

TEST_F(MemberChangesTest, BeforeAnythingIsCopiedNobodyTellsHowMuchItWillBe) {
  admin_.nodes.push_back(Heard(4, "n4"));
  Put("join-4", R"({"type":"join","nodeID":"n4"})");
  admin_.reports = {{.node = NodeId{4}, .answered = true, .change_since = 2, .copies = {{3, {10, 0, 0}}}}};
  const admin::Operation running = Get("join-4");
  EXPECT_EQ(running.bytes_done, 0);
  EXPECT_EQ(running.bytes_in_all, -1);
  EXPECT_EQ(running.seconds_left, -1);
}

}  // namespace
}  // namespace dynamo
