// When a volume counts as lost, by table; and what is done about it, step by step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/operator/lost_scene.h"

namespace dynamo::op {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Machine = MachineView::State;
using Step = Operation::Step;

TEST(LostVolume, IsBelievedWhenItIsSeenAgain) {
  const auto lost = [](LostScene& s) { s.Empty("demo-b-0"), s.Suspected("demo-b-0", 31); };
  CheckPlans<LostScene>({
      {"all is well", [](LostScene&) {}, "Settled"},
      {"seen for the first time", [](LostScene& s) { s.Empty("demo-b-0"); }, "Suspect(demo-b-0)"},
      {"too early", [](LostScene& s) { s.Empty("demo-b-0"), s.Suspected("demo-b-0", 29); }, "Wait(VolumeSuspected"},
      {"seen again", lost, "Record(Replace/AwaitPod demo-b-0"},
      {"before the size is changed", [&](LostScene& s) { lost(s), s.spec.replicas = 5; }, "Record(Replace/AwaitPod"},
      {"yet another volume by now: from the start",
       [&](LostScene& s) { lost(s), s.Node("demo-b-0").volume_uid = "third"; }, "Suspect(demo-b-0)"},
      {"yet another node by now: from the start",
       [&](LostScene& s) { lost(s), s.Node("demo-b-0").identity->node_id = "third"; }, "Suspect(demo-b-0)"},
      {"it was suspected elsewhere", [](LostScene& s) { s.Empty("demo-b-0"), s.Suspected("demo-c-0", 99); },
       "Suspect(demo-b-0)"},
      {"it is back", [](LostScene& s) { s.Suspected("demo-b-0", 99); }, "Suspect()"},
      {"the ring has it no more",
       [](LostScene& s) {
         s.Away("demo-b-0", Machine::kUnknown), s.Suspected("demo-b-0", 99), s.SetState("demo-b-0", "left");
       },
       "Suspect()"},
      {"silence disproves nothing",
       [](LostScene& s) { s.Away("demo-b-0", Machine::kUnknown), s.Suspected("demo-b-0", 99); }, "Settled"},
      {"by hand", [&](LostScene& s) { lost(s), s.spec.replace_lost_volumes = false; },
       "Wait(VolumeLost: the volume of node id-demo-b-0 at demo-b-0 is lost, and an empty one stands there. With "
       "spec.replacement.policy Manual: dynamoctl cluster replace id-demo-b-0 new-id-demo-b-0"},
      {"a clock that was set back: not yet",
       [](LostScene& s) {
         s.Empty("demo-b-0"), s.Suspected("demo-b-0", 0), s.status.suspicion->since = kube::Time(kSceneNow + 5'000'000);
       },
       "Wait(VolumeSuspected"},
  });
}

TEST(LostVolume, IsNeverOneThatIsUnknown) {
  CheckPlans<LostScene>({
      {"silent", [](LostScene& s) { s.Away("demo-b-0", Machine::kUnknown); }, "Settled"},
      {"not bound yet", [](LostScene& s) { s.Empty("demo-b-0"), s.Node("demo-b-0").volume_bound = false; }, "Settled"},
      {"no claim is seen", [](LostScene& s) { s.Empty("demo-b-0"), s.Node("demo-b-0").volume_uid = ""; }, "Settled"},
      {"the same volume, but empty: not mounted, perhaps",
       [](LostScene& s) { s.Empty("demo-b-0"), s.Node("demo-b-0").volume_uid = "volume-demo-b-0"; },
       "Wait(VolumeEmpty"},
      {"which volume it had was never written down",
       [](LostScene& s) { s.Empty("demo-b-0"), s.status.nodes[1].volume_uid = ""; }, "Wait(NodeUnrecorded"},
      {"nor who stood there", [](LostScene& s) { s.Empty("demo-b-0"), s.status.nodes.clear(); }, "Wait(NodeUnrecorded"},
      {"empty where no member ever stood",
       [](LostScene& s) { s.Empty("demo-b-0"), s.status.nodes.clear(), s.SetState("demo-b-0", "left"); }, "Settled"},
      {"it stands at another place",
       [](LostScene& s) { s.Empty("demo-b-0"), s.AddNode("b", 1).identity->node_id = "id-demo-b-0"; }, "Settled"},
      {"not empty: of nobody, but something",
       [](LostScene& s) { s.Empty("demo-b-0"), s.Node("demo-b-0").identity->empty_volume = false; }, "Settled"},
      {"the new one is a member already",
       [](LostScene& s) { s.Empty("demo-b-0"), s.Node("demo-b-0").identity->node_id = "id-demo-c-0"; }, "Settled"},
  });
}

TEST(LostVolume, WithItsMachineWaitsForTheDelay) {
  const auto gone = [](LostScene& s, uint64_t seconds) {
    s.Away("demo-b-0", Machine::kGone), s.Suspected("demo-b-0", seconds, true);
  };
  CheckPlans<LostScene>({
      {"seen for the first time", [](LostScene& s) { s.Away("demo-b-0", Machine::kAway); }, "Suspect(demo-b-0)"},
      {"away for a while", [](LostScene& s) { s.Away("demo-b-0", Machine::kAway), s.Suspected("demo-b-0", 599, true); },
       "Wait(MachineAway: machine m-demo-b-0 with volume data-demo-b-0 is not ready: for 9m59s"},
      {"away for long: it may still come back",
       [](LostScene& s) { s.Away("demo-b-0", Machine::kAway), s.Suspected("demo-b-0", 700, true); },
       "Wait(MachineAway: machine m-demo-b-0 with volume data-demo-b-0 is not ready since"},
      {"gone for a while", [&](LostScene& s) { gone(s, 599); }, "Wait(MachineAway"},
      {"gone for good", [&](LostScene& s) { gone(s, 601); }, "Record(Replace/DropVolume demo-b-0"},
      {"never at first sight, whatever the delay",
       [&](LostScene& s) { gone(s, 20), s.spec.failure_detection_delay_ms = 0; }, "Wait(MachineAway"},
      {"by hand", [&](LostScene& s) { gone(s, 601), s.spec.replace_lost_volumes = false; }, "Wait(VolumeLost: machine"},
      {"another claim stands there", [&](LostScene& s) { gone(s, 601), s.Node("demo-b-0").volume_uid = "new"; },
       "Settled"},
      {"nobody knows which claim it had", [&](LostScene& s) { gone(s, 601), s.status.nodes.clear(); }, "Settled"},
      {"it answers: whoever is away, it is not this one",
       [&](LostScene& s) { s.Node("demo-b-0").machine = {"m", Machine::kGone, 0}; }, "Settled"},
      {"machines may not be looked at",
       [](LostScene& s) {
         s.Away("demo-b-0", Machine::kUnknown), s.observed.machines_forbidden = "nodes is forbidden";
       },
       "Wait(PermissionMissing: nodes is forbidden"},
  });
}

TEST(LostVolume, ThatIsOneTooManyIsLeftToAHuman) {
  const auto lost = [](LostScene& s) { s.Empty("demo-b-0"), s.Suspected("demo-b-0", 31); };
  const auto two = [&](LostScene& s) { lost(s), s.Empty("demo-c-0"); };
  CheckPlans<LostScene>({
      {"two of three owners serve", [&](LostScene& s) { lost(s), s.WeakPartition(2); }, "Record(Replace/AwaitPod"},
      {"fewer than a read asks for", [&](LostScene& s) { lost(s), s.WeakPartition(1); },
       "Wait(DataAtRisk: partition 9 has 1 of 3 owners that serve, and needs 2"},
      {"none", [&](LostScene& s) { lost(s), s.WeakPartition(0); }, "Wait(DataAtRisk"},
      {"the only owner of all: nothing can be rebuilt",
       [&](LostScene& s) { lost(s), s.observed.safety->partitions = {{9, 1, 1, 0, 0}}; }, "Wait(DataAtRisk"},
      {"of two owners one is left, and both had every write",
       [&](LostScene& s) { lost(s), s.observed.safety->partitions = {{9, 2, 2, 1, 1}}; }, "Record(Replace/AwaitPod"},
      {"nobody says who serves", [&](LostScene& s) { lost(s), s.observed.safety.reset(); }, "Wait(SafetyUnknown"},
      {"said of another ring", [&](LostScene& s) { lost(s), s.observed.safety->epoch = 6; }, "Wait(SafetyUnknown"},
      {"nobody says who lives", [&](LostScene& s) { lost(s), s.observed.members.reset(); }, "Wait(SafetyUnknown"},
      {"it lives in the eyes of others",
       [&](LostScene& s) { lost(s), s.observed.members->members[1].liveness = "alive"; }, "Wait(NodeAlive"},
      {"a change of the ring is under way", [&](LostScene& s) { lost(s), s.ring.pending_owners = {"x"}, s.Share(); },
       "Wait(RingChanging"},
      {"two of three volumes: those that are left decide nothing", two,
       "Wait(DataAtRisk: the volumes of 2 nodes are lost (id-demo-b-0, id-demo-c-0), and the members that are left are "
       "no majority: nothing was changed. dynamoctl cluster force-topology --cluster "
       "11111111-1111-1111-1111-111111111111 --lost id-demo-b-0,id-demo-c-0 --by YOU"},
      {"one lost, one silent: it may come back", [&](LostScene& s) { lost(s), s.Away("demo-c-0", Machine::kUnknown); },
       "Wait(RingNotConverged"},
      {"all volumes", [&](LostScene& s) { two(s), s.Empty("demo-a-0"); }, "Wait(DataAtRisk: the volumes of 3 nodes"},
      {"two empty, one silent: it may know", [&](LostScene& s) { two(s), s.Away("demo-a-0", Machine::kUnknown); },
       "Wait(RingNotConverged"},
  });
}

TEST(LostVolume, DeclaredLostByAHumanIsReplacedWhenEnoughIsLeft) {
  LostScene scene;
  scene.Empty("demo-b-0"), scene.Suspected("demo-b-0", 31), scene.SetState("demo-b-0", "lost");
  EXPECT_THAT(scene.Next(), StartsWith("Record(Replace/AwaitPod demo-b-0"));
}

TEST(LostVolume, IsRecordedWithWhoStoodThereAndAWarning) {
  LostScene scene;
  scene.Empty("demo-b-0"), scene.Suspected("demo-b-0", 31);
  const Action action = Plan(scene.spec, scene.status, scene.observed);
  const Record& record = std::get<Record>(action);
  EXPECT_EQ(record.event, "VolumeLost");
  EXPECT_TRUE(record.warning);
  EXPECT_EQ(record.operation.lost, (Operation::Lost{"id-demo-b-0", "volume-demo-b-0", ""}));
  EXPECT_EQ(record.operation.ring_epoch, 7);
  EXPECT_EQ(record.operation.node_id, "") << "who takes the place is asked anew";
}

TEST(Replacement, OfAVolumeGoesStepByStep) {
  const auto in = [](Step step, const char* ringwise = "", const char* lost = "normal") {
    return [=](LostScene& s) { s.Replacing(step, ringwise, lost); };
  };
  CheckPlans<LostScene>({
      {"who takes the place is written down", in(Step::kAwaitPod), "Record(Replace/Replace demo-b-0"},
      {"it does not answer yet", [&](LostScene& s) { in(Step::kAwaitPod)(s), s.Node("demo-b-0").identity.reset(); },
       "Wait(PodsStarting"},
      {"it cannot start",
       [&](LostScene& s) {
         in(Step::kAwaitPod)(s), s.Node("demo-b-0").identity.reset(), s.Node("demo-b-0").trouble = "Unschedulable: x";
       },
       "Wait(PodsBlocked: waiting for demo-b-0 Unschedulable"},
      {"something is on that volume",
       [&](LostScene& s) { in(Step::kAwaitPod)(s), s.Node("demo-b-0").identity->empty_volume = false; },
       "Wait(VolumeNotEmpty"},
      {"the old volume after all, but empty",
       [&](LostScene& s) { in(Step::kAwaitPod)(s), s.Node("demo-b-0").volume_uid = "volume-demo-b-0"; },
       "Wait(VolumeNotEmpty"},
      {"the old node after all",
       [&](LostScene& s) { in(Step::kAwaitPod)(s), s.Node("demo-b-0").identity->node_id = "id-demo-b-0"; },
       "Finish(ReplacementCancelled"},
      {"a member is asked", in(Step::kReplace), "AskNode(replace demo-b-0)"},
      {"not before it has heard of the new one",
       [&](LostScene& s) { in(Step::kReplace)(s), s.observed.members->members.pop_back(); }, "Wait(NodeUnheard"},
      {"not while the old one lives somewhere",
       [&](LostScene& s) { in(Step::kReplace)(s), s.observed.members->members[1].liveness = "alive"; },
       "Wait(NodeAlive"},
      {"not when more was lost meanwhile", [&](LostScene& s) { in(Step::kReplace)(s), s.WeakPartition(1); },
       "Wait(DataAtRisk"},
      {"another volume by now",
       [&](LostScene& s) { in(Step::kReplace)(s), s.Node("demo-b-0").identity->node_id = "third"; },
       "Record(Replace/AwaitPod"},
      {"the old node after all, before it was asked",
       [&](LostScene& s) { in(Step::kReplace)(s), s.Node("demo-c-0").identity->node_id = "id-demo-b-0"; },
       "Finish(ReplacementCancelled"},
      {"it was done", in(Step::kReplace, "joining", "replaced"), "Record(Replace/Rebuild"},
      {"a human gave the place to another",
       [&](LostScene& s) {
         in(Step::kReplace, "joining", "replaced")(s), s.ring.members.back().id = "third",
                                                       s.Node("demo-b-0").identity->node_id = "third", s.Share();
       },
       "Finish(ReplacementCancelled"},
      {"rebuilding", in(Step::kRebuild, "joining", "replaced"), "Wait(NodeRebuilding"},
      {"rebuilt", in(Step::kRebuild, "normal", "replaced"), "Record(Replace/Repair"},
      {"rebuilt, and compared in the background",
       [&](LostScene& s) { in(Step::kRebuild, "normal", "replaced")(s), s.spec.repair_after_replacement = false; },
       "Record(Replace/Forget"},
      {"rebuilt, but not all know",
       [&](LostScene& s) { in(Step::kRebuild, "normal", "replaced")(s), s.Node("demo-c-0").topology.reset(); },
       "Wait(RingNotConverged"},
      {"its volume is lost, too",
       [&](LostScene& s) {
         in(Step::kRebuild, "joining", "replaced")(s), s.Node("demo-b-0").identity->node_id = "third",
                                                       s.Node("demo-b-0").topology.reset();
       },
       "Wait(DataAtRisk: the volume of node new-id-demo-b-0"},
  });
}

TEST(Replacement, IsComparedAndThenTheLostOneIsForgotten) {
  const auto forget = [](LostScene& s) { s.Replacing(Step::kForget, "normal", "replaced"); };
  CheckPlans<LostScene>({
      {"the comparison is asked for", [](LostScene& s) { s.Repair(""); }, "AskNode(repair demo-b-0)"},
      {"it runs", [](LostScene& s) { s.Repair("running"); }, "Wait(NodeRepairing"},
      {"nobody knows", [](LostScene& s) { s.Repair("running"), s.observed.repair.reset(); }, "Wait(NodeDown"},
      {"done", [](LostScene& s) { s.Repair("done"); }, "Record(Replace/Forget"},
      {"some of it failed: again", [](LostScene& s) { s.Repair("done", 3); }, "Record(Replace/Repair"},
      {"not while somebody is away", [](LostScene& s) { s.Repair("done", 3), s.Node("demo-c-0").topology.reset(); },
       "Wait(NodeDown"},
      {"failed often: left to later ones", [](LostScene& s) { s.Repair("done", 3, 3); }, "Record(Replace/Forget"},
      {"the ring is to forget the lost one", forget, "AskNode(forget demo-b-0)"},
      {"not while it has a vote", [&](LostScene& s) { forget(s), s.ring.voters = {"id-demo-b-0"}, s.Share(); },
       "Wait(RingChanging"},
      {"forgotten",
       [&](LostScene& s) {
         forget(s), std::erase_if(s.ring.members, [](auto& m) { return m.id == "id-demo-b-0"; }), s.Share();
       },
       "Finish(ReplacementCompleted"},
      {"forgotten, or a ring of before",
       [&](LostScene& s) {
         forget(s), std::erase_if(s.ring.members, [](auto& m) { return m.name == "demo-b-0"; }), s.Share();
       },
       "Wait(RingNotConverged"},
  });
}

TEST(Replacement, TellsAtItsEndWhoWasReplacedHowLongItTookAndWhatWasRepaired) {
  LostScene scene;
  scene.Repair("done");
  const Action after_repair = Plan(scene.spec, scene.status, scene.observed);
  scene.status.operation = std::get<Record>(after_repair).operation;
  std::erase_if(scene.ring.members, [](const auto& member) { return member.id == "id-demo-b-0"; });
  scene.Share();
  const Action end = Plan(scene.spec, scene.status, scene.observed);
  EXPECT_THAT(std::get<Finish>(end).message,
              HasSubstr("demo-b-0 is node new-id-demo-b-0 now, in place of id-demo-b-0, after 1m5s; 17 keys repaired"));
}

TEST(Replacement, OfAMachineDropsTheClaimThatWaitsForIt) {
  const auto drop = [](LostScene& s) {
    s.Away("demo-b-0", Machine::kGone);
    Operation operation{"op", Operation::Type::kReplace, Step::kDropVolume, "b", "demo-b-0", "", "", "", 5, "t", ""};
    operation.lost = {"id-demo-b-0", "volume-demo-b-0", "m-demo-b-0"};
    s.status.operation = operation;
  };
  CheckPlans<LostScene>({
      {"claim and pod", drop, "DropVolume(demo-b-0)"},
      {"the claim is on its way out, the pod still holds it",
       [&](LostScene& s) { drop(s), s.Node("demo-b-0").volume_deleting = true; }, "DropVolume(demo-b-0)"},
      {"both are on their way out",
       [&](LostScene& s) { drop(s), s.Node("demo-b-0").volume_deleting = s.Node("demo-b-0").pod_deleting = true; },
       "Wait(PodStopping"},
      {"the claim is gone, its pod is not", [&](LostScene& s) { drop(s), s.Node("demo-b-0").volume_uid = ""; },
       "DropVolume(demo-b-0)"},
      {"both are gone",
       [&](LostScene& s) { drop(s), s.Node("demo-b-0").volume_uid = "", s.Node("demo-b-0").pod_exists = false; },
       "Record(Replace/AwaitPod"},
      {"another claim stands there", [&](LostScene& s) { drop(s), s.Node("demo-b-0").volume_uid = "new"; },
       "Record(Replace/AwaitPod"},
      {"the machine is back, not ready yet",
       [&](LostScene& s) { drop(s), s.Node("demo-b-0").machine.state = Machine::kAway; },
       "Finish(ReplacementCancelled"},
      {"nobody knows", [&](LostScene& s) { drop(s), s.Node("demo-b-0").machine.state = Machine::kUnknown; },
       "Wait(MachineUnknown"},
      {"the node answers",
       [&](LostScene& s) {
         drop(s), s.Node("demo-b-0").identity = admin::Identity{"id-demo-b-0", kOwnId, 1, "normal", false};
       },
       "Finish(ReplacementCancelled"},
  });
}

TEST(Suspicion, SurvivesARestartOfTheOperator) {
  LostScene scene;
  scene.Suspected("demo-b-0", 5);
  const auto read = ParseStatus({{"status", {{"suspicion", ToJson(*scene.status.suspicion)}}}});
  EXPECT_EQ(read->suspicion, scene.status.suspicion);
  EXPECT_FALSE(ParseStatus({{"status", {{"suspicion", nullptr}}}})->suspicion);
  scene.Replacing(Step::kRepair, "normal", "replaced");
  scene.status.operation->attempts = 2;
  const auto operation = ParseStatus({{"status", {{"operation", ToJson(*scene.status.operation)}}}})->operation;
  EXPECT_EQ(operation, scene.status.operation);
  EXPECT_EQ(RepairIdOf(*operation), "op-repair-2");
}

}  // namespace
}  // namespace dynamo::op
