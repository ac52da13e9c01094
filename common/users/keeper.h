// The users of a node, which follow their file.
#ifndef DYNAMO_COMMON_USERS_KEEPER_H_
#define DYNAMO_COMMON_USERS_KEEPER_H_

#include <memory>
#include <mutex>
#include <string>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/result.h"
#include "common/users/users.h"

namespace dynamo {

// Any thread may use it, but for Look.
class UserKeeper {
 public:
  // The file must be good: kInvalidArgument, kNotFound. `metrics` outlives this.
  static Result<std::unique_ptr<UserKeeper>> Open(std::string file, Metrics* metrics, Logger log);

  std::shared_ptr<const Users> users() const;

  // Reads the file; takes it if it has changed and is good, else those from before stay.
  // One thread at a time.
  void Look();

 private:
  UserKeeper(std::string file, Metrics* metrics, Logger log);
  void OnBadFile(const Error& error);
  void Take(Users users);

  const std::string file_;
  Logger log_;
  std::string seen_;        // The latest, good or bad.
  std::string last_error_;  // Of the latest look; logged once.
  mutable std::mutex mutex_;
  std::shared_ptr<const Users> users_;  // Guarded by the mutex.

  Counter& reloads_ok_total_;
  Counter& reloads_failed_total_;
};

}  // namespace dynamo

#endif  // DYNAMO_COMMON_USERS_KEEPER_H_
