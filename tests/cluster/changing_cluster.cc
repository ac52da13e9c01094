#include "tests/cluster/changing_cluster.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace dynamo::cluster {

using std::chrono::seconds;

ChangingCluster::ChangingCluster(int subnet, size_t nodes, size_t first, uint32_t partitions)
    : cluster_(subnet, nodes), asked_(Asked(cluster_.folder(), subnet, first)) {
  cluster_.StartAll();
  admin::CreateOperation create;
  create.partitions = partitions;
  for (size_t i = 0; i < first; ++i) create.members.push_back({cluster_.node(i).peer(), "", 0});
  EXPECT_TRUE(Eventually(seconds(30), [&] { return Admin(0).Create("create", create).has_value(); }));
  EXPECT_TRUE(Eventually(seconds(30), [&] {
    for (size_t i = 0; i < first; ++i) {
      if (!Admin(i).IsReady().value_or(false)) return false;
    }
    return Admin(0).GetMembers().value_or(admin::Members{}).members.size() == nodes;
  })) << "not all nodes have been heard of";
}

// Started by the other cluster.
std::vector<std::unique_ptr<NodeProcess>> ChangingCluster::Asked(const std::string& folder, int subnet, size_t first) {
  std::vector<std::unique_ptr<NodeProcess>> nodes;
  nodes.reserve(first);
  for (size_t i = 0; i < first; ++i) {
    nodes.push_back(std::make_unique<NodeProcess>(folder + "/asked", fmt::format("127.0.{}.{}", subnet, i + 1),
                                                  std::vector<std::string>{}));
  }
  return nodes;
}

std::string ChangingCluster::IdOf(size_t node) {
  Result<admin::Identity> identity = Fail(Errc::kUnavailable, "not asked");
  EXPECT_TRUE(Eventually(seconds(30),
                         [&] {
                           identity = Admin(node).GetIdentity();
                           return identity.has_value();
                         }))
      << "node " << node + 1 << " does not say who it is";
  return identity ? identity->node_id : "";
}

std::string ChangingCluster::EmptyDisk(size_t node) {
  cluster_.node(node).Kill();
  std::filesystem::remove_all(cluster_.node(node).data_folder());
  cluster_.node(node).Start();
  return IdOf(node);
}

bool ChangingCluster::Change(const std::string& id, const std::string& type, const admin::MemberOperation& operation) {
  Result<admin::Operation> done = Fail(Errc::kUnavailable, "not asked");
  Eventually(seconds(30), [&] {
    done = Admin(0).Change(id, type, operation);
    return done.has_value();
  });
  EXPECT_TRUE(done.has_value()) << id << ": " << (done ? "" : done.error().message);
  return done.has_value();
}

admin::Operation ChangingCluster::Follow(const std::string& id, uint32_t moved, seconds limit) {
  admin::Operation last, copying;
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(Eventually(limit,
                         [&] {
                           last = Admin(0).GetOperation(id).value_or(admin::Operation{});
                           if (last.bytes_done > 0) copying = last;
                           return last.state == "done" || last.state == "cancelled" ||
                                  (last.state == "running" && last.moved >= moved);
                         }))
      << id << " " << last.state << ": " << last.message;
  const auto took = std::chrono::steady_clock::now() - began;
  std::cout << fmt::format("{}: {}, {:.1f} s\n", id, last.message, std::chrono::duration<double>(took).count());
  if (copying.bytes_done > 0) {
    std::cout << fmt::format("  when {} of {} had moved: {} of about {} bytes copied, {} a second, about {} s left\n",
                             copying.moved, copying.to_move, copying.bytes_done, copying.bytes_in_all,
                             copying.bytes_per_second, copying.seconds_left);
  }
  return last;
}

void ChangingCluster::Judge(Load& load) {
  load.Stop();
  const LoadCounts counts = load.counts();
  std::cout << fmt::format(
      "reads ok {}, writes ok {}; after one retry of {}, reads failed {}, writes failed {} unknown {}\n",
      counts.reads_ok, counts.puts_ok, counts.retried, counts.reads_failed, counts.puts_failed, counts.puts_unknown);
  ExpectNothingLost(load);
}

}  // namespace dynamo::cluster
