// What peers ask of a shard whose partitions are on the move.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/protocol/messages.h"
#include "node/service/transfer.h"

namespace dynamo {
Status Transfer::MayAskOwner(NodeId from, const peer::TreeId& tree) {
  ShardContext& shard = *parts_.shard;
  if (Status known = CheckTree(shard, tree); !known) return known;
  const TopologyVersion here = shard.topology().version;
  if (VersionOf(tree) > here) {
    return Fail(Errc::kUnavailable,
                fmt::format("this node is behind: it holds epoch {}.{}", here.generation, here.epoch));
  }
  const std::vector<NodeId>& pending = shard.PendingOwnersOf(tree.partition(), tree.n_val());
  const bool asks_rightly = std::find(pending.begin(), pending.end(), from) != pending.end();
  if (!asks_rightly || !shard.ListOf(tree.partition(), tree.n_val()).Owns(shard.self)) {
    return Fail(Errc::kNotOwner, fmt::format("partition {} with N={} in epoch {}.{}: this node does not own it, or the "
                                             "asking one is not about to",
                                             tree.partition(), tree.n_val(), here.generation, here.epoch));
  }
  return {};
}

void Transfer::Serve(NodeId from, peer::Request request, Responder respond) {
  ShardContext& shard = *parts_.shard;
  peer::Response response;
  if (request.has_transfer_status()) {
    const peer::TreeId& asked = request.transfer_status().tree();
    // Who has not heard of the change yet would tell of the one before.
    const bool behind = VersionOf(asked) > shard.topology().version;
    response.mutable_transfer_ready()->set_ready(!behind && IsReady(asked.partition()));
    return respond(EncodeResponse(response));
  }
  const auto refuse = [&shard, &respond](const Error& error) {
    shard.metrics->transfer_requests_refused.Add();
    respond(EncodeFailure(error));
  };
  const peer::TreeId& tree =
      request.has_transfer_get() ? request.transfer_get().tree() : request.transfer_confirm().tree();
  if (const Status may = MayAskOwner(from, tree); !may) return refuse(may.error());
  if (request.has_transfer_confirm()) {
    // The topology that a node acts on is on its stable storage: whatever was sent at
    // an epoch before this change it refuses from now on.
    response.mutable_done();
    return respond(EncodeResponse(response));
  }
  auto range = RangeAskedFor(request.transfer_get(), shard.topology().partitions);
  if (!range) return refuse(range.error());
  shard.env.scope->Spawn(
      AnswerGet(this, std::move(*request.mutable_transfer_get()), std::move(*range), std::move(respond)));
}

Async<> Transfer::AnswerGet(Transfer* self, peer::TransferGet get, KeyRange range, Responder respond) {
  ShardContext& shard = *self->parts_.shard;
  const size_t max_bytes = BytesAskedFor(get);
  const ReapGeneration stamp = self->parts_.replica->generations().Of(get.tree().partition());
  const auto stored =
      co_await shard.env.storage->Scan(ColumnFamily::kObjects, range.begin, range.end, kChunkObjectsMax, max_bytes);
  if (!stored) co_return respond(EncodeFailure(stored.error()));
  Chunk chunk;
  uint64_t bytes = 0;
  for (const KeyValue& item : *stored) {
    bytes += item.key.size() + item.value.size();
    const Result<ObjectKey> key = ParseStorageKey(item.key);
    // What fails its checksum is left to the comparison, which asks the other owners.
    if (!key || shard.NOf(*key) != get.tree().n_val() || !DecodeObjectHeader(item.value)) continue;
    chunk.objects.push_back({item.key, item.value});
  }
  chunk.more = stored->size() >= kChunkObjectsMax || bytes >= max_bytes;
  if (chunk.more) chunk.last = stored->back().key;
  co_await self->pace_.Spend(bytes);
  peer::Response response;
  ToProto(chunk, response.mutable_transfer_chunk());
  response.mutable_transfer_chunk()->set_reap_generation(stamp);
  respond(EncodeResponse(response));
}

}  // namespace dynamo
