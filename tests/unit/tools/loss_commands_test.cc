// dynamoctl cluster force-topology and accept-loss: what is asked, and what is shown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "tests/unit/tools/scripted_node.h"

namespace dynamo::ctl {
namespace {

using ::testing::HasSubstr;

class LossCommands : public testing::Test {
 protected:
  LossCommands() {
    node.server.Get("/topology", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(topology, "application/json");
    });
    node.server.Put(R"(/operations/(.*))", [this](const httplib::Request& request, httplib::Response& response) {
      ids.push_back(request.matches[1]);
      bodies.push_back(request.body);
      response.set_content(R"({"id":"x","state":"done","message":"decided in epoch 8"})", "application/json");
    });
  }
  Outcome Cluster(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--admin", node.endpoint(), "cluster"});
    return Ctl(arguments);
  }

  std::string topology = R"({"generation":2,"epoch":8,"members":[{"id":"0a","name":"node-1"}],"losses":[
    {"kind":"forced-topology","generation":2,"epoch":8,"operationID":"force","by":"ada","atMs":1000,
     "nodes":["0a"],"partitions":[1,2,3]}]})";
  std::vector<std::string> ids, bodies;
  ScriptedNode node;  // Last: its thread ends first.
};

TEST_F(LossCommands, ForceNamesTheClusterAndTheLostAndShowsTheRecord) {
  const Outcome forced = Cluster({"force-topology", "--cluster", "c1", "--lost", "node-1,node-2", "--by", "ada"});
  EXPECT_EQ(forced.code, 0) << forced.err;
  ASSERT_EQ(bodies.size(), 1u);
  EXPECT_THAT(bodies[0], HasSubstr(R"("type":"force-topology")"));
  EXPECT_THAT(bodies[0], HasSubstr(R"("clusterID":"c1")"));
  EXPECT_THAT(bodies[0], HasSubstr(R"("nodes":["node-1","node-2"])"));
  EXPECT_THAT(bodies[0], HasSubstr(R"("by":"ada")"));
  EXPECT_THAT(forced.out,
              HasSubstr("1970-01-01 00:00:01 UTC, epoch 2.8, by 'ada' (force): went on without node-1 (0a)"));
  EXPECT_THAT(forced.out, HasSubstr("1-3"));
}

TEST_F(LossCommands, NeitherIsDoneWithoutTheClusterAndTheLost) {
  EXPECT_EQ(Cluster({"force-topology", "--lost", "node-1"}).code, 2);
  EXPECT_EQ(Cluster({"force-topology", "--cluster", "c1"}).code, 2);
  EXPECT_EQ(Cluster({"accept-loss", "--cluster", "c1", "--lost", "node-1"}).code, 2) << "no partitions";
  EXPECT_EQ(Cluster({"accept-loss", "--cluster", "c1", "--lost", "node-1", "--partitions", "3-1"}).code, 2);
  EXPECT_TRUE(bodies.empty());
}

TEST_F(LossCommands, AcceptNamesThePartitionsAndTheSameWordsMakeTheSameOperation) {
  const std::vector<std::string> words{"accept-loss", "--cluster", "c1", "--lost", "node-1", "--partitions", "7,0-2"};
  EXPECT_EQ(Cluster(words).code, 0);
  EXPECT_EQ(Cluster(words).code, 0);
  EXPECT_THAT(bodies.at(0), HasSubstr(R"("partitions":[0,1,2,7])"));
  EXPECT_EQ(ids.at(0), ids.at(1));
}

}  // namespace
}  // namespace dynamo::ctl
