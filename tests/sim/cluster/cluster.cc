#include "tests/sim/cluster/cluster.h"

#include <algorithm>
#include <set>
#include <type_traits>
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
Async<Result<uint64_t>> Handle(AdminHandler* handler, TopologyChange change) {
  co_return co_await handler->Change(std::move(change));
}

template <class Reply, class Handler, class Request>
Async<> Serve(Handler* handler, Request request, std::shared_ptr<CallState<Reply>> state) {
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
  for (size_t i = 0; i < size(); ++i) {
    if (IsOut(i)) continue;
    SimNode& node = *nodes_[i];
    if (!node.started() || !node.start_outcome() || !node.admin().Ready()) return false;
    members.push_back(node.admin().Identity().node);
  }
  for (size_t i = 0; i < size(); ++i) {
    if (IsOut(i)) continue;
    const ClusterViewPtr view = nodes_[i]->service().view();
    if (!view || !view->topology) return false;
    if (!std::ranges::all_of(members, [&](NodeId id) { return view->IsUp(id); })) return false;
  }
  return true;
}

uint32_t SimCluster::DisksHurt() {
  return static_cast<uint32_t>(std::ranges::count_if(
             nodes_, [](const auto& node) { return node->disk().lost() || node->disk().spoiled(); })) +
         disks_renewed_;
}

NodeId SimCluster::IdOf(size_t index) {
  const SimDisk::Family& meta = nodes_[index]->disk().durable(ColumnFamily::kMeta);
  const auto identity = meta.find("identity");
  if (identity == meta.end()) return {};
  ByteReader in(identity->second);
  static_cast<void>(in.U8());  // The version.
  return NodeId{in.U64()};
}

std::optional<size_t> SimCluster::FindNode(NodeId id) {
  for (size_t i = 0; i < size(); ++i) {
    if (IdOf(i) == id) return i;
  }
  return std::nullopt;
}

bool SimCluster::IsMember(size_t index) {
  const auto topology = NewestTopology();
  const NodeId id = IdOf(index);
  return id && topology != nullptr && topology->StandingOf(id) == MemberStanding::kMember;
}

bool SimCluster::IsSpare(size_t index) { return config_.spares > 0 && NewestTopology() != nullptr && !IsMember(index); }

std::vector<NodeId> SimCluster::LostMembers() {
  std::vector<NodeId> lost;
  const auto topology = NewestTopology();
  if (topology == nullptr) return lost;
  for (const Member& member : topology->members) {
    if (topology->StandingOf(member.id) != MemberStanding::kMember) continue;
    const auto at = FindNode(member.id);
    if (!at || nodes_[*at]->disk().lost()) lost.push_back(member.id);
  }
  return lost;
}

void SimCluster::Renew(size_t index) {
  SimNode& node = *nodes_[index];
  if (node.running()) node.Crash();
  if (node.disk().lost() || node.disk().spoiled()) ++disks_renewed_;
  node.disk().Renew();
  node.Start();
}

uint64_t SimCluster::HintsAtRest() {
  std::set<NodeId> members;
  for (const auto& node : nodes_) {
    if (node->started() && !node->disk().lost()) members.insert(node->admin().Identity().node);
  }
  uint64_t hints = 0;
  for (auto& node : nodes_) {
    if (!node->started() || node->disk().lost()) continue;
    for (const HintCount& count : node->admin().Hints()) {
      // Where lost members are replaced, no hint has a reason to stay.
      hints += config_.spares > 0 || members.contains(count.owner) ? count.hints : 0;
    }
  }
  return hints;
}

template <class Reply, class Handler, class Request>
Async<Result<Reply>> SimCluster::Call(size_t node, Handler handler, Request request, Duration limit) {
  SimNode& target = *nodes_[node];
  if (!target.running()) co_return Fail(Errc::kUnavailable, "connection refused");
  const TimePoint deadline = client_clock_.Now() + limit;
  auto state = std::make_shared<CallState<Reply>>(clients_);
  // What administrators ask is asked of the first.
  ShardIndex shard = 0;
  if constexpr (!std::is_same_v<Request, TopologyChange>) shard = static_cast<ShardIndex>(rng_.Below(config_.shards));
  const Duration delay(rng_.Between(20, 500));
  // As an event of the node: it waits while that is paused and goes down with it.
  world_->At(target.process(), world_->now() + delay, [&target, shard, state, handler, moved = std::move(request)] {
    target.scope(shard).Spawn(Serve<Reply>(handler(target, shard), moved, state));
  });
  if (!co_await WaitUntil(state->answered, client_clock_, deadline)) {
    co_return Fail(Errc::kTimeout, "no answer to the client in time");
  }
  co_return std::move(*state->reply);
}

namespace {
RequestHandler* RequestsOf(SimNode& node, ShardIndex shard) { return &node.service().requests(shard); }
AdminHandler* AdminOf(SimNode& node, ShardIndex /*shard*/) { return &node.admin(); }
}  // namespace

Async<Result<GetReply>> SimCluster::Get(size_t node, GetRequest request, Duration limit) {
  return Call<GetReply>(node, RequestsOf, std::move(request), limit);
}
Async<Result<PutReply>> SimCluster::Put(size_t node, PutRequest request, Duration limit) {
  return Call<PutReply>(node, RequestsOf, std::move(request), limit);
}
Async<Status> SimCluster::Delete(size_t node, DeleteRequest request, Duration limit) {
  return Call<void>(node, RequestsOf, std::move(request), limit);
}
Async<Result<uint64_t>> SimCluster::Change(size_t node, TopologyChange change, Duration limit) {
  return Call<uint64_t>(node, AdminOf, std::move(change), limit);
}

}  // namespace dynamo::sim
