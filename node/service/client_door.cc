#include "node/service/client_door.h"

#include <algorithm>
#include <utility>

#include "node/core/replication/quorum.h"
#include "node/service/shard_call.h"

namespace dynamo {
namespace {

// The storage key frames the parts in 32 bits and RocksDB likes them short.
constexpr size_t kKeyBytesMax = 64 * 1024;
// The owning shard answers at the deadline itself; this long after it is hung.
constexpr Duration kShardGrace{500'000};

}  // namespace

Status ClientDoor::CheckServing() const {
  if (!shard_->context().has_topology()) {
    return Fail(Errc::kUnavailable, "this node is of no cluster yet: create one, or wait until it has joined");
  }
  if (shard_->context().removed() || !shard_->context().serving) return Fail(shard_->context().WhyNotServing());
  return {};
}

Result<ClientDoor::Admitted> ClientDoor::Admit(const ObjectKey& key, const std::optional<Duration>& timeout) const {
  if (key.type.empty()) return Fail(Errc::kInvalidArgument, "Type cannot be zero-length");
  if (key.bucket.empty()) return Fail(Errc::kInvalidArgument, "Bucket cannot be zero-length");
  if (key.key.empty()) return Fail(Errc::kInvalidArgument, "Key cannot be zero-length");
  if (key.type.size() + key.bucket.size() + key.key.size() > kKeyBytesMax) {
    return Fail(Errc::kInvalidArgument, "type, bucket and key together exceed 65536 bytes");
  }
  if (Status serving = CheckServing(); !serving) return Fail(std::move(serving.error()));
  ShardContext& context = shard_->context();
  const Duration wanted = timeout.value_or(context.config->request_timeout);
  if (wanted <= Duration(0)) return Fail(Errc::kInvalidArgument, "the timeout must be more than 0");
  Admitted admitted;
  admitted.key = Place(key, context.topology());
  admitted.origin.deadline = context.Now() + std::min(wanted, context.config->request_timeout_max);
  admitted.owner = shard_->shards()[context.ShardOf(admitted.key->partition)].get();
  return admitted;
}

template <class T, class Request>
Async<T> ClientDoor::Dispatch(Admitted admitted, Request request,
                              Async<T> (Coordinator::*method)(KeyPtr, Request, Origin)) {
  Shard* owner = admitted.owner;
  if (owner == shard_) {
    co_return co_await (owner->coordinator().*method)(std::move(admitted.key), std::move(request), admitted.origin);
  }
  const ShardContext& here = shard_->context();
  const ShardIndex index = here.ShardOf(admitted.key->partition);
  const TimePoint hung = admitted.origin.deadline + kShardGrace;
  auto moved = std::make_shared<Request>(std::move(request));
  ShardWork<T> work = [owner, method, moved, key = std::move(admitted.key), origin = admitted.origin]() -> Async<T> {
    return (owner->coordinator().*method)(key, std::move(*moved), origin);
  };
  co_return co_await CallShard<T>(here.env, owner->context().env, index, hung, std::move(work));
}

Async<Result<GetReply>> ClientDoor::Get(GetRequest request) {
  Result<Admitted> admitted = Admit(request.key, request.options.timeout);
  if (!admitted) co_return Fail(std::move(admitted.error()));
  co_return co_await Dispatch(std::move(*admitted), std::move(request), &Coordinator::Get);
}

Async<Result<PutReply>> ClientDoor::Put(PutRequest request) {
  Result<Admitted> admitted = Admit(request.key, request.options.timeout);
  if (!admitted) co_return Fail(std::move(admitted.error()));
  co_return co_await Dispatch(std::move(*admitted), std::move(request), &Coordinator::Put);
}

Async<Status> ClientDoor::Delete(DeleteRequest request) {
  Result<Admitted> admitted = Admit(request.key, request.options.timeout);
  if (!admitted) co_return Fail(std::move(admitted.error()));
  co_return co_await Dispatch(std::move(*admitted), std::move(request), &Coordinator::Delete);
}

Result<BucketProperties> ClientDoor::GetProperties(const std::string& type, const std::string& bucket) {
  if (!shard_->context().has_topology()) return Fail(Errc::kUnavailable, "this node is of no cluster yet");
  return shard_->coordinator().PropertiesOf(type, bucket);
}

Async<Status> ClientDoor::SetProperties(std::string type, std::string bucket, BucketPropertiesChange change) {
  if (bucket.empty()) co_return Fail(Errc::kInvalidArgument, "Bucket cannot be zero-length");
  if (Status serving = CheckServing(); !serving) co_return serving;
  const Result<BucketProperties> now = GetProperties(type, bucket);
  if (!now) co_return Fail(now.error());
  BucketProperties wanted = *now;
  Apply(change, &wanted);
  ReadOptions reads;
  WriteOptions writes;
  const auto read = ResolveRead(reads, wanted, wanted.n_val);
  const auto write = ResolveWrite(writes, wanted, wanted.n_val);
  if (!read) co_return Fail(Errc::kInvalidArgument, "Invalid bucket properties: " + read.error().message);
  if (!write) co_return Fail(Errc::kInvalidArgument, "Invalid bucket properties: " + write.error().message);
  const ShardContext& here = shard_->context();
  const TimePoint hung = here.Now() + here.config->request_timeout + kShardGrace;
  ShardWork<Status> work = [set = set_properties_, type = std::move(type), bucket = std::move(bucket),
                            change]() -> Async<Status> { return set(type, bucket, change); };
  co_return co_await CallShard<Status>(here.env, shard_->shards().front()->context().env, 0, hung, std::move(work));
}

}  // namespace dynamo
