#include "tests/sim/transfer/moving_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "node/core/ring/preference_list.h"
#include "node/core/version/object.h"
#include "tests/sim/cluster/ring_watch.h"

namespace dynamo::sim {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(20);
constexpr Duration kLimit = std::chrono::seconds(10);
constexpr size_t kViolationsMax = 20;

PutRequest PutOf(ObjectKey key, uint64_t number, Bytes context) {
  PutRequest request;
  request.key = std::move(key);
  request.content.value = std::to_string(number);
  request.context = std::move(context);
  return request;
}

SimClusterConfig WithSpares(SimClusterConfig config, size_t spares) {
  config.spares = spares;
  return config;
}

}  // namespace

MovingCluster::MovingCluster(uint64_t seed, SimClusterConfig config, size_t spares)
    : world_(seed), cluster_(&world_, WithSpares(std::move(config), spares)), rng_(world_.MakeRng("moving")) {
  const Status created = cluster_.Create();
  DYNAMO_CHECK(created.has_value());
  ids_.resize(cluster_.size());
  for (size_t i = 0; i < cluster_.size(); ++i) {
    ids_[i] = IdOf(i);
    DiskWatch watch;
    watch.visible = [this, i](const WriteOps& ops) { OnVisible(i, ops); };
    node(i).disk().Watch(std::move(watch));
  }
}

MovingCluster::~MovingCluster() {
  for (size_t i = 0; i < cluster_.size(); ++i) node(i).disk().Watch({});
}

void MovingCluster::Report(std::string what) {
  if (violations_.size() < kViolationsMax) violations_.push_back(std::move(what));
}

std::shared_ptr<const Topology> MovingCluster::topology() { return cluster_.NewestTopology(); }

NodeId MovingCluster::IdOf(size_t index) {
  if (node(index).started()) ids_[index] = node(index).admin().Identity().node;
  return ids_[index];
}

Member MovingCluster::MemberOf(size_t index) {
  Member member;
  member.id = IdOf(index);
  member.name = node(index).config().service.self.name;
  member.zone = node(index).config().service.self.zone;
  return member;
}

// ---- Administrators

namespace {
Async<> Ask(AdminHandler* admin, TopologyChange change, std::shared_ptr<std::optional<Result<uint64_t>>> outcome) {
  *outcome = co_await admin->Change(std::move(change));
}
}  // namespace

void MovingCluster::Change(const std::string& operation_id, decltype(TopologyChange::what) what) {
  for (int attempt = 0; attempt < 60; ++attempt) {
    const auto nodes = Nodes();
    DYNAMO_CHECK(!nodes.empty());
    SimNode& asked = node(std::next(nodes.begin(), static_cast<ptrdiff_t>(rng_.Below(nodes.size())))->second);
    auto outcome = std::make_shared<std::optional<Result<uint64_t>>>();
    asked.scope(0).Spawn(Ask(&asked.admin(), {operation_id, std::nullopt, what}, outcome));
    RunUntil([&] { return outcome->has_value(); }, std::chrono::seconds(30));
    if (outcome->has_value() && (*outcome)->has_value()) return;
    const bool never = outcome->has_value() && (*outcome)->error().code == Errc::kInvalidArgument;
    if (never) return Report("the change was refused: " + (*outcome)->error().message);
    RunFor(std::chrono::seconds(1));
  }
  Report("nobody decides on the change " + operation_id);
}

void MovingCluster::Join(const std::vector<size_t>& nodes) {
  ChangeMembers change;
  for (const size_t index : nodes) change.join.push_back(MemberOf(index));
  Change("join" + std::to_string(world_.now().time_since_epoch().count()), std::move(change));
}

void MovingCluster::Leave(const std::vector<size_t>& nodes) {
  ChangeMembers change;
  for (const size_t index : nodes) change.leave.push_back(IdOf(index));
  Change("leave" + std::to_string(world_.now().time_since_epoch().count()), std::move(change));
}

// ---- Clients

void MovingCluster::WriteBase(int count) {
  const auto members = Nodes();
  for (int i = 0; i < count; ++i) {
    const ObjectKey key{"siblings", "base", "key" + std::to_string(i)};
    const size_t at = std::next(members.begin(), i % static_cast<int>(members.size()))->second;
    const auto put = world_.Await(cluster_.clients(), cluster_.Put(at, PutOf(key, 1, {}), kLimit));
    DYNAMO_CHECK(put.has_value());
    base_[StorageKeyOf(key, topology()->ring_seed)] = 1;
  }
  // Until every owner has them.
  RunFor(std::chrono::seconds(2));
}

void MovingCluster::StartLoad(int clients, bool reads_may_lag) {
  loading_ = true;
  reads_may_lag_ = reads_may_lag;
  for (int client = 0; client < clients; ++client) {
    ++running_;
    cluster_.clients().Spawn(RunClient(this, client));
  }
}

void MovingCluster::StopLoad() {
  loading_ = false;
  RunUntil([this] { return running_ == 0; }, std::chrono::minutes(1));
}

// Half of its operations write, half read; each key has one writer, so that what may
// be found is known: nothing older than what was acknowledged.
Async<> MovingCluster::RunClient(MovingCluster* self, int client) {
  Rng rng(self->rng_.Next());
  std::map<int, Bytes> contexts;
  int keys = 0;
  while (self->loading_) {
    co_await SleepUntil(self->cluster_.clients(), self->cluster_.client_clock(),
                        self->cluster_.client_clock().Now() + Duration(rng.Between(10'000, 100'000)));
    const auto nodes = self->Nodes();
    if (nodes.empty()) continue;
    const size_t at = std::next(nodes.begin(), static_cast<ptrdiff_t>(rng.Below(nodes.size())))->second;
    const int number = rng.Chance(0.5) && keys > 0 ? static_cast<int>(rng.Below(static_cast<uint64_t>(keys))) : keys++;
    const ObjectKey key{"siblings", "load", fmt::format("client{}-{}", client, number)};
    Written& written = self->written_[StorageKeyOf(key, self->topology()->ring_seed)];
    if (rng.Chance(0.5)) {
      GetRequest get;
      get.key = key;
      const uint64_t acknowledged = written.acknowledged;
      const auto reply = co_await self->cluster_.Get(at, std::move(get), kLimit);
      if (!reply) continue;
      const Bytes found = reply->object.never_written() ? Bytes() : EncodeObject(reply->object);
      if (acknowledged > 0 && !self->reads_may_lag_ && NumberIn(&found) < acknowledged) {
        self->Report(fmt::format("a read of {} does not show write {}", ToString(key), acknowledged));
      }
      contexts[number] = reply->context;
    } else {
      const uint64_t tried = ++written.tried;
      const auto reply = co_await self->cluster_.Put(at, PutOf(key, tried, contexts[number]), kLimit);
      if (reply) {
        written.acknowledged = std::max(written.acknowledged, tried);
        contexts[number] = reply->context;
      }
    }
  }
  --self->running_;
}

uint64_t MovingCluster::NumberIn(const Bytes* object) {
  const Result<Object> decoded = object == nullptr || object->empty() ? Object{} : DecodeObject(*object);
  uint64_t number = 0;
  if (!decoded) return number;
  for (const Sibling& sibling : decoded->siblings) {
    if (!sibling.content.value.empty()) number = std::max<uint64_t>(number, std::stoull(sibling.content.value));
  }
  return number;
}

// ---- Looking inside

std::map<NodeId, size_t> MovingCluster::Nodes() {
  std::map<NodeId, size_t> nodes;
  const auto now = topology();
  if (now == nullptr) return nodes;
  for (size_t i = 0; i < cluster_.size(); ++i) {
    if (!node(i).started() || !node(i).start_outcome()) continue;
    if (now->StandingOf(IdOf(i)) == MemberStanding::kMember) nodes[IdOf(i)] = i;
  }
  return nodes;
}

std::vector<NodeId> MovingCluster::OwnersOf(const Topology& topology, const Bytes& storage_key) {
  const PartitionId partition = PartitionOf(PositionOfStorageKey(storage_key), topology.partitions);
  return WalkRing(topology, partition, cluster_.config().n_val).owners;
}

const Bytes* MovingCluster::StoredAt(NodeId id, const Bytes& storage_key, bool durable) {
  const auto at = std::ranges::find(ids_, id);
  if (at == ids_.end()) return nullptr;
  SimDisk& disk = node(static_cast<size_t>(at - ids_.begin())).disk();
  const auto& objects = durable ? disk.durable(ColumnFamily::kObjects) : disk.applied(ColumnFamily::kObjects);
  const auto found = objects.find(storage_key);
  return found == objects.end() ? nullptr : &found->second;
}

void MovingCluster::LookAtTakeovers() {
  const auto now = topology();
  if (now == nullptr) return;
  std::map<PartitionId, std::set<NodeId>> came;
  for (PartitionId partition = 0; partition < now->partitions; ++partition) {
    std::vector<NodeId> owners = WalkRing(*now, partition, cluster_.config().n_val).owners;
    std::vector<NodeId>& seen = owners_seen_[partition];
    if (seen == owners) continue;
    for (const NodeId owner : owners) {
      if (!seen.empty() && std::ranges::find(seen, owner) == seen.end()) came[partition].insert(owner);
    }
    seen = std::move(owners);
  }
  if (came.empty()) return;
  for (const auto& [key, number] : base_) {
    const auto found = came.find(PartitionOf(PositionOfStorageKey(key), now->partitions));
    if (found == came.end()) continue;
    for (const NodeId owner : found->second) {
      if (NumberIn(StoredAt(owner, key, /*durable=*/true)) >= number) continue;
      Report(fmt::format("P9: partition {} was taken over, and node {} lacks what was written before", found->first,
                         ToString(owner)));
      break;
    }
  }
}

void MovingCluster::OnVisible(size_t index, const WriteOps& ops) {
  for (const std::string& wrong : DroppedTooEarly(cluster_, index, ops)) Report("P10: " + wrong);
}

size_t MovingCluster::Moved() {
  const auto now = topology();
  if (now->pending.empty()) return now->partitions;
  return static_cast<size_t>(std::ranges::count(now->moved, true));
}

bool MovingCluster::RunUntil(const std::function<bool()>& done, Duration limit) {
  const TimePoint end = world_.now() + limit;
  while (!done()) {
    if (world_.now() >= end) return false;
    world_.RunFor(kLook);
    LookAtTakeovers();
  }
  return true;
}

void MovingCluster::RunFor(Duration duration) {
  const TimePoint end = world_.now() + duration;
  RunUntil([&] { return world_.now() >= end; }, duration);
}

void MovingCluster::LoseObjects(size_t index) {
  SimDisk& disk = node(index).disk();
  if (node(index).running()) node(index).Crash();
  WriteOps ops;
  for (const auto& [key, object] : disk.applied(ColumnFamily::kObjects)) {
    ops.push_back({WriteOp::Kind::kDelete, ColumnFamily::kObjects, key, {}});
  }
  disk.Apply(ops);
}

// ---- The end

std::string MovingCluster::WhyNotSettled() {
  if (std::string why = WhyRingMoves(cluster_); !why.empty()) return why;
  const std::vector<std::string> misplaced = Misplaced();
  return misplaced.empty() ? "" : fmt::format("{}, and {} more", misplaced.front(), misplaced.size() - 1);
}

bool MovingCluster::AwaitSettled(Duration limit) {
  // To look everywhere costs something.
  const TimePoint end = world_.now() + limit;
  while (!WhyNotSettled().empty()) {
    if (world_.now() >= end) return false;
    RunFor(std::chrono::seconds(1));
  }
  return true;
}

std::vector<std::string> MovingCluster::Misplaced() {
  std::vector<std::string> wrong = Strays(cluster_);
  const auto now = topology();
  std::set<Bytes> keys;
  for (const auto& [id, index] : Nodes()) {
    for (const auto& [key, object] : node(index).disk().applied(ColumnFamily::kObjects)) keys.insert(key);
  }
  for (const Bytes& key : keys) {
    std::set<Bytes> states;
    for (const NodeId owner : OwnersOf(*now, key)) {
      const Bytes* stored = StoredAt(owner, key, /*durable=*/false);
      if (stored == nullptr) wrong.push_back(fmt::format("owner {} lacks an object", ToString(owner)));
      if (stored != nullptr) states.insert(*stored);
    }
    if (states.size() > 1) wrong.push_back("owners differ");
  }
  return wrong;
}

size_t MovingCluster::acknowledged() const {
  return static_cast<size_t>(
      std::ranges::count_if(written_, [](const auto& entry) { return entry.second.acknowledged > 0; }));
}

std::vector<std::string> MovingCluster::Lost() {
  std::vector<std::string> lost;
  const auto now = topology();
  const auto look = [&](const Bytes& key, uint64_t number) {
    if (number == 0) return;
    const std::vector<NodeId> owners = OwnersOf(*now, key);
    const bool found = std::ranges::any_of(
        owners, [&](NodeId owner) { return NumberIn(StoredAt(owner, key, /*durable=*/false)) >= number; });
    if (!found) lost.push_back(fmt::format("write {} of {}", number, ToString(ParseStorageKey(key).value())));
  };
  for (const auto& [key, number] : base_) look(key, number);
  for (const auto& [key, written] : written_) look(key, written.acknowledged);
  return lost;
}

}  // namespace dynamo::sim
