#include "node/service/identity.h"

#include <utility>

#include "common/base/bytes.h"
#include "node/service/membership_volume.h"

namespace dynamo {
namespace {

constexpr uint8_t kIdentityVersion = 1;
constexpr char kIdentityKey[] = "identity";
constexpr char kRolledBackKey[] = "rolled_back";

Bytes Encode(const StoredIdentity& identity) {
  Bytes encoded;
  ByteWriter out(&encoded);
  out.U8(kIdentityVersion);
  out.U64(identity.node.value);
  out.U64(identity.boot_number);
  return encoded;
}

Result<StoredIdentity> Decode(std::string_view encoded) {
  ByteReader in(encoded);
  const uint8_t version = in.U8();
  StoredIdentity identity;
  identity.node.value = in.U64();
  identity.boot_number = in.U64();
  if (!in.at_end() || version != kIdentityVersion || !identity.node) {
    return Fail(Errc::kCorrupt, "the node's identity on this volume is malformed: restore the volume, or empty it");
  }
  return identity;
}

StoredIdentity Draw(Random& random) {
  StoredIdentity drawn;
  drawn.first_start = true;
  while (!drawn.node) drawn.node.value = random.Secret();
  return drawn;
}

}  // namespace

Async<Result<StoredIdentity>> LoadIdentity(ShardEnv env) {
  auto stored = co_await env.storage->Get(ColumnFamily::kMeta, kIdentityKey);
  if (!stored) co_return Fail(std::move(stored.error()));
  StoredIdentity identity;
  if (*stored) {
    auto decoded = Decode(**stored);
    if (!decoded) co_return Fail(std::move(decoded.error()));
    identity = *decoded;
  } else {
    auto empty = co_await IsEmptyVolume(env);
    if (!empty) co_return Fail(std::move(empty.error()));
    if (!*empty) co_return Fail(Errc::kCorrupt, "this volume holds data but no node identity: restore it, or empty it");
    identity = Draw(*env.random);
  }
  auto mark = co_await env.storage->Get(ColumnFamily::kMeta, kRolledBackKey);
  if (!mark) co_return Fail(std::move(mark.error()));
  identity.rolled_back = mark->has_value();
  ++identity.boot_number;
  auto written = co_await StoreMeta(env, kIdentityKey, Encode(identity));
  if (!written) co_return Fail(std::move(written.error()));
  env.log.Info("identity node={} boot={} first_start={}", ToString(identity.node), identity.boot_number,
               identity.first_start);
  co_return identity;
}

Async<Status> MarkRolledBack(ShardEnv env) { co_return co_await StoreMeta(env, kRolledBackKey, "1"); }

}  // namespace dynamo
