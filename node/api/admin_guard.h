// Who may administer: whoever shows the token or an administrator's certificate.
#ifndef DYNAMO_NODE_API_ADMIN_GUARD_H_
#define DYNAMO_NODE_API_ADMIN_GUARD_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/result.h"
#include "node/api/http_server.h"

namespace dynamo {

// On shard 0's thread, but for Open. Where everybody may administer there is none.
class AdminGuard {
 public:
  // `token_file`: empty if only certificates count. kInvalidArgument, kNotFound: it cannot be
  // read, or holds no token. `metrics` outlives this.
  static Result<std::unique_ptr<AdminGuard>> Open(std::string token_file, Metrics* metrics, Logger log);

  // Reads the token again; the one from before stays if there is none.
  void Look();

  // Nullopt: let it through; else the answer. `is_admin`: has shown the certificate.
  std::optional<HttpResponse> Refuse(const HttpRequest& request, bool is_admin);

 private:
  AdminGuard(std::string token_file, std::string token, Metrics* metrics, Logger log);

  std::string token_file_;
  std::string token_;
  Logger log_;
  std::string last_error_;
  Counter& refused_total_;
};

// Health and metrics, which kubelet and Prometheus ask for without credentials.
bool NeedsNoCredentials(std::string_view target);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_ADMIN_GUARD_H_
