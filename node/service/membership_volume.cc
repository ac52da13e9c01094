#include "node/service/membership_volume.h"

#include <utility>

namespace dynamo {
namespace {

constexpr char kTopologyKey[] = "topology";
constexpr char kPeersKey[] = "peers";
constexpr uint8_t kPeersVersion = 1;

WriteOps PutMeta(Bytes key, Bytes value) {
  WriteOps ops(1);
  ops[0].family = ColumnFamily::kMeta;
  ops[0].key = std::move(key);
  ops[0].value = std::move(value);
  return ops;
}

}  // namespace

Async<Status> StoreMeta(ShardEnv env, Bytes key, Bytes value) {
  auto written = co_await env.storage->Write(PutMeta(std::move(key), std::move(value)));
  if (!written) co_return Fail(std::move(written.error()));
  co_return co_await env.storage->Sync(*written);
}

Async<Result<bool>> IsEmptyVolume(ShardEnv env) {
  auto topology = co_await env.storage->Get(ColumnFamily::kMeta, kTopologyKey);
  if (!topology) co_return Fail(std::move(topology.error()));
  if (*topology) co_return false;
  auto objects = co_await env.storage->Scan(ColumnFamily::kObjects, {}, {}, 1, 1);
  if (!objects) co_return Fail(std::move(objects.error()));
  auto hints = co_await env.storage->Scan(ColumnFamily::kHints, {}, {}, 1, 1);
  if (!hints) co_return Fail(std::move(hints.error()));
  co_return objects->empty() && hints->empty();
}

Async<Result<TopologyPtr>> LoadTopology(ShardEnv env) {
  auto stored = co_await env.storage->Get(ColumnFamily::kMeta, kTopologyKey);
  if (!stored) co_return Fail(std::move(stored.error()));
  if (!*stored) co_return TopologyPtr();
  auto decoded = DecodeTopology(**stored);
  if (!decoded) {
    co_return Fail(decoded.error().code,
                   "the topology on this volume cannot be read: " + decoded.error().message + "; restore the volume");
  }
  co_return std::make_shared<const Topology>(std::move(*decoded));
}

Async<Status> StoreTopology(ShardEnv env, TopologyPtr topology) {
  co_return co_await StoreMeta(env, kTopologyKey, EncodeTopology(*topology));
}

Async<std::vector<std::string>> LoadPeerAddresses(ShardEnv env) {
  std::vector<std::string> addresses;
  auto stored = co_await env.storage->Get(ColumnFamily::kMeta, kPeersKey);
  if (!stored || !*stored) co_return addresses;
  ByteReader in(**stored);
  if (in.U8() != kPeersVersion) co_return addresses;
  for (size_t left = in.Count(1); left > 0; --left) addresses.emplace_back(in.String());
  if (!in.at_end()) addresses.clear();
  co_return addresses;
}

Async<Status> StorePeerAddresses(ShardEnv env, std::vector<std::string> addresses) {
  Bytes encoded;
  ByteWriter out(&encoded);
  out.U8(kPeersVersion);
  out.Varint(addresses.size());
  for (const std::string& address : addresses) out.String(address);
  auto written = co_await env.storage->Write(PutMeta(kPeersKey, std::move(encoded)));
  if (!written) co_return Fail(std::move(written.error()));
  co_return Status();
}

}  // namespace dynamo
