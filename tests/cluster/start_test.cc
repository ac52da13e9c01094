// How a node starts and stops: what is wrong ends with one message and code 2, and
// changes nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "common/admin/client.h"
#include "tests/cluster/node_process.h"
#include "tests/cluster/real_cluster.h"

namespace dynamo::cluster {
namespace {

constexpr int kBadStart = 2;

class StartTest : public testing::Test {
 protected:
  StartTest() : cluster_(22, 1) {}

  NodeProcess& node() { return cluster_.node(0); }
  // Starts a node that must end by itself with code 2 and one line that says `what`.
  void ExpectRefusal(NodeProcess& process, const std::string& what) {
    process.Start();
    EXPECT_EQ(process.AwaitEnd(20), kBadStart);
    const std::string log = process.Log();
    EXPECT_NE(log.find(what), std::string::npos) << log;
  }
  std::unique_ptr<NodeProcess> Another(const std::string& name, std::vector<std::string> arguments) {
    return std::make_unique<NodeProcess>(cluster_.folder() + "/" + name, "127.0.22.2", std::move(arguments));
  }
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }

  RealCluster cluster_;
};

TEST_F(StartTest, AWrongSettingIsNamedWithItsLine) {
  const std::string yaml = cluster_.folder() + "/node.yaml";
  Write(yaml, "name: n\nhttp-prot: 8098\n");
  ExpectRefusal(*Another("unknown-key", {"--config", yaml}), "http-prot");
  Write(yaml, "name: n\nhttp-port: many\n");
  const auto wrong_type = Another("wrong-type", {"--config", yaml});
  ExpectRefusal(*wrong_type, "node.yaml");
  EXPECT_NE(wrong_type->Log().find("2"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(wrong_type->data_folder()));
  ExpectRefusal(*Another("no-file", {"--config", "/nonexistent/node.yaml"}), "/nonexistent/node.yaml");
}

TEST_F(StartTest, AForeignFolderIsLeftAlone) {
  const auto process = Another("foreign", {});
  Write(process->data_folder() + "/thesis.tex", "ten years of work");
  ExpectRefusal(*process, process->data_folder());
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(process->data_folder())) ++files;
  EXPECT_EQ(files, 1u);
}

TEST_F(StartTest, AFolderInUseAndABusyPortAreNamed) {
  node().Start();
  ASSERT_TRUE(
      Eventually(std::chrono::seconds(20), [this] { return admin::Client(node().admin()).GetIdentity().has_value(); }));
  NodeProcess same_folder(cluster_.folder() + "/node1", "127.0.22.3", {});
  same_folder.Start();
  EXPECT_EQ(same_folder.AwaitEnd(20), kBadStart);
  NodeProcess same_port(cluster_.folder() + "/port", "127.0.22.1", {});
  ExpectRefusal(same_port, "127.0.22.1");
  EXPECT_TRUE(admin::Client(node().admin()).GetIdentity().has_value());
}

TEST_F(StartTest, ACorruptFolderIsSaidToBeCorrupt) {
  node().Start();
  ASSERT_TRUE(cluster_.Create(8).has_value());
  EXPECT_EQ(node().Terminate(), 0) << node().Log();
  std::string current;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(node().data_folder())) {
    if (entry.path().filename() == "CURRENT") current = entry.path();
  }
  ASSERT_FALSE(current.empty());
  Write(current, "MANIFEST-999999\n");
  ExpectRefusal(node(), "data");
}

TEST_F(StartTest, WhatIsStoredOutlivesAStop) {
  node().Start();
  ASSERT_TRUE(cluster_.Create(8).has_value());
  const auto before = admin::Client(node().admin()).GetIdentity().value();
  EXPECT_EQ(node().Terminate(), 0) << node().Log();
  node().Start();
  ASSERT_TRUE(Eventually(std::chrono::seconds(20), [this] { return cluster_.IsWhole(); }));
  const auto after = admin::Client(node().admin()).GetIdentity().value();
  EXPECT_EQ(after.node_id, before.node_id);
  EXPECT_EQ(after.cluster_id, before.cluster_id);
  EXPECT_EQ(after.boot_number, before.boot_number + 1);
}

}  // namespace
}  // namespace dynamo::cluster
