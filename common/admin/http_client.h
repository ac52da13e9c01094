// What our clients of a node's HTTP ports have in common.
#ifndef DYNAMO_COMMON_ADMIN_HTTP_CLIENT_H_
#define DYNAMO_COMMON_ADMIN_HTTP_CLIENT_H_

#include <string>

#include "common/base/result.h"

namespace dynamo::admin {

// "host:port" or a URL -> a URL.
std::string WithScheme(const std::string& endpoint);

// What a status other than success says of the request.
Errc CodeOf(int status);

}  // namespace dynamo::admin

#endif  // DYNAMO_COMMON_ADMIN_HTTP_CLIENT_H_
