// What went wrong with a request to the API server, by what a caller may conclude.
#ifndef DYNAMO_COMMON_KUBE_API_ERROR_H_
#define DYNAMO_COMMON_KUBE_API_ERROR_H_

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace dynamo::kube {

struct ApiError {
  enum class Kind {
    // No answer, a broken one, or a server in trouble. Says nothing about the
    // object; a write may or may not have happened.
    kUnknown,
    kNotFound,  // The server says that there is no such object (or no such resource).
    kAlreadyExists,
    kConflict,  // A precondition (UID, resourceVersion) or another field manager is in the way.
    kGone,      // The resourceVersion or the continue token has expired: list again.
    kUnauthorized,
    kForbidden,  // RBAC; the message names the permission.
    kInvalid,    // The request can never succeed as it stands.
  };

  Kind kind = Kind::kUnknown;
  int status = 0;  // Of HTTP; 0: there was no answer.
  std::string reason, message;
};

// The answer, or why there is none. Absence is known only as Kind::kNotFound.
template <class T>
using Answer = tl::expected<T, ApiError>;

inline tl::unexpected<ApiError> Unknown(std::string message) {
  return tl::unexpected<ApiError>(ApiError{ApiError::Kind::kUnknown, 0, "", std::move(message)});
}

// An answer other than success, whose body is (or should be) a Status object.
ApiError ErrorOf(int http_status, std::string_view body);

// "forbidden: pods is forbidden: ..."
std::string ToString(const ApiError& error);

}  // namespace dynamo::kube

#endif  // DYNAMO_COMMON_KUBE_API_ERROR_H_
