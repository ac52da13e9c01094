#include "node/service/stray_handback.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "node/protocol/messages.h"
#include "node/protocol/transfer_messages.h"

namespace dynamo {
namespace {

constexpr size_t kStrayPageBytes = 1u << 20;

// What came while this node still owned it, and was held up, is found at the latest
// by then.
constexpr Duration kLookAgain{60'000'000};
constexpr Duration kHandBackAgain{2'000'000};

}  // namespace

StrayHandback::StrayHandback(DataPath parts)
    : parts_(parts),
      pace_(parts.shard->env.scope, parts.shard->env.clock, parts.shard->config->transfer_bytes_per_second),
      wake_(*parts.shard->env.scope) {}

void StrayHandback::OnTopology() {
  ++changes_;
  clean_ = false;
  wake_.Set();
}

Async<> StrayHandback::Run() {
  ShardContext& shard = *parts_.shard;
  // Nothing of a volume that was rolled back is handed to others.
  while (shard.serving) {
    wake_ = Event(*shard.env.scope);
    const uint64_t changes = changes_;
    const bool all = co_await HandBackAll();
    clean_ = all && changes == changes_;
    if (changes != changes_) continue;
    if (clean_ && on_clean_) on_clean_();
    static_cast<void>(co_await WaitUntil(wake_, *shard.env.clock, shard.Now() + (all ? kLookAgain : kHandBackAgain)));
  }
}

Async<bool> StrayHandback::HandBackAll() {
  ShardContext& shard = *parts_.shard;
  bool all = true;
  for (PartitionId partition = 0; partition < shard.topology().partitions; ++partition) {
    if (shard.ShardOf(partition) != shard.env.link->self()) continue;
    if (!co_await HandBackPartition(partition)) all = false;
  }
  co_return all;
}

bool StrayHandback::IsStray(PartitionId partition, uint32_t n_val) {
  return !MayHold(*parts_.shard, parts_.shard->self, {partition, n_val});
}

Async<bool> StrayHandback::HandBackPartition(PartitionId partition) {
  ShardContext& shard = *parts_.shard;
  const std::set<uint32_t> n_vals = NsInUse(shard.topology());
  const auto owned = [&](uint32_t n_val) { return !IsStray(partition, n_val); };
  if (std::all_of(n_vals.begin(), n_vals.end(), owned)) co_return true;
  bool all = true;
  KeyRange range = LeafKeyRange(partition, shard.topology().partitions, 0, kTreeLeaves - 1);
  for (bool more = true; more;) {
    const ReapGeneration stamp = parts_.replica->generations().Of(partition);
    const auto page = co_await shard.env.storage->Scan(ColumnFamily::kObjects, range.begin, range.end, kProofKeysMax,
                                                       kStrayPageBytes);
    if (!page) co_return false;
    uint64_t bytes = 0;
    std::map<uint32_t, std::vector<Stray>> strays;  // By N.
    for (const KeyValue& item : *page) {
      bytes += item.key.size() + item.value.size();
      const Result<KeyPtr> key = PlaceStorageKey(item.key, shard.topology());
      const uint32_t n_val = key ? shard.NOf((*key)->key) : 0;
      if (!key || !DecodeObjectHeader(item.value)) {
        all = false;  // Nobody can be shown what it was: it stays.
      } else if (IsStray(partition, n_val)) {
        strays[n_val].push_back({*key, item.value, stamp});
      }
    }
    more = page->size() >= kProofKeysMax || bytes >= kStrayPageBytes;
    if (more) range.begin = page->back().key + '\0';
    for (auto& [n_val, of_n] : strays) {
      if (!co_await HandBack({partition, n_val}, std::move(of_n))) all = false;
    }
    co_await pace_.Spend(bytes);
  }
  co_return all;
}

Async<bool> StrayHandback::HandBack(TreeName tree, std::vector<Stray> strays) {
  ShardContext& shard = *parts_.shard;
  const bool drop_early = shard.config->planted.Has(PlantedBug::kStrayDroppedEarly);
  for (const NodeId owner : std::vector<NodeId>(shard.ListOf(tree.partition, tree.n_val).owners)) {
    const Status proved = co_await Prove(tree, strays, owner);
    if (proved && drop_early) break;
    if (!proved) {
      shard.env.log.Debug("strays_kept partition={} n={} keys={} owner={} error={}", tree.partition, tree.n_val,
                          strays.size(), ToString(owner), proved.error().message);
      co_return false;
    }
  }
  bool all = true;
  for (const Stray& stray : strays) {
    const auto still_stray = [this, tree] { return IsStray(tree.partition, tree.n_val); };
    const auto removed = co_await parts_.replica->RemoveExactly(stray.key, DigestOf(stray.object), still_stray);
    if (removed && *removed) {
      shard.metrics->strays_dropped.Add();
    } else {
      all = false;
    }
  }
  co_return all;
}

Async<Status> StrayHandback::Prove(TreeName tree, const std::vector<Stray>& strays, NodeId owner) {
  // A topology that came meanwhile may have other owners; its round begins anew.
  const uint64_t changes = changes_;
  const auto lacking = co_await AskWhatLacks(tree, strays, owner);
  if (!lacking) co_return Fail(lacking.error());
  for (const uint32_t index : *lacking) {
    const Status sent = co_await Send(strays[index], owner);
    if (!sent) co_return sent;
    parts_.shard->metrics->strays_handed_back.Add();
  }
  if (changes != changes_) co_return Fail(Errc::kConflict, "the topology has changed");
  co_return Status{};
}

Async<Result<std::vector<uint32_t>>> StrayHandback::AskWhatLacks(TreeName tree, const std::vector<Stray>& strays,
                                                                 NodeId owner) {
  ShardContext& shard = *parts_.shard;
  peer::Request request;
  peer::StrayProof* proof = request.mutable_stray_proof();
  ToProto(shard, tree, proof->mutable_tree());
  for (const Stray& stray : strays) {
    peer::LeafKey* key = proof->add_keys();
    key->set_storage_key(stray.key->storage_key);
    key->set_digest(ToBytes(DigestOf(stray.object)));
  }
  const TimePoint deadline = shard.Now() + shard.config->transfer_timeout;
  const auto response = co_await parts_.peers->Ask(owner, EncodeRequest(request), deadline);
  if (!response) co_return Fail(response.error());
  if (!response->has_stray_proved()) co_return Fail(Errc::kInternal, "a peer gave another answer than a proof");
  co_return LackingOf(response->stray_proved(), strays.size());
}

Async<Status> StrayHandback::Send(Stray stray, NodeId owner) {
  ShardContext& shard = *parts_.shard;
  co_await pace_.Spend(stray.object.size());
  SharedBytes body = ReplicaPutBody(shard, *stray.key, {stray.object, stray.stamp}, NodeId{}, /*sync=*/true);
  const auto response = co_await parts_.peers->Ask(owner, std::move(body), shard.ReplicaDeadline());
  if (!response) co_return Fail(response.error());
  if (!response->has_replica_stored() || !response->replica_stored().durable()) {
    co_return Fail(Errc::kInternal, "an owner did not say that it stored a stray for good");
  }
  co_return Status{};
}

// ---- The owner's side

Status StrayHandback::MayAsk(NodeId from, const peer::TreeId& tree) {
  ShardContext& shard = *parts_.shard;
  if (Status known = CheckTree(shard, tree); !known) return known;
  const TopologyVersion here = shard.topology().version;
  if (VersionOf(tree) > here) return Fail(Errc::kUnavailable, "this node is behind the asking one");
  const bool owns = shard.ListOf(tree.partition(), tree.n_val()).Owns(shard.self);
  if (!owns || MayHold(shard, from, NameOf(tree))) {
    return Fail(Errc::kNotOwner, fmt::format("partition {} in epoch {}.{}: this node does not own it, or the asking "
                                             "one does",
                                             tree.partition(), here.generation, here.epoch));
  }
  return {};
}

void StrayHandback::Serve(NodeId from, peer::Request request, Responder respond) {
  ShardContext& shard = *parts_.shard;
  Status may = MayAsk(from, request.stray_proof().tree());
  auto entries = may ? EntriesToProve(request.stray_proof(), shard.topology().partitions) : Fail(may.error());
  if (!entries) {
    shard.metrics->transfer_requests_refused.Add();
    return respond(EncodeFailure(entries.error()));
  }
  shard.env.scope->Spawn(AnswerProof(this, std::move(*entries), std::move(respond)));
}

Async<> StrayHandback::AnswerProof(StrayHandback* self, std::vector<LeafEntry> entries, Responder respond) {
  ShardContext& shard = *self->parts_.shard;
  peer::Response response;
  peer::StrayProved* proved = response.mutable_stray_proved();
  for (uint32_t index = 0; index < entries.size(); ++index) {
    const auto stored = co_await shard.env.storage->Get(ColumnFamily::kObjects, entries[index].storage_key);
    if (!stored) co_return respond(EncodeFailure(stored.error()));
    // Whether more is here than the stray has is found out by sending it.
    if (DigestOf(stored->value_or(Bytes())) != entries[index].digest) proved->add_lacking(index);
  }
  const Status synced = co_await self->parts_.replica->SyncAll();
  if (!synced) co_return respond(EncodeFailure(synced.error()));
  respond(EncodeResponse(response));
}

}  // namespace dynamo
