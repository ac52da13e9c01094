#include "common/admin/http_client.h"

namespace dynamo::admin {

std::string WithScheme(const std::string& endpoint) {
  return endpoint.find("://") == std::string::npos ? "http://" + endpoint : endpoint;
}

Errc CodeOf(int status) {
  switch (status) {
    case 400: return Errc::kInvalidArgument;
    case 404: return Errc::kNotFound;
    case 409:
    case 412: return Errc::kConflict;
    case 413:
    case 414: return Errc::kTooLarge;
    case 422: return Errc::kTooManySiblings;
    case 501: return Errc::kUnsupported;
    case 503: return Errc::kUnavailable;
    default: return Errc::kInternal;
  }
}

}  // namespace dynamo::admin
