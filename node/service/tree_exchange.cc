#include "node/service/tree_exchange.h"

#include <iterator>
#include <utility>

#include "node/protocol/messages.h"

namespace dynamo {
namespace {

// Hashes spread keys evenly: a leaf with more is nonsense.
constexpr size_t kKeysOfLeafMax = 1u << 17;

}  // namespace

TimePoint TreeExchange::TreeDeadline() const {
  return parts_.shard->Now() + parts_.shard->config->anti_entropy_timeout;
}

void TreeExchange::Name(peer::TreeId* out) const { ToProto(*parts_.shard, tree_, out); }

Async<Result<ExchangeResult>> TreeExchange::Run() {
  const auto leaves = co_await DifferingLeaves();
  if (!leaves) co_return Fail(leaves.error());
  result_.leaves_differing = leaves->size();
  for (const LeafIndex leaf : *leaves) {
    const Status repaired = co_await RepairLeaf(leaf);
    // A leaf that the peer cannot list is its own to repair.
    if (!repaired && repaired.error().code == Errc::kCorrupt) {
      ++result_.keys_failed;
    } else if (!repaired) {
      co_return Fail(repaired.error());
    }
    if (result_.more) break;
  }
  co_return result_;
}

Async<Result<std::vector<LeafIndex>>> TreeExchange::DifferingLeaves() {
  std::vector<uint32_t> nodes{0};
  for (uint32_t level = 0; level < kTreeLevels; ++level) {
    if (level > 0) nodes = ChildrenOf(nodes);
    const auto mine = co_await trees_->Nodes(tree_, level, nodes);
    if (!mine) co_return Fail(mine.error());
    const auto theirs = co_await AskNodes(level, nodes);
    if (!theirs) co_return Fail(theirs.error());
    nodes = DifferingNodes(nodes, *mine, *theirs);
    if (nodes.empty()) break;
  }
  co_return nodes;
}

Async<Result<std::vector<Hash128>>> TreeExchange::AskNodes(uint32_t level, std::vector<uint32_t> nodes) {
  peer::Request request;
  peer::TreeGet* get = request.mutable_tree_get();
  Name(get->mutable_tree());
  get->set_level(level);
  get->mutable_nodes()->Add(nodes.begin(), nodes.end());
  const auto response = co_await parts_.peers->Ask(peer_, EncodeRequest(request), TreeDeadline());
  if (!response) co_return Fail(response.error());
  if (!response->has_tree_nodes()) co_return Fail(Errc::kInternal, "a peer gave another answer than its tree");
  co_return HashesOf(response->tree_nodes(), nodes.size());
}

Async<Result<std::vector<LeafEntry>>> TreeExchange::AskLeaf(LeafIndex leaf) {
  std::vector<LeafEntry> entries;
  for (bool more = true; more;) {
    peer::Request request;
    peer::LeafGet* get = request.mutable_leaf_get();
    Name(get->mutable_tree());
    get->set_leaf(leaf);
    if (!entries.empty()) get->set_after(entries.back().storage_key);
    const auto range = RangeAskedFor(*get, parts_.shard->topology().partitions);
    if (!range) co_return Fail(range.error());
    const auto response = co_await parts_.peers->Ask(peer_, EncodeRequest(request), TreeDeadline());
    if (!response) co_return Fail(response.error());
    if (!response->has_leaf_keys()) co_return Fail(Errc::kInternal, "a peer gave another answer than its leaf");
    auto page = PageOf(response->leaf_keys(), *range);
    if (!page) co_return Fail(page.error());
    std::move(page->entries.begin(), page->entries.end(), std::back_inserter(entries));
    if (entries.size() > kKeysOfLeafMax) co_return Fail(Errc::kTooLarge, "a peer's leaf has too many keys");
    more = page->more;
  }
  co_return entries;
}

Async<Result<std::vector<LeafEntry>>> TreeExchange::OwnLeaf(LeafIndex leaf, std::vector<LeafEntry> theirs) {
  KeyRange range = LeafKeyRange(tree_.partition, parts_.shard->topology().partitions, leaf, leaf);
  std::vector<LeafEntry> entries;
  for (bool more = true; more;) {
    auto page = co_await trees_->List(tree_, range);
    if (!page && page.error().code != Errc::kCorrupt) co_return Fail(page.error());
    if (!page) {
      for (LeafEntry& entry : theirs) {
        Result<KeyPtr> key = PlaceStorageKey(entry.storage_key, parts_.shard->topology());
        if (!key) co_return Fail(key.error());
        const Result<Bytes> state = co_await parts_.replica->Read(*key);
        entry.corrupt = !state || (!state->empty() && !DecodeObjectHeader(*state));
        entry.digest = entry.corrupt ? Hash128{} : DigestOf(*state);
      }
      co_return theirs;
    }
    std::move(page->entries.begin(), page->entries.end(), std::back_inserter(entries));
    more = page->more;
    if (more) range.begin = entries.back().storage_key + '\0';
  }
  co_return entries;
}

Async<Status> TreeExchange::RepairLeaf(LeafIndex leaf) {
  const auto theirs = co_await AskLeaf(leaf);
  if (!theirs) co_return Fail(theirs.error());
  const auto mine = co_await OwnLeaf(leaf, *theirs);
  if (!mine) co_return Fail(mine.error());
  const KeyDifferences differences = CompareLeaves(*mine, *theirs);
  result_.keys_failed += differences.corrupt.size();
  for (const auto* keys : {&differences.only_mine, &differences.only_theirs, &differences.both}) {
    for (const Bytes& key : *keys) {
      if (bytes_ >= parts_.shard->config->anti_entropy_bytes_max) {
        result_.more = true;
        co_return Status{};
      }
      const bool repaired = co_await RepairKey(key, /*fetch=*/keys != &differences.only_mine);
      ++(repaired ? result_.keys_repaired : result_.keys_failed);
    }
  }
  co_return Status{};
}

// A peer may have made it up.
bool TreeExchange::BelongsHere(const PlacedKey& key) const {
  const ShardContext& shard = *parts_.shard;
  return shard.NOf(key.key) == tree_.n_val && IsWhereItBelongs(key, shard.topology());
}

Async<bool> TreeExchange::RepairKey(Bytes storage_key, bool fetch) {
  const Result<KeyPtr> key = PlaceStorageKey(std::move(storage_key), parts_.shard->topology());
  if (!key || !BelongsHere(**key)) co_return false;
  Bytes theirs;
  if (fetch) {
    Result<Bytes> fetched = co_await FetchAndMerge(*key);
    if (!fetched) co_return false;
    theirs = std::move(*fetched);
  }
  const ReapGeneration stamp = parts_.replica->generations().Of((*key)->partition);
  const Result<Bytes> mine = co_await parts_.replica->Read(*key);
  if (!mine || mine->empty() || !DecodeObjectHeader(*mine)) co_return false;
  if (DigestOf(*mine) == DigestOf(theirs)) co_return true;
  bytes_ += mine->size();
  co_await pace_->Spend(mine->size());
  SharedBytes body = ReplicaPutBody(*parts_.shard, **key, {*mine, stamp}, NodeId{}, /*sync=*/false);
  const auto response = co_await parts_.peers->Ask(peer_, std::move(body), parts_.shard->ReplicaDeadline());
  co_return response && response->has_replica_stored();
}

// Empty: the peer has nothing any more.
Async<Result<Bytes>> TreeExchange::FetchAndMerge(KeyPtr key) {
  auto response = co_await parts_.peers->Ask(peer_, ReplicaGetBody(*parts_.shard, *key, /*digest_only=*/false),
                                             parts_.shard->ReplicaDeadline());
  if (!response) co_return Fail(response.error());
  if (!response->has_replica_state()) co_return Fail(Errc::kInternal, "a replica gave another answer than its state");
  const ReapGeneration stamp = response->replica_state().reap_generation();
  Bytes object = std::move(*response->mutable_replica_state()->mutable_object());
  bytes_ += object.size();
  co_await pace_->Spend(object.size());
  if (!trees_->MayHold(tree_)) co_return Fail(Errc::kNotOwner, "this node owns the partition no longer");
  if (object.empty()) co_return object;
  const auto merged = co_await parts_.replica->Merge(std::move(key), object, stamp, /*sync=*/false);
  if (!merged) co_return Fail(merged.error());
  co_return object;
}

}  // namespace dynamo
