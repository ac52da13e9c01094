// One shard of a running node: its thread and the real ports on it.
#ifndef DYNAMO_NODE_SHARD_H_
#define DYNAMO_NODE_SHARD_H_

#include <memory>
#include <vector>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "node/adapter/asio_clock.h"
#include "node/adapter/os_random.h"
#include "node/adapter/rocksdb_storage.h"
#include "node/adapter/rocksdb_store.h"
#include "node/adapter/shard_loop.h"
#include "node/adapter/tcp_transport.h"
#include "node/adapter/thread_shard_link.h"
#include "node/env/scope.h"
#include "node/service/shard_env.h"

namespace dynamo {

// The loop comes first: whoever listens needs it before there is a store.
class NodeShard {
 public:
  NodeShard() = default;

  ShardLoop& loop() { return loop_; }
  TcpTransport& transport() { return *transport_; }
  OsRandom& random() { return random_; }
  AsioClock& clock() { return clock_; }
  Scope& scope() { return scope_; }

  // Once, before the loop starts. What is given outlives the shard; `tls`: of peers, or
  // nullptr for plaintext.
  void Equip(ShardIndex self, std::vector<ShardLoop*> loops, RocksdbStore* store, TlsKeeper* tls, Metrics* metrics,
             const Logger& log);
  // After Equip.
  ShardEnv Env(Metrics* metrics, const Logger& log);

 private:
  ShardLoop loop_;
  AsioClock clock_{loop_.executor()};
  Scope scope_{loop_.executor()};
  OsRandom random_;
  std::unique_ptr<TcpTransport> transport_;
  std::unique_ptr<RocksdbStorage> storage_;
  std::unique_ptr<ThreadShardLink> link_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SHARD_H_
