#include "tests/sim/reaping/reaping_cluster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "node/core/ring/preference_list.h"
#include "node/core/version/object_key.h"
#include "node/service/hint_store.h"

namespace dynamo::sim {
namespace {

constexpr Duration kLimit = std::chrono::seconds(30);

SimClusterConfig Configured([[maybe_unused]] PlantedBug planted, const std::function<void(SimClusterConfig&)>& change) {
  SimClusterConfig config;
  config.nodes = 5;
  config.shards = 2;
  config.partitions = 8;
  config.service.reap_interval = std::chrono::seconds(4);
  config.service.reap_age_min = std::chrono::milliseconds(1);
  config.service.reap_clock_entries_max = 10;
  config.service.anti_entropy_interval = std::chrono::seconds(3);
#if defined(DYNAMO_PLANTED_BUGS)
  config.service.planted.active = planted;
#endif
  change(config);
  return config;
}

}  // namespace

ReapingCluster::ReapingCluster(PlantedBug planted, uint64_t seed, const std::function<void(SimClusterConfig&)>& change)
    : world_(seed), cluster_(&world_, Configured(planted, change)) {
  EXPECT_TRUE(cluster_.Create().has_value());
}

void ReapingCluster::Join(size_t index) {
  Member member;
  member.id = node(index).admin().Identity().node;
  member.name = node(index).config().service.self.name;
  member.zone = node(index).config().service.self.zone;
  ChangeMembers change;
  change.join.push_back(member);
  const auto decided = world_.Await(node(0).scope(0), node(0).admin().Change({"join", std::nullopt, change}));
  EXPECT_TRUE(decided.has_value()) << decided.error().message;
  EXPECT_TRUE(RunUntil([&] {
    const auto topology = cluster_.NewestTopology();
    return topology->StandingOf(member.id) == MemberStanding::kMember && topology->pending.empty();
  }));
}

std::vector<ObjectKey> ReapingCluster::Keys(int count) {
  std::vector<ObjectKey> keys;
  keys.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) keys.push_back({i % 2 == 0 ? "siblings" : "lww", "b", "key" + std::to_string(i)});
  return keys;
}

void ReapingCluster::Put(size_t at, const ObjectKey& key, const std::string& value, QuorumValue w) {
  PutRequest request;
  request.options.w = w;
  request.key = key;
  request.content.value = value;
  const auto put = world_.Await(cluster_.clients(), cluster_.Put(at, std::move(request), kLimit));
  EXPECT_TRUE(put.has_value()) << put.error().message;
}

void ReapingCluster::TryPut(size_t at, const ObjectKey& key, const std::string& value, Duration limit) {
  PutRequest request;
  request.key = key;
  request.content.value = value;
  static_cast<void>(world_.Await(cluster_.clients(), cluster_.Put(at, std::move(request), limit)));
}

void ReapingCluster::Delete(size_t at, const ObjectKey& key) {
  DeleteRequest request;
  request.key = key;
  request.read_options.r = QuorumValue::All();
  const auto deleted = world_.Await(cluster_.clients(), cluster_.Delete(at, std::move(request), kLimit));
  EXPECT_TRUE(deleted.has_value()) << deleted.error().message;
}

std::string ReapingCluster::Read(size_t at, const ObjectKey& key) {
  GetRequest request;
  request.key = key;
  const auto got = world_.Await(cluster_.clients(), cluster_.Get(at, std::move(request), kLimit));
  if (!got) return "";
  for (const Sibling& sibling : got->object.siblings) {
    if (!sibling.tombstone) return sibling.content.value;
  }
  return "";
}

std::vector<std::string> ReapingCluster::Found(const std::vector<ObjectKey>& keys) {
  std::vector<std::string> found;
  for (const ObjectKey& key : keys) {
    for (size_t at = 0; at < cluster_.size(); ++at) {
      if (!node(at).running() || node(at).paused()) continue;
      const std::string value = Read(at, key);
      if (!value.empty()) found.push_back(ToString(key) + " at node " + std::to_string(at) + ": " + value);
    }
  }
  return found;
}

Bytes ReapingCluster::StorageKey(const ObjectKey& key) {
  return StorageKeyOf(key, cluster_.NewestTopology()->ring_seed);
}

std::vector<size_t> ReapingCluster::WalkOf(const ObjectKey& key) {
  const auto topology = cluster_.NewestTopology();
  const PartitionId partition = PartitionOf(PositionOfStorageKey(StorageKey(key)), topology->partitions);
  const PreferenceList list = WalkRing(*topology, partition, topology->types.at(key.type).n_val);
  std::vector<NodeId> walk = list.owners;
  walk.insert(walk.end(), list.fallbacks.begin(), list.fallbacks.end());
  std::vector<size_t> nodes;
  for (const NodeId id : walk) {
    for (size_t index = 0; index < cluster_.size(); ++index) {
      if (node(index).running() && node(index).service().requests(0).node_id() == id) nodes.push_back(index);
    }
  }
  return nodes;
}

size_t ReapingCluster::Stored(const ObjectKey& key) {
  size_t stored = 0;
  for (size_t index = 0; index < cluster_.size(); ++index) {
    if (!cluster_.IsOut(index)) stored += node(index).disk().applied(ColumnFamily::kObjects).count(StorageKey(key));
  }
  return stored;
}

uint64_t ReapingCluster::StampOf(const ObjectKey& key) {
  uint64_t highest = 0;
  for (size_t index = 0; index < cluster_.size(); ++index) {
    const auto& objects = node(index).disk().applied(ColumnFamily::kObjects);
    const auto object = objects.find(StorageKey(key));
    const auto header =
        object == objects.end() ? Result<ObjectHeader>(ObjectHeader{}) : DecodeObjectHeader(object->second);
    if (header) highest = std::max(highest, header->stamp);
  }
  return highest;
}

bool ReapingCluster::AllGone(const std::vector<ObjectKey>& keys) {
  return cluster_.HintsAtRest() == 0 &&
         std::all_of(keys.begin(), keys.end(), [this](const ObjectKey& key) { return Stored(key) == 0; });
}

std::vector<std::string> ReapingCluster::CameBack(const std::vector<ObjectKey>& keys) {
  std::vector<std::string> back = Found(keys);
  for (const ObjectKey& key : keys) {
    for (size_t index = 0; index < cluster_.size(); ++index) {
      if (cluster_.IsOut(index)) continue;
      const auto& objects = node(index).disk().applied(ColumnFamily::kObjects);
      const auto object = objects.find(StorageKey(key));
      if (object == objects.end()) continue;
      const Result<Object> decoded = DecodeObject(object->second);
      if (!decoded || !decoded->deleted()) back.push_back(ToString(key) + " on the disk of " + std::to_string(index));
    }
  }
  return back;
}

uint64_t ReapingCluster::Figure(const std::string& name) {
  uint64_t sum = 0;
  for (size_t index = 0; index < cluster_.size(); ++index) {
    if (!node(index).running()) continue;
    for (const auto& figure : node(index).metrics().Collect()) {
      if (figure.name == name && figure.counter != nullptr) sum += figure.counter->value();
    }
  }
  return sum;
}

void ReapingCluster::OnStep(std::function<void(size_t node)> listener) {
  for (size_t index = 0; index < cluster_.size(); ++index) {
    DiskWatch watch;
    watch.visible = [listener, index](const WriteOps& ops) {
      for (const WriteOp& op : ops) {
        const bool raised = op.family == ColumnFamily::kMeta && op.key.starts_with("reap/");
        const bool removed = op.family == ColumnFamily::kObjects && op.kind == WriteOp::Kind::kDelete;
        if (raised || removed) listener(index);
      }
    };
    node(index).disk().Watch(listener ? std::move(watch) : DiskWatch{});
  }
}

}  // namespace dynamo::sim
