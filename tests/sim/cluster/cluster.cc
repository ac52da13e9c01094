#include "tests/sim/cluster/cluster.h"

#include <algorithm>
#include <set>
#include <utility>

namespace dynamo::sim {
namespace {

constexpr size_t kSeeds = 3;

// What a client and the node that serves it share; either may be gone first.
template <class Reply>
struct CallState {
  explicit CallState(Scope& client) : answered(client) {}
  std::optional<Result<Reply>> reply;
  Event answered;
};

Async<Result<GetReply>> Handle(RequestHandler* handler, GetRequest request) {
  co_return co_await handler->Get(std::move(request));
}
Async<Result<PutReply>> Handle(RequestHandler* handler, PutRequest request) {
  co_return co_await handler->Put(std::move(request));
}
Async<Status> Handle(RequestHandler* handler, DeleteRequest request) {
  co_return co_await handler->Delete(std::move(request));
}

template <class Reply, class Request>
Async<> Serve(RequestHandler* handler, Request request, std::shared_ptr<CallState<Reply>> state) {
  state->reply = co_await Handle(handler, std::move(request));
  state->answered.Set();
}

}  // namespace

SimCluster::SimCluster(SimWorld* world, SimClusterConfig config)
    : world_(world),
      config_(std::move(config)),
      network_(world, config_.network),
      rng_(world->MakeRng("cluster")),
      client_clock_(world, kNobody, TimePoint{}, 0),
      clients_(world->executor()) {
  auto address = [](size_t index) { return "10.0.0." + std::to_string(index + 1) + ":8099"; };
  for (size_t index = 0; index < config_.nodes; ++index) {
    SimNodeConfig node;
    node.host = static_cast<HostId>(index + 1);
    node.shards = config_.shards;
    for (size_t seed = 0; seed < std::min(config_.nodes, kSeeds); ++seed) node.seeds.push_back(address(seed));
    node.service = config_.service;
    node.service.self.name = "node" + std::to_string(index + 1);
    node.service.self.zone = "zone" + std::to_string(index % config_.zones + 1);
    node.service.self.peer_address = address(index);
    node.service.self.shards = config_.shards;
    node.disk = config_.disk;
    node.drift_ppm = rng_.Between(-config_.drift_ppm_max, config_.drift_ppm_max);
    if (config_.log) {
      node.log_sink = [log = config_.log, index](LogLevel level, std::string_view line) { log(index, level, line); };
    }
    nodes_.push_back(std::make_unique<SimNode>(world_, &network_, std::move(node)));
  }
}

SimCluster::~SimCluster() {
  nodes_.clear();
  clients_.Kill();
  world_->Settle();
}

Status SimCluster::Create(Duration limit) {
  CreateCluster request;
  request.operation_id = "create";
  request.partitions = config_.partitions;
  request.n_val = config_.n_val;
  for (auto& node : nodes_) {
    node->Start();
    if (request.members.size() + config_.spares < nodes_.size()) request.members.push_back({node->address(), "", 0});
  }
  const TimePoint deadline = world_->now() + limit;
  auto all_started = [this] { return std::ranges::all_of(nodes_, [](const auto& node) { return node->started(); }); };
  if (!world_->RunUntil(all_started, deadline)) return Fail(Errc::kTimeout, "nodes do not start");
  for (const auto& node : nodes_) {
    if (const Status outcome = node->start_outcome(); !outcome) return outcome;
  }
  const auto created = world_->Await(nodes_[0]->scope(0), nodes_[0]->admin().Create(std::move(request)), limit);
  if (!created) return Fail(created.error());
  if (!world_->RunUntil([this] { return IsWhole(); }, deadline)) {
    return Fail(Errc::kTimeout, "not all nodes serve and see all others");
  }
  return {};
}

std::shared_ptr<const Topology> SimCluster::NewestTopology() {
  std::shared_ptr<const Topology> newest;
  for (const auto& node : nodes_) {
    if (!node->started()) continue;
    const auto held = node->admin().CurrentTopology();
    if (held != nullptr && (newest == nullptr || newest->version < held->version)) newest = held;
  }
  return newest;
}

bool SimCluster::IsWhole() {
  std::vector<NodeId> members;
  for (const auto& node : nodes_) {
    if (node->disk().lost() || IsSpare(*node)) continue;
    if (!node->started() || !node->start_outcome() || !node->admin().Ready()) return false;
    members.push_back(node->admin().Identity().node);
  }
  return std::ranges::all_of(nodes_, [&](const auto& node) {
    if (node->disk().lost() || IsSpare(*node)) return true;
    const ClusterViewPtr view = node->service().view();
    return view && view->topology && std::ranges::all_of(members, [&](NodeId id) { return view->IsUp(id); });
  });
}

uint32_t SimCluster::DisksHurt() {
  return static_cast<uint32_t>(
      std::ranges::count_if(nodes_, [](const auto& node) { return node->disk().lost() || node->disk().spoiled(); }));
}

uint64_t SimCluster::HintsAtRest() {
  std::set<NodeId> members;
  for (const auto& node : nodes_) {
    if (node->started() && !node->disk().lost()) members.insert(node->admin().Identity().node);
  }
  uint64_t hints = 0;
  for (auto& node : nodes_) {
    if (!node->started() || node->disk().lost()) continue;
    for (const HintCount& count : node->admin().Hints()) hints += members.contains(count.owner) ? count.hints : 0;
  }
  return hints;
}

template <class Reply, class Request>
Async<Result<Reply>> SimCluster::Call(size_t node, Request request, Duration limit) {
  SimNode& target = *nodes_[node];
  if (!target.running()) co_return Fail(Errc::kUnavailable, "connection refused");
  const TimePoint deadline = client_clock_.Now() + limit;
  auto state = std::make_shared<CallState<Reply>>(clients_);
  const auto shard = static_cast<ShardIndex>(rng_.Below(config_.shards));
  const Duration delay(rng_.Between(20, 500));
  // As an event of the node: it waits while that is paused and goes down with it.
  world_->At(target.process(), world_->now() + delay, [&target, shard, state, moved = std::move(request)] {
    target.scope(shard).Spawn(Serve<Reply>(&target.service().requests(shard), moved, state));
  });
  if (!co_await WaitUntil(state->answered, client_clock_, deadline)) {
    co_return Fail(Errc::kTimeout, "no answer to the client in time");
  }
  co_return std::move(*state->reply);
}

Async<Result<GetReply>> SimCluster::Get(size_t node, GetRequest request, Duration limit) {
  return Call<GetReply>(node, std::move(request), limit);
}
Async<Result<PutReply>> SimCluster::Put(size_t node, PutRequest request, Duration limit) {
  return Call<PutReply>(node, std::move(request), limit);
}
Async<Status> SimCluster::Delete(size_t node, DeleteRequest request, Duration limit) {
  return Call<void>(node, std::move(request), limit);
}

}  // namespace dynamo::sim
