// What a node is secured with: TLS for each of its uses, who may administer it, and who its users are.
#ifndef DYNAMO_NODE_SECURITY_H_
#define DYNAMO_NODE_SECURITY_H_

#include <memory>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/result.h"
#include "common/tls/keeper.h"
#include "node/api/admin_guard.h"
#include "node/api/client_guard.h"
#include "node/config.h"

namespace dynamo {

class Security {
 public:
  // The files must be good; the error names the setting, the file and what is wrong with it.
  // `metrics` outlives this.
  static Result<std::unique_ptr<Security>> Open(const NodeConfig& config, Metrics* metrics, const Logger& log);

  // nullptr: off.
  TlsKeeper* client() const { return client_.get(); }
  TlsKeeper* peer() const { return peer_.get(); }
  TlsKeeper* admin() const { return admin_.get(); }
  AdminGuard* guard() const { return guard_.get(); }
  ClientGuard* users() const { return users_.get(); }

  // Reads all files again. On shard 0's thread.
  void Look();
  // No password is looked at after this; before the shards go, which await the answers.
  void Stop();

 private:
  std::unique_ptr<TlsKeeper> client_, peer_, admin_;
  std::unique_ptr<AdminGuard> guard_;
  std::unique_ptr<ClientGuard> users_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_SECURITY_H_
