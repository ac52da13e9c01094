// The admin API of a node: health, metrics, and its view of the cluster as JSON.
#ifndef DYNAMO_NODE_API_ADMIN_DOOR_H_
#define DYNAMO_NODE_API_ADMIN_DOOR_H_

#include <map>
#include <memory>
#include <string>

#include "common/admin/types.h"
#include "common/base/metrics.h"
#include "node/api/admin_guard.h"
#include "node/api/http_route.h"
#include "node/api/http_server.h"
#include "node/env/admin_handler.h"
#include "node/env/async.h"

namespace dynamo {

// On shard 0's thread; outlives every answer it has begun.
class AdminDoor {
 public:
  // Both outlive the door.
  AdminDoor(AdminHandler* handler, const Metrics* metrics) : handler_(handler), metrics_(metrics) {}

  Async<HttpResponse> Answer(HttpRequest request);
  // As Answer, to those who may ask; `guard`: nullptr if all may.
  Async<HttpResponse> AnswerOn(std::shared_ptr<Connection> connection, AdminGuard* guard, HttpRequest request);
  // From now on the node is not ready.
  void SetStopping() { stopping_ = true; }

 private:
  HttpResponse AnswerRead(const std::string& path);
  Async<HttpResponse> Locate(HttpRoute route);
  Async<HttpResponse> PutOperation(std::string id, std::string body);
  Async<HttpResponse> Roots(HttpRoute route);
  HttpResponse StartRepair(const std::string& id, const std::string& body);
  Async<HttpResponse> GetOperation(std::string id);
  Async<HttpResponse> Safety(std::string without);
  HttpResponse Plan(const std::string& body) const;
  Async<Status> Run(admin::Operation* operation, std::string body);
  Async<Status> ChangeMember(admin::Operation* operation, std::string body);
  Async<Status> Create(admin::Operation* operation, std::string body);
  Async<Status> CreateType(admin::Operation* operation, std::string body);

  AdminHandler* handler_;
  const Metrics* metrics_;
  bool stopping_ = false;
  std::map<std::string, admin::Operation> operations_;  // The latest kOperationsMax.
  static constexpr size_t kOperationsMax = 100;
};

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_ADMIN_DOOR_H_
