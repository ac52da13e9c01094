// A blocking client of one node's admin API, for tools and tests.
#ifndef DYNAMO_COMMON_ADMIN_CLIENT_H_
#define DYNAMO_COMMON_ADMIN_CLIENT_H_

#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "common/admin/http_client.h"
#include "common/admin/types.h"
#include "common/base/result.h"

namespace dynamo::admin {

// Errors of all calls: kUnavailable (refused, no route; names the endpoint),
// kTimeout, or what the node answered.
class Client {
 public:
  explicit Client(const Endpoint& endpoint, std::chrono::milliseconds timeout = std::chrono::seconds(15));
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  Result<Identity> GetIdentity();
  Result<Members> GetMembers();
  Result<Topology> GetTopology();
  Result<Hints> GetHints();
  Result<Location> Locate(const std::string& type, const std::string& bucket, const std::string& key);
  // True: /readyz says that the node serves.
  Result<bool> IsReady();
  // The same id again is the same operation.
  Result<Operation> Create(const std::string& operation_id, const CreateOperation& operation);
  // As Create; runs on, see GetRepair.
  Result<Repair> StartRepair(const std::string& operation_id, const RepairOperation& operation);
  Result<Repair> GetRepair(const std::string& operation_id);
  Result<Operation> CreateType(const std::string& operation_id, const CreateTypeOperation& operation);
  // Any operation: `request` holds its "type" and what that takes. It may go on after the
  // answer; what it has come to is in the topology.
  Result<Operation> Start(const std::string& operation_id, const boost::json::object& request);
  // `type`: see MemberOperation.
  Result<Operation> Change(const std::string& operation_id, const std::string& type, const MemberOperation& operation);
  // Without no node: as it is now.
  Result<Safety> GetSafety(const std::string& without);
  Result<Plan> GetPlan(const MemberOperation& staged);
  Result<Operation> GetOperation(const std::string& operation_id);
  // The text of /metrics.
  Result<std::string> GetMetrics();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dynamo::admin

#endif  // DYNAMO_COMMON_ADMIN_CLIENT_H_
