#include "node/api/admin_loss.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/admin/ranges.h"

namespace dynamo {
namespace {

constexpr std::string_view kForce = "force-topology";
constexpr std::string_view kAccept = "accept-loss";

std::vector<std::string> Named(const std::set<NodeId>& nodes) {
  std::vector<std::string> out;
  out.reserve(nodes.size());
  for (const NodeId node : nodes) out.push_back(ToString(node));
  return out;
}

std::vector<std::string> WithNames(const std::vector<std::string>& ids, const Topology& topology) {
  std::vector<std::string> out;
  for (const std::string& id : ids) {
    const auto parsed = ParseNodeId(id);
    const Member* member = parsed ? topology.Find(*parsed) : nullptr;
    out.push_back(member == nullptr ? id : fmt::format("{} ({})", member->name, id));
  }
  return out;
}

}  // namespace

bool IsLossOperation(std::string_view type) { return type == kForce || type == kAccept; }

Result<TopologyChange> FromAdmin(const admin::LossOperation& operation, const std::string& type, const std::string& id,
                                 const KnownNodes& known) {
  DeclaredLoss loss;
  const auto cluster = ParseClusterId(operation.cluster_id);
  if (!cluster) {
    return Fail(Errc::kInvalidArgument, "\"clusterID\" is to name the cluster that is meant: see dynamoctl status");
  }
  loss.cluster = *cluster;
  loss.by = operation.by;
  for (const std::string& text : operation.nodes) {
    const auto member = FindMember(text, known);
    if (!member) return Fail(member.error());
    loss.nodes.push_back(*member);
  }
  TopologyChange change;
  change.operation_id = id;
  if (type == kForce) {
    change.what = ForceTopology{std::move(loss)};
  } else {
    change.what = AcceptLoss{std::move(loss), operation.partitions};
  }
  return change;
}

std::vector<admin::Loss> LossesOf(const Topology& topology) {
  std::vector<admin::Loss> out;
  for (const LossRecord& loss : topology.losses) {
    const bool forced = loss.kind == LossRecord::Kind::kForcedTopology;
    admin::Loss told;
    told.kind = forced ? "forced-topology" : "accepted-loss";
    told.generation = loss.version.generation;
    told.epoch = loss.version.epoch;
    told.operation_id = loss.operation_id;
    told.by = loss.by;
    told.at_ms = loss.at_ms;
    for (const NodeId node : loss.nodes) told.nodes.push_back(ToString(node));
    told.partitions = loss.partitions;
    out.push_back(std::move(told));
  }
  return out;
}

std::vector<admin::Operation::Wait> WaitsIn(const KnownNodes& known) {
  const auto is_up = [&known](NodeId node) {
    if (known.topology->StandingOf(node) != MemberStanding::kMember) return false;
    const auto info = std::ranges::find(known.nodes, node, &NodeInfo::id);
    return info != known.nodes.end() && info->liveness != Liveness::kDead;
  };
  std::map<std::pair<std::set<NodeId>, std::set<NodeId>>, std::vector<uint32_t>> causes;
  for (PartitionWait& wait : WaitsOf(*known.topology, is_up)) {
    causes[{std::move(wait.owners), std::move(wait.receivers)}].push_back(wait.partition);
  }
  std::vector<admin::Operation::Wait> out;
  out.reserve(causes.size());
  for (auto& [cause, partitions] : causes)
    out.push_back({std::move(partitions), Named(cause.first), Named(cause.second)});
  return out;
}

std::string DescribeWait(const admin::Operation::Wait& wait, const Topology& topology) {
  const std::string partitions = admin::FormatRanges(wait.partitions);
  std::string text;
  if (!wait.receivers.empty()) {
    text += fmt::format("\npartitions {} wait for {}, which is away and is to get them", partitions,
                        fmt::join(WithNames(wait.receivers, topology), ", "));
  }
  if (!wait.owners.empty()) {
    text += fmt::format(
        "\npartitions {} wait for what {} had, which is away; bring it back, or, if its disk is lost for good:\n"
        "  dynamoctl cluster accept-loss --cluster {} --lost {} --partitions {}",
        partitions, fmt::join(WithNames(wait.owners, topology), ", "), ToString(topology.cluster),
        fmt::join(wait.owners, ","), partitions);
  }
  return text;
}

}  // namespace dynamo
