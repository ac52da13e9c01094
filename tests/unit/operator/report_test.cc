// The status that people read, by table: what was seen -> what is said.
#include "operator/cluster/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <functional>
#include <vector>

#include "operator/cluster/template_hash.h"
#include "tests/unit/operator/scene.h"

namespace dynamo::op {
namespace {

using kube::Object;
namespace json = kube::json;
using ::testing::HasSubstr;

constexpr char kNow[] = "2026-01-02T03:04:05Z";

// A scene at rest, with all that is asked of the nodes answered.
struct Told : Scene {
  Action action = Settled{};

  Told() {
    spec.generation = 4;
    observed.safety.emplace().epoch = 7;
    ring.partitions = 64;
    Share();
  }
  Object Status() const { return Report(spec, status, observed, action, kNow); }
  kube::Condition Said(const std::string& type) const {
    const auto conditions = kube::Conditions::FromStatus({{"status", Status()}});
    const kube::Condition* found = conditions.Get(type);
    return found == nullptr ? kube::Condition{} : *found;
  }
};

struct Line {
  const char* what;
  std::function<void(Told&)> arrange;
  const char* type;
  const char* status;
  const char* reason;
  const char* words = "";
};

void Expect(const std::vector<Line>& table) {
  for (const Line& line : table) {
    Told told;
    line.arrange(told);
    const kube::Condition said = told.Said(line.type);
    EXPECT_EQ(said.status, line.status) << line.what;
    EXPECT_EQ(said.reason, line.reason) << line.what;
    EXPECT_THAT(said.message, HasSubstr(line.words)) << line.what;
    EXPECT_EQ(said.observed_generation, 4) << line.what;
  }
}

TEST(Report, ReadyIsSaidOfASettledClusterThatAllAgreeOn) {
  Expect({
      {"at rest", [](Told&) {}, "Ready", "True", "Ready"},
      {"waiting", [](Told& t) { t.action = Wait{"NodeJoining", "demo-a-1 comes"}; }, "Ready", "False", "Progressing",
       "demo-a-1 comes"},
      {"a pod does not serve", [](Told& t) { t.observed.racks[0].ready = 0; }, "Ready", "False", "NodesNotReady"},
      {"one is behind",
       [](Told& t) { t.Node("demo-b-0").topology->hash = "old", t.Node("demo-b-0").topology->epoch = 6; }, "Ready",
       "False", "NodesNotReady"},
      {"one is on its way", [](Told& t) { t.SetState("demo-b-0", "joining"); }, "Ready", "False", "NodesNotReady"},
  });
}

TEST(Report, AvailableCountsWhoMayBeAway) {
  const auto silent = [](Told& t, const char* name) {
    t.Node(name).identity.reset(), t.Node(name).topology.reset(), t.Node(name).pod_ready = false;
  };
  Expect({
      {"all serve", [](Told&) {}, "Available", "True", "QuorumServes", "3 nodes"},
      {"one may be away", [&](Told& t) { silent(t, "demo-c-0"); }, "Available", "True", "QuorumServes", "2 nodes"},
      {"two silent: nobody knows", [&](Told& t) { silent(t, "demo-c-0"), silent(t, "demo-b-0"); }, "Available",
       "Unknown", "NodesUnreachable", "2 nodes"},
      {"two say that they do not serve",
       [](Told& t) { t.Node("demo-c-0").pod_ready = t.Node("demo-b-0").pod_ready = false; }, "Available", "False",
       "QuorumAtRisk"},
      {"with R of N none may be away", [](Told& t) { t.spec.read_quorum = 3, t.Node("demo-c-0").pod_ready = false; },
       "Available", "False", "QuorumAtRisk"},
      {"no ring yet", [](Told& t) { t.status.ring_epoch = 0; }, "Available", "False", "NotFormed"},
  });
}

TEST(Report, ProgressAndTroubleAreTheActionsOwnWords) {
  const auto in_operation = [](Told& t) {
    t.InOperation(Operation::Type::kScaleUp, Operation::Step::kJoin, "joining");
    t.action = Wait{"NodeJoining", "demo-a-1 takes its share"};
  };
  Expect({
      {"settled", [](Told&) {}, "Progressing", "False", "Settled"},
      {"an operation gives its name", in_operation, "Progressing", "True", "ScaleUp", "demo-a-1 takes its share"},
      {"without one the wait does", [](Told& t) { t.action = Wait{"NodeDown", "x"}; }, "Progressing", "True",
       "NodeDown"},
      {"paused is no progress", [](Told& t) { t.spec.paused = true, t.action = Wait{"Paused", "x"}; }, "Progressing",
       "False", "Paused"},
      {"paused", [](Told& t) { t.spec.paused = true, t.action = Wait{"Paused", "x"}; }, "Paused", "True", "Paused"},
      {"not paused", [](Told&) {}, "Paused", "False", "Running"},
      {"a wait that passes is no trouble", [](Told& t) { t.action = Wait{"NodeDown", "x"}; }, "Degraded", "False",
       "AsExpected"},
      {"one that does not is", [](Told& t) { t.action = Wait{"PodsBlocked", "no image", true}; }, "Degraded", "True",
       "PodsBlocked", "no image"},
  });
}

TEST(Report, VolumesIdsAndTemplatesAreLookedAtOneByOne) {
  Expect({
      {"bound", [](Told&) {}, "VolumesReady", "True", "AllBound"},
      {"pending",
       [](Told& t) { t.Node("demo-b-0").volume_bound = false, t.Node("demo-b-0").trouble = "Unschedulable: zone"; },
       "VolumesReady", "False", "VolumePending", "data-demo-b-0 is not bound: Unschedulable: zone"},
      {"not there yet", [](Told& t) { t.Node("demo-b-0").volume_bound = false, t.Node("demo-b-0").volume_uid = ""; },
       "VolumesReady", "Unknown", "VolumePending"},
      {"ours", [](Told&) {}, "ClusterIDMatched", "True", "Matched"},
      {"a stranger's", [](Told& t) { t.Node("demo-b-0").identity->cluster_id = "other"; }, "ClusterIDMatched", "False",
       "ClusterIDMismatch", "demo-b-0 is of cluster other"},
      {"newest", [](Told&) {}, "UpdatePending", "False", "UpToDate"},
      {"an older template", [](Told& t) { t.observed.racks[1].updated = 0; }, "UpdatePending", "True",
       "PodsOfOlderTemplate", "rack b: 0 of 1"},
      {"one ring", [](Told&) {}, "RingConverged", "True", "OneEpoch"},
      {"on its way", [](Told& t) { t.SetState("demo-b-0", "leaving"); }, "RingConverged", "False", "NotConverged"},
      {"nobody says anything",
       [](Told& t) {
         for (NodeView& node : t.observed.nodes) node.topology.reset();
       },
       "RingConverged", "Unknown", "NotConverged"},
  });
}

std::string RingOf(const Told& told) {
  const Object status = told.Status();
  std::string out;
  for (const char* field : {"epoch", "underReplicated", "unavailable", "pendingTransfers", "pendingHints"}) {
    out += json::serialize(status.at("ring").at(field)) + " ";
  }
  return out;
}

TEST(Report, TheRingInNumbers) {
  Told told;
  EXPECT_EQ(RingOf(told), "7 0 0 0 0 ");
  // Partition 3 lacks one of three owners, partition 4 two; two bucket types count once.
  told.observed.safety->partitions = {{4, 3, 3, 1, 1}, {3, 3, 3, 2, 2}, {3, 2, 2, 1, 1}, {5, 3, 3, 3, 2}};
  told.Node("demo-a-0").hints = 7;
  told.Node("demo-c-0").hints = 5;
  told.ring.to_move = 12;
  told.ring.moved = 4;
  told.Share();
  EXPECT_EQ(RingOf(told), "7 2 2 8 12 ");
}

TEST(Report, ANumberThatNobodyToldIsTakenAway) {
  Told told;
  told.observed.safety.reset();
  told.Node("demo-b-0").hints.reset();
  EXPECT_EQ(RingOf(told), "7 null null 0 null ");
  for (NodeView& node : told.observed.nodes) node.topology.reset();
  EXPECT_EQ(RingOf(told), "5 null null null null ") << "the epoch is the last one that was known";
  told.status.ring_epoch = 0;
  told.Share();
  EXPECT_EQ(kube::IntAt(told.Status(), "ring.epoch", -1), 0) << "by it a restarted operator knows that none was formed";
}

TEST(Report, EveryPlaceHasItsLine) {
  Told told;
  told.InOperation(Operation::Type::kScaleUp, Operation::Step::kJoin, "joining");
  told.ring.members[0].zone = "z1";
  told.ring.members[0].tokens = 21;
  told.Share();
  told.Node("demo-b-0").identity.reset();
  NodeView& left_over = told.AddNode("c", 1, "");
  left_over.expected = left_over.pod_exists = false;
  const Object status = told.Status();
  const json::array& nodes = status.at("nodes").get_array();
  ASSERT_EQ(nodes.size(), 4u) << "a volume alone is no node";
  std::string states;
  for (const json::value& node : nodes) {
    states += kube::StringAt(node.get_object(), "name") + "=" + kube::StringAt(node.get_object(), "state") + " ";
  }
  EXPECT_EQ(states, "demo-a-0=Normal demo-b-0=Unknown demo-c-0=Normal demo-a-1=Joining ");
  const Object& first = nodes.at(0).get_object();
  EXPECT_EQ(kube::StringAt(first, "zone"), "z1");
  EXPECT_EQ(kube::IntAt(first, "vnodes"), 21);
  EXPECT_EQ(kube::StringAt(first, "podUID"), "pod-demo-a-0");
  EXPECT_EQ(status.at("replicas"), 4);
  EXPECT_EQ(status.at("readyReplicas"), 3);
  EXPECT_THAT(kube::StringAt(status, "selector"), HasSubstr("app.kubernetes.io/instance=demo"));
  EXPECT_EQ(kube::StringAt(status, "endpoint.host"), "demo.shop.svc");
}

// Of a node in the report, by its place in it.
Object NodeIn(const Told& told, size_t index) { return told.Status().at("nodes").get_array().at(index).get_object(); }

TEST(Report, WhoStoodAtAPlaceStaysWrittenDownUntilAnotherHasIt) {
  Told told;
  told.status.nodes = {{"demo-b-0", "id-demo-b-0", "volume-demo-b-0"}};
  NodeView& node = told.Node("demo-b-0");
  node.identity.reset(), node.topology.reset(), node.volume_uid = "";
  EXPECT_EQ(kube::StringAt(NodeIn(told, 1), "nodeID"), "id-demo-b-0") << "silent";
  EXPECT_EQ(kube::StringAt(NodeIn(told, 1), "volumeUID"), "volume-demo-b-0");
  EXPECT_EQ(kube::StringAt(NodeIn(told, 1), "state"), "Unknown");

  node.identity = admin::Identity{"new", "", 1, "empty", true};
  node.volume_uid = "new-volume";
  EXPECT_EQ(kube::StringAt(NodeIn(told, 1), "nodeID"), "id-demo-b-0") << "another stands there, empty";
  EXPECT_EQ(kube::StringAt(NodeIn(told, 1), "volumeUID"), "volume-demo-b-0");
  EXPECT_EQ(kube::StringAt(NodeIn(told, 1), "state"), "Lost");

  told.SetState("demo-b-0", "replaced");
  EXPECT_EQ(kube::StringAt(NodeIn(told, 1), "nodeID"), "new") << "the place is not the old one's any more";
  EXPECT_EQ(kube::StringAt(NodeIn(told, 1), "volumeUID"), "new-volume");
}

TEST(Report, ARingThatNobodyAgreesOnTakesNobodysPlaceAway) {
  Told told;
  told.status.nodes = {{"demo-b-0", "id-demo-b-0", "volume-demo-b-0"}};
  for (NodeView& node : told.observed.nodes) node.topology.reset();
  told.Node("demo-b-0").identity = admin::Identity{"new", "", 1, "empty", true};
  told.Node("demo-b-0").volume_uid = "new-volume";
  EXPECT_EQ(kube::StringAt(NodeIn(told, 1), "nodeID"), "id-demo-b-0");
  EXPECT_EQ(kube::StringAt(NodeIn(told, 1), "volumeUID"), "volume-demo-b-0");
}

TEST(Report, PodsOfAnOlderWishArePending) {
  Expect({
      {"one of three", [](Told& t) { t.Node("demo-b-0").pod_template = "older"; }, "UpdatePending", "True",
       "RolloutPending", "1 of 3 pods"},
      {"kept", [](Told& t) { t.Node("demo-b-0").pod_template = "older", t.spec.update_partition = 2; }, "UpdatePending",
       "True", "RolloutPending", "spec.update.partition keeps some"},
      {"of another operator's template alone", [](Told& t) { t.observed.racks[1].updated = 0; }, "UpdatePending",
       "True", "PodsOfOlderTemplate", "restartToken"},
  });
}

TEST(Report, AMonitorThatNobodyWouldReadIsSaid) {
  Expect({
      {"known", [](Told& t) { t.spec.pod_monitor = t.observed.pod_monitors = true; }, "Monitored", "True",
       "PodMonitorApplied"},
      {"unknown", [](Told& t) { t.spec.pod_monitor = true; }, "Monitored", "False", "PodMonitorUnknown",
       "install the Prometheus operator"},
      {"not wanted any more", [](Told& t) { t.status.conditions.Set("Monitored", "True", "x", "", 3, "then"); },
       "Monitored", "False", "NotAskedFor"},
  });
  EXPECT_EQ(Told().Said("Monitored").reason, "") << "never asked for";
}

TEST(Report, WhatPodsWithoutAHashStandForIsSetDownOnce) {
  Told told;
  const std::string first = kube::StringAt(told.Status().at("racks").get_array().at(0).get_object(), "template");
  EXPECT_EQ(first, TemplateHashOf(told.spec, told.spec.racks[0]));
  told.status.templates["a"] = first;
  told.spec.version = "another";
  EXPECT_EQ(kube::StringAt(told.Status().at("racks").get_array().at(0).get_object(), "template"), first);
}

TEST(Report, TheFirstOfANewGenerationLeavesNothingOfTheOldOneStanding) {
  Told told;
  kube::Conditions before;
  before.Set("Ready", "True", "Ready", "", 3, "then");
  before.Set("Progressing", "False", "Settled", "", 3, "then");
  told.status.conditions = before;
  const Object status = ReportNewGeneration(told.status, 4, kNow);
  EXPECT_EQ(kube::IntAt(status, "observedGeneration"), 4);
  const auto said = kube::Conditions::FromStatus({{"status", status}});
  EXPECT_EQ(said.Get("Ready")->status, "False");
  EXPECT_TRUE(said.IsTrue("Progressing"));
  EXPECT_EQ(said.Get("Ready")->observed_generation, 4);
}

TEST(Report, TroubleTakesBackWhatIsNotKnownAnyMore) {
  Told told;
  told.status.conditions.Set("Available", "True", "QuorumServes", "", 3, "then");
  const auto said = kube::Conditions::FromStatus(
      {{"status", ReportTrouble(told.status, 4, "ApiServerUnreachable", "refused", kNow)}});
  EXPECT_EQ(said.Get("Available")->status, "Unknown");
  EXPECT_EQ(said.Get("Ready")->status, "Unknown");
  EXPECT_EQ(said.Get("Degraded")->reason, "ApiServerUnreachable");
  // What was not true before is not made unknown: it is no better for our not looking.
  told.status.conditions.Set("Available", "False", "QuorumAtRisk", "", 3, "then");
  const auto again = kube::Conditions::FromStatus(
      {{"status", ReportTrouble(told.status, 4, "ApiServerUnreachable", "refused", kNow)}});
  EXPECT_EQ(again.Get("Available")->status, "False");
}

}  // namespace
}  // namespace dynamo::op
