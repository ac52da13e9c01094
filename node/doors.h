// The doors of one shard: HTTP and Protocol Buffers for clients, and on shard 0 the
// admin API.
#ifndef DYNAMO_NODE_DOORS_H_
#define DYNAMO_NODE_DOORS_H_

#include <functional>
#include <memory>

#include "common/base/metrics.h"
#include "node/api/admin_door.h"
#include "node/api/connection.h"
#include "node/api/door_env.h"
#include "node/api/http_door.h"
#include "node/env/admin_handler.h"
#include "node/env/async.h"
#include "node/env/shard_link.h"

namespace dynamo {

// Every call on the shard's thread. Goes after the shard's scope was killed, since
// the answers it has begun end then.
class Doors {
 public:
  // Of the admin API: how it is secured; all outlive the doors.
  struct Admin {
    AdminHandler* handler = nullptr;  // nullptr but on shard 0.
    TlsKeeper* tls = nullptr;         // nullptr: plaintext only.
    AdminGuard* guard = nullptr;      // nullptr: whoever comes may.
  };
  // `env` as DoorEnv says.
  Doors(ShardIndex shard, Executor executor, DoorEnv env, Admin admin);
  Doors(const Doors&) = delete;
  Doors& operator=(const Doors&) = delete;

  // Each takes over an accepted connection.
  void AdoptHttp(int descriptor, bool ipv6) { http_connections_->Adopt(descriptor, ipv6); }
  void AdoptPb(int descriptor, bool ipv6) { pb_connections_->Adopt(descriptor, ipv6); }
  void AdoptAdmin(int descriptor, bool ipv6);

  // Ends the clients' connections after their last answers, then calls `done`, once;
  // /readyz says no from now on, and the admin API answers until CloseAll.
  void Drain(std::function<void()> done);
  void CloseAll();

 private:
  std::unique_ptr<ConnectionSet> MakeConnections(const std::string& door, ShardIndex shard, Executor executor,
                                                 ConnectionSet::Serve serve);

  DoorEnv env_;
  HttpDoor http_;
  std::unique_ptr<AdminDoor> admin_;
  std::unique_ptr<ConnectionSet> http_connections_;
  std::unique_ptr<ConnectionSet> pb_connections_;
  std::unique_ptr<ConnectionSet> admin_connections_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_DOORS_H_
