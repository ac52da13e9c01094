// Objects over a node's HTTP door, as dynamoctl needs them.
#ifndef DYNAMO_TOOLS_DYNAMOCTL_OBJECT_CLIENT_H_
#define DYNAMO_TOOLS_DYNAMOCTL_OBJECT_CLIENT_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/admin/http_client.h"
#include "common/base/result.h"

namespace dynamo::ctl {

// TYPE/BUCKET/KEY; the key may hold further slashes.
struct ObjectName {
  std::string type, bucket, key;
};
// kInvalidArgument: fewer than three parts, or an empty one.
Result<ObjectName> ParseObjectName(std::string_view text);

struct Value {
  std::string content_type;
  std::string data;
  bool deleted = false;  // A tombstone among siblings.
};

struct Found {
  std::vector<Value> values;  // Siblings, sorted by their bytes; empty: not found.
  std::string context;        // Base64, as the server gave it; also of a tombstone.
  std::string coordinator;
};

// Blocking. Errors: kUnavailable (names the endpoint), kTimeout, or what the node answered.
class ObjectClient {
 public:
  explicit ObjectClient(const admin::Endpoint& endpoint);
  ~ObjectClient();

  using Query = std::map<std::string, std::string>;  // r, w, ...: quorums.
  Result<Found> Get(const ObjectName& name, const Query& query);
  // The new context.
  Result<std::string> Put(const ObjectName& name, const std::string& data, const std::string& content_type,
                          const std::string& context, const Query& query);
  Status Delete(const ObjectName& name, const std::string& context, const Query& query);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Of a Content-Type; empty: it names none.
std::string BoundaryOf(const std::string& content_type);
// The parts of a multipart/mixed body with this boundary; kCorrupt if it is none.
Result<std::vector<Value>> ParseMultipart(std::string_view body, std::string_view boundary);

}  // namespace dynamo::ctl

#endif  // DYNAMO_TOOLS_DYNAMOCTL_OBJECT_CLIENT_H_
