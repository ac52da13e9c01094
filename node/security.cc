#include "node/security.h"

#include <fmt/format.h>

#include <utility>

namespace dynamo {
namespace {

Result<std::unique_ptr<TlsKeeper>> OpenKeeper(TlsUse use, const TlsConfig& config, Metrics* metrics,
                                              const Logger& log) {
  if (config.mode == TlsMode::kOff) return nullptr;
  auto keeper = TlsKeeper::Open(use, config.mode, config.folder, metrics, log);
  if (keeper) return keeper;
  return Fail(keeper.error().code, fmt::format("tls-{}-folder: {}", TlsUseName(use), keeper.error().message));
}

}  // namespace

Result<std::unique_ptr<Security>> Security::Open(const NodeConfig& config, Metrics* metrics, const Logger& log) {
  auto security = std::make_unique<Security>();
  auto client = OpenKeeper(TlsUse::kClient, config.tls_client, metrics, log);
  if (!client) return Fail(std::move(client.error()));
  auto peer = OpenKeeper(TlsUse::kPeer, config.tls_peer, metrics, log);
  if (!peer) return Fail(std::move(peer.error()));
  auto admin = OpenKeeper(TlsUse::kAdmin, config.tls_admin, metrics, log);
  if (!admin) return Fail(std::move(admin.error()));
  security->client_ = std::move(*client);
  security->peer_ = std::move(*peer);
  security->admin_ = std::move(*admin);

  if (!config.auth_users_file.empty()) {
    auto users = ClientGuard::Open(config.auth_users_file, config.auth_allow_plaintext, metrics, log);
    if (!users) return Fail(users.error().code, "auth-users-file: " + users.error().message);
    security->users_ = std::move(*users);
  }

  const bool by_certificate = security->admin_ && security->admin_->context()->authorities_expire();
  if (config.admin_token_file.empty() && !by_certificate) return security;
  auto guard = AdminGuard::Open(config.admin_token_file, metrics, log);
  if (!guard) return Fail(guard.error().code, "admin-token-file: " + guard.error().message);
  security->guard_ = std::move(*guard);
  return security;
}

void Security::Look() {
  for (TlsKeeper* keeper : {client(), peer(), admin()}) {
    if (keeper != nullptr) keeper->Look();
  }
  if (guard_) guard_->Look();
  if (users_) users_->Look();
}

void Security::Stop() {
  if (users_) users_->Stop();
}

}  // namespace dynamo
