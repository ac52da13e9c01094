#include "node/shard.h"

#include <utility>

namespace dynamo {

// In this order: replicas get a write while this node makes its own, and what the
// commit resumes is sent in the next round, which follows at once.
void NodeShard::Equip(ShardIndex self, std::vector<ShardLoop*> loops, RocksdbStore* store, TlsKeeper* tls,
                      Metrics* metrics, const Logger& log) {
  TcpTransportOptions options;
  options.channel.connection.tls = tls;
  transport_ = std::make_unique<TcpTransport>(loop_.executor(), &clock_, metrics, log, options);
  storage_ = std::make_unique<RocksdbStorage>(&scope_, store);
  link_ = std::make_unique<ThreadShardLink>(self, std::move(loops));
  loop_.AtEndOfWakeUp([this] { transport_->Flush(); });
  loop_.AtEndOfWakeUp([this] { storage_->Commit(); });
}

ShardEnv NodeShard::Env(Metrics* metrics, const Logger& log) {
  ShardEnv env;
  env.scope = &scope_;
  env.clock = &clock_;
  env.random = &random_;
  env.transport = transport_.get();
  env.storage = storage_.get();
  env.link = link_.get();
  env.metrics = metrics;
  env.log = log;
  return env;
}

}  // namespace dynamo
