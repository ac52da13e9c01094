// Who clients are, and what they may do: the users of a node at both of its doors.
#ifndef DYNAMO_NODE_API_CLIENT_GUARD_H_
#define DYNAMO_NODE_API_CLIENT_GUARD_H_

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/base/failure_log.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/result.h"
#include "common/users/keeper.h"
#include "node/api/password_checks.h"

namespace dynamo {

// A user who has shown the password: good as long as there is one with this name and password.
struct UserIdentity {
  std::string name;
  PasswordHash password;
};

// Any shard may use it, but for Look. Where every client may do everything there is none.
class ClientGuard {
 public:
  enum class Door { kHttp, kPb };
  // What a client says of itself.
  struct Claim {
    Door door;
    std::string client;  // Its address.
    std::string name, password;
  };

  // The file must be good. `metrics` outlives this.
  static Result<std::unique_ptr<ClientGuard>> Open(std::string users_file, bool allow_plaintext, Metrics* metrics,
                                                   Logger log);

  bool allows_plaintext() const { return allow_plaintext_; }

  // nullopt: there is no such user, or it is not the password; counted and logged.
  // kOverloaded: nothing is known. Resumes through `scope`, the shard's.
  Async<Result<std::optional<UserIdentity>>> Authenticate(Scope* scope, Claim claim);
  // Of a client without a claim.
  void CountFailure(Door door) { Of(failures_, door).Add(); }

  bool Knows(const UserIdentity& user) const;
  // nullopt: the user may; else why not, in Riak's words, and it was counted.
  std::optional<std::string> Deny(Door door, const UserIdentity& user, Permission permission, GrantTarget target);

  // Reads the file again. On shard 0's thread.
  void Look() { keeper_->Look(); }
  void Stop() { checks_.Stop(); }
  // For tests.
  uint64_t passwords_computed() const { return checks_.computed(); }

 private:
  using Counters = std::array<Counter*, 2>;
  ClientGuard(std::unique_ptr<UserKeeper> keeper, bool allow_plaintext, Metrics* metrics, Logger log);
  static Counter& Of(const Counters& counters, Door door) { return *counters[static_cast<size_t>(door)]; }
  void OnFailure(const Claim& claim);

  std::unique_ptr<UserKeeper> keeper_;
  const bool allow_plaintext_;
  PasswordChecks checks_;
  Logger log_;
  std::mutex mutex_;
  FailureLog failure_log_;  // Guarded by the mutex.
  Counters failures_, denials_;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_CLIENT_GUARD_H_
