#include "node/api/client_guard.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace dynamo {
namespace {

constexpr std::array<const char*, 2> kDoorNames = {"http", "pb"};

TimePoint SteadyNow() {
  return TimePoint(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

}  // namespace

ClientGuard::ClientGuard(std::unique_ptr<UserKeeper> keeper, bool allow_plaintext, Metrics* metrics, Logger log)
    : keeper_(std::move(keeper)),
      allow_plaintext_(allow_plaintext),
      log_(std::move(log)),
      failure_log_(LogLevel::kWarn, "auth_failed") {
  for (size_t i = 0; i < kDoorNames.size(); ++i) {
    const Labels labels = {{"door", kDoorNames[i]}};
    failures_[i] = &metrics->counter("dynamo_auth_failures_total",
                                     "Requests without a user's name and password that are right.", labels);
    denials_[i] =
        &metrics->counter("dynamo_auth_denials_total", "Requests of users who lack the permission for them.", labels);
  }
}

Result<std::unique_ptr<ClientGuard>> ClientGuard::Open(std::string users_file, bool allow_plaintext, Metrics* metrics,
                                                       Logger log) {
  auto keeper = UserKeeper::Open(std::move(users_file), metrics, log);
  if (!keeper) return Fail(std::move(keeper.error()));
  return std::unique_ptr<ClientGuard>(new ClientGuard(std::move(*keeper), allow_plaintext, metrics, std::move(log)));
}

Async<Result<std::optional<UserIdentity>>> ClientGuard::Authenticate(Scope* scope, Claim claim) {
  const auto users = keeper_->users();
  const User* user = users->Find(claim.name);
  const auto right = co_await checks_.Check(scope, user != nullptr ? user->password : users->decoy(), claim.password);
  if (!right) co_return Fail(right.error());
  if (user != nullptr && *right) co_return UserIdentity{user->name, user->password};
  OnFailure(claim);
  co_return std::optional<UserIdentity>();
}

void ClientGuard::OnFailure(const Claim& claim) {
  CountFailure(claim.door);
  const std::lock_guard lock(mutex_);
  failure_log_.Failed(log_, SteadyNow(),
                      fmt::format("door={} who={}", kDoorNames[static_cast<size_t>(claim.door)], claim.client));
}

bool ClientGuard::Knows(const UserIdentity& identity) const {
  const auto users = keeper_->users();
  const User* user = users->Find(identity.name);
  return user != nullptr && user->password == identity.password;
}

std::optional<std::string> ClientGuard::Deny(Door door, const UserIdentity& identity, Permission permission,
                                             GrantTarget target) {
  const auto users = keeper_->users();
  const User* user = users->Find(identity.name);
  const bool known = user != nullptr && user->password == identity.password;
  if (known && user->May(permission, target)) return std::nullopt;
  Of(denials_, door).Add();
  return DenialText(identity.name, permission, target);
}

}  // namespace dynamo
