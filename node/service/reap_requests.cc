// What the leader of a round asks of a member, and of itself.
#include <utility>

#include "node/protocol/messages.h"
#include "node/protocol/reap_messages.h"
#include "node/service/reaper.h"

namespace dynamo {

Result<Reaper::Ask> Reaper::Decode(NodeId from, const peer::Request& request) {
  ShardContext& shard = *parts_.shard;
  const bool raise = request.has_reap_raise(), remove = request.has_reap_remove();
  const peer::TreeId& tree = raise    ? request.reap_raise().tree()
                             : remove ? request.reap_remove().tree()
                                      : request.reap_check().tree();
  if (Status known = CheckTree(shard, tree); !known) return Fail(known.error());
  Ask ask;
  ask.tree = NameOf(tree);
  if (raise) {
    ask.phase = ReapRound::Phase::kRaise;
    ask.generation = request.reap_raise().reap_generation();
    return ask;
  }
  const LeafKeysProto& keys = remove ? request.reap_remove().keys() : request.reap_check().keys();
  auto entries = EntriesToReap(keys, ask.tree.partition, shard.topology().partitions);
  if (!entries) return Fail(entries.error());
  // Of no use where nothing is owned; and who removes is one that owns it too.
  const PreferenceList& list = shard.ListOf(ask.tree.partition, ask.tree.n_val);
  if (!entries->empty() && !(list.Owns(shard.self) && list.Owns(from))) {
    return Fail(Errc::kNotOwner, "reap: not both nodes own the partition");
  }
  ask.entries = std::move(*entries);
  if (!remove) {
    ask.clock = request.reap_check().clock();
    return ask;
  }
  ask.phase = ReapRound::Phase::kRemove;
  ask.generation = request.reap_remove().reap_generation();
  if (parts_.replica->generations().Of(ask.tree.partition) < ask.generation) {
    return Fail(Errc::kUnavailable, "reap: this node has not adopted the generation");
  }
  return ask;
}

void Reaper::Serve(NodeId from, peer::Request request, Responder respond) {
  Result<Ask> ask = Decode(from, request);
  if (!ask) return respond(EncodeFailure(ask.error()));
  parts_.shard->env.scope->Spawn(AnswerPeer(this, std::move(*ask), std::move(respond)));
}

Async<> Reaper::AnswerPeer(Reaper* self, Ask ask, Responder respond) {
  const Result<ReapAnswer> answer = co_await self->Answer(std::move(ask));
  if (!answer) co_return respond(EncodeFailure(answer.error()));
  peer::Response response;
  ToProto(*answer, response.mutable_reap_state());
  respond(EncodeResponse(response));
}

Async<Result<ReapAnswer>> Reaper::Answer(Ask ask) {
  ShardContext& shard = *parts_.shard;
  ReapGenerations& generations = parts_.replica->generations();
  const PartitionId partition = ask.tree.partition;
  if (ask.phase == ReapRound::Phase::kRaise || ask.phase == ReapRound::Phase::kSeal) {
    const Status raised = co_await generations.Raise(partition, ask.generation);
    if (!raised) co_return Fail(raised.error());
  }
  // Before anybody adopts the round's generation. Where the latest wins, what is written
  // here once a deletion is reaped must be later than it: nothing else outdates it then.
  const Status observed = co_await parts_.replica->ObserveClock(ask.clock);
  if (!observed) co_return Fail(observed.error());
  ReapAnswer answer;
  answer.generation = generations.Of(partition);
  answer.version = shard.topology().version;
  const bool remove = ask.phase == ReapRound::Phase::kRemove;
  auto differing = remove ? co_await Remove(ask.entries) : co_await Differing(ask.entries);
  if (!differing) co_return Fail(differing.error());
  answer.differing = std::move(*differing);
  // What was read or dropped here must not come back, or go, with a crash.
  const Status synced = co_await parts_.replica->SyncAll();
  if (!synced) co_return Fail(synced.error());
  if (!shard.serving || answer.version != shard.topology().version || answer.generation != generations.Of(partition)) {
    co_return Fail(Errc::kUnavailable, "reap: something has changed meanwhile; ask again");
  }
  answer.clean = generations.clean(partition);
  answer.hints = generations.HasHints(partition);
  answer.run = generations.run();
  answer.clock = parts_.replica->hybrid_clock().last();
  co_return answer;
}

Async<Result<std::vector<uint32_t>>> Reaper::Differing(const std::vector<LeafEntry>& entries) {
  std::vector<uint32_t> differing;
  uint64_t bytes = 0;
  for (uint32_t index = 0; index < entries.size(); ++index) {
    const auto stored = co_await parts_.shard->env.storage->Get(ColumnFamily::kObjects, entries[index].storage_key);
    const bool same = stored && DigestOf(stored->value_or(Bytes())) == entries[index].digest;
    if (!same) differing.push_back(index);
    bytes += stored ? stored->value_or(Bytes()).size() : 0;
  }
  co_await pace_.Spend(bytes);
  co_return differing;
}

Async<Result<std::vector<uint32_t>>> Reaper::Remove(const std::vector<LeafEntry>& entries) {
  std::vector<uint32_t> kept;
  for (uint32_t index = 0; index < entries.size(); ++index) {
    const Result<KeyPtr> key = PlaceStorageKey(entries[index].storage_key, parts_.shard->topology());
    const auto reaped = key ? co_await parts_.replica->Reap(*key, entries[index].digest) : Result<bool>(false);
    if (!reaped) co_return Fail(reaped.error());
    if (!*reaped) kept.push_back(index);
  }
  co_return kept;
}

}  // namespace dynamo
