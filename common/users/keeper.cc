#include "common/users/keeper.h"

#include <utility>

#include "common/tls/files.h"

namespace dynamo {
namespace {

constexpr char kReloads[] = "dynamo_auth_reloads_total";
constexpr char kReloadsHelp[] = "Changed files of users that were taken (ok) or left because they are wrong (failed).";

}  // namespace

UserKeeper::UserKeeper(std::string file, Metrics* metrics, Logger log)
    : file_(std::move(file)),
      log_(std::move(log)),
      reloads_ok_total_(metrics->counter(kReloads, kReloadsHelp, {{"outcome", "ok"}})),
      reloads_failed_total_(metrics->counter(kReloads, kReloadsHelp, {{"outcome", "failed"}})) {}

Result<std::unique_ptr<UserKeeper>> UserKeeper::Open(std::string file, Metrics* metrics, Logger log) {
  auto text = ReadSmallFile(file);
  if (!text) return Fail(std::move(text.error()));
  auto users = Users::Parse(*text, file);
  if (!users) return Fail(std::move(users.error()));
  std::unique_ptr<UserKeeper> keeper(new UserKeeper(std::move(file), metrics, std::move(log)));
  keeper->seen_ = std::move(*text);
  keeper->Take(std::move(*users));
  return keeper;
}

std::shared_ptr<const Users> UserKeeper::users() const {
  const std::lock_guard lock(mutex_);
  return users_;
}

void UserKeeper::Take(Users users) {
  auto taken = std::make_shared<const Users>(std::move(users));
  const std::lock_guard lock(mutex_);
  users_ = std::move(taken);
}

void UserKeeper::Look() {
  auto text = ReadSmallFile(file_);
  if (!text) return OnBadFile(text.error());
  last_error_.clear();
  if (*text == seen_) return;
  seen_ = std::move(*text);
  auto users = Users::Parse(seen_, file_);
  if (!users) return OnBadFile(users.error());
  reloads_ok_total_.Add();
  log_.Info("users_reloaded file={} users={}", file_, users->size());
  Take(std::move(*users));
}

void UserKeeper::OnBadFile(const Error& error) {
  if (error.message == last_error_) return;
  last_error_ = error.message;
  reloads_failed_total_.Add();
  log_.Error("users_reload_failed file={} error=\"{}\" doing=\"the users from before stay\"", file_, error.message);
}

}  // namespace dynamo
