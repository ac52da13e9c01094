// The disks of two of three voters are deleted. The commands of docs/recovery.md, run as
// they are written there, bring the cluster back with all that survived, and name the rest.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "common/admin/client.h"
#include "common/admin/ranges.h"
#include "tests/cluster/real_cluster.h"
#include "tools/dynamoctl/commands.h"

namespace dynamo::cluster {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr int kRecoverySubnet = 33;
constexpr int kKeys = 150;

// The lines of the document's code blocks.
std::vector<std::string> CommandsOf(const std::string& document) {
  std::ifstream in(document);
  std::vector<std::string> commands;
  bool code = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      code = !code;
    } else if (code) {
      commands.push_back(line);
    }
  }
  return commands;
}

class Recovery : public testing::Test {
 protected:
  Recovery() : cluster_(kRecoverySubnet, 3) {}

  admin::Client Admin(size_t node) { return admin::Client(cluster_.node(node).admin(), seconds(20)); }
  std::string IdOf(size_t node) { return Admin(node).GetIdentity().value().node_id; }

  std::string Substituted(std::string text) const {
    for (const auto& [name, value] : variables_) {
      for (size_t at = text.find(name); at != std::string::npos; at = text.find(name))
        text.replace(at, name.size(), value);
    }
    return text;
  }
  // Asks again while it is refused; the last output of either kind.
  std::string Run(const std::string& line, seconds limit = seconds(90)) {
    std::vector<std::string> arguments;
    std::istringstream words(Substituted(line));
    for (std::string word; words >> word;) arguments.push_back(word);
    if (arguments.at(0) == "export") {
      const size_t equals = arguments.at(1).find('=');
      ::setenv(arguments[1].substr(0, equals).c_str(), arguments[1].substr(equals + 1).c_str(), 1);
      return "";
    }
    arguments.erase(arguments.begin());
    std::string said;
    EXPECT_TRUE(Eventually(limit,
                           [&] {
                             std::istringstream in;
                             std::ostringstream out, err;
                             const int code = ctl::Run(arguments, in, out, err);
                             said = out.str() + err.str();
                             return code == 0;
                           }))
        << line << "\n"
        << said;
    std::cout << "$ " << Substituted(line) << "\n" << said;
    return said;
  }

  static std::string Path(const std::string& type, int key) {
    return fmt::format("/types/{}/buckets/b/keys/k{}", type, key);
  }
  int Status(size_t node, const std::string& path) {
    const auto answer = httplib::Client("http://" + cluster_.node(node).http()).Get(path.c_str());
    return answer ? answer->status : 0;
  }
  void WriteAll(const std::string& type, int w) {
    httplib::Client client("http://" + cluster_.node(2).http());
    for (int key = 0; key < kKeys; ++key) {
      const std::string target = Path(type, key) + fmt::format("?w={}&pw={}", w, w);
      const auto answer = client.Put(target.c_str(), fmt::format("value {}", key), "text/plain");
      ASSERT_TRUE(answer && answer->status / 100 == 2) << target << (answer ? answer->body : "");
    }
  }

  // What the document calls by name; the first one's disk turns up again later.
  void LoseTwoDisks(const std::string& found_again) {
    variables_ = {{"$SURVIVOR", cluster_.node(2).admin()},
                  {"$CLUSTER", Admin(2).GetIdentity().value().cluster_id},
                  {"$LOST_A", IdOf(0)},
                  {"$LOST_B", IdOf(1)},
                  {"$WHO", "ada"}};
    cluster_.node(0).Kill();
    cluster_.node(1).Kill();
    std::filesystem::create_directory(found_again);
    std::filesystem::rename(cluster_.node(0).data_folder(), found_again + "/data");
    std::filesystem::remove_all(cluster_.node(1).data_folder());
  }
  void StartEmptyNodes() {
    for (const size_t node : {0, 1}) cluster_.node(node).Start();
    ASSERT_TRUE(Eventually(seconds(60), [&] {
      return Admin(0).GetIdentity().has_value() && Admin(1).GetIdentity().has_value() &&
             Admin(2).GetMembers().value_or(admin::Members{}).members.size() >= 5;
    }));
    variables_["$NEW_A"] = IdOf(0);
    variables_["$NEW_B"] = IdOf(1);
  }
  // The receiver waits for ever, and says so, and what ends it.
  void ReadWhatWaits() {
    admin::Operation waiting;
    ASSERT_TRUE(Eventually(seconds(30), [&] {
      waiting = Admin(2).GetOperation("replace-a").value_or(admin::Operation{});
      return !waiting.waits.empty();
    })) << waiting.message;
    EXPECT_THAT(waiting.message, HasSubstr("accept-loss"));
    EXPECT_EQ(waiting.waits.at(0).owners, std::vector<std::string>{variables_["$LOST_B"]});
    variables_["$PARTITIONS"] = admin::FormatRanges(waiting.waits.at(0).partitions);
  }
  void RunTheDocument() {
    for (const std::string& command : CommandsOf(DYNAMO_RECOVERY_DOCUMENT)) {
      if (command.find("$PARTITIONS") != std::string::npos) ASSERT_NO_FATAL_FAILURE(ReadWhatWaits());
      const std::string said = Run(command);
      if (command.find("force-topology") == std::string::npos) continue;
      EXPECT_THAT(said, HasSubstr("epoch 2."));
      EXPECT_THAT(said, HasSubstr("by 'ada'"));
      ASSERT_NO_FATAL_FAILURE(StartEmptyNodes());
    }
  }
  // All is there but for keys of these partitions, with N=2.
  void ExpectTheRest(const std::set<uint32_t>& gone) {
    int lost = 0;
    for (int key = 0; key < kKeys; ++key) {
      const size_t node = static_cast<size_t>(key) % 3;
      EXPECT_EQ(Status(node, Path("siblings", key) + "?r=3&pr=3"), 200) << key;
      const auto located = Admin(2).Locate("pairs", "b", fmt::format("k{}", key));
      ASSERT_TRUE(located.has_value()) << located.error().message;
      const bool named = gone.contains(located->partition);
      EXPECT_EQ(Status(node, Path("pairs", key) + "?r=2&pr=2"), named ? 404 : 200) << key;
      lost += named ? 1 : 0;
    }
    std::cout << fmt::format(
        "{0} keys with N=3: all there; {0} with N=2: {1} there, {2} lost, in the {3} named partitions\n", kKeys,
        kKeys - lost, lost, gone.size());
  }

  RealCluster cluster_;
  std::map<std::string, std::string> variables_;
};

TEST_F(Recovery, TheDocumentedCommandsBringBackWhatSurvivedAndNameWhatWasLost) {
  cluster_.StartAll();
  ASSERT_TRUE(cluster_.Create(32).has_value());
  ::setenv("DYNAMO_ADMIN", cluster_.node(2).admin().c_str(), 1);
  Run("dynamoctl type create pairs --policy siblings --n 2");
  ASSERT_TRUE(Eventually(seconds(30), [&] { return Status(2, Path("pairs", 0)) == 404; }));
  ASSERT_NO_FATAL_FAILURE(WriteAll("siblings", 3));
  ASSERT_NO_FATAL_FAILURE(WriteAll("pairs", 2));

  const std::string found_again = cluster_.folder() + "/found";
  LoseTwoDisks(found_again);
  ASSERT_NO_FATAL_FAILURE(RunTheDocument());

  const admin::Topology topology = Admin(2).GetTopology().value();
  EXPECT_EQ(topology.generation, 2u);
  EXPECT_EQ(topology.members.size(), 3u);
  EXPECT_EQ(topology.voters.size(), 3u);
  ASSERT_EQ(topology.losses.size(), 2u);
  EXPECT_FALSE(topology.losses[0].partitions.empty());
  ASSERT_NO_FATAL_FAILURE(ExpectTheRest({topology.losses[0].partitions.begin(), topology.losses[0].partitions.end()}));
  ASSERT_NO_FATAL_FAILURE(WriteAll("siblings", 3));

  NodeProcess returned(found_again, fmt::format("127.0.{}.9", kRecoverySubnet), {"--seeds", cluster_.node(2).peer()});
  returned.Start();
  EXPECT_TRUE(Eventually(seconds(60), [&] {
    const auto identity = admin::Client(returned.admin(), seconds(5)).GetIdentity();
    return identity && identity->state == "removed";
  })) << returned.Log();
  returned.Kill();
}

}  // namespace
}  // namespace dynamo::cluster
