#include "node/doors.h"

#include <string>
#include <utility>

#include "node/api/http_server.h"
#include "node/api/pb_door.h"

namespace dynamo {

Doors::Doors(ShardIndex shard, Executor executor, DoorEnv env, Admin admin)
    : env_(std::move(env)),
      http_(env_),
      http_connections_(MakeConnections("http", shard, executor,
                                        [this](std::shared_ptr<Connection> connection) {
                                          return ServeHttp(
                                              connection, env_.limits,
                                              [this, connection](HttpRequest request) {
                                                return http_.AnswerOn(connection, std::move(request));
                                              },
                                              env_.tls);
                                        })),
      pb_connections_(MakeConnections("pb", shard, executor, [this](std::shared_ptr<Connection> connection) {
        return ServePb(std::move(connection), env_);
      })) {
  if (admin.handler == nullptr) return;
  admin_ = std::make_unique<AdminDoor>(admin.handler, env_.metrics);
  admin_connections_ = MakeConnections("admin", shard, executor, [this, admin](std::shared_ptr<Connection> connection) {
    return ServeHttp(
        connection, env_.limits,
        [this, connection, guard = admin.guard](HttpRequest request) {
          return admin_->AnswerOn(connection, guard, std::move(request));
        },
        admin.tls);
  });
}

std::unique_ptr<ConnectionSet> Doors::MakeConnections(const std::string& door, ShardIndex shard, Executor executor,
                                                      ConnectionSet::Serve serve) {
  const Labels labels = {{"door", door}, {"shard", std::to_string(shard)}};
  Gauge& open = env_.metrics->gauge("dynamo_client_connections", "Client connections that are open.", labels);
  Counter& refused = env_.metrics->counter("dynamo_client_connections_refused_total",
                                           "Client connections closed at once: too many were open.", labels);
  return std::make_unique<ConnectionSet>(executor, env_.limits, &open, &refused, std::move(serve));
}

void Doors::AdoptAdmin(int descriptor, bool ipv6) { admin_connections_->Adopt(descriptor, ipv6); }

void Doors::Drain(std::function<void()> done) {
  if (admin_) admin_->SetStopping();
  http_connections_->Drain([this, done = std::move(done)] { pb_connections_->Drain(done); });
}

void Doors::CloseAll() {
  http_connections_->CloseAll();
  pb_connections_->CloseAll();
  if (admin_connections_) admin_connections_->CloseAll();
}

}  // namespace dynamo
