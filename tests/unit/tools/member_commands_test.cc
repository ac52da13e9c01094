// dynamoctl cluster join, leave, ...: what is asked of a node, and what is printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "tests/unit/tools/scripted_node.h"

namespace dynamo::ctl {
namespace {

using ::testing::HasSubstr;

constexpr char kOperations[] = R"(/operations/(.*))";

// At epoch 7; remembers what it was asked, and answers `operation`.
class MemberCommands : public testing::Test {
 protected:
  MemberCommands() {
    node.server.Get("/topology", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("{\"epoch\":7}", "application/json");
    });
    node.server.Put(kOperations, [this](const httplib::Request& request, httplib::Response& response) {
      ids.push_back(request.matches[1]);
      bodies.push_back(request.body);
      response.set_content(operation, "application/json");
    });
    node.server.Get(kOperations, [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(polled++ == 0 ? operation : done, "application/json");
    });
  }
  Outcome Cluster(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--admin", node.endpoint(), "cluster"});
    return Ctl(arguments);
  }

  std::string operation =
      R"({"id":"x","type":"join","state":"running","message":"3 of 12 partitions have moved","moved":3,"toMove":12})";
  std::string done = R"({"id":"x","type":"join","state":"done","message":"decided in epoch 8"})";
  std::vector<std::string> ids, bodies;
  int polled = 0;
  ScriptedNode node;  // Last: its thread ends first.
};

TEST_F(MemberCommands, JoinAsksAtTheEpochItSeesUnderANameOfItsWords) {
  const Outcome joined = Cluster({"join", "node-4", "--zone", "z4", "--capacity", "2"});
  EXPECT_EQ(joined.code, 0) << joined.err;
  EXPECT_EQ(joined.out, "x running: 3 of 12 partitions have moved\n");
  ASSERT_EQ(bodies.size(), 1u);
  EXPECT_THAT(bodies[0], HasSubstr(R"("nodeID":"node-4")"));
  EXPECT_THAT(bodies[0], HasSubstr(R"("zone":"z4")"));
  EXPECT_THAT(bodies[0], HasSubstr(R"("capacity":2)"));
  EXPECT_THAT(bodies[0], HasSubstr(R"("epoch":7)"));
  EXPECT_THAT(bodies[0], HasSubstr(R"("type":"join")"));
  Cluster({"join", "node-4", "--zone", "z4", "--capacity", "2"});
  Cluster({"join", "node-5"});
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_NE(ids[0], ids[2]);
}

TEST_F(MemberCommands, EachCommandSaysItsType) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> commands = {
      {{"leave", "a"}, "leave"},
      {{"replace", "a", "b"}, "replace"},
      {{"capacity", "a", "3"}, "capacity"},
      {{"rebalance"}, "rebalance"},
      {{"cancel"}, "cancel"},
      {{"forget", "a"}, "forget"},
      {{"commit", "--leave", "a"}, "change"}};
  for (const auto& [arguments, type] : commands) {
    EXPECT_EQ(Cluster(arguments).code, 0) << type;
    EXPECT_THAT(bodies.back(), HasSubstr("\"type\":\"" + type + "\""));
  }
  Cluster({"replace", "a", "b"});
  EXPECT_THAT(bodies.back(), HasSubstr(R"("oldID":"a")"));
  EXPECT_THAT(bodies.back(), HasSubstr(R"("nodeID":"b")"));
}

TEST_F(MemberCommands, WaitShowsABarUntilItIsDone) {
  const Outcome joined = Cluster({"join", "node-4", "--wait"});
  EXPECT_EQ(joined.code, 0) << joined.err;
  EXPECT_EQ(joined.out, "[#######.......................] 3/12 partitions\nx done: decided in epoch 8\n");
}

TEST_F(MemberCommands, TheBarSaysHowMuchIsCopiedHowFastAndHowLongItTakes) {
  operation =
      R"({"id":"x","type":"join","state":"running","message":"3 of 12 partitions have moved","moved":3,"toMove":12,
          "bytesDone":1048576,"bytesInAll":4194304,"bytesPerSecond":1024,"secondsLeft":3072,"unanswered":["n3"]})";
  const std::string copies =
      ", 1.0 MiB of about 4.0 MiB copied at 1.0 KiB/s, about 51m12s left (what n3 did is not known)\n";
  EXPECT_EQ(Cluster({"progress", "x"}).out, "x running: 3 of 12 partitions have moved" + copies);
  polled = 0;
  EXPECT_EQ(Cluster({"progress", "x", "--wait"}).out,
            "[#######.......................] 3/12 partitions" + copies + "x done: decided in epoch 8\n");
  polled = 0;
  const std::string json = Cluster({"progress", "x", "-o", "json"}).out;
  EXPECT_THAT(json, HasSubstr(R"("bytesDone":1048576,"bytesInAll":4194304,"bytesPerSecond":1024,"secondsLeft":3072)"));
}

TEST_F(MemberCommands, ProgressIsAskedByIdAndPrintedAsJsonToo) {
  EXPECT_EQ(Cluster({"progress", "x"}).out, "x running: 3 of 12 partitions have moved\n");
  EXPECT_THAT(Cluster({"progress", "x", "-o", "json"}).out, HasSubstr(R"("state":"done")"));
}

TEST_F(MemberCommands, PlanPrintsWhatWouldMoveAndWhatCannotBeHad) {
  std::string asked;
  node.server.Put("/plan", [&](const httplib::Request& request, httplib::Response& response) {
    asked = request.body;
    response.set_content(R"({"epoch":7,"partitions":64,"nVal":3,"moves":9,"replicasToCopy":27,"members":[
        {"id":"i","name":"node-1","zone":"z","change":"capacity","capacity":2,"tokensBefore":21,"tokensAfter":30,
         "idealAfter":29.5}],"unsatisfied":["one zone only"]})",
                         "application/json");
  });
  const Outcome plan = Cluster({"plan", "--join", "new=z2:4", "--leave", "node-3", "--capacity", "node-1=2"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(asked, HasSubstr(R"("join":[{"nodeID":"new","zone":"z2","capacity":4}])"));
  EXPECT_THAT(asked, HasSubstr(R"("leave":["node-3"])"));
  EXPECT_THAT(asked, HasSubstr(R"("capacities":[{"nodeID":"node-1","zone":"","capacity":2}])"));
  EXPECT_THAT(plan.out, HasSubstr("9 of 64 tokens change hands; 27 copies of partitions are made (N = 3)."));
  EXPECT_THAT(plan.out, HasSubstr("29.5"));
  EXPECT_THAT(plan.out, HasSubstr("Cannot be had: one zone only"));
  EXPECT_THAT(plan.out, HasSubstr("cluster commit --epoch 7"));
  EXPECT_EQ(Cluster({"plan", "--capacity", "node-1=much"}).code, 2);
}

TEST(MemberCommandsRefused, AreSaidInTheNodesWords) {
  ScriptedNode node;
  node.server.Put("/operations/mine", [](const httplib::Request&, httplib::Response& response) {
    response.status = 409;
    response.set_content(R"({"error":"the change 'x' of epoch 8 is under way","code":"conflict"})", "application/json");
  });
  const Outcome refused =
      Ctl({"cluster", "leave", "a", "--epoch", "8", "--operation-id", "mine", "--admin", node.endpoint()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.err, "dynamoctl: the change 'x' of epoch 8 is under way\n");
  EXPECT_EQ(Ctl({"cluster", "leave"}).code, 2);
}

}  // namespace
}  // namespace dynamo::ctl
