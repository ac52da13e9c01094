#include "node/service/transfer.h"

#include <algorithm>
#include <utility>

#include "node/core/ring/disaster.h"
#include "node/protocol/messages.h"
#include "node/service/tree_exchange.h"

namespace dynamo {
namespace {

// How often what is covered is asked for, and asked of the register.
constexpr Duration kProposeEvery{1'000'000};
constexpr Duration kReceiveAgain{1'000'000};
// Fewer differing leaves are left to the comparison: it sends what differs, and no more.
constexpr size_t kLeavesWorthCopying = 8;

// How much of a partition lies under the leaves from `first` to before `end`.
double ShareOf(LeafIndex first, LeafIndex end) { return static_cast<double>(end - first) / kTreeLeaves; }

}  // namespace

Transfer::Transfer(DataPath parts, MerkleTrees* trees)
    : parts_(parts),
      trees_(trees),
      pace_(parts.shard->env.scope, parts.shard->env.clock, parts.shard->config->transfer_bytes_per_second),
      wake_(*parts.shard->env.scope) {}

void Transfer::OnTopology() {
  ShardContext& shard = *parts_.shard;
  const Topology& topology = shard.topology();
  if (topology.change_since != round_) {
    round_ = topology.change_since;
    receiving_.clear();
    copies_.clear();
  }
  target_.reset();
  if (!topology.pending.empty()) {
    auto after = std::make_shared<Topology>(topology);
    after->current = std::exchange(after->pending, TokenMap());
    after->moved.clear();
    target_.emplace(std::move(after));
  }
  for (PartitionId partition = 0; partition < shard.topology().partitions; ++partition) {
    if (shard.ShardOf(partition) != shard.env.link->self()) continue;
    if (!IsMoving(partition)) {
      receiving_.erase(partition);
    } else {
      receiving_.try_emplace(partition);
    }
  }
  wake_.Set();
}

bool Transfer::IsMoving(PartitionId partition) const {
  const Topology& topology = parts_.shard->topology();
  return !topology.pending.empty() && !topology.HasMoved(partition);
}

OwnersChange Transfer::ChangeOf(TreeName tree) {
  OwnersChange change{parts_.shard->ListOf(tree.partition, tree.n_val).owners, {}};
  if (IsMoving(tree.partition)) change.pending = target_->For(tree.partition, tree.n_val).owners;
  return change;
}

bool Transfer::IsReceiver(TreeName tree) {
  const std::vector<NodeId> receivers = ReceiversOf(ChangeOf(tree));
  return std::find(receivers.begin(), receivers.end(), parts_.shard->self) != receivers.end();
}

bool Transfer::IsReady(PartitionId partition) {
  ShardContext& shard = *parts_.shard;
  const auto found = receiving_.find(partition);
  if (found == receiving_.end()) return false;
  if (shard.config->planted.Has(PlantedBug::kTakeoverBeforeCopy)) return true;
  const std::set<uint32_t> n_vals = NsInUse(shard.topology());
  return std::all_of(n_vals.begin(), n_vals.end(), [&](uint32_t n_val) { return Covers({partition, n_val}); });
}

bool Transfer::Covers(TreeName tree) {
  ShardContext& shard = *parts_.shard;
  const auto is_up = [&shard](NodeId node) { return shard.IsUp(node); };
  return !IsReceiver(tree) || IsCovered(ChangeOf(tree), shard.self, receiving_[tree.partition].compared[tree.n_val],
                                        is_up, NotWaitedFor(shard.topology(), tree.partition));
}

// ---- Having partitions taken over

std::set<NodeId> Transfer::OtherReceiversOf(PartitionId partition) {
  std::set<NodeId> receivers;
  for (const uint32_t n_val : NsInUse(parts_.shard->topology())) {
    const std::vector<NodeId> some = ReceiversOf(ChangeOf({partition, n_val}));
    receivers.insert(some.begin(), some.end());
  }
  receivers.erase(parts_.shard->self);
  // Whose disk was declared lost gets nothing any more, and is waited for by nobody.
  std::erase_if(receivers, [this](NodeId receiver) {
    return parts_.shard->topology().StandingOf(receiver) == MemberStanding::kRemoved;
  });
  return receivers;
}

// One of those that are to own it asks for all: the first that is up. Two that see
// different nodes up do no harm.
bool Transfer::Leads(PartitionId partition) {
  ShardContext& shard = *parts_.shard;
  for (const NodeId owner : ChangeOf({partition, shard.topology().LargestN()}).pending) {
    if (shard.IsUp(owner)) return owner == shard.self;
  }
  return false;
}

void Transfer::ProposeReady() {
  std::vector<PartitionId> covered;
  for (auto& [partition, receiving] : receiving_) {
    if (!Leads(partition) || !IsReady(partition)) continue;
    bool all = true;
    for (const NodeId receiver : OtherReceiversOf(partition)) {
      if (receiving.ready_peers.contains(receiver)) continue;
      all = false;
      // Also one that is held for down: it is cheap, and whoever answers is not.
      AskWhetherReady(partition, receiver);
    }
    if (all) covered.push_back(partition);
  }
  if (!covered.empty() && covered_) covered_(round_, std::move(covered));
}

void Transfer::AskWhetherReady(PartitionId partition, NodeId receiver) {
  peer::Request request;
  ToProto(*parts_.shard, {partition, 0}, request.mutable_transfer_status()->mutable_tree());
  parts_.peers->Call(receiver, EncodeRequest(request), parts_.shard->ReplicaDeadline(),
                     [this, partition, receiver, round = round_](Result<peer::Response> response) {
                       const auto found = receiving_.find(partition);
                       if (round != round_ || found == receiving_.end()) return;
                       if (!response || !response->transfer_ready().ready()) return;
                       found->second.ready_peers.insert(receiver);
                     });
}

CopyShares Transfer::Copies() {
  CopyShares sum;
  for (const auto& [tree, share] : copies_) sum[tree.n_val] += share;
  for (const auto& [partition, receiving] : receiving_) {
    for (const uint32_t n_val : NsInUse(parts_.shard->topology())) {
      const TreeName tree{partition, n_val};
      if (!copies_.contains(tree) && IsReceiver(tree)) sum[n_val] += {1, 0, 0};
    }
  }
  return sum;
}

// ---- Receiving

Async<> Transfer::Run() {
  ShardContext& shard = *parts_.shard;
  co_await LoadTrusted();
  for (;;) {
    if (receiving_.empty()) {
      co_await wake_.Wait();
    } else {
      co_await WaitUntil(wake_, *shard.env.clock, shard.Now() + kProposeEvery);
    }
    wake_ = Event(*shard.env.scope);
    if (shard.config->transfer_max_concurrent == 0) continue;
    StartSome();
    ProposeReady();
  }
}

void Transfer::StartSome() {
  ShardContext& shard = *parts_.shard;
  for (auto& [partition, receiving] : receiving_) {
    if (running_ >= shard.config->transfer_max_concurrent) return;
    if (receiving.running || shard.Now() < receiving.retry_at || IsReady(partition)) continue;
    receiving.running = true;
    ++running_;
    shard.env.scope->Spawn(ReceivePartition(this, partition, round_));
  }
}

Async<> Transfer::ReceivePartition(Transfer* self, PartitionId partition, Round round) {
  bool all = true;
  for (const uint32_t n_val : NsInUse(self->parts_.shard->topology())) {
    if (!co_await self->ReceiveTree({partition, n_val}, round)) all = false;
  }
  --self->running_;
  const auto found = self->receiving_.find(partition);
  if (round == self->round_ && found != self->receiving_.end()) {
    found->second.running = false;
    if (!all) found->second.retry_at = self->parts_.shard->Now() + kReceiveAgain;
  }
  self->wake_.Set();
}

Async<bool> Transfer::ReceiveTree(TreeName tree, Round round) {
  ShardContext& shard = *parts_.shard;
  const auto is_up = [&shard](NodeId node) { return shard.IsUp(node); };
  const auto goes_on = [&] { return round == round_ && receiving_.contains(tree.partition); };
  if (!goes_on() || !IsReceiver(tree)) co_return true;
  for (const NodeId donor : DonorsOf(ChangeOf(tree), shard.self, is_up)) {
    if (receiving_[tree.partition].compared[tree.n_val].contains(donor)) continue;
    Status done;
    // One copy is enough: the rest is found by comparing.
    if (!receiving_[tree.partition].copied.contains(tree.n_val)) done = co_await Copy(tree, donor);
    if (!goes_on()) co_return false;
    if (done) {
      receiving_[tree.partition].copied.insert(tree.n_val);
      done = co_await Compare(tree, donor);
    }
    if (!goes_on()) co_return false;
    if (done) {
      receiving_[tree.partition].compared[tree.n_val].insert(donor);
      co_await StoreTrusted(tree, donor);
    } else {
      shard.metrics->transfer_failures.Add();
      shard.env.log.Debug("transfer_failed partition={} n={} from={} error={}", tree.partition, tree.n_val,
                          ToString(donor), done.error().message);
    }
    if (!goes_on()) co_return false;
  }
  co_return Covers(tree);
}

Async<Status> Transfer::Copy(TreeName tree, NodeId donor) {
  TreeExchange exchange(parts_, trees_, &pace_, tree, donor);
  const auto leaves = co_await exchange.DifferingLeaves();
  if (!leaves) co_return Fail(leaves.error());
  const bool worth = leaves->size() >= kLeavesWorthCopying;
  CopyShare& share = copies_[tree];
  share.to_copy = share.copied + (worth ? ShareOf(leaves->front(), leaves->back() + 1) : 0);
  if (!worth) co_return Status{};
  // An earlier attempt went from the first leaf to the last: it is gone on with.
  co_return co_await CopyLeaves(tree, donor, leaves->front(), leaves->back());
}

Async<Status> Transfer::CopyLeaves(TreeName tree, NodeId donor, LeafIndex first, LeafIndex last) {
  ShardContext& shard = *parts_.shard;
  peer::Request request;
  peer::TransferGet* get = request.mutable_transfer_get();
  get->set_first_leaf(first);
  get->set_last_leaf(last);
  get->set_max_bytes(static_cast<uint32_t>(shard.config->transfer_chunk_bytes));
  LeafIndex at = first;
  for (bool more = true; more;) {
    ToProto(shard, tree, get->mutable_tree());
    const auto range = RangeAskedFor(*get, shard.topology().partitions);
    if (!range) co_return Fail(range.error());
    const TimePoint deadline = shard.Now() + shard.config->transfer_timeout;
    const auto response = co_await parts_.peers->Ask(donor, EncodeRequest(request), deadline);
    if (!response) co_return Fail(response.error());
    if (!response->has_transfer_chunk()) co_return Fail(Errc::kInternal, "a peer gave another answer than a chunk");
    auto chunk = ChunkOf(response->transfer_chunk(), *range);
    if (!chunk) co_return Fail(chunk.error());
    get->set_after(chunk->last);
    more = chunk->more;
    const ReapGeneration stamp = response->transfer_chunk().reap_generation();
    const auto bytes = co_await MergeChunk(tree, std::move(chunk->objects), stamp);
    if (!bytes) co_return Fail(bytes.error());
    shard.metrics->transfer_bytes.Add(*bytes);
    const LeafIndex to =
        more ? std::max(at, LeafOf(PositionOfStorageKey(get->after()), shard.topology().partitions)) : last + 1;
    copies_[tree] += {0, ShareOf(at, to), *bytes};
    at = to;
    rate_.Add(shard.Now(), *bytes);
    co_await pace_.Spend(*bytes);
  }
  co_return Status{};
}

Async<Result<uint64_t>> Transfer::MergeChunk(TreeName tree, std::vector<ChunkObject> objects, ReapGeneration stamp) {
  ShardContext& shard = *parts_.shard;
  uint64_t bytes = 0;
  for (ChunkObject& object : objects) {
    bytes += object.storage_key.size() + object.object.size();
    Result<KeyPtr> key = PlaceStorageKey(std::move(object.storage_key), shard.topology());
    if (!key) co_return Fail(key.error());
    if (shard.NOf((*key)->key) != tree.n_val || !IsWhereItBelongs(**key, shard.topology())) {
      co_return Fail(Errc::kCorrupt, "a peer's chunk has a key of another tree");
    }
    // The change may have been given up: what comes now would be a stray.
    if (!MayHold(shard, shard.self, tree))
      co_return Fail(Errc::kNotOwner, "this node is to own the partition no longer");
    const auto merged =
        co_await parts_.replica->Merge(std::move(*key), std::move(object.object), stamp, /*sync=*/false);
    if (!merged) co_return Fail(merged.error());
    shard.metrics->transfer_objects.Add();
  }
  co_return bytes;
}

Async<Status> Transfer::Compare(TreeName tree, NodeId owner) {
  ShardContext& shard = *parts_.shard;
  peer::Request request;
  ToProto(shard, tree, request.mutable_transfer_confirm()->mutable_tree());
  const auto confirmed = co_await parts_.peers->Ask(owner, EncodeRequest(request), shard.ReplicaDeadline());
  if (!confirmed) co_return Fail(confirmed.error());
  if (!confirmed->has_done()) co_return Fail(Errc::kInternal, "a peer gave another answer than a confirmation");
  for (bool more = true; more;) {
    TreeExchange exchange(parts_, trees_, &pace_, tree, owner);
    const Result<ExchangeResult> result = co_await exchange.Run();
    if (!result) co_return Fail(result.error());
    if (result->keys_failed > 0 || (result->more && result->keys_repaired == 0)) {
      co_return Fail(Errc::kUnavailable, "not all objects could be compared");
    }
    more = result->more;
  }
  co_return co_await parts_.replica->SyncAll();
}

// ---- A planted bug: what was shown once is trusted after a start, whatever the disk
// has lost since.

namespace {
constexpr std::string_view kTrustedPrefix = "transfer/";
}  // namespace

Async<> Transfer::StoreTrusted(TreeName tree, NodeId owner) {
  if (!parts_.shard->config->planted.Has(PlantedBug::kTransferResumedByWiped)) co_return;
  Bytes key(kTrustedPrefix);
  ByteWriter writer(&key);
  writer.U32(tree.partition);
  writer.U32(tree.n_val);
  writer.U64(owner.value);
  WriteOps ops;
  ops.push_back({WriteOp::Kind::kPut, ColumnFamily::kMeta, std::move(key), {}});
  static_cast<void>(co_await parts_.shard->env.storage->Write(std::move(ops)));
}

Async<> Transfer::LoadTrusted() {
  if (!parts_.shard->config->planted.Has(PlantedBug::kTransferResumedByWiped)) co_return;
  const Bytes begin(kTrustedPrefix);
  const auto stored =
      co_await parts_.shard->env.storage->Scan(ColumnFamily::kMeta, begin, begin + '\xff', 1u << 16, 1u << 20);
  if (!stored) co_return;
  for (const KeyValue& entry : *stored) {
    ByteReader in(std::string_view(entry.key).substr(kTrustedPrefix.size()));
    const PartitionId partition = in.U32();
    const uint32_t n_val = in.U32();
    const auto found = receiving_.find(partition);
    if (found != receiving_.end()) found->second.compared[n_val].insert(NodeId{in.U64()});
  }
}

}  // namespace dynamo
