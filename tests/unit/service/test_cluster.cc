#include "tests/unit/service/test_cluster.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "node/core/ring/member_change.h"
#include "node/core/ring/preference_list.h"

namespace dynamo {
namespace {

Async<Status> RefuseProperties(std::string, std::string, BucketPropertiesChange) {
  co_return Fail(Errc::kUnsupported, "no shard 0 here keeps bucket properties");
}

std::shared_ptr<const Topology> MakeTopology(const TestClusterConfig& config) {
  ClusterSpec spec;
  spec.partitions = config.partitions;
  spec.n_val = config.n_val;
  spec.ring_seed = 7;
  spec.cluster = ClusterId{{1, 2}};
  spec.context_secret = Bytes(32, 's');
  const int members = config.members == 0 ? config.nodes : config.members;
  for (int i = 0; i < members; ++i) {
    Member member;
    member.id = TestCluster::IdOf(i);
    member.name = "node" + std::to_string(i);
    spec.members.push_back(member);
  }
  auto topology = CreateTopology(spec);
  DYNAMO_CHECK(topology.has_value());
  for (const auto& [name, type] : config.types) topology->types[name] = type;
  return std::make_shared<const Topology>(std::move(*topology));
}

}  // namespace

TestNode::TestNode(TestCluster* cluster, int index)
    : cluster_(cluster),
      process_(cluster->world_.StartProcess()),
      clock_(&cluster->world_, process_, TimePoint(Duration(1'000'000)), 0),
      random_(cluster->world_.MakeRng("node" + std::to_string(++cluster->starts_))),
      config_(cluster->config_.service),
      service_metrics_(metrics_) {
  cluster->disk(index).Attach(process_);
  for (ShardIndex i = 0; i < cluster->config_.shards; ++i) {
    Ports ports;
    ports.scope = std::make_unique<Scope>(cluster->world_.executor());
    ports.transport = std::make_unique<sim::SimTransport>(
        &cluster->network_, &clock_,
        sim::SimTransport::Place{process_, static_cast<sim::HostId>(index), TestCluster::AddressOf(index), i});
    ports.storage =
        std::make_unique<sim::SimStorage>(&cluster->world_, process_, ports.scope.get(), &cluster->disk(index));
    ports.link = std::make_unique<sim::SimShardLink>(&cluster->world_, process_, random_.rng().Fork(), i,
                                                     cluster->config_.shards);
    ports_.push_back(std::move(ports));
  }
  for (Ports& ports : ports_) {
    ShardEnv env{ports.scope.get(),   &clock_,          &random_,  ports.transport.get(),
                 ports.storage.get(), ports.link.get(), &metrics_, Logger{}};
    shards_.push_back(std::make_unique<Shard>(env, &config_, &service_metrics_, &shards_));
  }
  for (const auto& shard : shards_) {
    ShardReports reports;
    reports.on_covered = [cluster](uint64_t since, std::vector<PartitionId> partitions) {
      cluster->OnCovered(since, std::move(partitions));
    };
    reports.on_sign = [this](NodeId peer, bool alive) { signs_.emplace_back(peer, alive); };
    reports.on_other_epoch = [cluster, index](NodeId peer) { cluster->OnOtherEpoch(index, peer); };
    shard->SetReports(std::move(reports));
    shard->SetSelf(TestCluster::IdOf(index));
    doors_.push_back(std::make_unique<ClientDoor>(shard.get(), RefuseProperties));
  }
}

TestNode::~TestNode() {
  cluster_->world_.Settle();
  for (Ports& ports : ports_) ports.scope->Kill();
  cluster_->world_.KillProcess(process_);
  cluster_->world_.Settle();
}

void TestNode::Adopt(const ClusterViewPtr& view) {
  for (const auto& shard : shards_) shard->OnView(view);
}

uint64_t TestNode::hints() const { return static_cast<uint64_t>(service_metrics_.hints_pending.value()); }

TestCluster::TestCluster(TestClusterConfig config)
    : config_(std::move(config)),
      world_(config_.seed),
      network_(&world_, config_.network),
      topology_(MakeTopology(config_)) {
  for (int i = 0; i < config_.nodes; ++i) {
    disks_.push_back(std::make_unique<sim::SimDisk>(&world_, world_.MakeRng("disk" + std::to_string(i)), config_.disk));
    nodes_.push_back(nullptr);
    topology_at_.push_back(topology_);
  }
  for (int i = 0; i < config_.nodes; ++i) Start(i);
}

TestCluster::~TestCluster() {
  for (auto& node : nodes_) node.reset();
}

void TestCluster::Start(int node) {
  nodes_[static_cast<size_t>(node)] = std::make_unique<TestNode>(this, node);
  up_.insert(node);
  Publish();
  world_.RunFor(Duration(50'000));
}

void TestCluster::Crash(int node, bool unnoticed) {
  nodes_[static_cast<size_t>(node)].reset();
  disk(node).Crash();
  if (unnoticed) return;
  up_.erase(node);
  Publish();
}

void TestCluster::SetUp(std::set<int> up) {
  up_ = std::move(up);
  Publish();
}

void TestCluster::SetDeaf(int node, bool deaf) {
  if (deaf) deaf_.insert(node);
  if (!deaf) deaf_.erase(node);
  SetTopologyHeard(*topology_);
}

void TestCluster::SetTopologyHeard(const Topology& topology) {
  std::set<int> hear;
  for (int i = 0; i < config_.nodes; ++i) {
    if (!deaf_.contains(i)) hear.insert(i);
  }
  SetTopology(topology, hear);
}

void TestCluster::Change(const std::function<void(Topology*)>& change) {
  Topology next = *topology_;
  ++next.version.epoch;
  change(&next);
  if (next.pending != topology_->pending) {
    next.moved.assign(next.pending.partitions(), false);
    next.change_since = next.pending.empty() ? 0 : next.version.epoch;
  }
  SetTopologyHeard(next);
}

void TestCluster::OnCovered(uint64_t since, std::vector<PartitionId> partitions) {
  if (!decides_takeovers_) return;
  world_.At(sim::kNobody, world_.now() + Duration(1000), [this, since, partitions = std::move(partitions)] {
    Topology next = *topology_;
    const auto moved = Apply(next, TakeOver{since, partitions});
    if (!moved || !*moved) return;
    ++next.version.epoch;
    SetTopologyHeard(next);
  });
}

void TestCluster::SetTopology(const Topology& topology, std::set<int> at) {
  topology_ = std::make_shared<const Topology>(topology);
  for (int i = 0; i < config_.nodes; ++i) {
    if (at.empty() || at.contains(i)) topology_at_[static_cast<size_t>(i)] = topology_;
  }
  Publish();
}

// In the place of gossip.
void TestCluster::OnOtherEpoch(int one, NodeId other) {
  if (!gossip_) return;
  world_.At(sim::kNobody, world_.now() + Duration(2'000), [this, one, there = IndexOf(other)] {
    auto& a = topology_at_[static_cast<size_t>(one)];
    auto& b = topology_at_[static_cast<size_t>(there)];
    (a->version < b->version ? a : b) = a->version < b->version ? b : a;
    Publish();
  });
}

void TestCluster::Publish() {
  for (int i = 0; i < config_.nodes; ++i) {
    if (nodes_[static_cast<size_t>(i)] == nullptr) continue;
    auto view = std::make_shared<ClusterView>();
    const auto& held = topology_at_[static_cast<size_t>(i)];
    if (held->StandingOf(IdOf(i)) != MemberStanding::kStranger) view->topology = held;
    for (int j = 0; j < config_.nodes; ++j) {
      NodeInfo info;
      info.id = IdOf(j);
      info.peer_address = AddressOf(j);
      view->nodes[IdOf(j)] = info;
      if (up_.contains(j) || j == i) view->up.insert(IdOf(j));
    }
    nodes_[static_cast<size_t>(i)]->Adopt(view);
  }
}

std::vector<int> TestCluster::WalkOf(const ObjectKey& key) const {
  const Hash128 position = PositionOf(key, topology_->ring_seed);
  const auto type = topology_->types.find(key.type);
  const uint32_t n = type == topology_->types.end() ? config_.n_val : type->second.n_val;
  const PreferenceList list = WalkRing(*topology_, PartitionOf(position, topology_->partitions), n);
  std::vector<int> walk;
  for (const NodeId id : list.owners) walk.push_back(IndexOf(id));
  for (const NodeId id : list.fallbacks) walk.push_back(IndexOf(id));
  return walk;
}

Result<GetReply> TestCluster::Get(int node, const ObjectKey& key, ReadOptions options, ShardIndex shard) {
  TestNode& at = this->node(node);
  return world_.Await(at.scope(shard), at.door(shard).Get({key, std::move(options)}));
}

Result<PutReply> TestCluster::Put(int node, const ObjectKey& key, const std::string& value, const Bytes& context,
                                  WriteOptions options, ShardIndex shard) {
  PutRequest request;
  request.key = key;
  request.content.value = value;
  request.content.content_type = "text/plain";
  request.context = context;
  request.options = std::move(options);
  TestNode& at = this->node(node);
  return world_.Await(at.scope(shard), at.door(shard).Put(std::move(request)));
}

Result<PutReply> TestCluster::Put(int node, PutRequest request) {
  TestNode& at = this->node(node);
  return world_.Await(at.scope(), at.door().Put(std::move(request)));
}

Status TestCluster::Delete(int node, const ObjectKey& key, const Bytes& context, WriteOptions options) {
  TestNode& at = this->node(node);
  return world_.Await(at.scope(), at.door().Delete({key, context, {}, std::move(options)}));
}

std::vector<std::string> TestCluster::ValuesOf(const Object& object) {
  std::vector<std::string> values;
  for (const Sibling& sibling : object.siblings) {
    values.push_back(sibling.tombstone ? "<deleted>" : sibling.content.value);
  }
  std::sort(values.begin(), values.end());
  return values;
}

Object TestCluster::Stored(int node, const ObjectKey& key) {
  const auto& family = disk(node).applied(ColumnFamily::kObjects);
  const auto found = family.find(StorageKeyOf(key, topology_->ring_seed));
  if (found == family.end()) return Object{};
  auto object = DecodeObject(found->second);
  DYNAMO_CHECK(object.has_value());
  return std::move(*object);
}

}  // namespace dynamo
