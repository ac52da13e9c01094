// Whether the machine that a volume is bound to is there, away, or gone: and never gone by
// an answer that did not come.
#include "operator/controller/machines.h"

#include <gtest/gtest.h>

#include "tests/lib/kube/fake_api_server.h"
#include "tests/lib/kube/manual_clock.h"

namespace dynamo::op {
namespace {

using kube::Object;
namespace json = kube::json;
using MachineState = MachineView::State;

constexpr char kMachines[] = "/api/v1/nodes";

Object TermOf(const char* key, json::array values, const char* how = "In") {
  return {{"matchExpressions", json::array{Object{{"key", key}, {"operator", how}, {"values", std::move(values)}}}}};
}
Object VolumeOf(json::array terms) {
  return {{"spec", {{"nodeAffinity", {{"required", {{"nodeSelectorTerms", std::move(terms)}}}}}}}};
}

TEST(MachineOf, IsTheOnlyOneThatReachesAVolume) {
  const char* host = "kubernetes.io/hostname";
  EXPECT_EQ(MachineOf(VolumeOf({TermOf(host, {"m1"})})), "m1");
  EXPECT_EQ(MachineOf(VolumeOf({TermOf(host, {"m1"}), TermOf(host, {"m1"})})), "m1");
  EXPECT_EQ(MachineOf(VolumeOf({TermOf(host, {"m1", "m2"})})), "") << "either will do";
  EXPECT_EQ(MachineOf(VolumeOf({TermOf(host, {"m1"}), TermOf("zone", {"z"})})), "") << "or any of the zone";
  EXPECT_EQ(MachineOf(VolumeOf({TermOf(host, {"m1"}, "NotIn")})), "");
  EXPECT_EQ(MachineOf(VolumeOf({TermOf("topology.kubernetes.io/zone", {"z1"})})), "") << "a disk of the network";
  EXPECT_EQ(MachineOf({{"spec", Object{}}}), "");
}

class MachinesTest : public ::testing::Test {
 protected:
  MachinesTest() { client_ = *kube::RestClient::Make(api_.config(), &clock_, nullptr, {}); }
  void AddMachine(const std::string& name, const std::string& hostname, const char* ready) {
    api_.Do("POST", kMachines,
            {{"metadata", {{"name", name}, {"labels", {{"kubernetes.io/hostname", hostname}}}}},
             {"status",
              {{"conditions",
                json::array{
                    Object{{"type", "Ready"}, {"status", ready}, {"lastTransitionTime", "2026-01-02T03:04:05Z"}}}}}}});
  }
  kube::LiveReader reader() { return kube::LiveReader(client_.get()); }

  testing::FakeApiServer api_;
  testing::ManualClock clock_;
  std::unique_ptr<kube::RestClient> client_;
};

TEST_F(MachinesTest, AreThereAwayOrGoneByTheirHostnames) {
  AddMachine("ip-10-0-0-1", "m1", "True");
  AddMachine("ip-10-0-0-2", "m2", "Unknown");
  AddMachine("ip-10-0-0-3", "m3", "False");
  EXPECT_EQ(FindMachine(reader(), "m1")->state, MachineState::kThere);
  EXPECT_EQ(FindMachine(reader(), "m2")->state, MachineState::kAway);
  EXPECT_EQ(FindMachine(reader(), "m2")->away_since, *kube::ParseTime("2026-01-02T03:04:05Z"));
  EXPECT_EQ(FindMachine(reader(), "m3")->state, MachineState::kAway);
  EXPECT_EQ(FindMachine(reader(), "ip-10-0-0-1")->state, MachineState::kGone) << "the label counts, not the name";
  EXPECT_EQ(FindMachine(reader(), "m4")->state, MachineState::kGone);
}

TEST_F(MachinesTest, AreUnknownWhereNobodyAnswers) {
  api_.set_intercept([](const testing::FakeRequest&) { return testing::FakeReply{500, "", {}}; });
  EXPECT_FALSE(FindMachine(reader(), "m1"));
  Observed observed;
  observed.nodes.emplace_back().expected = true;
  observed.nodes[0].volume_name = "v";
  EXPECT_FALSE(LookForMachines(reader(), &observed));
  EXPECT_EQ(observed.nodes[0].machine.state, MachineState::kUnknown);
}

TEST_F(MachinesTest, AreLookedForWhereANodeIsSilentOnly) {
  Observed observed;
  for (int i = 0; i < 4; ++i) observed.nodes.emplace_back().expected = true, observed.nodes.back().volume_name = "v";
  observed.nodes[1].identity.emplace();
  observed.nodes[2].expected = false;
  observed.nodes[3].volume_name.clear();
  Object volume = VolumeOf({TermOf("kubernetes.io/hostname", {"m1"})});
  volume["metadata"] = Object{{"name", "v"}};
  api_.Do("POST", "/api/v1/persistentvolumes", volume);
  ASSERT_TRUE(LookForMachines(reader(), &observed));
  EXPECT_EQ(observed.nodes[0].machine.state, MachineState::kGone);
  for (size_t i = 1; i < 4; ++i) EXPECT_EQ(observed.nodes[i].machine.name, "") << i;
}

TEST_F(MachinesTest, AVolumeThatIsGoneItselfNamesNoMachine) {
  Observed observed;
  observed.nodes.emplace_back().expected = true;
  observed.nodes[0].volume_name = "v";
  ASSERT_TRUE(LookForMachines(reader(), &observed));
  EXPECT_EQ(observed.nodes[0].machine.state, MachineState::kUnknown);
}

TEST_F(MachinesTest, APodRunsOnAMachineThatExistsWhateverItsState) {
  AddMachine("n1", "m1", "Unknown");
  EXPECT_TRUE(*RunsOnMachine(reader(), {{"spec", {{"nodeName", "n1"}}}}));
  EXPECT_FALSE(*RunsOnMachine(reader(), {{"spec", {{"nodeName", "n2"}}}}));
  EXPECT_FALSE(*RunsOnMachine(reader(), {{"spec", Object{}}})) << "it waits for one";
}

}  // namespace
}  // namespace dynamo::op
