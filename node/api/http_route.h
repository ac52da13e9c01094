// What an HTTP request is about: pure, from its method and target.
#ifndef DYNAMO_NODE_API_HTTP_ROUTE_H_
#define DYNAMO_NODE_API_HTTP_ROUTE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "node/core/version/object_key.h"
#include "node/env/request_handler.h"

namespace dynamo {

struct HttpRoute {
  enum class Kind : uint8_t {
    kUnknown,
    kResources,       // /
    kPing,            // /ping
    kStats,           // /stats
    kObject,          // [/types/T]/buckets/B/keys/K, /riak/B/K
    kKeys,            // [/types/T]/buckets/B/keys: POST makes an object with a new key
    kBuckets,         // [/types/T]/buckets
    kProperties,      // [/types/T]/buckets/B/props, /riak/B
    kTypeProperties,  // /types/T/props
  };
  Kind kind = Kind::kUnknown;
  ObjectKey key;  // As far as the kind has it.
  std::map<std::string, std::string> query;

  std::optional<std::string_view> Parameter(const std::string& name) const;
};

// kInvalidArgument: a bad percent escape.
Result<HttpRoute> ParseTarget(std::string_view target);

// `%2F` -> '/'; in queries '+' is a space. Any byte may be written so, NUL too.
Result<std::string> PercentDecode(std::string_view text, bool plus_is_space);
// All but [0-9A-Za-z-_.~] as %XX.
std::string PercentEncode(std::string_view bytes);

// The path of an object, as Location and Link give it.
std::string PathOf(const ObjectKey& key);

// r, pr, node_confirms, basic_quorum, notfound_ok, sloppy_quorum, n_val, timeout.
// kInvalidArgument names the parameter.
Result<ReadOptions> ReadOptionsFrom(const HttpRoute& route);
// w, dw, pw, node_confirms, sloppy_quorum, n_val, timeout.
Result<WriteOptions> WriteOptionsFrom(const HttpRoute& route);
// true or false; `fallback` when it is not there.
Result<bool> FlagFrom(const HttpRoute& route, const std::string& name, bool fallback);

}  // namespace dynamo

#endif  // DYNAMO_NODE_API_HTTP_ROUTE_H_
