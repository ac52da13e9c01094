#include "tests/cluster/real_cluster.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "common/admin/client.h"
#include "common/base/check.h"

namespace dynamo::cluster {
namespace {

constexpr std::chrono::milliseconds kAskTimeout{5000};

std::string NewFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "dynamo-cluster-XXXXXX";
  DYNAMO_CHECK(::mkdtemp(pattern.data()) != nullptr);
  return pattern;
}

// What a sanitizer or a check wrote: a node that a test kills has no exit code to tell of it.
void ExpectNoReport(const NodeProcess& node) {
  const std::string log = node.Log();
  for (const char* const mark : {"Sanitizer", "runtime error: ", "check failed"}) {
    const size_t at = log.find(mark);
    if (at == std::string::npos) continue;
    ADD_FAILURE() << "node " << node.address() << " logged:\n" << log.substr(log.rfind('\n', at) + 1, 4000);
  }
}

}  // namespace

bool Eventually(std::chrono::milliseconds limit, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

RealCluster::RealCluster(std::vector<std::unique_ptr<NodeProcess>> nodes) : nodes_(std::move(nodes)) {
  // A node that closes a connection must not end the test.
  ::signal(SIGPIPE, SIG_IGN);
}

RealCluster::RealCluster(int subnet, size_t nodes, std::vector<std::string> arguments)
    : RealCluster(std::vector<std::unique_ptr<NodeProcess>>()) {
  folder_ = NewFolder();
  std::string seeds;
  for (size_t i = 0; i < nodes; ++i) seeds += fmt::format("{}127.0.{}.{}:8099", i == 0 ? "" : ",", subnet, i + 1);
  arguments.insert(arguments.end(), {"--seeds", seeds});
  for (size_t i = 0; i < nodes; ++i) {
    nodes_.push_back(std::make_unique<NodeProcess>(fmt::format("{}/node{}", folder_, i + 1),
                                                   fmt::format("127.0.{}.{}", subnet, i + 1), arguments));
  }
}

RealCluster::~RealCluster() {
  if (folder_.empty()) return;
  for (const auto& node : nodes_) {
    node->Kill();
    ExpectNoReport(*node);
  }
  nodes_.clear();
  if (testing::Test::HasFailure()) {
    std::cerr << "data and logs are kept under " << folder_ << '\n';
  } else {
    std::filesystem::remove_all(folder_);
  }
}

std::vector<std::string> RealCluster::http() const {
  std::vector<std::string> addresses;
  addresses.reserve(nodes_.size());
  for (const auto& node : nodes_) addresses.push_back(node->http());
  return addresses;
}

void RealCluster::StartAll() {
  for (const auto& node : nodes_) node->Start();
}

Status RealCluster::Create(uint32_t partitions) {
  admin::CreateOperation operation;
  operation.partitions = partitions;
  for (const auto& node : nodes_) operation.members.push_back({node->peer(), "", 0});
  Result<admin::Operation> created = Fail(Errc::kUnavailable, "not asked");
  Eventually(std::chrono::seconds(30), [&] {
    created = admin::Client(nodes_[0]->admin(), kAskTimeout).Create("create", operation);
    return created.has_value();
  });
  if (!created) return Fail(created.error());
  if (Eventually(std::chrono::seconds(30), [this] { return IsWhole(); })) return {};
  return Fail(Errc::kTimeout, "the cluster was created, but its nodes do not all see each other");
}

bool RealCluster::IsWhole() {
  return std::all_of(nodes_.begin(), nodes_.end(), [this](const auto& node) {
    admin::Client client(node->admin(), kAskTimeout);
    const auto ready = client.IsReady();
    const auto members = client.GetMembers();
    if (!ready || !*ready || !members || members->members.size() != nodes_.size()) return false;
    return std::all_of(members->members.begin(), members->members.end(),
                       [](const admin::Member& member) { return member.liveness == "alive"; });
  });
}

bool RealCluster::AgreesOnOwners() {
  std::string hash;
  return std::all_of(nodes_.begin(), nodes_.end(), [&hash](const auto& node) {
    const auto topology = admin::Client(node->admin(), kAskTimeout).GetTopology();
    if (!topology || !topology->pending_owners.empty() || !topology->change.empty()) return false;
    if (hash.empty()) hash = topology->hash;
    return topology->hash == hash;
  });
}

Result<uint64_t> RealCluster::HintsAtRest() {
  uint64_t total = 0;
  for (const auto& node : nodes_) {
    const auto hints = admin::Client(node->admin(), kAskTimeout).GetHints();
    if (!hints) return Fail(hints.error());
    total += hints->total;
  }
  return total;
}

}  // namespace dynamo::cluster
