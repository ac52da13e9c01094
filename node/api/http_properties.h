// Bucket properties and statistics as the JSON that Riak's clients read.
#ifndef DYNAMO_NODE_API_HTTP_PROPERTIES_H_
#define DYNAMO_NODE_API_HTTP_PROPERTIES_H_

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "node/api/door_env.h"
#include "node/core/version/object_key.h"
#include "node/env/request_handler.h"

namespace dynamo {

// {"props": {...}}
std::string PropertiesToJson(const BucketProperties& properties, const ObjectKey& key);
// kInvalidArgument: no JSON of that shape, a value of the wrong type, or a change
// of what only the bucket type decides. Properties it does not know are ignored,
// as echoed read-only ones must be.
Result<BucketPropertiesChange> PropertiesFromJson(std::string_view json, const BucketProperties& today);

// Riak's names where clients look for them, then this node's own counters and gauges.
std::string StatsToJson(const DoorEnv& env);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_HTTP_PROPERTIES_H_
