#include "common/kube/api_error.h"

#include <fmt/format.h>

#include "common/kube/object.h"

namespace dynamo::kube {
namespace {

ApiError::Kind KindOf(int status, std::string_view reason) {
  switch (status) {
    case 400:
    case 405:
    case 413:
    case 415:
    case 422: return ApiError::Kind::kInvalid;
    case 401: return ApiError::Kind::kUnauthorized;
    case 403: return ApiError::Kind::kForbidden;
    case 404: return ApiError::Kind::kNotFound;
    case 409: return reason == "AlreadyExists" ? ApiError::Kind::kAlreadyExists : ApiError::Kind::kConflict;
    case 410: return ApiError::Kind::kGone;
    default: return ApiError::Kind::kUnknown;
  }
}

std::string_view NameOfKind(ApiError::Kind kind) {
  switch (kind) {
    case ApiError::Kind::kUnknown: return "unknown";
    case ApiError::Kind::kNotFound: return "not found";
    case ApiError::Kind::kAlreadyExists: return "already exists";
    case ApiError::Kind::kConflict: return "conflict";
    case ApiError::Kind::kGone: return "gone";
    case ApiError::Kind::kUnauthorized: return "unauthorized";
    case ApiError::Kind::kForbidden: return "forbidden";
    case ApiError::Kind::kInvalid: return "invalid";
  }
  return "unknown";
}

}  // namespace

ApiError ErrorOf(int http_status, std::string_view body) {
  ApiError error;
  error.status = http_status;
  const auto parsed = ParseObject(body);
  if (parsed && StringAt(*parsed, "kind") == "Status") {
    error.reason = StringAt(*parsed, "reason");
    error.message = StringAt(*parsed, "message");
    error.kind = KindOf(http_status, error.reason);
    return error;
  }
  // Who answers without a Status object is a proxy, or is not the API server at
  // all: its 404 says nothing about the object. 401 and 403 are worth knowing.
  if (http_status == 401 || http_status == 403) error.kind = KindOf(http_status, "");
  error.message = fmt::format("HTTP status {} without a Status object", http_status);
  return error;
}

std::string ToString(const ApiError& error) { return fmt::format("{}: {}", NameOfKind(error.kind), error.message); }

}  // namespace dynamo::kube
