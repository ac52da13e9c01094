// Finds out whether passwords are right, on a thread of its own: that takes as long as a
// thousand requests do.
#ifndef DYNAMO_NODE_API_PASSWORD_CHECKS_H_
#define DYNAMO_NODE_API_PASSWORD_CHECKS_H_

#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/mac.h"
#include "common/base/result.h"
#include "common/users/password.h"
#include "node/env/async.h"
#include "node/env/scope.h"

namespace dynamo {

// Remembers for a while, by a digest under a key that nobody knows, what was right; those
// who ask for the same thing at once wait for one answer. From any shard's thread.
class PasswordChecks {
 public:
  // Different passwords that are being looked at; further ones are refused.
  static constexpr size_t kChecksMax = 64;
  static constexpr size_t kRememberedMax = 10'000;
  static constexpr std::chrono::minutes kRememberedFor{10};

  PasswordChecks();
  ~PasswordChecks() { Stop(); }
  PasswordChecks(const PasswordChecks&) = delete;
  PasswordChecks& operator=(const PasswordChecks&) = delete;

  // Resumes through `scope`, which is the calling shard's. kOverloaded: too many are waiting.
  Async<Result<bool>> Check(Scope* scope, PasswordHash stored, std::string password);
  // Those that were computed, and not remembered.
  uint64_t computed() const;

  // Waits for the check under way; those that wait get no answer.
  void Stop();

 private:
  struct Waiter {
    Scope* scope;
    Scope::Ticket ticket;
    std::shared_ptr<bool> right;
  };
  using Clock = std::chrono::steady_clock;

  bool Remembers(const MacTag& digest);
  void Join(const MacTag& digest, Waiter waiter, PasswordHash stored, std::string password);
  void Compute(const MacTag& digest, const PasswordHash& stored, const std::string& password);
  void Remember(const MacTag& digest);

  mutable std::mutex mutex_;
  // Guarded by the mutex.
  MacKey key_;
  std::map<MacTag, Clock::time_point> remembered_;  // Until when.
  std::map<MacTag, std::vector<Waiter>> waiting_;
  uint64_t computed_ = 0;

  asio::thread_pool thread_{1};
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_PASSWORD_CHECKS_H_
