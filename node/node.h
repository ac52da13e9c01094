// One whole node: the service over the real clock, disk and network, on S threads.
#ifndef DYNAMO_NODE_NODE_H_
#define DYNAMO_NODE_NODE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/result.h"
#include "node/adapter/rocksdb_store.h"
#include "node/adapter/seeds.h"
#include "node/api/listener.h"
#include "node/config.h"
#include "node/doors.h"
#include "node/security.h"
#include "node/service/node_service.h"
#include "node/shard.h"

namespace dynamo {

// Made, stopped and destroyed by one thread, which is none of the shards'.
class Node {
 public:
  // Returns once requests are answered. On an error all is as it was before: the
  // ports are taken first, and only then is the data folder touched. The message
  // names what is in the way, and what to do.
  static Result<std::unique_ptr<Node>> Start(NodeConfig config, Logger log);

  // Accepts no client from now on, answers the requests under way, those of peers too, and
  // returns when all is answered and every client's connection has ended, or after
  // drain-timeout-ms. Peers hear that they had better ask others.
  void Drain();
  // Stops. What was acknowledged as durable is; requests under way are cut off.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // As listened on: the kernel's choice where 0 was asked for.
  struct Ports {
    uint16_t http = 0;
    uint16_t pb = 0;
    uint16_t peer = 0;
    uint16_t admin = 0;
  };
  Ports ports() const;

 private:
  Node(NodeConfig config, Logger log);

  Status Listen();
  Status OpenStore();
  void MakeService();
  Status StartService();
  void StartAccepting();
  // Begins something on every shard, and waits until each has called `done`; false: not
  // all had by the deadline.
  using Begin = std::function<void(size_t shard, std::function<void()> done)>;
  bool AwaitAll(std::chrono::steady_clock::time_point deadline, const Begin& begin);
  void StopThreads();
  void TakeApart();
  NodeInfo Self() const;
  std::vector<ShardLoop*> Loops() const;

  NodeConfig config_;
  Logger log_;
  Metrics metrics_;
  // In the order of dependence: what stands below needs what stands above.
  std::unique_ptr<Security> security_;
  std::unique_ptr<RocksdbStore> store_;
  std::vector<std::unique_ptr<NodeShard>> shards_;
  std::unique_ptr<Listener> http_listener_, pb_listener_, peer_listener_, admin_listener_;
  std::unique_ptr<Seeds> seeds_;
  std::unique_ptr<NodeService> service_;
  std::vector<std::unique_ptr<Doors>> doors_;
  bool running_ = false;  // The shards' threads.
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_NODE_H_
