#include "tests/sim/cluster/availability.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace dynamo::sim {
namespace {

constexpr Duration kNotice = std::chrono::seconds(10);

}  // namespace

std::vector<std::string> PutWithNNodesLeft(SimCluster& cluster, uint32_t w) {
  SimWorld& world = cluster.world();
  Rng rng = world.MakeRng("availability");
  std::vector<size_t> left;
  for (size_t i = 0; i < cluster.size(); ++i) {
    if (!cluster.IsOut(i)) left.push_back(i);
  }
  std::vector<size_t> stopped;
  while (left.size() > cluster.config().n_val) {
    const auto next = left.begin() + static_cast<ptrdiff_t>(rng.Below(left.size()));
    cluster.node(*next).Crash();
    stopped.push_back(*next);
    left.erase(next);
  }
  if (!stopped.empty()) world.RunFor(kNotice);
  std::vector<std::string> failures;
  for (const size_t node : left) {
    PutRequest request;
    request.key = {"siblings", "available", "through" + std::to_string(node)};
    request.content.value = "x";
    request.options.w = QuorumValue::Number(w);
    const Duration limit = std::chrono::seconds(5);
    request.options.timeout = limit;
    const auto reply = world.Await(cluster.clients(), cluster.Put(node, std::move(request), 2 * limit));
    if (reply) continue;
    failures.push_back(fmt::format("with {} nodes left a sloppy put of W={} failed at node {}: {}", left.size(), w,
                                   node, reply.error().message));
  }
  for (const size_t node : stopped) cluster.node(node).Start();
  return failures;
}

}  // namespace dynamo::sim
